//! Neural networks as Rust types. [`network!`] turns a declaration of layers into a struct whose shapes rustc
//! has checked, with straight-line forward and backward code; this crate has the layers, losses, optimisers,
//! training and data for it.
//!
//! # Declare, train, save, predict
//!
//! ```
//! use nn_runtime::data::digits;
//! use nn_runtime::prelude::*;
//!
//! network! {
//!     /// Reads handwritten digits.
//!     pub struct Digits: [1, 28, 28] -> [10] {
//!         Flatten -> hidden: Dense(16) -> Relu -> head: Dense(10) -> Softmax
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (train, test) = digits::draw(500, 1).split_every(5)?;
//!
//! let mut model = Digits::init(7); // owns the parameters, one flat block
//! let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
//! let history = trainer.fit(&train, Fit::epochs(2).batch(32).validate(&test))?;
//! println!("{history}\n{}", trainer.evaluate(&test)?);
//!
//! let file = std::env::temp_dir().join("digits.safetensors");
//! # let file = file.with_file_name(format!("front-page-{}.safetensors", std::process::id()));
//! model.save(&file)?; // standard names and layouts
//! let model = Model::<Digits>::load(&file)?; // every mismatch named
//! # std::fs::remove_file(&file)?;
//!
//! let mut predictor = model.predictor(256); // one `&Model` serves many threads
//! let image: &[f32; 784] = test.input(0, 0).try_into()?;
//! let probabilities: &[f32; 10] = predictor.predict(image); // an array of another length does not compile
//! # assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
//! # Ok(()) }
//! ```
//!
//! # A mistake is a compile error, on the layer itself
//!
//! ```compile_fail
//! # use nn_runtime::prelude::*;
//! network! {
//!     pub struct Net: [1, 28, 28] -> [10] { Dense(64) -> Relu -> Dense(10) }
//! }
//! ```
//!
//! ```text
//! `dense_1`: expected an input of [features], found [1, 28, 28]
//! help: put `Flatten` before it
//! ```
//!
//! # Where to go on
//!
//! | for | see |
//! |---|---|
//! | the language | [`network!`] |
//! | a layer's formula and arguments | [`layers`] |
//! | losses, optimisers, schedules | [`losses`], [`optim`], [`train::schedule`] |
//! | training: batches, clipping, averages | [`train`] |
//! | data: arrays, CSV, IDX, scaling | [`data`] |
//! | sequences, step by step | [`Streamer`] |
//! | an activation or a loss of one's own | [`activation!`], [`loss!`] |
//! | a layer of one's own, and its test | [`Layer`], [`Probe`] |
//! | a loop, an objective of one's own | [`Trainer::step_with`](train::Trainer::step_with), [`Differentiator`] |
//! | memory, gradients, networks within | [`Memory`], [`Gradients`], [`ModelPart`] |
//!
//! Without the feature `std` (`default-features = false, features = ["alloc"]`) the core needs `core` and
//! `alloc` only: models, prediction, streams, gradients, weights from bytes, data in memory, and training
//! step by step on one thread ([`Trainer::step`](train::Trainer::step)); but no files, and no
//! [`Trainer::fit`](train::Trainer::fit). Without `alloc` a network predicts with weights that lie in the
//! program ([`ModelRef`]), in memory of the caller's ([`Predictor::new_in`]); with the feature `train` it
//! learns there too ([`TrainerIn`](train::TrainerIn)), and with `stream` it streams ([`Streamer::new_in`]).
//! `small` makes code small before fast.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
// What only `fit` and files read is never read without them.
#![cfg_attr(not(feature = "std"), allow(dead_code, unused_imports))]

#[cfg(feature = "alloc")]
extern crate alloc;
extern crate self as nn_runtime;

/// # Example
///
/// ```
/// use nn_runtime::prelude::*;
///
/// activation! {
///     /// A gate.
///     pub swish(x; beta = 1.0) = x * sigmoid(beta * x)
/// }
/// network! { pub struct Net: [2] -> [2] { Swish(beta = 2.0) } }
/// let y = *Net::init(0).predictor(1).predict(&[0.0, 1.0]);
/// assert!(y[0] == 0.0 && (y[1] - 0.880797).abs() < 1e-6);
/// ```
pub use nn_macros::activation;
/// # Example
///
/// ```
/// use nn_runtime::prelude::*;
///
/// loss! {
///     /// Squared near 0, absolute further out.
///     pub log_cosh(y, t) = ln(cosh(y - t))
/// }
/// let loss = LogCosh::new().value(nn_runtime::Isa::detect(), 2, &[0.0, 200.0], &[0.0, 0.0][..]);
/// assert!((loss - (200.0 - 2f64.ln()) / 2.0).abs() < 1e-4);
/// ```
pub use nn_macros::loss;
pub use nn_macros::network;

