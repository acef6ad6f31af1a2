//! One training step, without allocation: forward, loss, input gradients, then each strip of parameters pulled and updated
//! while it is warm. In: a batch; out: changed parameters and the loss.

use std::ops::Range;

use super::objective::{Answers, Objective};
use crate::data::Targets;
use crate::facts::{MAX_OUTPUTS, Role};
use crate::graph::{MAX_INPUTS, Purpose};
use crate::kernels::block::Block;
use crate::kernels::noise::Noise;
use crate::kernels::simd::Isa;
use crate::layer::{Cx, Mode, Part};
use crate::network::Network;
use crate::optim::Optimizer;
use crate::params;

/// The most floats of gradient held at once: they and their parameters stay in the nearer caches until they are used up.
const STRIP: usize = 16 * 1024;

/// The memory of a step: workspace, outputs and their gradients, one strip of parameter gradients, the optimiser's state.
pub(crate) struct Stage {
    isa: Isa,
    capacity: usize,
    saved: Block,
    scratch: Block,
    outputs: Vec<Block>,
    output_grads: Vec<Block>,
    grad: Block,
    strips: Vec<Range<usize>>,
    running: Vec<Range<usize>>,
    pub(crate) states: Vec<Block>,
    pub(crate) steps: u64,
}

impl Stage {
    pub(crate) fn new<N: Network>(optimizer: &impl Optimizer, isa: Isa) -> Stage {
        let trained = strips::<N>(Role::Trained);
        let running = strips::<N>(Role::Running);
        let states = (0..optimizer.states())
            .map(|k| {
                let mut state = Block::zeroed(N::MAP.params_len);
                let initial = optimizer.initial_state(k);
                if initial != 0.0 {
                    state.fill(initial);
                }
                state
            })
            .collect();
        Stage {
            isa,
            capacity: 0,
            saved: Block::zeroed(0),
            scratch: Block::zeroed(0),
            outputs: Vec::new(),
            output_grads: Vec::new(),
            grad: Block::zeroed(trained.iter().chain(&running).map(Range::len).max().unwrap_or(0)),
            strips: trained,
            running,
            states,
            steps: 0,
        }
    }

    /// Makes room for batches of up to this many samples.
    pub(crate) fn reserve<N: Network>(&mut self, batch: usize) {
        if batch <= self.capacity {
            return;
        }
        let map = N::MAP;
        let outputs = || map.outputs.iter().map(|shape| Block::zeroed(batch * shape.len())).collect();
        self.saved = Block::zeroed(map.train.work * batch);
        self.scratch = Block::zeroed(map.train.scratch_for(batch).max(map.infer.len(batch)));
        self.outputs = outputs();
        self.output_grads = outputs();
        self.capacity = batch;
    }

    /// Takes a step on the samples of a batch, `targets` all its own, and returns the sum of their losses, and how many were answered
    /// rightly. Where that sum is not finite nothing is updated.
    pub(crate) fn train<N: Network, T: Targets>(
        &mut self,
        params: &mut [f32],
        loss: &impl Objective<T>,
        optimizer: &impl Optimizer,
        seed: u64,
        (batch, x, targets): (usize, &[&[f32]], &T),
    ) -> (f64, Option<usize>) {
        let mut dx: [&mut [f32]; MAX_INPUTS] = Default::default();
        let (isa, noise, logits) = (self.isa, Noise { key: seed }.keyed(&[self.steps]), loss.logits());
        let context = |cx: &mut Cx| {
            cx.purpose = Purpose::Train;
            cx.mode = Mode::Train;
            cx.noise = noise;
            cx.logits = logits;
        };
        let outputs = N::MAP.outputs.len();
        let (sum, hits);
        {
            let mut y = mut_slices(&mut self.outputs, batch, N::MAP.outputs);
            let mut cx = Cx::of_network(N::MAP, params, isa, batch, &mut self.saved, &mut self.scratch);
            context(&mut cx);
            N::forward(&mut cx, x, &mut y);

            let y = y.each_ref().map(|y| &**y);
            let mut dy = mut_slices(&mut self.output_grads, batch, N::MAP.outputs);
            let answers = Answers { isa, samples: 0..batch, widths: widths::<N>(), y };
            sum = loss.gradient(&answers, targets, 1.0 / batch as f32, &mut dy[..outputs]);
            hits = loss.correct(&answers, targets);
            if !sum.is_finite() {
                return (sum, hits);
            }
            let dy = dy.each_ref().map(|dy| &**dy);
            N::pull_input(&mut cx, x, &y, &dy, &mut dx);
        }
        self.steps += 1;
        let dy = slices(&self.output_grads, batch, N::MAP.outputs);
        for (i, strip) in self.strips.iter().chain(&self.running).enumerate() {
            let grad = &mut self.grad[..strip.len()];
            grad.fill(0.0);
            let mut cx = Cx::of_network(N::MAP, params, isa, batch, &mut self.saved, &mut self.scratch);
            context(&mut cx);
            N::pull_params(&mut cx, x, &dy, Part { range: strip.clone(), grad: &mut *grad });
            let params = &mut params[strip.clone()];
            if i >= self.strips.len() {
                isa.add(grad, params);
                continue;
            }
            let count = self.states.len();
            let mut state: [&mut [f32]; MAX_STATES] = Default::default();
            for (to, from) in state.iter_mut().zip(&mut self.states) {
                *to = &mut from[strip.clone()];
            }
            optimizer.update(isa, self.steps, params, grad, &mut state[..count]);
        }
        (sum, hits)
    }

