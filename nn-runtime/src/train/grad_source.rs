//! Where the gradients of a batch come from, once all workers have run backward. In: the shards of a batch;
//! out: the gradient of any range of the parameters, in the order of the samples whoever computes it, and
//! bounds of gradients that are not computed yet.

use core::ops::Range;

use super::batch_pass::GradPass;
use super::magnitude::largest;
use super::microbatch::MicroBatching;
use super::shard::Shard;
use super::shared_grads::LeafGrads;
use crate::model::Network;
use core::marker::PhantomData;
use nn_kernels::simd::Isa;

/// What an update takes its gradients from.
pub(super) trait GradSource: Sync {
    /// Adds the gradient of a range of parameters to `grad`, or overwrites it where told. `scratch` is for
    /// layers.
    fn add(&self, scratch: &mut [f32], range: &Range<usize>, grad: &mut [f32], overwrite: bool);

    /// What no number of the gradient of a node's matrix is larger than, by the largest numbers that it is
    /// computed from.
    fn bound(&self, node: usize) -> f64;

    /// Whether all gradients are where they are held, and nobody need be asked.
    fn is_held(&self) -> bool {
        false
    }
}

/// Where all gradients are held.
pub(super) struct NoSource;

impl GradSource for NoSource {
    fn add(&self, _: &mut [f32], _: &Range<usize>, _: &mut [f32], _: bool) {
        unreachable!("all gradients are held")
    }

    fn bound(&self, _: usize) -> f64 {
        f64::INFINITY
    }

    fn is_held(&self) -> bool {
        true
    }
}

/// Gradients that were computed elsewhere, laid out as parameters are.
pub(super) struct GivenGrads<'a> {
    pub(super) isa: Isa,
    pub(super) grads: &'a [f32],
}

impl GradSource for GivenGrads<'_> {
    fn add(&self, _: &mut [f32], range: &Range<usize>, grad: &mut [f32], overwrite: bool) {
        let given = &self.grads[range.clone()];
        if overwrite {
            grad.copy_from_slice(given);
        } else {
            self.isa.add(given, grad);
        }
    }

    fn bound(&self, _: usize) -> f64 {
        largest(self.isa, self.grads)
    }
}

/// The gradients of a batch.
pub(super) struct BatchGrads<'a, N> {
    pub(super) shards: &'a [Shard],
    pub(super) micro_batching: &'a MicroBatching,
    /// Whether this batch has partial sums.
    pub(super) partial_sums: bool,
    pub(super) pass: GradPass<'a>,
    pub(super) network: PhantomData<fn() -> N>,
}

impl<N: Network> GradSource for BatchGrads<'_, N> {
    #[inline]
    fn add(&self, scratch: &mut [f32], range: &Range<usize>, grad: &mut [f32], mut overwrite: bool) {
        match self.micro_batching.place_of(range).filter(|_| self.partial_sums) {
            Some(place) => {
                for shard in self.shards {
                    shard.add_partial_sums(self.pass.isa, self.micro_batching, place, grad);
                }
            }
            None => {
                for shard in self.shards {
                    shard.add_param_grad::<N>(&self.pass, scratch, range, grad, &mut overwrite);
                }
            }
        }
    }

    fn bound(&self, node: usize) -> f64 {
        self.shards.iter().map(|shard| shard.grad_bound(N::COMPILED, &self.pass, node)).sum()
    }
}

impl<N: Network> LeafGrads for BatchGrads<'_, N> {
    #[inline]
    fn leaf(
        &self,
        scratch: &mut [f32],
        samples: Range<usize>,
        range: &Range<usize>,
        grad: &mut [f32],
        overwrite: bool,
    ) {
        let of = |shard: &&Shard| shard.samples().start <= samples.start && samples.end <= shard.samples().end;
        let shard = self.shards.iter().find(of).expect("a leaf lies within one shard");
        match self.micro_batching.place_of(range).filter(|_| self.partial_sums) {
            Some(place) => {
                grad.copy_from_slice(shard.partial_sum(self.micro_batching, samples.start, place, grad.len()))
            }
            None => shard.add_leaf_grad::<N>(&self.pass, scratch, samples, (range, grad), overwrite),
        }
    }
}
