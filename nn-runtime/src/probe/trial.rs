//! One run of a layer, forward and backward, as some part of the system would run it. In: how it is to be
//! run; out: what comes of it. All memory that a layer must not rely on is full of NaN.

use alloc::vec;
use alloc::vec::Vec;
use core::array;
use core::ops::Range;

use super::Probe;
use crate::layer::{Layer, LayerContext, ParamGrad};
use crate::params::Tensor;
use crate::spec::{Epilogue, Pass, Role};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::conv::fused_max_pool::ConvMaxPool;

/// What a pass is to be.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub(super) batch: usize,
    pub(super) first_sample: usize,
    pub(super) pass: Pass,
    pub(super) training: bool,
}

/// How gradients of the inputs are computed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum InputGrads {
    /// All of them.
    All,
    /// All but one, for which nobody asks.
    AllBut(usize),
    /// `backward_input` runs, but is asked for none.
    NoneAsked,
    /// `backward_input` does not run.
    Skipped,
    /// By `backward_in_place`.
    InPlace,
}

/// How a layer is run forward and backward over some samples of a batch.
#[derive(Clone)]
pub(super) struct Trial {
    /// How many samples `x` and `dy` hold, and which of them are run.
    pub(super) batch: usize,
    pub(super) samples: Range<usize>,
    /// What `forward` ends with.
    pub(super) epilogue: Epilogue,
    /// By `apply` over a copy of `x`, which is gone afterwards: the backward methods find `y` in its place.
    pub(super) applied: bool,
    pub(super) input_grads: InputGrads,
    /// The ranges of the parameters that are asked for, one after the other.
    pub(super) ranges: Vec<Range<usize>>,
    /// The parts of `samples`, counted from the first of them, that `backward_params` is asked for.
    pub(super) parts: Vec<Range<usize>>,
    /// The gradient of the parameters is overwritten, not added to.
    pub(super) overwrite: bool,
    /// After how many samples sums over them may begin anew.
    pub(super) sum_unit: usize,
}

