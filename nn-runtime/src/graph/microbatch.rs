//! The planner's half of micro-batches. In: the nodes of a graph; out: when gradients of parameters are
//! computed, and which buffers outlive a group of samples. It changes no number.

// A large batch is run in groups of samples, each forward and backward, small enough for its workspace to
// stay in the cache. Gradients of parameters are usually computed when all groups have run, from what every
// layer has kept of all samples. Where a layer does much for each parameter and sample (a convolution, whose
// weights are used at every place), they are computed right after its group, while inputs are in the cache,
// as sums over blocks of samples that are added afterwards; then nothing of the group needs to be kept.
//
// So a buffer lives either until its group has been through, `end_of_group`, or beyond. Those that live
// beyond are placed first, at the beginning of the workspace: a trainer copies that part of each group
// aside, and reuses the rest.

use super::Node;
use crate::spec::SavedLayout;

/// Multiply-adds, or numbers read, for each parameter and sample that are much.
const REUSE: usize = 16;

/// The time when a group of samples has run forward and backward in a network of so many nodes.
pub(super) const fn end_of_group(nodes: usize) -> usize {
    2 * nodes
}

impl Node {
    /// Whether it computes or reads so much for each parameter that the gradients of its parameters are
    /// computed group by group, and what it keeps allows that.
    pub(crate) const fn reuses(&self) -> bool {
        let spec = self.spec;
        let own = self.network.is_none() && spec.times == 1;
        let (allowed, reads) = match spec.memory.layout {
            // Nothing is kept, or by the convolution before it where maxima stood: sample after sample.
            SavedLayout::Whole => (spec.memory.saved == 0, 0),
            SavedLayout::Group | SavedLayout::Sample => (true, spec.shapes.inputs[0].len()),
        };
        let much = if spec.macs > reads { spec.macs } else { reads };
        self.trains() && spec.params.len > 0 && own && allowed && much >= REUSE * spec.params.len
    }

    /// Whether such gradients are those of all samples that were run together.
    pub(crate) const fn reuses_groups(&self) -> bool {
        self.reuses() && matches!(self.spec.memory.layout, SavedLayout::Group)
    }

    /// Whether the gradients of its parameters can be computed from some of the samples that were run
    /// together.
    pub(crate) fn takes_some_samples(&self) -> bool {
        let spec = self.spec;
        let learns = self.trains() && spec.params.len > 0;
        let own = self.network.is_none() && self.shares.is_none() && spec.times == 1;
        let allowed = match spec.memory.layout {
            SavedLayout::Whole => spec.memory.saved == 0,
            SavedLayout::Group => false,
            SavedLayout::Sample => true,
        };
        !learns || own && allowed
    }

    /// The time at which the gradients of its parameters are computed: with its group, or after the whole
    /// batch.
    pub(super) const fn params_at(&self, nodes: usize) -> usize {
        end_of_group(nodes) + if self.reuses() { 0 } else { 1 }
    }
}
