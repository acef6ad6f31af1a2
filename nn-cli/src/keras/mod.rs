//! Files of Keras: `.keras` archives, `.weights.h5`, and the `.h5` models of before. In: bytes; out: layers
//! with their parameters as they lie here, and the configuration where there is one. Nothing of it is
//! executed.

mod find;
pub mod layout;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use serde_json::Value;

use crate::archive::{Zip, most_unpacked};
use crate::hdf5::{Dataset, File, Group};
use crate::kind::Kind;
use crate::tensor::{Element, Tensor};
use layout::Array;

/// The name of the weights in an archive.
const WEIGHTS: &str = "model.weights.h5";

/// A file, unpacked.
pub struct Archive<'a> {
    /// The file of weights.
    hdf5: Cow<'a, [u8]>,
    /// What the network is, where the file says it.
    pub config: Option<Value>,
    /// How many bytes of numbers may still be read, as arrays may lie over each other: as they are in the
    /// file, and in chunks, which may be compressed.
    room: [Cell<usize>; 2],
}

/// A layer that has parameters.
pub struct Layer<'t> {
    /// What it is called here: its name, or its path in a model that is a class of its own.
    pub label: String,
    /// Keras's name of it.
    pub name: String,
    /// Its class; nothing where the file does not tell.
    pub class: String,
    /// Where it is in the file, and its arrays in Keras's order.
    pub path: String,
    pub arrays: Vec<(String, &'t Dataset)>,
}

impl<'a> Archive<'a> {
    /// Unpacks a file.
    ///
    /// # Errors
    /// It is damaged, or no file of Keras.
    pub fn open(bytes: &'a [u8]) -> Result<Archive<'a>, String> {
        if Kind::of(bytes) == Kind::Hdf5 {
            return Ok(Archive::of(Cow::Borrowed(bytes), None));
        }
        let damaged =
            |error: &dyn std::fmt::Display| format!("expected a whole `.keras` file, found a damaged one: {error}");
        let mut archive = Zip::open(bytes).map_err(|error| damaged(&error))?;
        let mut member = |name: &str| archive.named(name).map_err(|error| damaged(&format!("`{name}`: {error}")));
        let config = serde_json::from_slice(&member("config.json")?).map_err(|error| damaged(&error))?;
        Ok(Archive::of(Cow::Owned(member(WEIGHTS)?), Some(config)))
    }

    fn of(hdf5: Cow<'a, [u8]>, config: Option<Value>) -> Archive<'a> {
        let room = [hdf5.len(), most_unpacked(hdf5.len())].map(Cell::new);
        Archive { hdf5, config, room }
    }

    /// Refuses arrays that the file cannot hold.
    fn take(&self, dataset: &Dataset) -> Result<(), String> {
        let (size, packed) = dataset.size_in_file()?;
        let room = &self.room[usize::from(packed)];
        let left = room.get().checked_sub(size);
        room.set(left.ok_or_else(|| format!("expected numbers that the file holds, found {size} bytes announced"))?);
        Ok(())
    }

    fn file(&self) -> File<'_> {
        File::new(&self.hdf5)
    }

    /// Everything that the file of weights names.
    ///
    /// # Errors
    /// It is damaged.
    pub fn tree(&mut self) -> Result<Group, String> {
        let damaged = |why: String| format!("expected a whole file of weights: {why}");
        let tree = self.file().tree().map_err(damaged)?;
        if self.config.is_none()
            && let Some(config) = tree.text("model_config")
        {
            self.config = Some(serde_json::from_str(config).map_err(|error| damaged(error.to_string()))?);
        }
        Ok(tree)
    }

    /// A layer's arrays.
    pub fn arrays(&self, layer: &Layer) -> Result<Vec<Array>, String> {
        let file = self.file();
        let read = |(name, dataset): &(String, &Dataset)| {
            let bytes =
                self.take(dataset).and_then(|()| dataset.read(&file)).map_err(|why| format!("`{name}`: {why}"))?;
            let element = dataset.element().ok_or("expected numbers")?;
            Ok(Array { element, shape: dataset.shape.clone(), bytes })
        };
        layer.arrays.iter().map(read).collect()
    }

    /// A layer's parameters as they lie here, as numbers of 32 bits.
    ///
    /// # Errors
    /// No layer here has such parameters, or they are damaged.
    pub fn params(
        &self,
        layer: &Layer,
    ) -> Result<impl Iterator<Item = (&'static str, Vec<usize>, Vec<f32>)> + use<>, String> {
        let config = self.config.as_ref().and_then(|config| find::config(config, &layer.name));
        let params = layer.params(config).map_err(|why| layer.named(&why))?;
        let arrays = self.arrays(layer).map_err(|why| layer.named(&why))?;
        let mut all = Vec::new();
        for param in params {
            let tensor = param.read("", &arrays).map_err(|why| layer.named(&why))?;
            let values = tensor.to_f32().map_err(|why| layer.named(&why))?;
            all.push((param.name, tensor.shape, values));
        }
        Ok(all.into_iter())
    }

    /// The layers with parameters, in the file's order.
    ///
    /// # Errors
    /// It is damaged.
    pub fn layers<'t>(&self, tree: &'t Group) -> Result<Vec<Layer<'t>>, String> {
        find::layers(tree, self.config.as_ref())
    }
}