/// What one run leaves, beside the gradient of the parameters.
pub(super) struct Outcome<const N: usize, const M: usize> {
    pub(super) y: [Vec<f32>; M],
    pub(super) dx: [Vec<f32>; N],
}

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// A whole batch, as an ordinary training step runs it.
    pub(super) fn ordinary(&self, batch: usize) -> Trial {
        Trial {
            batch,
            samples: 0..batch,
            epilogue: Epilogue::NONE,
            applied: false,
            input_grads: InputGrads::All,
            ranges: vec![0..self.spec.params.len; 1],
            parts: vec![0..batch; 1],
            overwrite: false,
            sum_unit: 0,
        }
    }

    /// Runs the layer; the gradient of its parameters is added to `grad`.
    pub(super) fn run_trial(
        &self,
        trial: &Trial,
        x: [&[f32]; N],
        dy: [&[f32]; M],
        grad: &mut AlignedBuffer,
    ) -> Outcome<N, M> {
        let Trial { batch, samples, .. } = trial;
        let (x, dy) = (x.map(|x| of(samples, *batch, x)), dy.map(|dy| of(samples, *batch, dy)));
        let ask = self.train(samples.clone());
        let (mut saved, mut scratch) = self.memory(ask, &trial.epilogue);
        let mut y = match trial.epilogue.max_pool {
            Some(pool) => array::from_fn(|_| vec![f32::NAN; ask.batch * pool.y_len()]),
            None => self.outputs(ask.batch),
        };
        let mut cx = self.cx(&self.params, ask, &mut saved, &mut scratch);
        cx.epilogue = &trial.epilogue;
        if trial.applied {
            y[0].copy_from_slice(x[0]);
            self.layer.apply(&mut cx, &mut y[0]);
        } else {
            self.layer.forward(&mut cx, x, y.each_mut().map(|y| &mut y[..]));
        }
        let x = if trial.applied { array::from_fn(|_| &y[0][..]) } else { x };
        let dx = self.input_grads(trial, &mut cx, x, &y, dy);
        for part in &trial.parts {
            for range in &trial.ranges {
                self.param_grads(trial, &mut cx, part, range, (x, dy), grad);
            }
        }
        Outcome { y, dx }
    }

    fn input_grads(
        &self,
        trial: &Trial,
        cx: &mut LayerContext,
        x: [&[f32]; N],
        y: &[Vec<f32>; M],
        dy: [&[f32]; M],
    ) -> [Vec<f32>; N] {
        let asked = |k: usize| match trial.input_grads {
            InputGrads::All | InputGrads::InPlace => true,
            InputGrads::AllBut(skipped) => k != skipped,
            InputGrads::NoneAsked | InputGrads::Skipped => false,
        };
        let mut dx = array::from_fn(|k| if asked(k) { vec![f32::NAN; x[k].len()] } else { Vec::new() });
        let (x, y) = self.backward_reads(x, y);
        cx.scratch.fill(f32::NAN);
        match trial.input_grads {
            InputGrads::Skipped => {}
            InputGrads::InPlace => {
                dx[0].copy_from_slice(dy[0]);
                self.layer.backward_in_place(cx, x, y, &mut dx[0]);
            }
            _ => self.layer.backward_input(cx, x, y, dy, dx.each_mut().map(|dx| &mut dx[..])),
        }
        dx
    }

    /// Asks for a range of the parameters as training does: without any parameters, but for running
    /// statistics, beside which the learnt ones may have changed already.
    fn param_grads(
        &self,
        trial: &Trial,
        cx: &mut LayerContext,
        part: &Range<usize>,
        range: &Range<usize>,
        (x, dy): ([&[f32]; N], [&[f32]; M]),
        grad: &mut AlignedBuffer,
    ) {
        let batch = cx.batch;
        let statistics = self.statistics();
        for (range, of_statistic) in self.by_role(range) {
            cx.scratch.fill(f32::NAN);
            let params = if of_statistic { &statistics[..] } else { &[] };
            let mut cx = cx.read_only(params).for_samples(part.clone()).sum_unit(trial.sum_unit);
            let each = cx.saved.len() / batch.max(1);
            cx.saved = &cx.saved[part.start * each..part.end * each];
            let asked = ParamGrad {
                range: range.clone(),
                grad: &mut grad[range],
                samples: 0..part.len(),
                overwrite: trial.overwrite,
            };
            let (x, dy) = (x.map(|x| of(part, batch, x)), dy.map(|dy| of(part, batch, dy)));
            self.layer.backward_params(&mut cx, x, dy, asked);
        }
    }

    /// A range of the parameters in pieces that hold running statistics, or none.
    fn by_role(&self, range: &Range<usize>) -> Vec<(Range<usize>, bool)> {
        let mut all: Vec<(Range<usize>, bool)> = Vec::new();
        for tensor in &self.tensors {
            let of_statistic = tensor.role == Role::RunningStat;
            let (from, to) = (tensor.offset.max(range.start), (tensor.offset + tensor.len).min(range.end));
            match all.last_mut() {
                _ if from >= to => {}
                Some((last, of)) if *of == of_statistic => last.end = to,
                _ => all.push((from..to, of_statistic)),
            }
        }
        all
    }

    /// The parameters as `backward_params` finds them where it is asked for running statistics.
    fn statistics(&self) -> AlignedBuffer {
        let mut params = self.params.clone();
        let others = |tensor: &&Tensor| tensor.role != Role::RunningStat;
        for tensor in self.tensors.iter().filter(others) {
            params[tensor.offset..tensor.offset + tensor.len].fill(f32::NAN);
        }
        params
    }

    /// What `backward_input` is given of the inputs and outputs: nothing of what the spec says that it does
    /// not read.
    fn backward_reads<'a>(&self, x: [&'a [f32]; N], y: &'a [Vec<f32>; M]) -> ([&'a [f32]; N], [&'a [f32]; M]) {
        let x = if self.spec.backward.reads_x { x } else { [&[][..]; N] };
        let y = if self.spec.backward.reads_y { y.each_ref().map(|y| &y[..]) } else { [&[][..]; M] };
        (x, y)
    }

    pub(super) fn infer(&self, batch: usize) -> Ask {
        Ask { batch, first_sample: self.first_sample, pass: Pass::Infer, training: false }
    }

    pub(super) fn train(&self, samples: Range<usize>) -> Ask {
        let first_sample = self.first_sample + samples.start;
        Ask { batch: samples.len(), first_sample, pass: Pass::TrainWithInputGrad, training: true }
    }

    pub(super) fn cx<'a>(
        &'a self,
        params: &'a [f32],
        ask: Ask,
        saved: &'a mut [f32],
        scratch: &'a mut [f32],
    ) -> LayerContext<'a> {
        let mut cx = LayerContext::for_layer(self.spec, params, self.isa, ask.batch, ask.pass, saved, scratch);
        cx.first_sample = ask.first_sample;
        if ask.training { cx.training(self.rng, ask.first_sample) } else { cx }
    }

    /// What is kept, and scratch memory, with contents that nobody may rely on.
    pub(super) fn memory(&self, ask: Ask, epilogue: &Epilogue) -> (AlignedBuffer, AlignedBuffer) {
        let spec = self.spec;
        let mut kept = spec.saved_for(ask.pass);
        let mut fixed = spec.scratch_fixed_for(ask.pass);
        if let (Some(conv), Some(pool)) = (spec.fusion.accepts.max_pool, epilogue.max_pool) {
            kept += pool.y_len();
            fixed = fixed.max(ConvMaxPool { conv, pool }.scratch());
        }
        let mut saved = AlignedBuffer::zeroed(kept * ask.batch);
        let mut scratch = AlignedBuffer::zeroed(spec.scratch_for(ask.pass) * ask.batch + fixed);
        saved.fill(f32::NAN);
        scratch.fill(f32::NAN);
        (saved, scratch)
    }

    pub(super) fn outputs(&self, batch: usize) -> [Vec<f32>; M] {
        array::from_fn(|j| vec![f32::NAN; batch * self.spec.shapes.outputs[j].len()])
    }
}

/// Some samples of a batch.
pub(super) fn of<'a>(samples: &Range<usize>, batch: usize, all: &'a [f32]) -> &'a [f32] {
    let len = all.len() / batch.max(1);
    &all[samples.start * len..samples.end * len]
}
