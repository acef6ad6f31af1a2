//! Weights as safetensors: a model to a file or to bytes and back, under standard names and in standard
//! layouts. A load that fails changes nothing and names every difference; a save that fails leaves the old
//! file.

mod compare;
pub(crate) mod embedded;
mod entry;
mod error;
mod file_header;
mod header;
mod json;
mod list;
mod names;
mod numbers;
mod propose;
#[cfg(feature = "std")]
mod replace;
mod rules;
mod source;
#[cfg(feature = "std")]
pub(crate) mod tensor_file;
mod wanted;
mod write;

use alloc::vec;
use alloc::vec::Vec;
#[cfg(feature = "std")]
use std::path::Path;

use error::Faults;
pub use error::{WeightsError, WeightsErrorKind};
use file_header::HeaderText;
#[cfg(feature = "std")]
use file_header::no_read;
pub use rules::Names;
use source::ReadAt;
#[cfg(feature = "std")]
use source::Source;
use wanted::Place;
use write::{Piece, write_pieces};

use crate::model::Model;
use crate::model::Network;
use crate::params::{self, Tensor};
use nn_kernels::aligned_buffer::AlignedBuffer;

/// Bytes read at once.
const PIECE: usize = 1 << 16;

impl<N: Network> Model<N> {
    /// Writes all parameters as [safetensors](https://github.com/huggingface/safetensors): 32-bit floats
    /// under the names of the declaration (`head.weight`), in the field's standard layouts (a dense weight is
    /// `[outputs, inputs]`).
    ///
    /// How far the model has been trained is not in the file: a loaded model draws the order of samples and
    /// dropout as a new one does, and so goes on along another path than the model that was saved.
    ///
    /// Whatever the parameters hold is written. Numbers that are not finite, and variances below 0, which
    /// [`set`](Model::set) and training refuse, [`load`](Model::load) refuses too.
    ///
    /// The file that was there before stays whole until the new one is on the disk and takes its place, in
    /// one step: a full disk, a crash or a second process that saves to the same path leaves one of the
    /// files, never a part of one. Links lead where they led, and the old file's mode is kept. What is no
    /// regular file, such as a pipe or `/dev/stdout`, is written to as it stands.
    ///
    /// # Errors
    /// The file cannot be written; a file that was there before is left as it was.
    #[cfg(feature = "std")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), WeightsError> {
        let path = path.as_ref();
        let tensors = self.by_name();
        let write = |to: &mut dyn std::io::Write| {
            write_pieces(&self.pieces(&tensors), None, &mut |bytes: &[u8]| to.write_all(bytes))
        };
        replace::replace(path, write).map_err(|error| tensor_file::cannot_write(path, &error))
    }

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
    fn by_name(&self) -> Vec<Tensor> {
        let mut tensors = self.tensors();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        tensors
    }

    fn pieces<'a>(&'a self, tensors: &'a [Tensor]) -> Vec<Piece<'a>> {
        tensors.iter().map(|tensor| Piece { name: tensor.name.clone(), tensor, block: &self.params }).collect()
    }

    /// Reads what [`save`](Model::save), or PyTorch under the same names, has written.
    ///
    /// Numbers of 16 and 64 bits (F16, BF16, F64) are converted, as PyTorch's `load_state_dict` does.
    /// `nn.LSTM`, `nn.GRU` and `nn.RNN` may keep their names (`lstm.weight_ih_l0`,
    /// `lstm.weight_hh_l0_reverse`; layer 2 of several is copy 2 of a repeated layer), and a prefix `module.`
    /// or `_orig_mod.` before every name is taken off. Counters that are no part of the function
    /// (`norm.num_batches_tracked`) are passed over. Where names differ, see [`load_with`](Model::load_with).
    ///
    /// The header is read first and compared with the network and with the length of the file; no memory is
    /// taken for tensors that are not the network's.
    ///
    /// # Errors
    /// The file cannot be read, is not safetensors, or does not hold exactly this network's tensors:
    /// differences are named, the first ten of them, and the [`Names`] by which they would most likely fit. A
    /// number that is not finite, or a variance below 0.
    #[cfg(feature = "std")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        Model::load_with(path, Names::new())
    }

    /// [`load`](Model::load) of a file whose tensors have other names.
    ///
    /// ```no_run
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [4] -> [2] { hidden: Dense(8) -> Relu -> head: Dense(2) } }
    ///
    /// // What `nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))` calls `0` and `2`.
    /// let model = Model::<Net>::load_with("net.safetensors", Names::new().map("0", "hidden").map("2", "head"))?;
    /// # Ok::<(), nn_runtime::WeightsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Model::load).
    #[cfg(feature = "std")]
    pub fn load_with<const ROOM: usize>(
        path: impl AsRef<Path>,
        names: Names<'_, ROOM>,
    ) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let mut source = Source::open(path).map_err(no_read(path))?;
        let header = HeaderText::of_file(path, &mut source)?;
        let tensors = params::tensors(N::COMPILED);
        let places = header.places(&tensors, N::COMPILED.name, names.rules()).map_err(|error| error.at(path))?;
        match numbers(&mut source, &tensors, &places, N::COMPILED.params_len) {
            Ok(params) => Ok(Model::with_params(params)),
            Err(Unsound::Unread(error)) => Err(no_read(path)(error)),
            Err(Unsound::Numbers(error)) => Err(error.at(path)),
        }
    }

    /// [`load`](Model::load) of bytes that are there, such as an `include_bytes!` or what a host sent; without
    /// `std` too. They may lie anywhere.
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
enum Unsound<E> {
    Unread(E),
    Numbers(WeightsError),
}

/// The numbers of all tensors, each read from its place, as a model's block.
fn numbers<S: ReadAt>(
    source: &mut S,
    tensors: &[Tensor],
    places: &[Place],
    len: usize,
) -> Result<AlignedBuffer, Unsound<S::Error>> {
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    order.sort_by_key(|&i| places[i].from);
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
fn read<S: ReadAt>(source: &mut S, Place { from, of }: Place, values: &mut [f32]) -> Result<(), S::Error> {
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
