//! Weight files by their paths. In: a model and a path; out: a file, or a model of one. A load that fails
//! changes nothing; a save that fails leaves the old file.

mod replace;
mod source;
pub(crate) mod tensor_file;

use std::io::{self, Write};
use std::path::Path;

use source::{Source, header, no_read};

use crate::model::{Model, Network};
use crate::params;
use crate::save::error::{WeightsError, WeightsErrorKind};
use crate::save::write::write_pieces;
use crate::save::{Names, Unsound, numbers};

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
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), WeightsError> {
        let path = path.as_ref();
        let tensors = self.by_name();
        let write =
            |to: &mut dyn Write| write_pieces(&self.pieces(&tensors), None, &mut |bytes: &[u8]| to.write_all(bytes));
        replace::replace(path, write).map_err(|error| cannot_write(path, &error))
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
    /// let names = Names::new().map("0", "hidden").map("2", "head");
    /// let model = Model::<Net>::load_with("net.safetensors", names)?;
    /// # Ok::<(), nn_runtime::WeightsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Model::load).
    pub fn load_with<const ROOM: usize>(path: impl AsRef<Path>, names: Names<'_, ROOM>) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let mut source = Source::open(path).map_err(no_read(path))?;
        let header = header(path, &mut source)?;
        let tensors = params::tensors(N::COMPILED);
        let places =
            header.places(&tensors, N::COMPILED.name, names.rules()).map_err(|error| error.at(&path.display()))?;
        match numbers(&mut source, &tensors, &places, N::COMPILED.params_len) {
            Ok(params) => Ok(Model::with_params(params)),
            Err(Unsound::Unread(error)) => Err(no_read(path)(error)),
            Err(Unsound::Numbers(error)) => Err(error.at(&path.display())),
        }
    }
}

/// Writes a whole file of another kind, as safely.
#[cfg(feature = "onnx")]
pub(crate) fn save_bytes(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    replace::replace(path, |to| to.write_all(bytes)).map_err(|error| cannot_write(path, &error))
}

pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> WeightsError {
    WeightsError::new(WeightsErrorKind::Write(error.kind()), format!("cannot be written: {error}")).at(&path.display())
}
