//! The rest of a batch that is run in parts at the same time, as a layer sees it that looks at whole batches.
//! In: what a layer has of its part; out: what it has of every part, in one order.

/// A batch of which this pass runs a part.
pub(crate) trait WholeBatch: Sync {
    /// Samples of the whole batch.
    fn samples(&self) -> usize;

    /// Shows what every part has where this one has `own`, in their order, with the samples of each. All
    /// parts ask the same, one after the other; nobody goes on before all have asked.
    fn gather(&self, own: &[f32], see: &mut dyn FnMut(usize, &[f32]));

    /// Shows what a pass that is [observed](crate::spec::Pass::Observe) has of a node of its network.
    fn observe(&self, _node: usize, _observed: Observed, _numbers: &[f32]) {}
}

/// What of a node an observed pass shows.
#[derive(Clone, Copy)]
pub(crate) enum Observed {
    /// Its first output, right after it has run.
    Value,
    /// The gradient of that output, right before it runs backward.
    Gradient,
}

/// How large the whole batch is, where no part has anything to ask.
pub(crate) struct BatchSize(pub(crate) usize);

impl WholeBatch for BatchSize {
    fn samples(&self) -> usize {
        self.0
    }

    fn gather(&self, _: &[f32], _: &mut dyn FnMut(usize, &[f32])) {
        unreachable!("gradients of parameters are asked for when all parts have run")
    }
}
