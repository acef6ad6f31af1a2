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
#[cfg(feature = "alloc")]
mod ctc;
mod element_weights;
pub(crate) mod elementwise;
mod focal;
mod gaussian_nll;
pub(crate) mod heads;
mod hinge;
mod huber;
mod kl_divergence;
mod link;
mod mae;
mod mse;
#[cfg(feature = "alloc")]
mod multi_resolution_stft;
pub(crate) mod of_many;
mod poisson;
mod quantile;
mod triplet;

use crate::text::String;

use nn_kernels::simd::Isa;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use binary_focal::BinaryFocal;
pub use cosine_similarity::CosineSimilarity;
pub use cross_entropy::CrossEntropy;
#[cfg(feature = "alloc")]
pub use ctc::Ctc;
pub use element_weights::ElementWeights;
pub use focal::Focal;
pub use gaussian_nll::GaussianNll;
pub use heads::{
    AnyTakes, Fits, FourTake, OtherTakes, PlainTakes, SigmoidTakes, SoftmaxTakes, SquashedTakes, ThreeTake, TwoTake,
    ValueTakes,
};
pub use hinge::Hinge;
pub use huber::Huber;
pub use kl_divergence::KlDivergence;
pub use link::Link;
pub use mae::Mae;
pub use mse::Mse;
#[cfg(feature = "alloc")]
pub use multi_resolution_stft::MultiResolutionStft;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use triplet::Triplet;

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
