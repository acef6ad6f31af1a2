//! One batch, without allocation: forward, loss, input gradients, then each piece of the parameters pulled, and updated while it is
//! warm or gathered. In: a batch; out: changed parameters and the loss.

use std::ops::Range;

use super::objective::{Answers, Objective, Tally};
use super::pieces;
use super::update::Update;
use crate::data::{Targets, Values};
use crate::facts::{MAX_OUTPUTS, Role};
use crate::graph::{MAX_INPUTS, Purpose};
use crate::kernels::block::Block;
use crate::kernels::noise::Noise;
use crate::kernels::simd::Isa;
use crate::layer::{Cx, Mode, Part};
use crate::network::Network;
use crate::optim::Optimizer;

/// The memory of a step: workspace, outputs and their gradients, what becomes of the gradients of parameters.
pub(super) struct Stage {
    pub(super) isa: Isa,
    capacity: usize,
    saved: Block,
    scratch: Block,
    outputs: Vec<Block>,
    output_grads: Vec<Block>,
    running: Vec<Range<usize>>,
    /// The change of one strip of running statistics.
    change: Block,
    pub(super) update: Update,
    /// Batches trained on: what their noise is drawn by.
    pub(super) batches: u64,
}

/// What a batch has come to.
pub(super) struct Taken {
    pub(super) sums: Tally,
    /// What the penalties on parameters added to the loss.
    pub(super) penalty: f64,
}

impl Taken {
    /// The mean loss of a row, and the penalties.
    pub(super) fn loss(&self) -> f64 {
        self.sums.mean() + self.penalty
    }
}

impl Stage {
    pub(super) fn new<N: Network>(optimizer: &impl Optimizer, isa: Isa) -> Stage {
        let running: Vec<_> = pieces::by_strip(N::MAP, Role::Running).into_iter().map(|piece| piece.range).collect();
        Stage {
            isa,
            capacity: 0,
            saved: Block::zeroed(0),
            scratch: Block::zeroed(0),
            outputs: Vec::new(),
            output_grads: Vec::new(),
            change: Block::zeroed(running.iter().map(Range::len).max().unwrap_or(0)),
            running,
            update: Update::new(N::MAP, optimizer),
            batches: 0,
        }
    }

    /// Makes room for batches of up to this many samples.
    pub(super) fn reserve<N: Network>(&mut self, batch: usize) {
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

    /// Trains on the samples of a batch, `targets` and `weights` all its own, and returns what its rows come to. Where a loss is not
    /// finite, or no row has a weight, nothing is changed.
    pub(super) fn train<N: Network, T: Targets>(
        &mut self,
        params: &mut [f32],
        loss: &impl Objective<T>,
        optimizer: &mut impl Optimizer,
        seed: u64,
        (batch, x, targets, weights): (usize, &[&[f32]], &T, Option<&Values>),
    ) -> Taken {
        let shapes = N::MAP.outputs;
        let weight = loss.weight(0..batch, shapes, weights);
        let all: f64 = weight.iter().sum();
        if all == 0.0 {
            return Taken { sums: Tally::default(), penalty: 0.0 };
        }
        let penalty = self.update.penalty(self.isa, params);
        let mut dx: [&mut [f32]; MAX_INPUTS] = Default::default();
        let (isa, noise, logits) = (self.isa, Noise { key: seed }.keyed(&[self.batches]), loss.logits());
        let context = |cx: &mut Cx| {
            cx.purpose = Purpose::Train;
            cx.mode = Mode::Train;
            cx.noise = noise;
            cx.logits = logits;
        };
        let sums;
        {
            let mut y = mut_slices(&mut self.outputs, batch, N::MAP.outputs);
            let mut cx = Cx::of_network(N::MAP, params, isa, batch, &mut self.saved, &mut self.scratch);
            context(&mut cx);
            N::forward(&mut cx, x, &mut y);

            let y = y.each_ref().map(|y| &**y);
            let mut dy = mut_slices(&mut self.output_grads, batch, N::MAP.outputs);
            let answers = Answers { isa, samples: 0..batch, weights, shapes, y };
            // Of an output where no row has a weight every gradient is 0, whatever the scale.
            let share = self.update.share(all);
            let scale = weight.map(|weight| if weight > 0.0 { share / weight } else { 0.0 });
            sums = loss.gradient(&answers, targets, scale, &mut dy);
            if !sums.mean().is_finite() {
                return Taken { sums, penalty };
            }
            let dy = dy.each_ref().map(|dy| &**dy);
            N::pull_input(&mut cx, x, &y, &dy, &mut dx);
        }
        self.batches += 1;
        let dy = slices(&self.output_grads, batch, N::MAP.outputs);
        let (saved, scratch) = (&mut self.saved, &mut self.scratch);
        let mut pull = |params: &[f32], range: Range<usize>, grad: &mut [f32]| {
            let mut cx = Cx::of_network(N::MAP, params, isa, batch, saved, scratch);
            context(&mut cx);
            N::pull_params(&mut cx, x, &dy, Part { range, grad });
        };
        self.update.batch(isa, params, optimizer, all, &mut pull);
        for range in &self.running {
            let change = &mut self.change[..range.len()];
            change.fill(0.0);
            pull(params, range.clone(), change);
            isa.add(change, &mut params[range.clone()]);
        }
        Taken { sums, penalty }
    }

    /// What the rows of a stretch of samples come to, as the network predicts; targets and weights are those of all samples.
    pub(super) fn evaluate<N: Network, T: Targets>(
        &mut self,
        params: &[f32],
        loss: &impl Objective<T>,
        (samples, x, targets, weights): (Range<usize>, &[&[f32]], &T, Option<&Values>),
    ) -> Tally {
        let batch = samples.len();
        let mut y = mut_slices(&mut self.outputs, batch, N::MAP.outputs);
        let mut cx = Cx::of_network(N::MAP, params, self.isa, batch, &mut [], &mut self.scratch);
        cx.logits = loss.logits();
        N::forward(&mut cx, x, &mut y);
        let y = y.each_ref().map(|y| &**y);
        let answers = Answers { isa: self.isa, samples, weights, shapes: N::MAP.outputs, y };
        loss.value(&answers, targets)
    }
}

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