#[cfg(feature = "alloc")]
pub mod attribution;
mod budget;
#[cfg(feature = "alloc")]
mod chain;
#[cfg(feature = "alloc")]
mod cost;
#[cfg(feature = "alloc")]
mod diagram;
#[cfg(feature = "train")]
mod differentiator;
#[cfg(feature = "alloc")]
pub mod distributed;
mod editor;
mod fault;
mod file_kind;
mod finite;
mod formula;
#[cfg(feature = "alloc")]
mod gradient;
mod graph;
mod init;
mod input;
pub mod int8;
mod layer;
pub mod layers;
mod limits;
#[cfg(feature = "train")]
pub mod losses;
#[cfg(feature = "alloc")]
mod memory;
mod model;
#[cfg(not(feature = "alloc"))]
mod no_chain;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "train")]
pub mod optim;
#[cfg(feature = "train")]
mod params;
mod pass;
#[cfg(feature = "alloc")]
pub mod policy;
mod predictor;
#[cfg(feature = "alloc")]
mod probe;
mod quote;
mod random;
mod repeat;
mod save;
mod shape;
mod signature;
pub mod sizes;
mod spec;
mod storage;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "alloc")]
mod summary;
#[cfg(any(feature = "stream", feature = "train"))]
mod text;
mod unread;

#[cfg(feature = "train")]
pub mod data;
#[cfg(feature = "std")]
mod files;
#[cfg(feature = "std")]
mod os;
#[cfg(feature = "std")]
pub mod plot;
#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "std")]
pub use cost::CostBeside;
#[cfg(feature = "alloc")]
pub use cost::{Cost, Machine};
#[cfg(feature = "train")]
pub use differentiator::Differentiator;
pub use fault::Fault;
#[cfg(feature = "alloc")]
pub use gradient::Gradients;
pub use graph::Rule;
pub use init::Init;
pub use input::{InputError, InputErrorKind};
pub use layer::{Layer, LayerContext, ParamGrad, ReadContext};
pub use limits::{MAX_INPUTS, MAX_OUTPUTS, MAX_PARAMS, MAX_RANK};
#[cfg(feature = "alloc")]
pub use memory::Memory;
#[doc(hidden)]
pub use model::elsewhere::Predicts;
pub use model::{
    AnyHead, AsModel, LogSoftmaxHead, Model, ModelPart, ModelRef, Network, OtherHead, PlainHead, Ports, SigmoidHead,
    SoftmaxHead, SquashedHead, ValueHead,
};
#[cfg(feature = "train")]
pub use model::{ParamError, ParamErrorKind};
pub use nn_kernels::counter_rng::CounterRng;
pub use nn_kernels::simd::Isa;
#[cfg(feature = "alloc")]
pub use params::Tensor;
pub use predictor::Predictor;
#[cfg(feature = "alloc")]
pub use probe::{LayerGradients, Probe};
pub use save::Names;
#[cfg(feature = "alloc")]
pub use save::{WeightsError, WeightsErrorKind};
pub use shape::Shape;
pub use spec::{Head, LayerSpec, Pass, Role};
pub use storage::{Allocated, LengthError, Storage};
#[cfg(feature = "stream")]
pub use stream::{StreamError, StreamErrorKind, Streamer};
#[cfg(feature = "alloc")]
pub use stream::{StreamState, Streamers};
#[cfg(feature = "alloc")]
pub use summary::{LayerSummary, Summary};

/// What a layer of one's own may compute with: element-wise operations, functions and vectors, on every
/// instruction set.
pub mod kernels {
    pub use nn_kernels::{elementwise, math, simd};
}

/// Everything a program that declares, trains and uses networks names.
pub mod prelude {
    pub use crate::Init::{
        Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Normal, Orthogonal,
        Uniform, Zeros,
    };
    pub use crate::layers::Direction::{Backward, Both, Forward};
    pub use crate::layers::Padding::{Causal, Pad, Same, Valid};
    pub use crate::layers::UpsampleMode::{Bilinear, Nearest};
    #[doc(hidden)]
    pub use crate::layers::foreign::*;
    pub use crate::layers::*;
    #[cfg(feature = "train")]
    pub use crate::loss;
    #[cfg(feature = "train")]
    pub use crate::losses::*;
    #[cfg(feature = "train")]
    pub use crate::optim::*;
    pub use crate::{Model, Names, Network, activation, network};

