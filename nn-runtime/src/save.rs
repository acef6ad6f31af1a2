//! Weight files: a model to safetensors and back. In: a path; out: standard names, standard layouts, and on a
//! mismatch every difference in words. A load that fails changes nothing; a save that fails leaves the old
//! file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::model::Model;
use crate::network::Network;
use crate::params;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// Why a weight file could not be written, read, or taken for this network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightsError {
    path: PathBuf,
    faults: Vec<String>,
}

impl WeightsError {
    fn new(path: &Path, fault: impl fmt::Display) -> WeightsError {
        WeightsError { path: path.into(), faults: vec![fault.to_string()] }
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            f.write_str(fault)?;
        }
        Ok(())
    }
}

impl std::error::Error for WeightsError {}

impl<N: Network> Model<N> {
    /// Writes all parameters as [safetensors](https://github.com/huggingface/safetensors): 32-bit floats
    /// under the names of the declaration (`head.weight`), in the field's standard layouts (a dense weight is
    /// `[outputs, inputs]`).
    ///
    /// # Errors
    /// The file cannot be written; a file that was there before is left as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), WeightsError> {
        let path = path.as_ref();
        let tensors = self.tensors();
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|tensor| {
                let mut values = vec![0.0; tensor.count()];
                tensor.read(&self.params, &mut values);
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            })
            .collect();
        let views: Vec<(&str, TensorView)> = tensors
            .iter()
            .zip(&bytes)
            .map(|(tensor, bytes)| {
                let view = TensorView::new(Dtype::F32, tensor.shape.as_slice().to_vec(), bytes);
                (tensor.name.as_str(), view.expect("as many bytes as the shape has numbers"))
            })
            .collect();
        let file = safetensors::serialize(views, None).map_err(|error| WeightsError::new(path, error))?;
        // Written beside and then renamed, so that a full disk or a crash leaves the old file whole.
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let written = fs::write(&beside, file).and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            WeightsError::new(path, format!("cannot be written: {error}"))
        })
    }

    /// Reads what [`save`](Model::save), or PyTorch under the same names, has written.
    ///
    /// # Errors
    /// The file cannot be read, is not safetensors, or does not hold exactly this network's tensors; every
    /// difference is named.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|error| WeightsError::new(path, format!("cannot be read: {error}")))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| {
            WeightsError::new(path, format!("expected a safetensors file, found another ({error})"))
        })?;
        let mut found: BTreeMap<String, TensorView> = file.tensors().into_iter().collect();

        let mut params = AlignedBuffer::zeroed(N::COMPILED.params_len);
        let mut faults = Vec::new();
        for tensor in params::tensors(N::COMPILED) {
            let name = &tensor.name;
            let Some(view) = found.remove(name) else {
                faults.push(format!("`{name}`: expected {}, found no tensor of that name", tensor.shape));
                continue;
            };
            if view.dtype() != Dtype::F32 {
                faults.push(format!("`{name}`: expected 32-bit floats, found {}", view.dtype()));
            } else if view.shape() != tensor.shape.as_slice() {
                faults.push(format!("`{name}`: expected {}, found {:?}", tensor.shape, view.shape()));
            } else {
                let values: Vec<f32> =
                    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
                tensor.write(&values, &mut params);
            }
        }
        for (name, view) in found {
            faults.push(format!(
                "`{name}`: expected no such tensor in `{}`, found {:?}",
                N::COMPILED.name,
                view.shape()
            ));
        }
        if !faults.is_empty() {
            faults.push("help: load weights that were saved from this declaration; labels are their names".into());
            return Err(WeightsError { path: path.into(), faults });
        }
        Ok(Model::with_params(params))
    }
}
