//! Which losses go with which network, by what it ends in. In: a head and a loss; out: a trait that the head
//! has for the loss or lacks, one for each kind of head, so that the type checker says in a sentence what is
//! wrong. It computes nothing.

use super::*;
use crate::model::{AnyHead, LogSoftmaxHead, OtherHead, PlainHead, SigmoidHead, SoftmaxHead, SquashedHead, ValueHead};

/// A loss fits a network that ends in `Head`. It follows from what the head takes: a loss of one's own is
/// taken by each head that it goes with, `impl PlainTakes<Mine> for PlainHead {}`.
pub trait Fits<Head> {}

/// A declaration with errors takes every loss, so that one mistake is told once.
pub trait AnyTakes<L> {}

/// Plain numbers take every loss.
#[diagnostic::on_unimplemented(
    message = "expected one loss, as the network has one output, found `{L}`",
    label = "this is none",
    note = "the loss stands before the optimiser: `Trainer::new(&mut model, Mse::new(), Adam::new(1e-3))`"
)]
pub trait PlainTakes<L> {}

/// Numbers of which each stands for itself take losses on answers and values.
#[diagnostic::on_unimplemented(
    message = "expected a loss on single numbers, as the network makes no scores of classes, found `{L}`",
    label = "it does not go with the network's output",
    note = "`BinaryCrossEntropy` is for one answer of yes or no, `Mse` for values; or end the network in `Dense(classes)` of 2 classes or more, on steps `DensePerStep(classes)`: classes are the last dimension"
)]
pub trait ValueTakes<L> {}

/// Probabilities of classes take losses on classes.
#[diagnostic::on_unimplemented(
    message = "expected a loss on classes, as the network ends in probabilities of classes, found `{L}`",
    label = "it does not go with the network's last layer",
    note = "use `CrossEntropy`; or end the network without the `Softmax` or `LogSoftmax`, and in `Sigmoid` for answers of yes or no"
)]
pub trait SoftmaxTakes<L> {}

/// Probabilities each of its own take losses on answers of yes or no.
#[diagnostic::on_unimplemented(
    message = "expected a loss on answers of yes or no, as the network ends in `Sigmoid`, found `{L}`",
    label = "it does not go with the network's last layer",
    note = "use `BinaryCrossEntropy`; or end the network without the `Sigmoid`, and in `Softmax` for one class of several"
)]
pub trait SigmoidTakes<L> {}

/// Numbers of some other range take losses on values.
#[diagnostic::on_unimplemented(
    message = "expected a loss on values, as the network ends in neither scores nor probabilities, found `{L}`",
    label = "it does not go with the network's last layers",
    note = "end the network in `Dense` or `DensePerStep`, with nothing behind it but `Softmax` or `LogSoftmax` for classes, which are the last dimension, or `Sigmoid` for answers of yes or no"
)]
pub trait OtherTakes<L> {}

/// Probabilities of what an activation has cut before take losses on values.
#[diagnostic::on_unimplemented(
    message = "expected a loss on values, as an activation cuts the scores before the network's last layer, found `{L}`",
    label = "it needs scores that may be any numbers",
    note = "leave out the activation before the last one: `Dense(classes) -> Softmax`, or `Dense(answers) -> Sigmoid`"
)]
pub trait SquashedTakes<L> {}

/// Two outputs take a loss each, in their order; the sum is minimised.
#[diagnostic::on_unimplemented(
    message = "expected two losses, one for each output, found `{L}`",
    label = "this is no tuple of two losses",
    note = "in the order of the outputs: `(Mse::new(), CrossEntropy::new())`"
)]
pub trait TwoTake<L> {}

/// Three outputs take a loss each, in their order; the sum is minimised.
#[diagnostic::on_unimplemented(
    message = "expected three losses, one for each output, found `{L}`",
    label = "this is no tuple of three losses",
    note = "in the order of the outputs: `(Mse::new(), Mse::new(), Mse::new())`"
)]
pub trait ThreeTake<L> {}

/// Four outputs take a loss each, in their order; the sum is minimised.
#[diagnostic::on_unimplemented(
    message = "expected four losses, one for each output, found `{L}`",
    label = "this is no tuple of four losses",
    note = "in the order of the outputs: `(Mse::new(), Mse::new(), Mse::new(), Mse::new())`"
)]
pub trait FourTake<L> {}

impl<L> Fits<AnyHead> for L where AnyHead: AnyTakes<L> {}
impl<L> Fits<PlainHead> for L where PlainHead: PlainTakes<L> {}
impl<L> Fits<ValueHead> for L where ValueHead: ValueTakes<L> {}
impl<L> Fits<SoftmaxHead> for L where SoftmaxHead: SoftmaxTakes<L> {}
impl<L> Fits<LogSoftmaxHead> for L where SoftmaxHead: SoftmaxTakes<L> {}
impl<L> Fits<SigmoidHead> for L where SigmoidHead: SigmoidTakes<L> {}
impl<L> Fits<SquashedHead> for L where SquashedHead: SquashedTakes<L> {}
impl<L> Fits<OtherHead> for L where OtherHead: OtherTakes<L> {}
impl<L, H, I> Fits<(H, I)> for L where (H, I): TwoTake<L> {}
impl<L, H, I, J> Fits<(H, I, J)> for L where (H, I, J): ThreeTake<L> {}
impl<L, H, I, J, K> Fits<(H, I, J, K)> for L where (H, I, J, K): FourTake<L> {}

