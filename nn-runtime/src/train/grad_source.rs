//! Where the gradients of a batch come from, once all workers have run backward. In: the shards of a batch;
//! out: the gradient of any range of the parameters, in the order of the samples whoever computes it, and
//! bounds of gradients that are not computed yet.

use core::ops::Range;

use super::batch_pass::GradPass;
#[cfg(feature = "alloc")]
use super::leaf_sums::LeafGrads;
use super::magnitude::largest;
use super::microbatch::MicroBatching;
#[cfg(feature = "alloc")]
use super::param_chunks::ParamChunk;
use super::passes::Passes;
use super::shard::Shard;
use super::shard_memory::ShardMemory;
use crate::storage::Allocated;
use nn_kernels::long_sums::add_each;
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
#[cfg(feature = "alloc")]
pub(super) struct NoSource;

#[cfg(feature = "alloc")]
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

/// Gradients that were computed elsewhere, laid out as parameters are from this one on.
#[cfg(feature = "alloc")]
pub(super) struct GivenGrads<'a> {
    pub(super) isa: Isa,
    pub(super) first: usize,
    pub(super) grads: &'a [f32],
}

#[cfg(feature = "alloc")]
impl GradSource for GivenGrads<'_> {
    fn add(&self, _: &mut [f32], range: &Range<usize>, grad: &mut [f32], overwrite: bool) {
        let given = &self.grads[range.start - self.first..range.end - self.first];
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
pub(super) struct BatchGrads<'a, P, M: ShardMemory = Allocated> {
    pub(super) shards: &'a [Shard<M>],
    pub(super) micro_batching: &'a MicroBatching,
    /// Whether this batch has partial sums.
    pub(super) partial_sums: bool,
    pub(super) pass: GradPass<'a, P>,
}

impl<'a, P: Passes, M: ShardMemory> GradSource for BatchGrads<'a, P, M> {
    #[inline]
    fn add(&self, scratch: &mut [f32], range: &Range<usize>, grad: &mut [f32], mut overwrite: bool) {
        let place = if self.partial_sums { self.micro_batching.place_of(range) } else { None };
        match place {
            Some(place) => {
                let len = grad.len();
                let sums = |shard: &'a Shard<M>| shard.partial_sums_of(self.micro_batching, place, len);
                add_each(self.pass.isa, self.shards.iter().flat_map(sums), grad);
            }
            None => {
                for shard in self.shards {
                    shard.add_param_grad(&self.pass, scratch, range, grad, &mut overwrite);
                }
            }
        }
    }

    fn bound(&self, node: usize) -> f64 {
        self.shards.iter().map(|shard| shard.grad_bound(&self.pass, node)).sum()
    }
}

#[cfg(feature = "alloc")]
impl<P: Passes> BatchGrads<'_, P> {
    /// The shard that holds a leaf.
    fn shard_of(&self, leaf: &Range<usize>) -> &Shard {
        let holds = |shard: &&Shard| shard.samples().start <= leaf.start && leaf.end <= shard.samples().end;
        self.shards.iter().find(holds).expect("a leaf lies within one shard")
    }

    /// The sum of a leaf, where it has been made.
    fn partial_sum(&self, shard: &Shard, leaf: &Range<usize>, chunk: &ParamChunk) -> Option<Range<usize>> {
        let place = if self.partial_sums { self.micro_batching.place_of(&chunk.range)? } else { return None };
        Some(shard.partial_sum(self.micro_batching, leaf.start, place, chunk.range.len()))
    }
}

#[cfg(feature = "alloc")]
impl<P: Passes> LeafGrads for BatchGrads<'_, P> {
    #[inline]
    fn write(&self, scratch: &mut [f32], samples: Range<usize>, chunk: &ParamChunk, grad: &mut [f32]) {
        let shard = self.shard_of(&samples);
        if let Some(place) = self.partial_sum(shard, &samples, chunk) {
            grad.copy_from_slice(&shard.partial_sums[place]);
            return;
        }
        if !chunk.overwrite() {
            grad.fill(0.0);
        }
        shard.add_leaf_grad(&self.pass, scratch, samples, (&chunk.range, grad), chunk.overwrite());
    }

    #[inline]
    fn add(&self, scratch: &mut [f32], samples: Range<usize>, chunk: &ParamChunk, grad: &mut [f32]) -> bool {
        let shard = self.shard_of(&samples);
        if let Some(place) = self.partial_sum(shard, &samples, chunk) {
            self.pass.isa.add(&shard.partial_sums[place], grad);
            return true;
        }
        let whole = chunk.adds_whole_sums(self.pass.network.compiled(), samples.len());
        if whole {
            shard.add_leaf_grad(&self.pass, scratch, samples, (&chunk.range, grad), false);
        }
        whole
    }
}
