//! Generated code names everything by its full path: it compiles where no prelude is, where `std`'s names
//! mean something else, and where every lint is denied.
#![no_implicit_prelude]
#![deny(warnings, missing_docs, unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(clippy::duration_suboptimal_units, reason = "of this file's tests, not of generated code")]

/// Names that generated code must not trip over.
#[allow(missing_docs, dead_code, clippy::pedantic)]
mod traps {
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct Option;
    pub struct Result;
    pub struct Vec;
    pub struct String;
    pub struct Default;
    pub struct Clone;
    pub struct Shape;
    pub struct Network;
    pub mod core {}
    pub mod std {}
}
#[allow(unused_imports)]
use ::nn_runtime::{Layer, LayerContext, LayerSpec, ParamGrad, Rule};
#[allow(unused_imports)]
use traps::*;

::nn_runtime::network! {
    /// A network where nothing has its usual name.
    pub struct Hygienic: [3] -> [2] {
        ::nn_runtime::layers::Dense(4) -> ::nn_runtime::layers::Relu;
        head: ::nn_runtime::layers::Dense(2) -> ::nn_runtime::layers::Softmax
    }
}

#[test]
fn compiles_and_predicts() {
    use ::nn_runtime::Network as _;
    let model = Hygienic::init(1);
    let mut predictor = model.predictor(1);
    let y = predictor.predict(&[1.0, 2.0, 3.0]);
    ::std::assert!((y[0] + y[1] - 1.0).abs() < 1e-6);
}

/// Dimensions are any const expressions, and resolve where the declaration stands.
#[test]
fn local_consts_are_dimensions() {
    use ::nn_runtime::Network as _;
    const WIDTH: usize = 3;
    struct Sizes;
    impl Sizes {
        const OUT: usize = 2;
    }
    ::nn_runtime::network! {
        struct Local: [WIDTH * 2] -> [usize::pow(Sizes::OUT, 1)] {
            ::nn_runtime::layers::Dense(WIDTH + 1) -> [WIDTH + 1] -> ::nn_runtime::layers::Dense(Sizes::OUT)
        }
    }
    ::std::assert_eq!(Local::param_count(), 6 * 4 + 4 + 4 * 2 + 2);
}

/// One declaration at several widths, by a `macro_rules!` around it.
macro_rules! perceptron {
    ($name:ident, $width:expr, $layer:ident) => {
        ::nn_runtime::network! {
            /// A perceptron of some width.
            pub struct $name: [4] -> [2] {
                hidden: ::nn_runtime::layers::Dense($width) -> $layer -> ::nn_runtime::layers::Dense(2)
            }
        }
    };
}
use ::nn_runtime::layers::{Relu, Tanh};
perceptron!(Narrow, 3, Relu);
perceptron!(Wide, 5 * 2, Tanh);

#[test]
fn a_macro_declares_networks() {
    use ::nn_runtime::Network as _;
    ::std::assert_eq!(Narrow::param_count(), 4 * 3 + 3 + 3 * 2 + 2);
    ::std::assert_eq!(Wide::param_count(), 4 * 10 + 10 + 10 * 2 + 2);
}
