//! What a trainer does otherwise with some tensors than with the others: nothing at all, or steps of another
//! size. In: tensors, found by name; out: the factor of each tensor's learning rate, or none where it is
//! frozen.

use alloc::vec::Vec;

use crate::params::Tensor;

/// Tensors that are frozen for a while, and factors of learning rates. A tensor is known by its place.
#[derive(Default)]
pub(super) struct TensorGroups {
    frozen: Vec<usize>,
    factors: Vec<(usize, f64)>,
}

impl TensorGroups {
    pub(super) fn freeze(&mut self, tensors: &[Tensor]) {
        self.unfreeze(tensors);
        self.frozen.extend(tensors.iter().map(|tensor| tensor.offset));
    }

    pub(super) fn unfreeze(&mut self, tensors: &[Tensor]) {
        self.frozen.retain(|place| tensors.iter().all(|tensor| tensor.offset != *place));
    }

    /// How many tensors are frozen.
    pub(super) fn frozen(&self) -> usize {
        self.frozen.len()
    }

    /// Replaces the factors of these tensors.
    pub(super) fn set_factor(&mut self, tensors: &[Tensor], factor: f64) {
        self.factors.retain(|(place, _)| tensors.iter().all(|tensor| tensor.offset != *place));
        self.factors.extend(tensors.iter().map(|tensor| (tensor.offset, factor)));
    }

    /// What the learning rate of the tensor that begins there is multiplied by; none where it is frozen.
    pub(super) fn factor(&self, tensor: usize) -> Option<f64> {
        if self.frozen.contains(&tensor) {
            return None;
        }
        Some(self.factors.iter().find(|(place, _)| *place == tensor).map_or(1.0, |(_, factor)| *factor))
    }
}