impl Layer<'_> {
    /// Its parameters as they lie here; or why not.
    pub fn params(&self, config: Option<&Value>) -> Result<Vec<layout::Param>, String> {
        let shapes: Vec<&[usize]> = self.arrays.iter().map(|(_, dataset)| &dataset.shape[..]).collect();
        if self.class.is_empty() {
            return Err(format!("the file does not tell which layer has arrays of shapes {shapes:?}"));
        }
        layout::params(&self.class, &shapes, config)
    }

    fn named(&self, why: &str) -> String {
        format!("`{}`: {why}", self.path.escape_debug())
    }
}

/// The tensors of a file: parameters as they are called and lie here. Arrays of layers that are unknown come
/// as they are, under their paths.
///
/// # Errors
/// It is damaged.
pub fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let mut archive = Archive::open(bytes)?;
    let tree = archive.tree()?;
    let mut tensors = Vec::new();
    for layer in archive.layers(&tree)? {
        let config = archive.config.as_ref().and_then(|config| find::config(config, &layer.name));
        let params = layer.params(config);
        let arrays = archive.arrays(&layer).map_err(|why| layer.named(&why))?;
        match params {
            Ok(params) => {
                for param in params {
                    tensors.push(param.read(&layer.label, &arrays).map_err(|why| layer.named(&why))?);
                }
            }
            Err(_) => {
                for ((name, _), Array { element, shape, bytes }) in layer.arrays.iter().zip(arrays) {
                    tensors.push(Tensor { name: format!("{}/{name}", layer.path), element, shape, bytes });
                }
            }
        }
    }
    Ok(tensors)
}

/// A file of Keras with these numbers: `like`, a file that Keras wrote of the same network, whose numbers are
/// replaced.
///
/// # Errors
/// A parameter is missing, has another shape, or is more than Keras's layer has; a layer that is unknown.
pub fn write(tensors: &[Tensor], like: &[u8]) -> Result<Vec<u8>, String> {
    let mut archive = Archive::open(like)?;
    let tree = archive.tree()?;
    let mut hdf5 = archive.hdf5.to_vec();
    let mut given: BTreeMap<&str, &Tensor> = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut differences = Vec::new();
    for layer in archive.layers(&tree)? {
        let config = archive.config.as_ref().and_then(|config| find::config(config, &layer.name));
        let params = layer.params(config).map_err(|why| layer.named(&why))?;
        for (name, dataset) in &layer.arrays {
            archive.take(dataset).map_err(|why| layer.named(&format!("`{name}`: {why}")))?;
        }
        let len = |dataset: &Dataset| dataset.shape.iter().product::<usize>();
        let mut arrays: Vec<Vec<f32>> = layer.arrays.iter().map(|(_, dataset)| vec![0.0; len(dataset)]).collect();
        for param in &params {
            let name = format!("{}.{}", layer.label, param.name);
            match given.remove(name.as_str()) {
                None => differences.push(format!("`{name}`: expected {:?}, found no tensor of that name", param.shape)),
                Some(tensor) if tensor.shape != param.shape => {
                    differences.push(format!("`{name}`: expected {:?}, found {:?}", param.shape, tensor.shape));
                }
                Some(tensor) => {
                    let values = tensor.to_f32().map_err(|why| format!("`{name}`: {why}"))?;
                    if param.is_lost(&values) && !param.name.starts_with("bias_hh") {
                        differences.push(format!("`{name}`: the layer in Keras has no such parameter"));
                    }
                    param.write(&values, &mut arrays);
                    if param.name.starts_with("bias_hh") {
                        one_bias(&params, param, &values, &mut arrays);
                    }
                }
            }
        }
        // How many samples it was adapted to says nothing of the function.
        let kept = if layer.class == "Normalization" { 2 } else { arrays.len() };
        for ((name, dataset), values) in layer.arrays.iter().zip(&arrays).take(kept) {
            let written =
                Tensor::of_f32(dataset.element(), values).and_then(|bytes| dataset.replace(&mut hdf5, &bytes));
            written.map_err(|why| layer.named(&format!("`{name}`: {why}")))?;
        }
    }
    differences.extend(given.keys().map(|name| format!("`{name}`: the network in Keras has no such parameter")));
    if !differences.is_empty() {
        return Err(format!("expected the parameters of the Keras file\n{}", differences.join("\n")));
    }
    match Kind::of(like) {
        Kind::Hdf5 => Ok(hdf5),
        _ => packed(like, &hdf5).map_err(|error| format!("cannot write the archive: {error}")),
    }
}

