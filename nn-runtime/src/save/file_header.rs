//! The header of a file at run time: its text, and the table of its tensors. In: a path, or bytes; out: what
//! const code reads in them, or a fault. No more memory is taken than the header is long, once for the text
//! of a file and once for the table.

use alloc::vec;
use alloc::vec::Vec;
#[cfg(feature = "std")]
use std::io;
#[cfg(feature = "std")]
use std::path::Path;

use super::compare::compare;
use super::entry::Entry;
use super::error::{WeightsError, WeightsErrorKind};
use super::header::{self, Header};
use super::rules::Rule;
#[cfg(feature = "std")]
use super::source::Source;
use super::wanted::{Found, Place, Terms, WantedTensor};
use crate::fault::Fault;
#[cfg(feature = "std")]
use crate::file_kind::START;
use crate::params::Tensor;
use crate::quote::LISTED;

/// The text of a header, and where the file ends, if that is known.
pub(super) struct HeaderText<T> {
    text: T,
    len: Option<u64>,
}

impl<'a> HeaderText<&'a [u8]> {
    pub(super) fn of_bytes(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let text = header::header_text(bytes).map_err(told)?;
        Ok(HeaderText { text, len: Some(bytes.len() as u64) })
    }
}

#[cfg(feature = "std")]
impl HeaderText<Vec<u8>> {
    /// The header, behind which `source` then stands.
    pub(super) fn of_file(path: &Path, source: &mut Source) -> Result<Self, WeightsError> {
        let no_read = no_read(path);
        let mut text = Vec::new();
        source.read_up_to(8, &mut text).map_err(&no_read)?;
        let claimed = text.first_chunk::<8>().map_or(u64::MAX, |size| u64::from_le_bytes(*size));
        // No byte behind the header is read here: from a pipe there is no way back.
        let peek = claimed.min(START as u64 - 8);
        source.read_up_to(peek, &mut text).map_err(&no_read)?;
        let size = header::header_len(&text, source.len).map_err(|fault| told(fault).at(path))?;
        source.read_up_to(size - (text.len() as u64 - 8).min(size), &mut text).map_err(&no_read)?;
        text.drain(..8);
        if (text.len() as u64) < size {
            return Err(told(header::cut_header(size, text.len() as u64)).at(path));
        }
        Ok(HeaderText { text, len: source.len })
    }
}

impl<T: AsRef<[u8]>> HeaderText<T> {
    /// Reads it.
    pub(super) fn read(&self) -> Result<(Header<'_>, Vec<Entry>), WeightsError> {
        let text = self.text.as_ref();
        let mut entries = vec![Entry::NONE; header::count(text)];
        let header = header::read(text, &mut entries, self.len).map_err(told)?;
        Ok((header, entries))
    }

    /// Where each of a network's tensors stands.
    pub(super) fn places(
        &self,
        tensors: &[Tensor],
        network: &str,
        rules: &[Rule],
    ) -> Result<Vec<Place>, WeightsError> {
        let (header, mut entries) = self.read()?;
        let wanted: Vec<WantedTensor> = tensors
            .iter()
            .map(|tensor| WantedTensor { name: tensor.name.as_bytes(), shape: tensor.shape })
            .collect();
        let mut found = vec![Found::Not; wanted.len()];
        let terms = Terms { rules, network, most: LISTED, names_go: "give them to `Model::load_with(path, names)`" };
        compare(&header, &mut entries, &wanted, &terms, &mut found).map_err(|refused| {
            let kind = if refused.broken { WeightsErrorKind::Format } else { WeightsErrorKind::Mismatch };
            WeightsError::new(kind, refused.text.as_str())
        })?;
        let place = |found| if let Found::At(place) = found { Some(place) } else { None };
        Ok(found.into_iter().filter_map(place).collect())
    }
}

/// A fault of the format.
pub(super) fn told(fault: Fault) -> WeightsError {
    WeightsError::new(WeightsErrorKind::Format, fault.as_str())
}

#[cfg(feature = "std")]
pub(super) fn no_read(path: &Path) -> impl Fn(io::Error) -> WeightsError {
    move |error| {
        let error = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let fault = "expected as many bytes as its header says, found fewer";
                WeightsError::new(WeightsErrorKind::Format, fault).help(super::entry::CUT_SHORT)
            }
            kind => WeightsError::new(WeightsErrorKind::Read(kind), alloc::format!("cannot be read: {error}")),
        };
        error.at(path)
    }
}
