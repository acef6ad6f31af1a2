//! The memory of one step, as layers see it that are run without a pass.

/// What a step runs on.
pub(super) struct StepMemory<'a> {
    pub params: &'a [f32],
    pub prepared: &'a [f32],
    /// What is carried, and the values of a step.
    pub saved: &'a mut [f32],
    pub scratch: &'a mut [f32],
}
