//! What is wrong with data, in one sentence: where, what was expected, what was found, and what to do about
//! it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::error::Error;
use core::fmt;

/// What kind of fault a [`DataError`] tells of, for a program to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataErrorKind {
    /// The operating system refused, or a packed file is damaged; [`Error::source`] has its reason.
    Unreadable,
    /// A file that is not of the format it is read as, or is cut short.
    Format,
    /// A column that is not there, named twice, or asked for twice.
    Column,
    /// Numbers of samples, widths or steps that do not fit each other.
    Size,
    /// Something that is no number, is not finite, or cannot be told from its neighbour in 32 bits.
    Number,
    /// A class that is none of those there are.
    Label,
    /// An argument that has no meaning, such as a fraction above 1.
    Setting,
    /// More memory than there is.
    Memory,
}

/// Data that cannot be used: a file that is not what it should be, lengths that disagree, a number that is
/// none.
///
/// Shown as `place: expected X, found Y`, then, where there is something to type or to try, a line `help: …`.
#[derive(Debug)]
pub struct DataError {
    kind: DataErrorKind,
    place: String,
    expected: String,
    found: String,
    help: Option<String>,
    /// Whether the place is the fault's own, which another sample has met.
    elsewhere: bool,
    pub(super) source: Option<Box<dyn Error + Send + Sync>>,
}

impl DataError {
    pub(crate) fn new(
        kind: DataErrorKind,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let (place, expected, found) = (place.into(), expected.into(), found.into());
        Self { kind, place, expected, found, help: None, elsewhere: false, source: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same fault, found while reading `file`: the file comes first in the place.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.place = format!("{file}, {}", self.place);
        self
    }

    /// The same fault, which is not that of the sample that is being read, but has its own place.
    #[cfg(feature = "parquet")]
    pub(crate) fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// The same fault of the first sample of a batch, which is sample `index` of all.
    pub(crate) fn of_sample(mut self, index: usize) -> Self {
        if self.elsewhere {
            return self;
        }
        let sample = format!("sample {index}");
        self.place = match self.place.strip_prefix("sample 0") {
            Some(rest) => format!("{sample}{rest}"),
            None => format!("{sample}, {}", self.place),
        };
        self
    }

    /// What kind of fault it is.
    #[must_use]
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }
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
        self.source.as_deref().map(|error| error as &(dyn Error + 'static))
    }
}