    /// The sum of the losses of a stretch of samples, and how many were answered rightly, as the network predicts.
    pub(crate) fn evaluate<N: Network, T: Targets>(
        &mut self,
        params: &[f32],
        loss: &impl Objective<T>,
        (samples, x, targets): (Range<usize>, &[&[f32]], &T),
    ) -> (f64, Option<usize>) {
        let batch = samples.len();
        let mut y = mut_slices(&mut self.outputs, batch, N::MAP.outputs);
        let mut cx = Cx::of_network(N::MAP, params, self.isa, batch, &mut [], &mut self.scratch);
        cx.logits = loss.logits();
        N::forward(&mut cx, x, &mut y);
        let y = y.each_ref().map(|y| &**y);
        let answers = Answers { isa: self.isa, samples, widths: widths::<N>(), y };
        (loss.value(&answers, targets), loss.correct(&answers, targets))
    }
}

/// Numbers per sample of each output.
pub(crate) fn widths<N: Network>() -> [usize; MAX_OUTPUTS] {
    let mut widths = [0; MAX_OUTPUTS];
    for (width, shape) in widths.iter_mut().zip(N::MAP.outputs) {
        *width = shape.len();
    }
    widths
}

/// The most floats of state per parameter that an optimiser may keep.
pub(crate) const MAX_STATES: usize = 4;

fn mut_slices<'b>(blocks: &'b mut [Block], batch: usize, shapes: &[crate::Shape]) -> [&'b mut [f32]; MAX_OUTPUTS] {
    let mut all: [&mut [f32]; MAX_OUTPUTS] = Default::default();
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(shapes) {
        *to = &mut block[..batch * shape.len()];
    }
    all
}

fn slices<'b>(blocks: &'b [Block], batch: usize, shapes: &[crate::Shape]) -> [&'b [f32]; MAX_OUTPUTS] {
    let mut all = [&[][..]; MAX_OUTPUTS];
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(shapes) {
        *to = &block[..batch * shape.len()];
    }
    all
}

/// Cuts the parameters of a role into strips: several small tensors in one, a large one in several, cut where its layout allows.
fn strips<N: Network>(role: Role) -> Vec<Range<usize>> {
    let mut strips: Vec<Range<usize>> = Vec::new();
    for tensor in params::tensors(N::MAP).iter().filter(|tensor| tensor.role == role && !tensor.frozen) {
        let end = tensor.offset + tensor.len;
        let mut from = tensor.offset;
        while from < end {
            let to = match end - from {
                rest if rest <= STRIP => end,
                _ => from + STRIP / tensor.layout.grain() * tensor.layout.grain(),
            };
            match strips.last_mut() {
                // Between tensors lie less than a cache line of unused floats, which stay zero.
                Some(last) if from - last.end < crate::facts::LINE && to - last.start <= STRIP => last.end = to,
                _ => strips.push(from..to),
            }
            from = to;
        }
    }
    strips
}
