//! A model to the bytes of safetensors and back. In: a model, or bytes and names; out: bytes, or a model, or
//! every difference in words.

use alloc::vec;
use alloc::vec::Vec;

use super::PIECE;
use super::error::{Faults, WeightsError, WeightsErrorKind};
use super::file_header::HeaderText;
use super::rules::Names;
use super::source::ReadAt;
use super::wanted::StoredNumbers;
use super::write::{Piece, write_pieces};

use crate::model::Model;
use crate::model::Network;
use crate::params::{self, Tensor};
use nn_kernels::aligned_buffer::AlignedBuffer;

impl<N: Network> Model<N> {
    /// The bytes of the file that `save` writes, without `std` too.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [2] -> [1] { head: Dense(1) } }
    ///
    /// let model = Net::init(1);
    /// let bytes = model.to_bytes();
    /// let same = Model::<Net>::from_bytes(&bytes).unwrap();
    /// assert_eq!(same.get("head.weight"), model.get("head.weight"));
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let tensors = self.by_name();
        let mut bytes = Vec::new();
        let Ok(()) = write_pieces(&self.pieces(&tensors), None, &mut |more: &[u8]| {
            bytes.extend_from_slice(more);
            Ok::<(), core::convert::Infallible>(())
        });
        bytes
    }

    /// The tensors in the order of their names, as they stand in files.
    pub(crate) fn by_name(&self) -> Vec<Tensor> {
        let mut tensors = self.tensors();
        tensors.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        tensors
    }

    pub(crate) fn pieces<'a>(&'a self, tensors: &'a [Tensor]) -> Vec<Piece<'a>> {
        tensors.iter().map(|tensor| Piece { name: tensor.name.clone(), tensor, block: &self.params }).collect()
    }

    /// [`load`](Model::load) of bytes that are there, such as an `include_bytes!` or what a host sent;
    /// without `std` too. They may lie anywhere.
    ///
    /// # Errors
    /// As there, but that nothing can be unreadable.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WeightsError> {
        Model::from_bytes_with(bytes, Names::new())
    }

    /// [`from_bytes`](Model::from_bytes) where the tensors have other names.
    ///
    /// # Errors
    /// As there.
    pub fn from_bytes_with<const ROOM: usize>(bytes: &[u8], names: Names<'_, ROOM>) -> Result<Self, WeightsError> {
        let tensors = params::tensors(N::COMPILED);
        let places = HeaderText::of_bytes(bytes)?.places(&tensors, N::COMPILED.name, names.rules())?;
        match numbers(&mut &*bytes, &tensors, &places, N::COMPILED.params_len) {
            Ok(params) => Ok(Model::with_params(params)),
            Err(Unsound::Numbers(error)) => Err(error),
        }
    }
}

/// Why numbers were not taken: they could not be read, or are none that a model may have.
pub(crate) enum Unsound<E> {
    Unread(E),
    Numbers(WeightsError),
}

/// The numbers of all tensors, each read from its place, as a model's block.
pub(crate) fn numbers<S: ReadAt>(
    source: &mut S,
    tensors: &[Tensor],
    places: &[StoredNumbers],
    len: usize,
) -> Result<AlignedBuffer, Unsound<S::Error>> {
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    order.sort_unstable_by_key(|&i| (places[i].from, i));
    let mut params = AlignedBuffer::zeroed(len);
    let (mut faults, mut values, mut before) = (Faults::default(), Vec::new(), None);
    for i in order {
        let (tensor, place) = (&tensors[i], places[i]);
        // Two tensors may be one in the file.
        if before.replace(place.from) != Some(place.from) {
            values.resize(tensor.count(), 0.0);
            read(source, place, &mut values).map_err(Unsound::Unread)?;
        }
        match tensor.fault(&values) {
            Some(fault) => faults.add(|| fault),
            None => tensor.write(&values, &mut params),
        }
    }
    match faults.is_empty() {
        true => Ok(params),
        false => Err(Unsound::Numbers(faults.told(WeightsErrorKind::Number))),
    }
}

/// Reads the numbers of a tensor, piece by piece.
pub(crate) fn read<S: ReadAt>(
    source: &mut S,
    StoredNumbers { from, of }: StoredNumbers,
    values: &mut [f32],
) -> Result<(), S::Error> {
    let mut bytes = vec![0; PIECE.min(values.len() * of.size())];
    let mut at = from;
    for values in values.chunks_mut(PIECE / of.size()) {
        let bytes = &mut bytes[..values.len() * of.size()];
        source.read_at(at, bytes)?;
        at += bytes.len() as u64;
        of.convert(bytes, values);
    }
    Ok(())
}
