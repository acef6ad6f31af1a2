//! Numbers that no step changes though the others of their tensor change, such as the padding row of an
//! embedding. In: the parameters before a step; out: the same numbers after it, whatever the optimiser did
//! with them meanwhile.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::graph::CompiledNetwork;
use crate::params;

/// One such range, and what stands there.
pub(super) struct FixedRange {
    range: Range<usize>,
    values: Vec<f32>,
}

impl FixedRange {
    /// All of a network.
    pub(super) fn all(map: &'static CompiledNetwork) -> Vec<FixedRange> {
        let tensors = params::tensors(map).into_iter().filter(|tensor| !tensor.frozen);
        let ranges = tensors.map(|tensor| tensor.fixed).filter(|range| !range.is_empty());
        ranges.map(|range| FixedRange { values: vec![0.0; range.len()], range }).collect()
    }

    /// Takes what stands there.
    pub(super) fn keep(&mut self, params: &[f32]) {
        self.values.copy_from_slice(&params[self.range.clone()]);
    }

    /// Writes it there again, as far as it lies in `numbers`, which are those from this one on.
    pub(super) fn put_back(&self, first: usize, numbers: &mut [f32]) {
        let (from, to) = (self.range.start.max(first), self.range.end.min(first + numbers.len()));
        if from < to {
            let kept = &self.values[from - self.range.start..to - self.range.start];
            numbers[from - first..to - first].copy_from_slice(kept);
        }
    }

    /// Makes the gradient 0 there; `grad` is that of the parameters in `of`.
    pub(super) fn clear(&self, of: &Range<usize>, grad: &mut [f32]) {
        let (from, to) = (self.range.start.max(of.start), self.range.end.min(of.end));
        if from < to {
            grad[from - of.start..to - of.start].fill(0.0);
        }
    }
}
