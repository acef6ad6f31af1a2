//! Weight files: a model to safetensors and back, under standard names and in standard layouts. A load that
//! fails changes nothing and names every difference; a save that fails leaves the old file.

mod error;
mod header;
mod names;
mod numbers;
mod replace;
pub(crate) mod tensor_file;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use error::Faults;
pub use error::{WeightsError, WeightsErrorKind};
use header::{CUT_SHORT, Entry, FileHeader, Source};
use numbers::NumberType;
use tensor_file::{Piece, cannot_write, write_pieces};

use crate::model::Model;
use crate::model::Network;
use crate::params::{self, Tensor};
use crate::quote::{listed, quoted};
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
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), WeightsError> {
        let path = path.as_ref();
        replace::replace(path, |to| self.write(to)).map_err(|error| cannot_write(path, &error))
    }

    /// The bytes of the file, tensor after tensor in the order of their names.
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut tensors = self.tensors();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let pieces: Vec<Piece> =
            tensors.iter().map(|tensor| Piece { name: tensor.name.clone(), tensor, block: &self.params }).collect();
        write_pieces(to, &pieces, None)
    }

    /// Reads what [`save`](Model::save), or PyTorch under the same names, has written.
    ///
    /// Numbers of 16 and 64 bits (F16, BF16, F64) are converted, as PyTorch's `load_state_dict` does.
    /// `nn.LSTM`, `nn.GRU` and `nn.RNN` may keep their names (`lstm.weight_ih_l0`,
    /// `lstm.weight_hh_l0_reverse`; layer 2 of several is copy 2 of a repeated layer), and a prefix `module.`
    /// or `_orig_mod.` before every name is taken off. Counters that are no part of the function
    /// (`norm.num_batches_tracked`) are passed over.
    ///
    /// The header is read first and compared with the network and with the length of the file; no memory is
    /// taken for tensors that are not the network's.
    ///
    /// # Errors
    /// The file cannot be read, is not safetensors, or does not hold exactly this network's tensors:
    /// differences are named, the first ten of them. A number that is not finite, or a variance below 0.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let mut source = Source::open(path).map_err(no_read(path))?;
        let header = FileHeader::read(path, &mut source)?;
        let tensors = params::tensors(N::COMPILED);
        let wanted = matched(&tensors, &header, N::COMPILED.name).map_err(|faults| {
            let help = "load weights that were saved from this declaration; labels are their names";
            WeightsError::all(path, WeightsErrorKind::Mismatch, faults).help(help)
        })?;
        let mut params = AlignedBuffer::zeroed(N::COMPILED.params_len);
        let mut faults = Faults::default();
        let mut values = Vec::new();
        for Wanted { tensor, entry, of, same } in wanted {
            if !same {
                values.resize(tensor.count(), 0.0);
                read(&mut source, entry, of, &mut values).map_err(no_read(path))?;
            }
            match tensor.fault(&values) {
                Some(fault) => faults.add(|| fault),
                None => tensor.write(&values, &mut params),
            }
        }
        match faults.is_empty() {
            true => Ok(Model::with_params(params)),
            false => Err(WeightsError::all(path, WeightsErrorKind::Number, faults)),
        }
    }
}

/// What reading the file at `path` fails with.
fn no_read(path: &Path) -> impl Fn(io::Error) -> WeightsError {
    |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            let fault = "expected as many bytes as its header says, found fewer".to_owned();
            WeightsError::one(path, WeightsErrorKind::Format, fault).help(CUT_SHORT)
        }
        kind => WeightsError::one(path, WeightsErrorKind::Read(kind), format!("cannot be read: {error}")),
    }
}

/// A tensor of the network and where a file has it.
struct Wanted<'a> {
    tensor: &'a Tensor,
    entry: &'a Entry,
    of: NumberType,
    /// The numbers are those of the one before.
    same: bool,
}