    #[cfg(feature = "alloc")]
    pub use crate::data::{Dataset, Labels, Values};
    #[cfg(feature = "alloc")]
    pub use crate::train::Regularizer;
    #[cfg(feature = "std")]
    pub use crate::train::metrics::{
        Accuracy, AveragePrecision, ConfusionMatrix, ExplainedVariance, F1, LogLoss, MeanAbsoluteError,
        MeanAbsolutePercentageError, MeanIou, Precision, R2, Recall, RocAuc, RootMeanSquaredError, TopK,
    };
    #[cfg(feature = "alloc")]
    pub use crate::train::schedule::ReduceOnPlateau;
    #[cfg(feature = "train")]
    pub use crate::train::schedule::{ConstantRate, Cosine, Exponential, OneCycle, Polynomial, StepDecay, Warmup};
    #[cfg(feature = "std")]
    pub use crate::train::{Checkpoint, EarlyStopping, Fit};
    #[cfg(feature = "train")]
    pub use crate::train::{Clip, Trainer};
}

/// Code that allocates: it is there with the feature `alloc` alone, whatever the features of who declares.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($code:tt)*) => { $($code)* };
}

/// Nothing allocates.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($code:tt)*) => {};
}

/// Code that needs an operating system: it is there with the feature `std` alone.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($code:tt)*) => { $($code)* };
}

/// Nothing needs one.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($code:tt)*) => {};
}

/// Code that trains: it is there with the feature `train` alone.
#[cfg(feature = "train")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_train {
    ($($code:tt)*) => { $($code)* };
}

/// Nothing trains.
#[cfg(not(feature = "train"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_train {
    ($($code:tt)*) => {};
}

/// Code that streams: it is there with the feature `stream` alone.
#[cfg(feature = "stream")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_stream {
    ($($code:tt)*) => { $($code)* };
}

/// Nothing streams.
#[cfg(not(feature = "stream"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_stream {
    ($($code:tt)*) => {};
}

/// What generated code names. Not for other use: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::budget::check_budget;
    pub use crate::editor::{
        Line, NotOffered, Shown, count_all, made, made_by_network, made_of_mistakes, rule_of_network,
    };
    pub use crate::fault::Fault;
    pub use crate::formula::*;
    pub use crate::graph::{
        CompiledNetwork, Graph, NetworkTree, Node, Plan, Rule, Site, TracedValue, check, check_frozen, check_input,
        check_output, check_shape, check_shared, input_step, output_step, repeat, site,
    };
    pub use crate::init::Init;
    pub use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
    /// What `int8_model!` names.
    pub mod int8 {
        pub use crate::int8::embedded::{Int8Parts, check, file, predict};
        pub use crate::int8::file::Int8File;
        pub use crate::int8::program::{CodePort, ProgramRef, Step, Term};
    }
    #[cfg(feature = "alloc")]
    pub use crate::__any_size as any_size;
    #[cfg(feature = "train")]
    pub use crate::losses::elementwise::{
        Formula, fault as loss_fault, gradient as loss_gradient, value as loss_value,
    };
    #[cfg(feature = "train")]
    pub use crate::losses::heads::taken_by_all;
    #[cfg(feature = "train")]
    pub use crate::losses::of_many::{FormulaOfMany, of_many as loss_of_many};
    pub use crate::model::network::{AnyHead, HeadOf, Network};
    pub use crate::model::{Model, ModelRef};
    pub use crate::pass::{BackwardInput, BackwardParams, Forward};
    pub use crate::repeat::Repeat;
    pub use crate::save::Names;
    pub use crate::save::embedded::{Aligned, Embedded, Room, embed, entry_count, name_bytes, tensor_count};
    #[cfg(feature = "alloc")]
    pub use crate::save::in_place::embedded;
    pub use crate::save::in_place::{LaidOut, in_place, lay_out};
    pub use crate::shape::Shape;
    pub use crate::signature::{Answer, AnySignature, Call, Checked, IsLayer, Negative, Signature, check_call};
    pub use crate::sizes::Size;
    pub use crate::spec::{FormulaStep, Head, LayerSpec, Pass};
    #[cfg(any(feature = "stream", feature = "train"))]
    pub use crate::text::{String, format};
    #[cfg(feature = "train")]
    pub use crate::train::{training_bytes, training_len};
    pub use crate::unread::Unread;
    pub use crate::{
        __editor as editor, __shown as shown, __with_alloc as with_alloc, __with_stream as with_stream,
        __with_train as with_train,
    };
    #[cfg(feature = "alloc")]
    pub use alloc::vec::Vec;
    pub use nn_kernels::math;
    pub use nn_kernels::simd::Simd;
}
