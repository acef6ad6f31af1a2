//! What a network declared with [`network!`] runs on: shape rules, layers, kernels, losses, optimisers, training, data.
//!
//! See the README for a tour, [`network!`] for the language, [`Layer`] to write a layer of one's own.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

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

mod fault;
mod formula;
mod gradient;
mod graph;
mod ids;
mod init;
mod layer;
pub mod layers;
pub mod losses;
mod memory;
mod model;
mod network;
pub mod optim;
mod params;
mod pass;
mod predictor;
mod probe;
mod random;
mod repeat;
mod shape;
mod signature;
mod spec;
mod stream;
mod unread;

#[cfg(feature = "std")]
pub mod data;
#[cfg(feature = "std")]
mod file_kind;
#[cfg(feature = "std")]
mod quote;
#[cfg(feature = "std")]
mod save;
#[cfg(feature = "std")]
pub mod train;

pub use fault::Fault;
pub use gradient::Gradients;
pub use init::Init;
pub use layer::{Layer, LayerContext, ParamGrad, ReadContext};
pub use memory::Memory;
pub use model::{Model, ModelPart, ParamError};
pub use network::{AnyHead, LogSoftmaxHead, Network, OtherHead, PlainHead, Ports, SigmoidHead, SoftmaxHead, ValueHead};
pub use nn_kernels::counter_rng::CounterRng;
pub use nn_kernels::simd::Isa;
pub use params::Tensor;
pub use predictor::{InputError, Predictor};
pub use probe::{Gradients as LayerGradients, Probe};
#[cfg(feature = "std")]
pub use save::{WeightsError, WeightsErrorKind};
pub use shape::{MAX_RANK, Shape};
pub use spec::{Head, LayerSpec, MAX_OUTPUTS, MAX_PARAMS, Pass, Role, Rule};
pub use stream::{StreamError, StreamState, Streamer};

/// What a layer of one's own may compute with: element-wise operations, functions and vectors, on every instruction set.
pub mod kernels {
    pub use nn_kernels::{elementwise, math, simd};
}

/// Everything a program that declares, trains and uses networks names.
pub mod prelude {
    pub use crate::Init::{
        Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Normal, Uniform, Zeros,
    };
    pub use crate::layers::Direction::{Backward, Both, Forward};
    pub use crate::layers::Padding::{Causal, Pad, Same, Valid};
    pub use crate::layers::UpsampleMode::{Bilinear, Nearest};
    #[doc(hidden)]
    pub use crate::layers::foreign::*;
    pub use crate::layers::*;
    pub use crate::losses::*;
    pub use crate::optim::*;
    pub use crate::{Model, Network, activation, loss, network};

    #[cfg(feature = "std")]
    pub use crate::data::{Dataset, Labels, Values};
    #[cfg(feature = "std")]
    pub use crate::train::schedule::{
        ConstantRate, Cosine, Exponential, OneCycle, Polynomial, ReduceOnPlateau, StepDecay, Warmup,
    };
    #[cfg(feature = "std")]
    pub use crate::train::{Clip, Fit, Regularizer, Trainer};
}

/// What generated code names. Not for other use: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::fault::Fault;
    pub use crate::formula::*;
    pub use crate::graph::{
        CompiledNetwork, Graph, Node, Plan, TracedValue, check, check_frozen, check_input, check_output, check_shape,
        check_shared, input_step, output_step, repeat, spec,
    };
    pub use crate::init::Init;
    pub use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
    pub use crate::losses::elementwise::{
        Formula, fault as loss_fault, gradient as loss_gradient, value as loss_value,
    };
    pub use crate::network::{AnyHead, HeadOf, Network};
    pub use crate::pass::{BackwardInput, BackwardParams, Forward};
    pub use crate::repeat::Repeat;
    pub use crate::shape::Shape;
    pub use crate::signature::{AnySignature, Call, Checked, Signature, check_call};
    pub use crate::spec::{Head, LayerSpec, Pass, Rule};
    pub use crate::unread::Unread;
    pub use alloc::string::String;
    pub use nn_kernels::math;
    pub use nn_kernels::simd::Simd;
}
