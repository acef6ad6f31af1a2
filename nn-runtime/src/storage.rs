//! Memory to compute in: allocated, or given by the caller. In: floats; out: the same, of the length that a
//! network asks for, or what is wrong with it. It allocates nothing itself.

use core::fmt;
use core::ops::DerefMut;

use crate::graph::CompiledNetwork;

#[cfg(feature = "alloc")]
pub use nn_kernels::aligned_buffer::AlignedBuffer as Allocated;
#[cfg(not(feature = "alloc"))]
pub use nothing::Allocated;

/// Where nothing allocates.
#[cfg(not(feature = "alloc"))]
mod nothing {
    use core::ops::{Deref, DerefMut};

    /// Memory that was allocated: there is none without the feature `alloc`.
    pub enum Allocated {}

    impl Deref for Allocated {
        type Target = [f32];

        fn deref(&self) -> &[f32] {
            match *self {}
        }
    }

    impl DerefMut for Allocated {
        fn deref_mut(&mut self) -> &mut [f32] {
            match *self {}
        }
    }
}

/// What no other crate may implement.
mod sealed {
    pub trait OwnOrLent {}
}

/// Memory that a [`Predictor`](crate::Predictor) works in, or that a [`Model`](crate::Model)'s parameters lie
/// in: allocated by it, or `&mut [f32]` of the caller's, whose length is a constant of the network
/// (`Net::predict_len(batch)`, `Net::PARAMS_LEN`).
pub trait Storage: DerefMut<Target = [f32]> + sealed::OwnOrLent {}

impl sealed::OwnOrLent for Allocated {}
impl Storage for Allocated {}

impl sealed::OwnOrLent for &mut [f32] {}
impl Storage for &mut [f32] {}

/// Numbers that are too few, or not those of the network: what they are for, and how many were expected and
/// found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LengthError {
    what: What,
    network: &'static str,
    /// How many numbers the network needs.
    pub expected: usize,
    /// How many there are.
    pub found: usize,
}

/// What numbers are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Params,
    /// For the parameters of a model.
    Model,
    /// For initial values that need memory to be drawn in.
    Orthogonal,
    /// To train on so many samples at once, with so many numbers of each parameter that an optimiser keeps;
    /// all of them forward before any backward, or not.
    Training {
        batch: usize,
        slots: usize,
        whole: bool,
    },
    /// To find gradients of the inputs of so many samples at once.
    Differentiating(usize),
    /// To run one step at a time.
    Streaming,
    /// To predict so many samples at once.
    Predicting(usize),
}

impl LengthError {
    pub(crate) const fn params(network: &'static CompiledNetwork, found: usize) -> LengthError {
        LengthError { what: What::Params, network: network.name, expected: network.params_len, found }
    }

    pub(crate) const fn model(network: &'static CompiledNetwork, found: usize) -> LengthError {
        LengthError { what: What::Model, network: network.name, expected: network.params_len, found }
    }

    pub(crate) const fn orthogonal(network: &'static CompiledNetwork, found: usize) -> LengthError {
        LengthError { what: What::Orthogonal, network: network.name, expected: network.params_len, found }
    }

    /// `expected` numbers to train in, in steps by a loss or by an objective on whole batches.
    #[cfg(feature = "train")]
    pub(crate) const fn training(
        network: &'static CompiledNetwork,
        (batch, slots, whole): (usize, usize, bool),
        expected: usize,
        found: usize,
    ) -> LengthError {
        LengthError { what: What::Training { batch, slots, whole }, network: network.name, expected, found }
    }

    #[cfg(feature = "train")]
    pub(crate) const fn differentiating(network: &'static CompiledNetwork, batch: usize, found: usize) -> LengthError {
        let expected = network.differentiate_len(batch);
        LengthError { what: What::Differentiating(batch), network: network.name, expected, found }
    }

    #[cfg(feature = "stream")]
    pub(crate) const fn streaming(network: &'static CompiledNetwork, found: usize) -> LengthError {
        LengthError { what: What::Streaming, network: network.name, expected: network.stream_len(), found }
    }

    pub(crate) const fn predicting(network: &'static CompiledNetwork, batch: usize, found: usize) -> LengthError {
        let expected = network.predict_len(batch);
        LengthError { what: What::Predicting(batch), network: network.name, expected, found }
    }
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LengthError { what, network, expected, found } = self;
        match what {
            What::Params => write!(
                f,
                "expected the {expected} numbers of `{network}`'s parameters, found {found}\nhelp: give all that `as_params` gives"
            ),
            What::Model => write!(
                f,
                "expected memory of {expected} numbers for the parameters of `{network}`, found {found}\nhelp: `[0.0; {network}::PARAMS_LEN]`"
            ),
            What::Orthogonal => write!(
                f,
                "expected initial values of `{network}` that are drawn one by one, found `Orthogonal`, which needs an allocator\nhelp: draw \
                 them elsewhere and give them to `Model::copy_in`"
            ),
            What::Training { batch, slots, whole } => {
                let function = if *whole { "train_whole_len" } else { "train_len" };
                write!(
                    f,
                    "expected memory of {expected} numbers, in which `{network}` takes steps on {batch} samples with {slots} numbers of each \
                     parameter that the optimiser keeps, found {found}\nhelp: `[0.0; {network}::{function}({batch}, {slots})]`"
                )
            }
            What::Differentiating(batch) => write!(
                f,
                "expected memory of {expected} numbers, in which gradients go through `{network}` on {batch} samples at once, found \
                 {found}\nhelp: `[0.0; {network}::differentiate_len({batch})]`"
            ),
            What::Streaming => write!(
                f,
                "expected memory of {expected} numbers, in which `{network}` runs one step at a time, found {found}\nhelp: `[0.0; \
                 {network}::stream_len()]`"
            ),
            What::Predicting(batch) => write!(
                f,
                "expected memory of {expected} numbers, in which `{network}` predicts {batch} samples at once, found {found}\nhelp: `[0.0; \
                 {network}::predict_len({batch})]`"
            ),
        }
    }
}

impl core::error::Error for LengthError {}
