//! What is wrong with data, in one sentence: where, what was expected, what was found, what to do.
//! In: the pieces. Out: the sentence. Never: a message without a place or without what was found.

use core::fmt;
use std::error::Error;
use std::format;
use std::io;
use std::path::Path;
use std::string::{String, ToString};

/// Data that cannot be used: a file that is not what it should be, lengths that disagree, a number that is
/// none.
///
/// Shown as `place: expected X, found Y`, then, where there is something to type or to try, a line `help: …`.
#[derive(Debug)]
pub struct DataError {
    place: String,
    expected: String,
    found: String,
    help: Option<String>,
    source: Option<io::Error>,
}

impl DataError {
    pub(crate) fn new(place: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { place: place.into(), expected: expected.into(), found: found.into(), help: None, source: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The operating system's refusal to read `place`.
    pub(crate) fn unreadable(place: impl Into<String>, error: io::Error) -> Self {
        let mut unreadable = Self::new(place, "readable data", error.to_string());
        unreadable.source = Some(error);
        unreadable
    }

    /// The same fault, found while reading `file`: the file comes first in the place.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.place = format!("{file}, {}", self.place);
        self
    }
}

/// A path as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, expected, found, .. } = self;
        write!(f, "{place}: expected {expected}, found {found}")?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl Error for DataError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as &(dyn Error + 'static))
    }
}
