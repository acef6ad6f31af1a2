//! How wrong an output is. In: rows of outputs and their targets; out: the sum of the rows' losses, and its
//! gradient. A loss is told the width of a row and nothing else of the network: whether the two fit is the
//! business of `Fits`, in the type checker.
//!
//! The last dimension of an output is a row's width, and all others count rows: an output `[10]` is one row,
//! `[32, 65]` are 32 steps of 65 numbers each, and a loss is the mean over rows, or the weighted mean where
//! the data has weights.

mod binary_cross_entropy;
mod binary_focal;
mod cosine_similarity;
mod cross_entropy;
mod ctc;
pub(crate) mod elementwise;
mod focal;
mod hinge;
mod huber;
mod kl_divergence;
mod link;
mod mae;
mod mse;
mod poisson;

use alloc::string::String;

use crate::model::{AnyHead, LogSoftmaxHead, OtherHead, PlainHead, SigmoidHead, SoftmaxHead, ValueHead};
use nn_kernels::simd::Isa;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use binary_focal::BinaryFocal;
pub use cosine_similarity::CosineSimilarity;
pub use cross_entropy::CrossEntropy;
pub use ctc::Ctc;
pub use focal::Focal;
pub use hinge::Hinge;
pub use huber::Huber;
pub use kl_divergence::KlDivergence;
pub use link::Link;
pub use mae::Mae;
pub use mse::Mse;
pub use poisson::Poisson;

/// A loss, whatever its targets.
pub trait Loss: Sync {
    /// It reads scores (logits): a `Softmax`, `LogSoftmax` or `Sigmoid` that ends the network is left out of
    /// the training pass, and `y` is what would have gone into it.
    const LOGITS: bool;

    /// What makes predictions of what it reads: of scores a sigmoid of each, unless it says that a row's are
    /// those of classes.
    const LINK: Link = if Self::LOGITS { Link::Sigmoid } else { Link::Identity };

    /// It is called once for each sample, with all rows of that sample, and its value is one number: what the
    /// rows come to together.
    const WHOLE: bool = false;

    /// What a checkpoint tells one loss from another by: a run goes on with the same alone. Without more it
    /// is the type.
    fn settings(&self) -> String {
        let name = core::any::type_name::<Self>();
        name.rsplit("::").next().unwrap_or(name).into()
    }
}

/// A loss on targets of type `T`: `[u32]`, the class of each row, or `[f32]`, as many numbers as the rows
/// have.
#[diagnostic::on_unimplemented(
    message = "expected a loss on targets of type `{T}`, found `{Self}`",
    label = "it reads other targets",
    note = "labels, `u32`, one class for each sample or step: use `CrossEntropy`, `Focal` or `Ctc`",
    note = "values, `f32`, as many as the network's outputs: use `Mse` or another loss on values, or `CrossEntropy` on distributions"
)]
pub trait LossOn<T: ?Sized>: Loss {
    /// The sum of the rows' losses, and `dy = scale · d(sum)/dy`. `y` and `dy` are `[rows, width]`.
    ///
    /// # Panics
    /// The lengths disagree, or a label is not below `width`.
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &T, scale: f32, dy: &mut [f32]) -> f64;

    /// The sum of the rows' losses. `y` is `[rows, width]`.
    ///
    /// # Panics
    /// As [`gradient`](LossOn::gradient).
    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &T) -> f64;

    /// What is wrong with the targets of this many rows, if anything: the first such row and why. Asked
    /// before training.
    fn fault(&self, width: usize, target: &T, rows: usize) -> Option<(usize, String)>;

    /// How many rows are answered rightly, where the loss tells right from wrong. `y` is `[rows, width]`.
    fn correct(&self, width: usize, y: &[f32], target: &T) -> Option<usize>;
}

