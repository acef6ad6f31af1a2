//! Why a model cannot be quantised with what was given.

use alloc::string::String;
use core::fmt;

/// What kind of fault a [`QuantizeError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum QuantizeErrorKind {
    /// Samples that do not fit the network, none of them, or a number that is not finite.
    Samples,
    /// A percentile that is none.
    Calibration,
    /// A parameter that is not finite.
    Param,
    /// Bytes that are not a quantised model of this network.
    Bytes,
}

/// A model that cannot be quantised, or read: the kind, and in words what was expected and found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuantizeError {
    kind: QuantizeErrorKind,
    text: String,
}

impl QuantizeError {
    pub(super) fn new(kind: QuantizeErrorKind, text: impl Into<String>) -> QuantizeError {
        QuantizeError { kind, text: text.into() }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> QuantizeErrorKind {
        self.kind
    }
}

impl fmt::Display for QuantizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for QuantizeError {}