/// No loss: for a trainer that is only asked for steps by an objective of one's own
/// ([`step_with`](crate::train::Trainer::step_with)) or by gradients from elsewhere. It fits every network.
impl Loss for () {
    const LOGITS: bool = false;
}
#[diagnostic::do_not_recommend]
impl<H, I> TwoTake<()> for (H, I) {}
#[diagnostic::do_not_recommend]
impl<H, I, J> ThreeTake<()> for (H, I, J) {}
#[diagnostic::do_not_recommend]
impl<H, I, J, K> FourTake<()> for (H, I, J, K) {}
type NoLoss = ();

macro_rules! several {
    ($($loss:ident)+) => {
        impl<$($loss: Loss),+> Loss for ($($loss,)+) {
            const LOGITS: bool = false $(|| $loss::LOGITS)+;

            #[cfg(feature = "alloc")]
            fn settings(&self) -> String {
                #[allow(non_snake_case)]
                let ($($loss,)+) = self;
                [$($loss.settings()),+].join(", ")
            }
        }
        impl<$($loss: Loss),+> AnyTakes<($($loss,)+)> for AnyHead {}
    };
}
several!(A B);
several!(A B C);
several!(A B C D);

impl<H, I, A: Fits<H>, B: Fits<I>> TwoTake<(A, B)> for (H, I) {}
impl<H, I, J, A: Fits<H>, B: Fits<I>, C: Fits<J>> ThreeTake<(A, B, C)> for (H, I, J) {}
impl<H, I, J, K, A: Fits<H>, B: Fits<I>, C: Fits<J>, D: Fits<K>> FourTake<(A, B, C, D)> for (H, I, J, K) {}

/// Every head takes a loss on values.
#[doc(hidden)]
#[macro_export]
macro_rules! __taken_by_all {
    ($loss:ident) => {
        $crate::__taken_by_all! {
            $loss: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
            SquashedHead SquashedTakes, OtherHead OtherTakes
        }
    };
    ($loss:ident: $($head:ident $takes:ident),+) => {$(
        impl $crate::losses::$takes<$loss> for $crate::$head {}
    )+};
}
pub use crate::__taken_by_all as taken_by_all;

macro_rules! taken_by {
    ($($(#[$there:meta])? $loss:ident: $($head:ident $takes:ident),+;)+) => {
        $(taken_by! { @one [$(#[$there])?] $loss: $($head $takes),+ })+
    };
    (@one $there:tt $loss:ident: $($head:ident $takes:ident),+) => {
        $(taken_by! { @head $there $loss $head $takes })+
    };
    (@head [$($there:tt)*] $loss:ident $head:ident $takes:ident) => {
        // What is told in words needs no list of types beside it.
        $($there)*
        #[diagnostic::do_not_recommend]
        impl $takes<$loss> for $head {}
    };
}
taken_by! {
    NoLoss: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
        SquashedHead SquashedTakes, OtherHead OtherTakes;
    CrossEntropy: AnyHead AnyTakes, PlainHead PlainTakes, SoftmaxHead SoftmaxTakes;
    KlDivergence: AnyHead AnyTakes, PlainHead PlainTakes, SoftmaxHead SoftmaxTakes;
    Focal: AnyHead AnyTakes, PlainHead PlainTakes, SoftmaxHead SoftmaxTakes;
    #[cfg(feature = "alloc")]
    Ctc: AnyHead AnyTakes, PlainHead PlainTakes, SoftmaxHead SoftmaxTakes;
    BinaryCrossEntropy: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SigmoidHead SigmoidTakes;
    BinaryFocal: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SigmoidHead SigmoidTakes;
    GaussianNll: AnyHead AnyTakes, PlainHead PlainTakes, OtherHead OtherTakes;
    Hinge: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, OtherHead OtherTakes;
    Poisson: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, OtherHead OtherTakes;
    Triplet: AnyHead AnyTakes, PlainHead PlainTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes, SquashedHead SquashedTakes,
        OtherHead OtherTakes;
    CosineSimilarity: AnyHead AnyTakes, PlainHead PlainTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
        SquashedHead SquashedTakes, OtherHead OtherTakes;
    #[cfg(feature = "alloc")]
    MultiResolutionStft: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SquashedHead SquashedTakes, OtherHead OtherTakes;
    Mse: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
        SquashedHead SquashedTakes, OtherHead OtherTakes;
    // `ElementWeights` is taken where the loss within is, below.
    Quantile: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
        SquashedHead SquashedTakes, OtherHead OtherTakes;
    Mae: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
        SquashedHead SquashedTakes, OtherHead OtherTakes;
    Huber: AnyHead AnyTakes, PlainHead PlainTakes, ValueHead ValueTakes, SoftmaxHead SoftmaxTakes, SigmoidHead SigmoidTakes,
        SquashedHead SquashedTakes, OtherHead OtherTakes;
}

// With weights a loss fits what it fits without.
#[diagnostic::do_not_recommend]
impl<L> AnyTakes<ElementWeights<L>> for AnyHead {}
#[diagnostic::do_not_recommend]
impl<L> PlainTakes<ElementWeights<L>> for PlainHead where PlainHead: PlainTakes<L> {}
#[diagnostic::do_not_recommend]
impl<L> ValueTakes<ElementWeights<L>> for ValueHead where ValueHead: ValueTakes<L> {}
#[diagnostic::do_not_recommend]
impl<L> SoftmaxTakes<ElementWeights<L>> for SoftmaxHead where SoftmaxHead: SoftmaxTakes<L> {}
#[diagnostic::do_not_recommend]
impl<L> SigmoidTakes<ElementWeights<L>> for SigmoidHead where SigmoidHead: SigmoidTakes<L> {}
#[diagnostic::do_not_recommend]
impl<L> SquashedTakes<ElementWeights<L>> for SquashedHead where SquashedHead: SquashedTakes<L> {}
#[diagnostic::do_not_recommend]
impl<L> OtherTakes<ElementWeights<L>> for OtherHead where OtherHead: OtherTakes<L> {}
