//! What the passes of all workers over a batch have in common. In: a batch; out: types that tell each worker
//! what to run on. They compute nothing.

use core::ops::Range;

use super::Values;
use super::judge::Judge;
use super::microbatch::MicroBatching;
use crate::MAX_OUTPUTS;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;

/// Where the inputs of a batch are.
#[derive(Clone, Copy)]
pub(super) enum BatchInputs<'a> {
    /// One slice for each input.
    Slices(&'a [&'a [f32]]),
    /// The same without the samples before this one, and perhaps without some behind.
    Part(&'a [&'a [f32]], usize),
    /// These samples of each input; each worker gathers its own.
    Indexed(&'a [Values], &'a [usize]),
}

/// The samples of a batch: how many, their inputs, and where their targets and weights begin among all.
pub(super) struct Batch<'a, J: ?Sized> {
    pub(super) samples: usize,
    pub(super) x: BatchInputs<'a>,
    pub(super) first: usize,
    /// Samples of the batch without targets, before the first that has some.
    pub(super) skipped: usize,
    /// The loss, and all targets.
    pub(super) judge: &'a J,
    pub(super) weights: Option<&'a Values>,
}

impl<J: Judge> Batch<'_, J> {
    /// The same, for what is compiled for all losses.
    pub(super) fn of_any_loss(&self) -> Batch<'_, dyn Judge + '_> {
        let Batch { samples, x, first, skipped, judge, weights } = *self;
        Batch { samples, x, first, skipped, judge, weights }
    }
}

/// What the outputs of a batch are judged by.
pub(super) struct Judgement<'a, J: Judge + ?Sized> {
    pub(super) batch: &'a Batch<'a, J>,
    /// What the gradients of each output's loss are multiplied by; none to evaluate.
    pub(super) scale: Option<[f64; MAX_OUTPUTS]>,
}

/// What the workers run their samples with.
pub(super) struct BatchPass<'a, P> {
    pub(super) network: P,
    pub(super) isa: Isa,
    pub(super) params: &'a [f32],
    pub(super) x: BatchInputs<'a>,
    /// Which outputs the loss wants as scores, one bit each.
    pub(super) logits: u8,
    pub(super) micro_batching: &'a MicroBatching,
    /// What training noise is drawn by; none to evaluate.
    pub(super) noise: Option<CounterRng>,
    /// What the windows of all samples begin with; none where they begin with nothing.
    pub(super) carried: Option<CarriedRows<'a>>,
}

/// What the windows of all samples begin with, where training is stateful.
#[derive(Clone, Copy)]
pub(super) struct CarriedRows<'a> {
    pub(super) numbers: &'a [f32],
    pub(super) row: usize,
}

impl<'a> CarriedRows<'a> {
    /// Of the samples of a micro-batch.
    #[inline]
    pub(super) fn of(&self, micro: &MicroBatch) -> &'a [f32] {
        &self.numbers[micro.of_batch.start * self.row..micro.of_batch.end * self.row]
    }
}

/// What the gradients of all chunks of parameters are computed with.
#[derive(Clone, Copy)]
pub(super) struct GradPass<'a, P> {
    pub(super) network: P,
    pub(super) isa: Isa,
    /// Empty, unless the parameters are running statistics.
    pub(super) params: &'a [f32],
    pub(super) x: BatchInputs<'a>,
    pub(super) noise: CounterRng,
    pub(super) logits: u8,
    /// Batches before this one that count as much in running statistics, where that is not the layers' to
    /// say.
    pub(super) earlier_batches: Option<usize>,
    /// Samples of the whole batch.
    pub(super) samples: usize,
}

/// A range of a worker's samples.
pub(super) struct MicroBatch {
    /// Among the samples of the worker.
    pub(super) own: Range<usize>,
    /// Among those of the batch.
    pub(super) of_batch: Range<usize>,
}

impl MicroBatch {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.own.len()
    }
}
