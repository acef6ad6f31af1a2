//! What a network declared with [`network!`] runs on: shape rules, layers, kernels, losses, optimisers, training, data.
//!
//! See the README for a tour, [`network!`] for the language, [`Layer`] to write a layer of one's own.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
extern crate self as nn_runtime;

pub use nn_macros::network;

mod facts;
mod fault;
mod gradient;
mod graph;
mod init;
pub mod kernels;
mod layer;
pub mod layers;
pub mod losses;
mod memory;
mod model;
mod network;
pub mod optim;
mod params;
mod pass;
mod probe;
mod repeat;
mod shape;

#[cfg(feature = "std")]
pub mod data;
#[cfg(feature = "std")]
mod save;
#[cfg(feature = "std")]
pub mod train;

pub use facts::{Facts, Head, MAX_OUTPUTS, MAX_PARAMS, Role, Rule};
pub use fault::Fault;
pub use gradient::Gradients;
pub use init::Init;
pub use kernels::noise::Noise;
pub use kernels::simd::Isa;
pub use layer::{Cx, Layer, Mode, Part};
pub use memory::Memory;
pub use model::{InputError, Model, ModelPart, ParamError, Predictor};
pub use network::{AnyHead, LogSoftmaxHead, Network, OtherHead, PlainHead, Ports, SigmoidHead, SoftmaxHead, ValueHead};
pub use params::Tensor;
pub use probe::{Gradients as LayerGradients, Probe};
pub use shape::{MAX_RANK, Shape};

/// Everything a program that declares, trains and uses networks names.
pub mod prelude {
    pub use crate::Init::{
        Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Normal, Uniform, Zeros,
    };
    pub use crate::layers::Padding::{Causal, Pad, Same, Valid};
    pub use crate::layers::UpsampleMode::{Bilinear, Nearest};
    pub use crate::layers::*;
    pub use crate::losses::*;
    pub use crate::network;
    pub use crate::optim::*;
    pub use crate::{Model, Network};

    #[cfg(feature = "std")]
    pub use crate::data::{Dataset, Labels, Values};
    #[cfg(feature = "std")]
    pub use crate::train::{Fit, Trainer};
}

/// What generated code names. Not for other use: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::facts::{Facts, Rule};
    pub use crate::graph::{
        Flow, Graph, Map, Node, Plan, Purpose, check, check_frozen, check_input, check_output, check_shape,
        check_shared, facts, repeat,
    };
    pub use crate::layer::{Cx, Layer, Part};
    pub use crate::network::{AnyHead, HeadOf, Network};
    pub use crate::pass::{Forward, PullInput, PullParams};
    pub use crate::repeat::Repeat;
    pub use crate::shape::Shape;
}
