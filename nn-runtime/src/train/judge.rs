//! A loss and its targets as one value, so that what runs a batch can be compiled for all losses. In: the
//! outputs of a block of samples; out: what an [`Objective`] makes of them.

use core::ops::Range;

use super::Values;
use super::batch_outputs::BatchOutputs;
use super::loss_sums::LossSums;
#[cfg(feature = "alloc")]
use super::objective::Objective;
#[cfg(feature = "alloc")]
use crate::data::Targets;
use crate::{MAX_OUTPUTS, Shape};

/// An objective that knows its targets: see [`Objective`].
pub(super) trait Judge: Sync {
    fn logits(&self) -> u8;
    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS];
    fn gradient(
        &self,
        outputs: &BatchOutputs,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut LossSums,
    );
    /// Without gradients, which a trainer that does not allocate never asks for.
    #[cfg(feature = "alloc")]
    fn value(&self, outputs: &BatchOutputs, sums: &mut LossSums);
}

/// A loss and all targets.
#[cfg(feature = "alloc")]
pub(super) struct LossOfTargets<'a, L, T> {
    pub(super) loss: &'a L,
    pub(super) targets: &'a T,
}

#[cfg(feature = "alloc")]
impl<T: Targets, L: Objective<T>> Judge for LossOfTargets<'_, L, T> {
    #[inline]
    fn logits(&self) -> u8 {
        self.loss.logits()
    }

    #[inline]
    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS] {
        self.loss.weight(samples, shapes, weights)
    }

    #[inline]
    fn gradient(
        &self,
        outputs: &BatchOutputs,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut LossSums,
    ) {
        self.loss.gradient(outputs, self.targets, scale, dy, sums);
    }

    #[inline]
    fn value(&self, outputs: &BatchOutputs, sums: &mut LossSums) {
        self.loss.value(outputs, self.targets, sums);
    }
}