/// Every tensor with its place, in the order of the file; or what is wrong with names, types and shapes.
fn matched<'a>(tensors: &'a [Tensor], header: &'a FileHeader, network: &str) -> Result<Vec<Wanted<'a>>, Faults> {
    let wrapper = names::wrapper(header.tensors.iter().map(|entry| entry.name.as_str()));
    // A label of that name is a part of the network, not a wrapper around it.
    let wrapper = if tensors.iter().any(|tensor| tensor.name.starts_with(wrapper)) { "" } else { wrapper };
    let plain = |name: &'a str| name.strip_prefix(wrapper).unwrap_or(name);
    let found: HashMap<&str, usize> =
        header.tensors.iter().enumerate().map(|(i, entry)| (plain(&entry.name), i)).collect();
    let aliases: HashMap<&str, &str> = header.aliases.iter().map(|(name, of)| (plain(name), plain(of))).collect();
    let mut used = vec![false; header.tensors.len()];
    let (mut wanted, mut faults) = (Vec::with_capacity(tensors.len()), Faults::default());
    for tensor in tensors {
        let spellings = names::spellings(&tensor.name);
        let by_alias = || aliases.get(tensor.name.as_str()).and_then(|name| found.get(name));
        let Some(&at) = spellings.iter().find_map(|name| found.get(name.as_str())).or_else(by_alias) else {
            faults.add(|| format!("{}: expected {}, found no tensor of that name", quoted(&tensor.name), tensor.shape));
            continue;
        };
        used[at] = true;
        let entry = &header.tensors[at];
        match misfit(tensor, entry) {
            Ok(of) => wanted.push((at, Wanted { tensor, entry, of, same: false })),
            Err(fault) => faults.add(|| format!("{}: {fault}", quoted(&entry.name))),
        }
    }
    for (entry, _) in header.tensors.iter().zip(used).filter(|(_, used)| !used) {
        let beside = header.aliases.iter().any(|(key, _)| key == names::NOTE) && names::is_beside(&entry.name);
        if !beside && !names::is_passed_over(plain(&entry.name)) {
            faults.add(|| {
                format!(
                    "{}: expected no such tensor in `{network}`, found {}",
                    quoted(&entry.name),
                    shown(&entry.shape)
                )
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    wanted.sort_by_key(|(at, _)| *at);
    let mut before = None;
    Ok(wanted.into_iter().map(|(at, wanted)| Wanted { same: before.replace(at) == Some(at), ..wanted }).collect())
}

/// The type of a tensor's numbers, if the file's tensor is what the network's should be.
fn misfit(tensor: &Tensor, entry: &Entry) -> Result<NumberType, String> {
    let Some(of) = NumberType::named(&entry.dtype) else {
        return Err(format!("expected floats of 16, 32 or 64 bits, found {}", quoted(&entry.dtype)));
    };
    if !entry.shape.iter().copied().eq(tensor.shape.as_slice().iter().map(|&dim| dim as u64)) {
        return Err(format!("expected {}, found {}", tensor.shape, shown(&entry.shape)));
    }
    let (bytes, found) = ((tensor.count() * of.size()) as u64, entry.to - entry.from);
    match bytes == found {
        true => Ok(of),
        false => Err(format!("expected {bytes} bytes for {} of {}, found {found}", tensor.shape, entry.dtype)),
    }
}

/// A shape as messages show it.
fn shown(shape: &[u64]) -> String {
    format!("[{}]", listed(shape.iter().map(u64::to_string)))
}

/// Reads the numbers of a tensor, piece by piece.
fn read(source: &mut Source, entry: &Entry, of: NumberType, values: &mut [f32]) -> io::Result<()> {
    source.skip_to(entry.from)?;
    let mut bytes = vec![0; PIECE.min(values.len() * of.size())];
    for values in values.chunks_mut(PIECE / of.size()) {
        let bytes = &mut bytes[..values.len() * of.size()];
        source.read_exact(bytes)?;
        of.convert(bytes, values);
    }
    Ok(())
}
