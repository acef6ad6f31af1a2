//! What the gradient of a chunk is added up from: the leaves that a rank has run, or what it and others have
//! summed already. In: a subtree; out: its sum, where it is there or a single leaf.

use alloc::vec::Vec;
use core::ops::Range;

use super::leaves::{Leaves, Subtree, SubtreeSums};
use super::param_chunks::ParamChunk;
use nn_kernels::simd::Isa;

/// What a rank computes the gradients of leaves from.
pub(super) trait LeafGrads: Sync {
    /// Overwrites `grad` with the gradient of a chunk from these samples of the batch, a leaf. `scratch` is
    /// for layers.
    fn write(&self, scratch: &mut [f32], samples: Range<usize>, chunk: &ParamChunk, grad: &mut [f32]);

    /// Adds it, to the bits of writing it elsewhere and then adding; false where it cannot.
    fn add(&self, scratch: &mut [f32], samples: Range<usize>, chunk: &ParamChunk, grad: &mut [f32]) -> bool;
}

/// The leaves of this rank, of a chunk.
pub(super) struct OwnLeaves<'a, L> {
    pub(super) leaves: Leaves,
    pub(super) grads: &'a L,
    pub(super) chunk: &'a ParamChunk,
    pub(super) scratch: &'a mut [f32],
}

impl<L: LeafGrads> OwnLeaves<'_, L> {
    fn samples(&self, of: Subtree) -> Range<usize> {
        self.leaves.samples_of(&(of.first..of.first + 1))
    }
}

impl<L: LeafGrads> SubtreeSums for OwnLeaves<'_, L> {
    fn write(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        if of.width == 1 {
            self.grads.write(self.scratch, self.samples(of), self.chunk, to);
        }
        of.width == 1
    }

    fn add(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        of.width == 1 && self.grads.add(self.scratch, self.samples(of), self.chunk, to)
    }
}

/// What has come of a chunk, which has so many floats, after those of so many others.
pub(super) struct Came<'a> {
    pub(super) isa: Isa,
    pub(super) subtrees: &'a [Vec<Subtree>],
    pub(super) came: &'a [&'a [f32]],
    pub(super) before: usize,
    pub(super) len: usize,
}

impl Came<'_> {
    fn sum(&self, of: Subtree) -> Option<&[f32]> {
        // The rank whose last leaf is not before this one.
        let ends = |trees: &Vec<Subtree>| trees.last().is_some_and(|last| last.first + last.width > of.first);
        let rank = self.subtrees.iter().position(ends)?;
        let trees = &self.subtrees[rank];
        let number = trees.iter().position(|tree| *tree == of)?;
        let at = self.before * trees.len() + number * self.len;
        Some(&self.came[rank][at..at + self.len])
    }
}

impl SubtreeSums for Came<'_> {
    fn write(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        self.sum(of).is_some_and(|sum| {
            to.copy_from_slice(sum);
            true
        })
    }

    fn add(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        self.sum(of).is_some_and(|sum| {
            self.isa.add(sum, to);
            true
        })
    }
}
