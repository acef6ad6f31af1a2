//! Each worker's sum of a private step. In: samples of a batch; out: what their gradients are cut to, added
//! up. Every sample runs forward and backward alone, so that no layer can mix it with others, whatever the
//! layer says of itself. It adds no noise.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::batch_pass::{BatchPass, GradPass, Judgement};
use super::fixed_range::FixedRange;
use super::judge::Judge;
use super::loss_sums::LossSums;
use super::microbatch::MicroBatching;
use super::passes::Passes;
use super::privacy::ClippedSum;
use super::refusal::Refusal;
use super::shard::Shard;
use super::split::BatchSplit;
use super::tensor_groups::TensorGroups;
use crate::graph::CompiledNetwork;
use crate::params;
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;

/// The memory of private steps.
pub(super) struct PrivateSums {
    pub(super) workers: Vec<PrivateWorker>,
    /// 1 where a number is learnt, else 0: between tensors, in rows that stay, in what is frozen.
    pub(super) learnt: AlignedBuffer,
    /// Where those are, and whether somebody has each range.
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) taken: Vec<AtomicBool>,
    pub(super) grads: AlignedBuffer,
}

/// What a worker has of a private step.
pub(super) struct PrivateWorker {
    /// Of one sample after the other.
    shard: Shard,
    grad: AlignedBuffer,
    pub(super) sum: Vec<f64>,
    /// Its samples, and what they come to.
    pub(super) samples: Range<usize>,
    pub(super) losses: Vec<LossSums>,
    pub(super) refused: Option<Refusal>,
}

/// Numbers of noise that a worker draws at once.
const NOISE_RANGE: usize = 4096;

impl PrivateSums {
    pub(super) fn new(
        map: &'static CompiledNetwork,
        micro_batching: &MicroBatching,
        groups: &TensorGroups,
        workers: usize,
    ) -> PrivateSums {
        let len = map.params_len;
        let worker = || PrivateWorker {
            shard: Shard::new(map, 1, micro_batching, 1, false, 0),
            grad: AlignedBuffer::zeroed(len),
            sum: vec![0.0; len],
            samples: 0..0,
            losses: Vec::new(),
            refused: None,
        };
        let (mut learnt, mut ranges) = (AlignedBuffer::zeroed(len), Vec::new());
        let tensors = params::tensors(map).into_iter().filter(|tensor| tensor.role == Role::Trainable);
        for tensor in tensors.filter(|tensor| !tensor.frozen && groups.factor(tensor.offset).is_some()) {
            tensor.write(&vec![1.0; tensor.count()], &mut learnt);
            let (first, end) = (tensor.offset, tensor.offset + tensor.len);
            ranges.extend((first..end).step_by(NOISE_RANGE).map(|at| at..end.min(at + NOISE_RANGE)));
        }
        for fixed in FixedRange::all(map) {
            fixed.clear(&(0..len), &mut learnt);
        }
        PrivateSums {
            workers: (0..workers).map(|_| worker()).collect(),
            learnt,
            taken: ranges.iter().map(|_| AtomicBool::new(false)).collect(),
            ranges,
            grads: AlignedBuffer::zeroed(len),
        }
    }
}

/// What all workers of a private step have in common.
pub(super) struct PrivateBatch<'a, 'b, P, J: Judge + ?Sized> {
    pub(super) pass: &'a BatchPass<'b, P>,
    pub(super) judged: &'a Judgement<'a, J>,
    pub(super) noise: CounterRng,
    pub(super) sum: ClippedSum,
    pub(super) learnt: &'a [f32],
    pub(super) ranges: &'a [Range<usize>],
}

impl PrivateWorker {
    /// Runs its samples, one after the other, and adds up what their gradients are cut to; stops at one that
    /// is refused.
    pub(super) fn run(&mut self, all: &PrivateBatch<impl Passes, impl Judge + ?Sized>, scratch: &mut [f32]) {
        let BatchPass { network, isa, logits, x, .. } = *all.pass;
        self.losses.clear();
        self.refused = None;
        self.sum.fill(0.0);
        for sample in self.samples.clone() {
            self.shard.assign(sample..sample + 1, BatchSplit::default(), false);
            self.shard.forward_backward(all.pass, all.judged, None, scratch);
            let loss = self.shard.losses()[0];
            self.losses.push(loss);
            if !loss.is_finite() {
                self.refused = Some(Refusal::Loss);
                return;
            }
            self.grad.fill(0.0);
            let earlier_batches = None;
            let pass = GradPass { network, isa, params: &[], x, noise: all.noise, logits, earlier_batches, samples: 1 };
            let whole = 0..self.grad.len();
            self.shard.add_param_grad(&pass, scratch, &whole, &mut self.grad, &mut false);
            self.grad.iter_mut().zip(all.learnt).for_each(|(grad, learnt)| *grad *= learnt);
            if !all.sum.add(isa, &self.grad, &mut self.sum) {
                let bad = self.grad.iter().position(|grad| !grad.is_finite());
                self.refused = Some(Refusal::Gradient(bad.unwrap_or(all.ranges[0].start)));
                return;
            }
        }
    }
}
