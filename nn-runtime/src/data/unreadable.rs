//! What the operating system refuses to read, as a fault of data. In: its error; out: a [`DataError`] whose
//! source it is.

use std::boxed::Box;
use std::io;
use std::string::{String, ToString};

use super::{DataError, DataErrorKind};

impl DataError {
    /// The operating system's refusal to read `place`.
    pub(crate) fn unreadable(place: impl Into<String>, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::OutOfMemory => DataErrorKind::Memory,
            _ => DataErrorKind::Unreadable,
        };
        let mut unreadable = Self::new(kind, place, "readable data", error.to_string());
        unreadable.source = Some(Box::new(error));
        unreadable
    }
}

/// What keeps a [`SampleSource`](super::SampleSource) of one's own from reading; `io::Error::other("…")` says
/// whatever is to be said.
impl From<io::Error> for DataError {
    fn from(error: io::Error) -> Self {
        Self::unreadable("source", error)
    }
}
