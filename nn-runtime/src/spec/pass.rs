//! What a pass through a network is for, which decides what is kept in memory and which gradients are
//! computed.

/// What a pass is for, as a layer sees it: what it must keep, and what will be asked of it afterwards.
///
/// Whether a pass is a training step is another question, which
/// [`LayerContext::is_training`](crate::LayerContext::is_training) answers: in a training step, a layer
/// before which nothing is learnt still runs with [`Pass::Infer`], since nobody will ask it for gradients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Pass {
    /// Outputs only: `cx.saved` is empty, and no gradient will be asked for.
    Infer,
    /// Outputs and the gradients of the parameters.
    Train,
    /// Outputs, the gradients of the parameters and those of the inputs.
    TrainWithInputGrad,
    /// The next step of every output from the next step of every input: see
    /// [`Layer::step`](crate::Layer::step).
    Step,
    /// No outputs, but parameters laid out for many passes: see [`Layer::prepare`](crate::Layer::prepare).
    Prepare,
    /// As [`TrainWithInputGrad`](Pass::TrainWithInputGrad), while somebody looks at what is between layers.
    /// Of a whole network alone: no layer sees it.
    #[doc(hidden)]
    Observe,
}
