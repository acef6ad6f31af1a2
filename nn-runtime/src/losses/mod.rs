//! How wrong an output is. In: outputs and targets of a batch; out: the sum of the samples' losses, and its gradient. A loss is
//! told the width of a sample and nothing else of the network: whether the two fit is the business of `Fits`, in the type checker.

mod binary_cross_entropy;
mod cross_entropy;
mod elementwise;
mod huber;
mod mae;
mod mse;

use alloc::string::String;

use crate::kernels::simd::Isa;
use crate::network::{AnyHead, LogSoftmaxHead, OtherHead, PlainHead, SigmoidHead, SoftmaxHead, ValueHead};

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use cross_entropy::CrossEntropy;
pub use huber::Huber;
pub use mae::Mae;
pub use mse::Mse;

/// A loss, whatever its targets.
pub trait Loss {
    /// It reads scores (logits): a `Softmax`, `LogSoftmax` or `Sigmoid` that ends the network is left out of the training pass,
    /// and `y` is what would have gone into it.
    const LOGITS: bool;
}

/// A loss on targets of type `T`: `[u32]`, the class of each sample, or `[f32]`, as many numbers as the network's outputs.
#[diagnostic::on_unimplemented(
    message = "expected a loss on targets of type `{T}`, found `{Self}`",
    label = "it reads other targets",
    note = "labels, `u32`, one class for each sample: use `CrossEntropy`",
    note = "values, `f32`, as many as the network's outputs: use `Mse`, `Mae`, `Huber`, `BinaryCrossEntropy`, or `CrossEntropy` on distributions"
)]
pub trait LossOn<T: ?Sized>: Loss {
    /// The sum of the samples' losses, and `dy = scale · d(sum)/dy`. `y` and `dy` are `[samples, width]`.
    ///
    /// # Panics
    /// The lengths disagree, or a label is not below `width`.
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &T, scale: f32, dy: &mut [f32]) -> f64;

    /// The sum of the samples' losses. `y` is `[samples, width]`.
    ///
    /// # Panics
    /// As [`gradient`](LossOn::gradient).
    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &T) -> f64;

    /// What is wrong with the targets of this many samples, if anything: the first such sample and why. Asked before training.
    fn fault(&self, width: usize, target: &T, samples: usize) -> Option<(usize, String)>;

    /// How many samples are answered rightly, where the loss tells right from wrong. `y` is `[samples, width]`.
    fn correct(&self, width: usize, y: &[f32], target: &T) -> Option<usize>;
}

/// A target of a loss that compares number with number: `f32` and nothing else.
#[diagnostic::on_unimplemented(
    message = "expected a loss on targets of type `{Self}`, found one on values",
    label = "it compares outputs with values, `f32`",
    note = "labels, `u32`, one class for each sample: use `CrossEntropy`",
    note = "values, `f32`, as many as the network's outputs: `Dataset::values(inputs, targets)`"
)]
pub trait TargetValue: Sized {
    /// The targets themselves.
    #[doc(hidden)]
    fn numbers(all: &[Self]) -> &[f32];
}

impl TargetValue for f32 {
    fn numbers(all: &[f32]) -> &[f32] {
        all
    }
}

/// A loss fits a network that ends in `Head`.
#[diagnostic::on_unimplemented(
    message = "expected a loss that fits a network ending in `{Head}`, found `{Self}`",
    label = "it does not go with the network's last layer",
    note = "for `CrossEntropy`, end the network in `Dense(classes)`, `Softmax` or `LogSoftmax`, of 2 classes or more",
    note = "for `BinaryCrossEntropy`, end it in `Dense(1)` or `Dense(answers)`, or in `Sigmoid`",
    note = "for `Mse`, `Mae` and `Huber`, end it in any layer; every loss wants a network of one output"
)]
pub trait Fits<Head>: Loss {}

macro_rules! fits {
    ($($loss:ident: $($head:ident)+;)+) => {$($(
        // The notes tell it in the user's words; a list of head types would only be longer.
        #[diagnostic::do_not_recommend]
        impl Fits<$head> for $loss {}
    )+)+};
}
fits! {
    CrossEntropy: PlainHead SoftmaxHead LogSoftmaxHead AnyHead;
    BinaryCrossEntropy: PlainHead ValueHead SigmoidHead AnyHead;
    Mse: PlainHead ValueHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
    Mae: PlainHead ValueHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
    Huber: PlainHead ValueHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
}

/// A network of several outputs takes a loss for each, in the order of its outputs; their sum is minimised.
macro_rules! several {
    ($($loss:ident $head:ident),*) => {
        impl<$($loss: Loss),*> Loss for ($($loss,)*) {
            const LOGITS: bool = false $(|| $loss::LOGITS)*;
        }

        #[diagnostic::do_not_recommend]
        impl<$($head, $loss: Fits<$head>),*> Fits<($($head,)*)> for ($($loss,)*) {}
    };
}
several!(A H, B I);
several!(A H, B I, C J);
several!(A H, B I, C J, D K);
