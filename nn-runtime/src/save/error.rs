//! Why a weight file could not be written, read or taken for a network.

use alloc::string::String;
use core::fmt;

#[cfg(feature = "std")]
use crate::os::ErrorKind;
use crate::quote::{LISTED, escaped};

/// What kind of fault a [`WeightsError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WeightsErrorKind {
    /// The operating system refused to read the file.
    #[cfg(feature = "std")]
    Read(ErrorKind),
    /// The operating system refused to write the file.
    #[cfg(feature = "std")]
    Write(ErrorKind),
    /// The file is not safetensors, or not whole.
    Format,
    /// Its tensors are not those of the network: names, shapes or types.
    Mismatch,
    /// A number that is not finite, or a variance below 0.
    Number,
}

/// Why a weight file could not be written, read, or taken for this network.
///
/// Shown as `PATH: expected X, found Y`, a line for each of the first ten differences, then `help: …`; of
/// bytes without the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightsError {
    /// Empty where there is no file.
    path: String,
    kind: WeightsErrorKind,
    text: String,
}

impl WeightsError {
    pub(crate) fn new(kind: WeightsErrorKind, text: impl Into<String>) -> WeightsError {
        WeightsError { path: String::new(), kind, text: text.into() }
    }

    /// The same, of the file at `path`.
    pub(crate) fn at(self, path: &dyn fmt::Display) -> WeightsError {
        WeightsError { path: escaped(&alloc::format!("{path}")), ..self }
    }

    pub(crate) fn help(mut self, help: &str) -> WeightsError {
        self.text.push_str("\nhelp: ");
        self.text.push_str(help);
        self
    }

    /// The first line, without the path.
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The same, of the file that another is of.
    pub(crate) fn of_path_of(self, other: WeightsError) -> WeightsError {
        WeightsError { path: other.path, ..self }
    }

    /// What kind of fault it is.
    #[must_use]
    pub fn kind(&self) -> WeightsErrorKind {
        self.kind
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.text),
            false => write!(f, "{}: {}", self.path, self.text),
        }
    }
}

impl core::error::Error for WeightsError {}

/// The first faults in words, and how many there are.
#[derive(Default)]
pub(crate) struct Faults {
    text: String,
    count: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: impl FnOnce() -> String) {
        if self.count < LISTED {
            if self.count > 0 {
                self.text.push('\n');
            }
            self.text.push_str(&fault());
        }
        self.count += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn told(mut self, kind: WeightsErrorKind) -> WeightsError {
        if self.count > LISTED {
            self.text.push_str(&alloc::format!("\n… and {} more", self.count - LISTED));
        }
        WeightsError::new(kind, self.text)
    }
}