/// A target of a loss that compares number with number: `f32` and nothing else.
#[diagnostic::on_unimplemented(
    message = "expected a loss on targets of type `{Self}`, found one on values",
    label = "it compares outputs with values, `f32`",
    note = "labels, `u32`, one class for each sample or step: use `CrossEntropy`, `Focal` or `Ctc`",
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

/// A target of a loss on classes alone: `u32` and nothing else.
#[diagnostic::on_unimplemented(
    message = "expected a loss on targets of type `{Self}`, found one on labels",
    label = "it reads labels, `u32`",
    note = "labels, `u32`, one class for each sample or step: `Dataset::classes(inputs, labels)`",
    note = "values, `f32`, as many as the network's outputs: use `Mse` or another loss on values, or `CrossEntropy` on distributions"
)]
pub trait TargetLabel: Sized {
    /// The labels themselves.
    #[doc(hidden)]
    fn labels(all: &[Self]) -> &[u32];
}

impl TargetLabel for u32 {
    fn labels(all: &[u32]) -> &[u32] {
        all
    }
}

/// A loss fits a network that ends in `Head`.
#[diagnostic::on_unimplemented(
    message = "expected a loss that fits a network ending in `{Head}`, found `{Self}`",
    label = "it does not go with the network's last layer",
    note = "a loss on classes, as `CrossEntropy`: end the network in `Dense` (`DensePerStep` on steps), `Softmax` or `LogSoftmax`, with an output `[classes]` or `[steps, classes]` of 2 classes or more",
    note = "a loss on yes or no, as `BinaryCrossEntropy`: end it in `Dense(1)` or `Dense(answers)`, or in `Sigmoid`",
    note = "a loss on sides or counts, as `Hinge`: end it in `Dense` or `DensePerStep`, or in an activation other than `Softmax`, `LogSoftmax` and `Sigmoid`",
    note = "a loss on directions, as `CosineSimilarity`: any layer of 2 numbers or more; a loss on values, as `Mse`: any layer",
    note = "a network of several outputs takes a tuple of losses, one for each, such as `(Mse::new(), CrossEntropy::new())`; any other network one loss"
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
    KlDivergence: PlainHead SoftmaxHead LogSoftmaxHead AnyHead;
    Focal: PlainHead SoftmaxHead LogSoftmaxHead AnyHead;
    Ctc: PlainHead SoftmaxHead LogSoftmaxHead AnyHead;
    BinaryCrossEntropy: PlainHead ValueHead SigmoidHead AnyHead;
    BinaryFocal: PlainHead ValueHead SigmoidHead AnyHead;
    Hinge: PlainHead ValueHead OtherHead AnyHead;
    Poisson: PlainHead ValueHead OtherHead AnyHead;
    CosineSimilarity: PlainHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
    Mse: PlainHead ValueHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
    Mae: PlainHead ValueHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
    Huber: PlainHead ValueHead SoftmaxHead LogSoftmaxHead SigmoidHead OtherHead AnyHead;
}

/// No loss: for a trainer that is only asked for steps by an objective of one's own
/// ([`step_with`](crate::train::Trainer::step_with)) or by gradients from elsewhere. It fits every network.
impl Loss for () {
    const LOGITS: bool = false;
}

#[diagnostic::do_not_recommend]
impl<Head> Fits<Head> for () {}

/// A network of several outputs takes a loss for each, in the order of its outputs; their sum is minimised.
macro_rules! several {
    ($($loss:ident $head:ident),*) => {
        impl<$($loss: Loss),*> Loss for ($($loss,)*) {
            const LOGITS: bool = false $(|| $loss::LOGITS)*;

            fn settings(&self) -> String {
                #[allow(non_snake_case)]
                let ($($loss,)*) = self;
                [$($loss.settings()),*].join(", ")
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($head, $loss: Fits<$head>),*> Fits<($($head,)*)> for ($($loss,)*) {}
    };
}
several!(A H, B I);
several!(A H, B I, C J);
several!(A H, B I, C J, D K);
