//! What a file is, told from its first bytes, and how a network comes out of one that is not read here. In:
//! bytes; out: a kind, and a way on in words.

/// A kind of file that networks and weights come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Tensors behind a header of JSON.
    Safetensors,
    /// Arrays of NumPy in a zip archive.
    Npz,
    /// What `torch.save` writes.
    Torch,
    /// A model of Keras.
    Keras,
    /// Keras's older models and weights, among others.
    Hdf5,
    /// A model of LiteRT.
    Tflite,
    /// Text that begins with a brace.
    Json,
    /// Python's objects, without an archive around them.
    Pickle,
    /// No other: an ONNX file has no mark of its own.
    Other,
}

impl Kind {
    /// The kind of a file of these bytes.
    pub fn of(bytes: &[u8]) -> Kind {
        let zipped = bytes.starts_with(b"PK\x03\x04");
        let first = match bytes.get(26..30) {
            Some(&[low, high, ..]) if zipped => bytes.get(30..30 + usize::from(u16::from_le_bytes([low, high]))),
            _ => None,
        };
        match bytes {
            _ if first.is_some_and(|name| name.ends_with(b".npy")) => Kind::Npz,
            _ if first.is_some_and(|name| name.ends_with(b"/data.pkl") || name.ends_with(b"/.format_version")) => {
                Kind::Torch
            }
            _ if first.is_some_and(|name| name == b"metadata.json" || name == b"config.json") => Kind::Keras,
            _ if bytes.starts_with(b"\x89HDF") => Kind::Hdf5,
            _ if bytes.get(4..8) == Some(b"TFL3") => Kind::Tflite,
            [0x80, 2..=5, ..] => Kind::Pickle,
            _ if bytes.get(8) == Some(&b'{') && bytes[..8].iter().rev().take(4).all(|byte| *byte == 0) => {
                Kind::Safetensors
            }
            _ if bytes.trim_ascii_start().first() == Some(&b'{') => Kind::Json,
            _ => Kind::Other,
        }
    }

    /// What it is in words.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Safetensors => "safetensors, which are weights without a network",
            Kind::Npz => "an archive of NumPy's arrays, which are weights without a network",
            Kind::Torch => "what `torch.save` writes",
            Kind::Keras => "a model of Keras",
            Kind::Hdf5 => "an HDF5 file, as Keras's `.h5` files are",
            Kind::Tflite => "a model of LiteRT, `.tflite`",
            Kind::Json => "JSON text",
            Kind::Pickle => "a Python pickle",
            Kind::Other => "something else",
        }
    }

    /// How an ONNX file is made where this was given.
    pub(crate) fn to_onnx(self) -> &'static str {
        match self {
            Kind::Safetensors | Kind::Npz => {
                "declare the network and load them: `Model::<Net>::load(\"FILE\")`; `nn inspect FILE` says what they are"
            }
            Kind::Torch | Kind::Pickle => {
                "in Python: `torch.onnx.export(model, (x,), \"model.onnx\")`; or take the weights alone: `nn convert FILE weights.safetensors`"
            }
            Kind::Keras | Kind::Hdf5 => {
                "in Python: `keras.models.load_model(\"FILE\").export(\"model.onnx\", format=\"onnx\")`"
            }
            Kind::Tflite => "`python -m tf2onnx.convert --tflite FILE --output model.onnx`",
            Kind::Json => "export the network as ONNX where it was trained",
            Kind::Other => "the file is damaged, or no ONNX file: export it again",
        }
    }
}
