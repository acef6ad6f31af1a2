//! The header of a safetensors file: which tensors there are, of which type and shape, and where their
//! numbers stand. It is read first, and checked against the length of the file, so that nothing is read or
//! allocated on its word alone.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::error::{Faults, WeightsError, WeightsErrorKind};
use crate::file_kind::{FileKind, START};
use crate::quote::{escaped, quoted};

/// Bytes a header may have; what the format allows.
const MOST: u64 = 100_000_000;

/// A tensor of a file.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    /// Its numbers within the file, from its first byte on.
    pub(super) from: u64,
    pub(super) to: u64,
}

/// What a header tells.
pub(super) struct FileHeader {
    pub(super) tensors: Vec<Entry>,
    /// `(name, name of the tensor that has its numbers)`: how PyTorch's `save_model` writes tensors that are
    /// one.
    pub(super) aliases: Vec<(String, String)>,
}

/// A file that is read from its start to its end.
pub(super) struct Source {
    file: File,
    at: u64,
    /// Known of regular files; a pipe ends where it ends.
    len: Option<u64>,
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Source> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(Source { file, at: 0, len: found.is_file().then_some(found.len()) })
    }

    /// Up to `limit` bytes, fewer only at the end; memory grows as they come.
    fn read_up_to(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.by_ref().take(limit).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    pub(super) fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Goes on to byte `to`.
    pub(super) fn skip_to(&mut self, to: u64) -> io::Result<()> {
        if self.len.is_some() {
            self.file.seek(SeekFrom::Start(to))?;
        } else {
            let skipped = io::copy(&mut self.file.by_ref().take(to - self.at), &mut io::sink())?;
            if skipped < to - self.at {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
        }
        self.at = to;
        Ok(())
    }
}

impl FileHeader {
    /// The header, after which `source` stands at the first tensor.
    pub(super) fn read(path: &Path, source: &mut Source) -> Result<FileHeader, WeightsError> {
        let no_read = |error: io::Error| {
            WeightsError::one(path, WeightsErrorKind::Read(error.kind()), format!("cannot be read: {error}"))
        };
        let fault = |fault: String| WeightsError::one(path, WeightsErrorKind::Format, fault);
        let mut start = source.read_up_to(8).map_err(no_read)?;
        let claimed = start.first_chunk::<8>().map_or(u64::MAX, |size| u64::from_le_bytes(*size));
        // No byte behind the header is read here: from a pipe there is no way back.
        let peek = if claimed > MOST { u64::MAX } else { claimed }.min(START as u64 - 8);
        start.extend_from_slice(&source.read_up_to(peek).map_err(no_read)?);
        let Some((size, rest)) = start.split_first_chunk::<8>() else {
            return Err(no_header(path, &start));
        };
        let size = u64::from_le_bytes(*size);
        if size > MOST || !rest.trim_ascii_start().starts_with(b"{") && !rest.is_empty() {
            return Err(no_header(path, &start));
        }
        if let Some(len) = source.len.filter(|&len| size > len - 8) {
            let fault = fault(format!("expected a header of {size} bytes, found {} before the file ends", len - 8));
            return Err(fault.help(CUT_SHORT));
        }
        let mut text = rest.to_vec();
        let more = source.read_up_to(size - text.len() as u64).map_err(no_read)?;
        text.extend_from_slice(&more);
        if (text.len() as u64) < size {
            let fault = fault(format!("expected a header of {size} bytes, found {} before the file ends", text.len()));
            return Err(fault.help(CUT_SHORT));
        }
        let raw: Raw = serde_json::from_slice(&text).map_err(|error| {
            let mut error = escaped(&error.to_string());
            error.truncate(error.char_indices().nth(200).map_or(error.len(), |(end, _)| end));
            fault(format!("expected a header that lists tensors, found {error}")).help(CUT_SHORT)
        })?;
        if let Some(name) = raw.twice {
            return Err(fault(format!("{}: expected one tensor of that name, found two", quoted(&name))));
        }
        let header =
            raw.placed(8 + size).map_err(|faults| WeightsError::all(path, WeightsErrorKind::Format, faults))?;
        let end = header.tensors.iter().map(|entry| entry.to).max().unwrap_or(8 + size);
        match source.len {
            Some(len) if len < end => {
                let fault = fault(format!("expected {end} bytes, as its header says, found {len}"));
                Err(fault.help(CUT_SHORT))
            }
            Some(len) if len > end => {
                let help = "the file was not written as a whole: write or fetch it again";
                Err(fault(format!("expected {end} bytes, as its header says, found {len}")).help(help))
            }
            _ => Ok(header),
        }
    }
}

pub(super) const CUT_SHORT: &str = "the file is cut short or damaged: fetch or write it again";

/// The fault of a file that does not begin as safetensors do.
fn no_header(path: &Path, start: &[u8]) -> WeightsError {
    let fault = |found: &str| {
        let fault = format!("expected a safetensors file, found {found}");
        WeightsError::one(path, WeightsErrorKind::Format, fault)
    };
    match FileKind::of(start) {
        _ if start.is_empty() => fault("an empty file").help("write it again: `model.save(path)`"),
        Some(kind) => fault(kind.name()).help(kind.weights_help()),
        None if start.len() < 8 => fault(&format!("{} bytes", start.len())).help(CUT_SHORT),
        None => fault("another, which begins with no length of a header")
            .help("weights are read from what `model.save(path)` or `safetensors.torch.save_file` has written"),
    }
}

/// A header as it stands in the file.
#[derive(Default)]
struct Raw {
    tensors: Vec<(String, RawTensor)>,
    aliases: Vec<(String, String)>,
    twice: Option<String>,
}

#[derive(Deserialize)]
struct RawTensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Raw {
    /// The tensors in the order of their numbers, which begin at byte `start` and follow each other without a
    /// gap.
    fn placed(self, start: u64) -> Result<FileHeader, Faults> {
        let mut faults = Faults::default();
        let mut tensors = Vec::with_capacity(self.tensors.len());
        for (name, raw) in self.tensors {
            let (from, to) = raw.data_offsets;
            match (start.checked_add(from), start.checked_add(to)) {
                (Some(from), Some(to)) if from <= to => {
                    tensors.push(Entry { name, dtype: raw.dtype, shape: raw.shape, from, to });
                }
                _ => faults.add(|| format!("{}: expected a range of bytes, found {from} to {to}", quoted(&name))),
            }
        }
        tensors.sort_by_key(|entry| (entry.from, entry.to));
        let mut end = start;
        for entry in &tensors {
            if entry.from != end {
                let (found, expected) = (entry.from - start, end - start);
                faults.add(|| {
                    let name = quoted(&entry.name);
                    format!(
                        "{name}: expected its numbers from byte {expected} on, where those before it end, found {found}"
                    )
                });
                break;
            }
            end = entry.to;
        }
        match faults.is_empty() {
            true => Ok(FileHeader { tensors, aliases: self.aliases }),
            false => Err(faults),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Raw, D::Error> {
        from.deserialize_map(Tensors)
    }
}

/// Reads a header entry by entry, because a map would forget the names that come twice.
struct Tensors;

impl<'de> Visitor<'de> for Tensors {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut raw = Raw::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                let notes: serde_json::Value = map.next_value()?;
                let notes = notes.as_object().ok_or_else(|| de::Error::custom("metadata that are no map"))?;
                let text =
                    |(key, value): (&String, &serde_json::Value)| Some((key.clone(), value.as_str()?.to_owned()));
                raw.aliases = notes.iter().filter_map(text).collect();
            } else {
                raw.tensors.push((name, map.next_value()?));
            }
        }
        let mut seen = HashSet::with_capacity(raw.tensors.len());
        let twice = raw.tensors.iter().find(|(name, _)| !seen.insert(name.as_str()));
        raw.twice = twice.map(|(name, _)| name.clone());
        Ok(raw)
    }
}
