//! What comes into a network from outside, checked: whole samples, and token ids that are ids. In: slices;
//! out: how many samples there are, or which number is wrong where.

use core::fmt;

use crate::graph::CompiledNetwork;
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;
#[cfg(feature = "train")]
use crate::text::String;

/// What kind of fault an [`InputError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum InputErrorKind {
    /// Not as many slices as the network has inputs or outputs.
    Count,
    /// Slices or arrays that do not hold whole samples, or not the same number of them.
    Shape,
    /// A token id that the network has no row for.
    TokenId,
    /// A number that is not finite, where it would stay for ever.
    NotFinite,
}

/// Input that is not made of samples of the network: its kind, and in words what was expected and found. The
/// words are put together when they are shown, so that a program that never shows them holds none of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputError {
    kind: InputErrorKind,
    fault: InputFault,
}

/// What is wrong with slices.
#[derive(Clone, PartialEq, Eq, Debug)]
enum InputFault {
    /// So many slices were expected for every input, or output.
    Slices {
        what: &'static str,
        expected: usize,
        found: usize,
    },
    /// The first slice holds so many samples, and another one so many.
    Samples {
        what: &'static str,
        first: usize,
        other: usize,
    },
    /// A slice ends within a sample.
    Ragged {
        what: &'static str,
        shape: Shape,
        found: usize,
    },
    /// An output has no room for all samples.
    Room {
        samples: usize,
        shape: Shape,
        found: usize,
    },
    Id(IdFault),
    #[cfg(feature = "train")]
    Told(String),
}

impl InputError {
    #[cfg(feature = "train")]
    pub(crate) fn new(kind: InputErrorKind, text: impl Into<String>) -> InputError {
        InputError { kind, fault: InputFault::Told(text.into()) }
    }

    /// Not as many output slices as the network has outputs.
    pub(crate) fn outputs(expected: usize, found: usize) -> InputError {
        InputError { kind: InputErrorKind::Count, fault: InputFault::Slices { what: "output", expected, found } }
    }

    /// An output of so many numbers for so many samples.
    pub(crate) fn room(samples: usize, shape: Shape, found: usize) -> InputError {
        InputError { kind: InputErrorKind::Shape, fault: InputFault::Room { samples, shape, found } }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> InputErrorKind {
        self.kind
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            InputFault::Slices { what, expected, found } => {
                let plural = if *expected == 1 { "" } else { "s" };
                write!(
                    f,
                    "expected {expected} {what} slice{plural}, found {found}\nhelp: give one for each {what} that the network declares"
                )
            }
            InputFault::Samples { what, first, other } => write!(
                f,
                "expected as many samples in every {what}, found {first} in the first and {other} in another\nhelp: \
                 give the same number of samples to every {what}"
            ),
            InputFault::Ragged { what, shape, found } => write!(
                f,
                "expected whole samples of {shape}, which is {} numbers each, found {found} numbers\nhelp: give the same number of samples to \
                 every {what}",
                shape.len()
            ),
            InputFault::Room { samples, shape, found } => write!(
                f,
                "expected room for {samples} outputs of {shape}, which is {} numbers, found {found}",
                samples * shape.len()
            ),
            InputFault::Id(fault) => fault.fmt(f),
            #[cfg(feature = "train")]
            InputFault::Told(text) => text.fmt(f),
        }
    }
}

impl core::error::Error for InputError {}

/// How many samples the slices of all inputs, or outputs, hold.
pub(crate) fn samples(what: &'static str, shapes: &[Shape], slices: &[&[f32]]) -> Result<usize, InputError> {
    if slices.len() != shapes.len() {
        let fault = InputFault::Slices { what, expected: shapes.len(), found: slices.len() };
        return Err(InputError { kind: InputErrorKind::Count, fault });
    }
    let samples = slices[0].len() / shapes[0].len();
    for (slice, shape) in slices.iter().zip(shapes) {
        if slice.len() != samples * shape.len() {
            let fault = match slice.len().is_multiple_of(shape.len()) {
                true => InputFault::Samples { what, first: samples, other: slice.len() / shape.len() },
                false => InputFault::Ragged { what, shape: *shape, found: slice.len() },
            };
            return Err(InputError { kind: InputErrorKind::Shape, fault });
        }
    }
    Ok(samples)
}

/// How many samples the slices of all inputs hold, if every token id among them is one.
pub(crate) fn checked_samples(network: &CompiledNetwork, x: &[&[f32]]) -> Result<usize, InputError> {
    let samples = samples("input", network.inputs, x)?;
    match id_fault(network, x, |k| network.inputs[k].len(), |_| true) {
        Some(fault) => Err(InputError { kind: InputErrorKind::TokenId, fault: InputFault::Id(fault) }),
        None => Ok(samples),
    }
}

/// A number that is no token id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct IdFault {
    sample: usize,
    input: usize,
    element: usize,
    /// How many ids there are.
    count: u32,
    /// The bits of what stands there.
    found: u32,
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IdFault { sample, input, element, count, found } = self;
        write!(
            f,
            "sample {sample}, input {input}, element {element}: expected a token id, a whole number from 0 to {}, found {}\nhelp: map what is \
             unknown to an id of its own, or make the vocabulary larger",
            count - 1,
            f32::from_bits(*found)
        )
    }
}

/// The first number of an input of token ids that is none, of these samples; `width` tells how many numbers a
/// sample of an input has.
#[inline]
pub(crate) fn id_fault(
    network: &CompiledNetwork,
    x: &[&[f32]],
    width: impl Fn(usize) -> usize,
    of: impl Fn(usize) -> bool,
) -> Option<IdFault> {
    // Most networks read none, which is known where this is compiled.
    if network.ids == [0; MAX_INPUTS] { None } else { find_id_fault(network, x, width, of) }
}

fn find_id_fault(
    network: &CompiledNetwork,
    x: &[&[f32]],
    width: impl Fn(usize) -> usize,
    of: impl Fn(usize) -> bool,
) -> Option<IdFault> {
    for input in (0..network.inputs.len()).filter(|input| network.ids[*input] > 0) {
        let (count, width, mut first) = (network.ids[input], width(input), 0);
        while let Some(at) = first_no_id(&x[input][first * width..], count).map(|at| first * width + at) {
            let (sample, element) = (at / width, at % width);
            if of(sample) {
                return Some(IdFault { sample, input, element, count, found: x[input][at].to_bits() });
            }
            first = sample + 1;
        }
    }
    None
}

/// The place of the first number that is not a whole one from 0 to `count - 1`. Never inlined, so that a
/// debug build of another crate does not slow it down.
#[inline(never)]
fn first_no_id(ids: &[f32], count: u32) -> Option<usize> {
    ids.iter().position(|&id| !(id >= 0.0 && id < count as f32 && id == id as u32 as f32))
}