/// The state's bias, which an LSTM of Keras has together with the input's.
fn one_bias(params: &[layout::Param], of: &layout::Param, values: &[f32], arrays: &mut [Vec<f32>]) {
    let name = of.name.replace("bias_hh", "bias_ih");
    if of.is_lost(values)
        && let Some(both) = params.iter().find(|param| param.name == name)
    {
        both.write(values, arrays);
    }
}

/// An archive with another file of weights in it.
fn packed(like: &[u8], hdf5: &[u8]) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut from = zip::ZipArchive::new(Cursor::new(like))?;
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::FileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for i in 0..from.len() {
        let mut member = from.by_index(i)?;
        let name = member.name().to_owned();
        to.start_file(name.as_str(), stored)?;
        if name == WEIGHTS {
            to.write_all(hdf5)?;
        } else {
            std::io::copy(&mut member, &mut to)?;
        }
    }
    Ok(to.finish()?.into_inner())
}

/// What a class is called in a path: `dense_1` is a `Dense`.
pub fn class_of(group: &str) -> Option<&'static str> {
    let kind = group.trim_end_matches(|c: char| c.is_ascii_digit());
    let kind = if kind.len() < group.len() { kind.strip_suffix('_').unwrap_or(group) } else { group };
    const CLASSES: &[(&str, &str)] = &[
        ("dense", "Dense"),
        ("conv1d", "Conv1D"),
        ("conv2d", "Conv2D"),
        ("depthwise_conv2d", "DepthwiseConv2D"),
        ("separable_conv2d", "SeparableConv2D"),
        ("conv1d_transpose", "Conv1DTranspose"),
        ("conv2d_transpose", "Conv2DTranspose"),
        ("batch_normalization", "BatchNormalization"),
        ("layer_normalization", "LayerNormalization"),
        ("group_normalization", "GroupNormalization"),
        ("rms_normalization", "RMSNormalization"),
        ("normalization", "Normalization"),
        ("embedding", "Embedding"),
        ("p_re_lu", "PReLU"),
        ("lstm", "LSTM"),
        ("gru", "GRU"),
        ("simple_rnn", "SimpleRNN"),
        ("multi_head_attention", "MultiHeadAttention"),
    ];
    CLASSES.iter().find(|(name, _)| *name == kind).map(|(_, class)| *class)
}

impl Tensor {
    /// Its numbers as 32 bits.
    pub(crate) fn to_f32(&self) -> Result<Vec<f32>, String> {
        let bytes = &self.bytes;
        Ok(match self.element {
            Element::F32 => bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Element::F64 => bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
            Element::F16 => {
                bytes.as_chunks::<2>().0.iter().map(|two| half::f16::from_le_bytes(*two).to_f32()).collect()
            }
            Element::Bf16 => {
                bytes.as_chunks::<2>().0.iter().map(|two| half::bf16::from_le_bytes(*two).to_f32()).collect()
            }
            other => return Err(format!("expected floating-point numbers, found {other:?}")),
        })
    }

    /// Numbers of 32 bits as those of an array.
    fn of_f32(element: Option<Element>, values: &[f32]) -> Result<Vec<u8>, String> {
        let each = |f: &dyn Fn(f32) -> Vec<u8>| values.iter().flat_map(|value| f(*value)).collect();
        Ok(match element {
            Some(Element::F32) => each(&|value| value.to_le_bytes().to_vec()),
            Some(Element::F64) => each(&|value| f64::from(value).to_le_bytes().to_vec()),
            Some(Element::F16) => each(&|value| half::f16::from_f32(value).to_le_bytes().to_vec()),
            Some(Element::Bf16) => each(&|value| half::bf16::from_f32(value).to_le_bytes().to_vec()),
            other => return Err(format!("expected an array of floating-point numbers, found {other:?}")),
        })
    }
}
