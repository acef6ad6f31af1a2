//! Why a weight file could not be written, read or taken for a network.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::quote::{LISTED, escaped};

/// What kind of fault a [`WeightsError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WeightsErrorKind {
    /// The operating system refused to read the file.
    Read(io::ErrorKind),
    /// The operating system refused to write the file.
    Write(io::ErrorKind),
    /// The file is not safetensors, or not whole.
    Format,
    /// Its tensors are not those of the network: names, shapes or types.
    Mismatch,
    /// A number that is not finite, or a variance below 0.
    Number,
}

/// Why a weight file could not be written, read, or taken for this network.
///
/// Shown as `PATH: expected X, found Y`, a line for each of the first ten differences, then `help: …`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightsError {
    path: PathBuf,
    kind: WeightsErrorKind,
    faults: Faults,
    help: Option<&'static str>,
}

/// The first faults in words, and how many there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Faults {
    first: Vec<String>,
    count: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: impl FnOnce() -> String) {
        if self.first.len() < LISTED {
            self.first.push(fault());
        }
        self.count += 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl WeightsError {
    /// One fault.
    pub(super) fn one(path: &Path, kind: WeightsErrorKind, fault: String) -> WeightsError {
        let faults = Faults { first: vec![fault], count: 1 };
        WeightsError { path: path.into(), kind, faults, help: None }
    }

    /// All faults.
    pub(super) fn all(path: &Path, kind: WeightsErrorKind, faults: Faults) -> WeightsError {
        WeightsError { path: path.into(), kind, faults, help: None }
    }

    pub(super) fn help(mut self, help: &'static str) -> WeightsError {
        self.help = Some(help);
        self
    }

    /// What kind of fault it is.
    #[must_use]
    pub fn kind(&self) -> WeightsErrorKind {
        self.kind
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped(&self.path.display().to_string()), self.faults.first.join("\n"))?;
        let more = self.faults.count - self.faults.first.len();
        if more > 0 {
            write!(f, "\n… and {more} more")?;
        }
        match self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for WeightsError {}
