//! What comes into a network from outside, checked: whole samples, and token ids that are ids. In: slices;
//! out: how many samples there are, or which number is wrong where.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::graph::CompiledNetwork;
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;

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

/// Input that is not made of samples of the network: its kind, and in words what was expected and found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputError {
    kind: InputErrorKind,
    text: String,
}

impl InputError {
    pub(crate) fn new(kind: InputErrorKind, text: impl Into<String>) -> InputError {
        InputError { kind, text: text.into() }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> InputErrorKind {
        self.kind
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for InputError {}

/// How many samples the slices of all inputs, or outputs, hold.
pub(crate) fn samples(what: &str, shapes: &[Shape], slices: &[&[f32]]) -> Result<usize, InputError> {
    if slices.len() != shapes.len() {
        return Err(InputError::new(
            InputErrorKind::Count,
            format!(
                "expected {} {what} slice{}, found {}\nhelp: give one for each {what} that the network declares",
                shapes.len(),
                if shapes.len() == 1 { "" } else { "s" },
                slices.len()
            ),
        ));
    }
    let samples = slices[0].len() / shapes[0].len();
    for (slice, shape) in slices.iter().zip(shapes) {
        if slice.len() != samples * shape.len() && slice.len().is_multiple_of(shape.len()) {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected as many samples in every {what}, found {samples} in the first and {} in another\nhelp: \
                     give the same number of samples to every {what}",
                    slice.len() / shape.len()
                ),
            ));
        }
        if slice.len() != samples * shape.len() {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected whole samples of {shape}, which is {} numbers each, found {} numbers\nhelp: give the same number of samples to \
                     every {what}",
                    shape.len(),
                    slice.len()
                ),
            ));
        }
    }
    Ok(samples)
}

/// How many samples the slices of all inputs hold, if every token id among them is one.
pub(crate) fn checked_samples(network: &CompiledNetwork, x: &[&[f32]]) -> Result<usize, InputError> {
    let samples = samples("input", network.inputs, x)?;
    match id_fault(network, x, |k| network.inputs[k].len()) {
        Some(fault) => Err(InputError::new(InputErrorKind::TokenId, fault)),
        None => Ok(samples),
    }
}

/// The first number of an input of token ids that is none, in words; `width` tells how many numbers a sample
/// of an input has.
#[inline]
pub(crate) fn id_fault(network: &CompiledNetwork, x: &[&[f32]], width: impl Fn(usize) -> usize) -> Option<String> {
    // Most networks read none, which is known where this is compiled.
    if network.ids == [0; MAX_INPUTS] { None } else { find_id_fault(network, x, width) }
}

fn find_id_fault(network: &CompiledNetwork, x: &[&[f32]], width: impl Fn(usize) -> usize) -> Option<String> {
    for k in (0..network.inputs.len()).filter(|k| network.ids[*k] > 0) {
        let count = network.ids[k];
        if let Some(at) = first_no_id(x[k], count) {
            let (sample, element) = (at / width(k), at % width(k));
            return Some(format!(
                "sample {sample}, input {k}, element {element}: expected a token id, a whole number from 0 to {}, found {}\nhelp: map what is \
                 unknown to an id of its own, or make the vocabulary larger",
                count - 1,
                x[k][at]
            ));
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
