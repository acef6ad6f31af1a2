//! What stands for layers that are run without a pass where nothing allocates: there are none.

use super::step_memory::StepMemory;
use nn_kernels::simd::Isa;

/// None.
pub(super) enum NoSteps {}

impl NoSteps {
    pub(super) fn run(&self, _: Isa, _: StepMemory, _: &[&[f32]], _: &mut [&mut [f32]]) {
        match *self {}
    }

    pub(super) fn not_finite(&self, _: &[f32]) -> Option<f32> {
        match *self {}
    }
}

/// None either.
pub(super) enum NoChanges {}

impl NoChanges {
    pub(super) fn copy(&self, _: &[f32], _: u64, _: &mut [f32]) {
        match *self {}
    }

    pub(super) fn not_finite(&self, _: &[f32], _: u64) -> Option<f32> {
        match *self {}
    }
}
