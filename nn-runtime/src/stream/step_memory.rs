//! The memory of one step, as layers see it that are run without a pass, and whether a network has steps.

use crate::graph::CompiledNetwork;

/// What a step runs on.
pub(super) struct StepMemory<'a> {
    pub params: &'a [f32],
    pub prepared: &'a [f32],
    /// What is carried, and the values of a step.
    pub saved: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

/// No layer needs the whole window.
pub(super) const fn no_whole_window(network: &CompiledNetwork) {
    let stop = network.streaming.stop;
    assert!(stop.is_none(), "expected layers that need no later step, found one that needs the whole window");
}
