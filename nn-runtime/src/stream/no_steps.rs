//! What stands for layers that are run without a pass where nothing allocates: there are none.

use nn_kernels::simd::Isa;

/// None.
pub(super) enum NoSteps {}

/// The memory of a step.
#[allow(dead_code, reason = "nobody reads it")]
pub(super) struct StepMemory<'a> {
    pub(super) params: &'a [f32],
    pub(super) prepared: &'a [f32],
    pub(super) saved: &'a mut [f32],
    pub(super) scratch: &'a mut [f32],
}

impl NoSteps {
    pub(super) fn run(&self, _: Isa, _: StepMemory, _: &[&[f32]], _: &mut [&mut [f32]]) {
        match *self {}
    }

    pub(super) fn not_finite(&self, _: &[f32]) -> Option<f32> {
        match *self {}
    }
}
