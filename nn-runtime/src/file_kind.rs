//! What a file is that is not what it was read as, told from its first bytes: the likely cause in words, and
//! a way out.

/// Bytes from the start of a file that tell every kind apart.
pub(crate) const START: usize = 64;

/// A kind of file that people hand over by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Zip,
    /// Archives of arrays.
    Npz,
    Keras,
    Gzip,
    Zstd,
    LfsPointer,
    Hdf5,
    Pickle,
    Npy,
    Gguf,
    Json,
    Html,
    Utf16,
}

impl FileKind {
    /// The kind of a file that begins with these bytes, up to [`START`] of them.
    pub(crate) const fn of(start: &[u8]) -> Option<FileKind> {
        let text = match start {
            [0xef, 0xbb, 0xbf, text @ ..] => text.trim_ascii_start(),
            text => text.trim_ascii_start(),
        };
        Some(match start {
            [b'P', b'K', 3, 4, ..] => archive(start),
            [b'P', b'K', 5, 6, ..] => FileKind::Zip,
            [0x1f, 0x8b, ..] => FileKind::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => FileKind::Zstd,
            [0x89, b'H', b'D', b'F', ..] => FileKind::Hdf5,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => FileKind::Npy,
            [b'G', b'G', b'U', b'F', ..] => FileKind::Gguf,
            // The mark of protocols 2 to 5, and what follows it: a frame, a long number, a global name, an
            // object.
            [0x80, 2..=5, 0x95 | 0x8a | b'c' | b'}' | b'(' | b']' | b'N' | 0x8c | b'X', ..] => FileKind::Pickle,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => FileKind::Utf16,
            _ if begins(start, b"version https://git-lfs") => FileKind::LfsPointer,
            _ if begins(text, b"{") => FileKind::Json,
            _ if begins(text, b"<html") || begins(text, b"<!doctype") => FileKind::Html,
            _ => return None,
        })
    }

    /// The kind in words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            FileKind::Zip => "a zip archive, which is what `torch.save` and `.xlsx` files are",
            FileKind::Npz => "an archive of NumPy's arrays, `.npz`",
            FileKind::Keras => "a model of Keras, `.keras`",
            FileKind::Gzip => "a gzipped file",
            FileKind::Zstd => "a file packed by zstd",
            FileKind::LfsPointer => "a pointer of Git LFS, a few lines that stand for the file",
            FileKind::Hdf5 => "an HDF5 file, as Keras's `.h5` files are",
            FileKind::Pickle => "a Python pickle, as old `torch.save` files are",
            FileKind::Npy => "an array of NumPy, `.npy`",
            FileKind::Gguf => "a GGUF file",
            FileKind::Json => "JSON text, as a `.safetensors.index.json` is",
            FileKind::Html => "a web page, which a download saves when it is refused",
            FileKind::Utf16 => "text of 16 bits a letter, as Excel's “Unicode Text” is",
        }
    }

    /// What to do where the tables and images are read.
    pub(crate) const fn help(self) -> &'static str {
        match self {
            FileKind::Zip => "unpack it first, or export it as CSV",
            FileKind::Gzip => "unpack it first: `gunzip FILE`",
            FileKind::Zstd => "unpack it first: `unzstd FILE`",
            FileKind::LfsPointer => "fetch what it stands for: `git lfs pull`",
            FileKind::Hdf5 | FileKind::Pickle | FileKind::Gguf | FileKind::Json | FileKind::Keras => {
                "export the table as CSV"
            }
            FileKind::Npz => {
                "in Python: `numpy.savetxt(\"data.csv\", numpy.load(\"FILE\")[\"NAME\"], delimiter=\",\")`"
            }
            FileKind::Npy => "in Python: `numpy.savetxt(\"data.csv\", array, delimiter=\",\")`",
            FileKind::Html => "fetch the file again, and look at what comes",
            FileKind::Utf16 => "save it as UTF-8 text: `iconv -f UTF-16 -t UTF-8`",
        }
    }

    /// What to do where weights are read.
    pub(crate) const fn weights_help(self) -> &'static str {
        match self {
            FileKind::Zip | FileKind::Pickle => {
                "in Python: `safetensors.torch.save_file(torch.load(\"FILE\", map_location=\"cpu\"), \
                 \"weights.safetensors\")`, of a state_dict"
            }
            FileKind::Npz => {
                "in Python: `safetensors.numpy.save_file({name: numpy.ascontiguousarray(array) for name, array in \
                 numpy.load(\"FILE\").items()}, \"weights.safetensors\")`"
            }
            FileKind::Keras | FileKind::Hdf5 => {
                "in Python, with the model loaded: `safetensors.numpy.save_file({\"dense_1.weight\": \
                 numpy.ascontiguousarray(layer.get_weights()[0].T), …}, \"weights.safetensors\")`; docs/weights.md says how \
                 each layer's arrays lie"
            }
            FileKind::Npy | FileKind::Gguf => {
                "in Python: `safetensors.numpy.save_file({\"name\": array, …}, \"weights.safetensors\")`"
            }
            FileKind::Json => "give one of the files that it names",
            other => other.help(),
        }
    }
}

/// Whose archive it is, by the name of the first file in it: its length stands at byte 26, itself at byte 30.
const fn archive(start: &[u8]) -> FileKind {
    let (whole, len) = match start {
        [.., _] if start.len() > 30 => (start.split_at(30).1, start[26] as usize + 256 * start[27] as usize),
        _ => return FileKind::Zip,
    };
    let name = if len < whole.len() { whole.split_at(len).0 } else { whole };
    match name {
        [.., b'.', b'n', b'p', b'y'] => FileKind::Npz,
        b"metadata.json" | b"config.json" | b"model.weights.h5" => FileKind::Keras,
        _ => FileKind::Zip,
    }
}

/// Whether a file begins with `tag`, in letters of either case.
const fn begins(start: &[u8], tag: &[u8]) -> bool {
    start.len() >= tag.len() && start.split_at(tag.len()).0.eq_ignore_ascii_case(tag)
}
