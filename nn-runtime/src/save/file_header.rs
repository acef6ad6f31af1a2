//! The header of a file at run time: its text, and the table of its tensors. In: a path, or bytes; out: what
//! const code reads in them, or a fault. No more memory is taken than the header is long, once for the text
//! of a file and once for the table.

use alloc::vec;
use alloc::vec::Vec;

use super::compare::compare;
use super::entry::Entry;
use super::error::{WeightsError, WeightsErrorKind};
use super::header::{self, TensorHeader};
use super::rules::Rename;
use super::wanted::{Found, StoredNumbers, Terms, WantedTensor};
use crate::fault::Fault;
use crate::params::Tensor;
use crate::quote::LISTED;

/// The text of a header, and where the file ends, if that is known.
pub(crate) struct HeaderText<T> {
    text: T,
    len: Option<u64>,
}

impl<'a> HeaderText<&'a [u8]> {
    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let text = header::header_text(bytes).map_err(told)?;
        Ok(HeaderText { text, len: Some(bytes.len() as u64) })
    }
}

impl<T: AsRef<[u8]>> HeaderText<T> {
    /// A text of a header, and how long the file is, if that is known.
    pub(crate) fn new(text: T, len: Option<u64>) -> Self {
        HeaderText { text, len }
    }

    /// Reads it.
    pub(crate) fn read(&self) -> Result<(TensorHeader<'_>, Vec<Entry>), WeightsError> {
        let text = self.text.as_ref();
        let mut entries = vec![Entry::NONE; header::count(text)];
        let header = header::read(text, &mut entries, self.len).map_err(told)?;
        Ok((header, entries))
    }

    /// Where each of a network's tensors stands.
    pub(crate) fn places(
        &self,
        tensors: &[Tensor],
        network: &str,
        rules: &[Rename],
    ) -> Result<Vec<StoredNumbers>, WeightsError> {
        let (header, mut entries) = self.read()?;
        let wanted: Vec<WantedTensor> =
            tensors.iter().map(|tensor| WantedTensor { name: tensor.name.as_bytes(), shape: tensor.shape }).collect();
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
pub(crate) fn told(fault: Fault) -> WeightsError {
    WeightsError::new(WeightsErrorKind::Format, fault.as_str())
}
