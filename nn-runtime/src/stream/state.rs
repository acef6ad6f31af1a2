//! Where a stream stands, to go on from there later, and what is wrong where it cannot. In: what a streamer
//! carries; out: a state that knows which network it is of.

#[cfg(feature = "alloc")]
use alloc::{format, vec::Vec};
use core::fmt;

#[cfg(feature = "alloc")]
use crate::finite::first_not_finite;
#[cfg(feature = "alloc")]
use crate::graph::CompiledNetwork;
use crate::text::String;

/// What kind of fault a [`StreamError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StreamErrorKind {
    /// The network has a layer that needs steps that are yet to come.
    WholeWindow,
    /// A layer has no room for more steps than the window has.
    WindowFull,
    /// A number that is not finite, or no token id.
    Input,
    /// A finite input so large that a layer overflows, or parameters that are not finite.
    Overflow,
    /// Slices that do not hold whole steps, or not as many of each.
    Shape,
    /// A state that does not fit the network.
    State,
}

/// A network that cannot be run step by step, a step that does not go in, or a state that does not fit: its
/// kind, and in words what was expected and found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamError {
    kind: StreamErrorKind,
    text: String,
}

impl StreamError {
    pub(super) fn new(kind: StreamErrorKind, text: String) -> StreamError {
        StreamError { kind, text }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> StreamErrorKind {
        self.kind
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl core::error::Error for StreamError {}

/// Where a stream stands: how many steps it has seen, and all that is carried from one step to the next.
#[cfg(feature = "alloc")]
#[derive(Clone, PartialEq, Debug)]
pub struct StreamState {
    fingerprint: u64,
    steps: u64,
    carried: Vec<f32>,
}

#[cfg(feature = "alloc")]
impl StreamState {
    /// A state written down earlier: [`fingerprint`](StreamState::fingerprint), [`steps`](StreamState::steps)
    /// and [`carried`](StreamState::carried) of one that [`Streamer::state`](crate::Streamer::state) gave.
    pub fn new(fingerprint: u64, steps: u64, carried: &[f32]) -> Self {
        StreamState { fingerprint, steps, carried: carried.to_vec() }
    }

    pub(super) fn of(network: &CompiledNetwork, steps: u64, carried: &[f32]) -> Self {
        StreamState { fingerprint: network.fingerprint(), steps, carried: carried.to_vec() }
    }

    /// A number that tells the network's declaration from others: its name, and the names, shapes and order
    /// of its layers.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// How many steps it has seen.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The numbers that are carried.
    pub fn carried(&self) -> &[f32] {
        &self.carried
    }

    /// Whether a stream of this network, which carries so many numbers, can go on from here.
    pub(super) fn check(&self, network: &CompiledNetwork, len: usize) -> Result<(), StreamError> {
        let fault = |text| Err(StreamError::new(StreamErrorKind::State, text));
        let name = network.name;
        if self.carried.len() != len {
            return fault(format!(
                "expected a state of {len} numbers, as a stream of `{name}` has, found {}\nhelp: restore a state of the same network",
                self.carried.len()
            ));
        }
        if self.fingerprint != network.fingerprint() {
            return fault(format!(
                "expected a state of `{name}`, whose fingerprint is {:#018x}, found that of another network, {:#018x}\nhelp: restore a state \
                 of the same network",
                network.fingerprint(),
                self.fingerprint
            ));
        }
        let window = network.inputs[0].dim(0) as u64;
        if network.bounded && self.steps > window {
            return fault(format!(
                "expected at most {window} steps, as many as `{name}` declares, found {}\nhelp: restore what `state()` gave, unchanged",
                self.steps
            ));
        }
        let stride = network.streaming.stride as u64;
        if !self.steps.is_multiple_of(stride) {
            return fault(format!(
                "expected a multiple of {stride} steps, as a stream of `{name}` takes, found {}\nhelp: restore what `state()` gave, unchanged",
                self.steps
            ));
        }
        match first_not_finite(&self.carried) {
            Some(at) => fault(format!(
                "expected a state of finite numbers, found {} at {at}\nhelp: restore what `state()` gave, unchanged",
                self.carried[at]
            )),
            None => Ok(()),
        }
    }
}
