//! A file of tensors with a note beside them: what a checkpoint is. In: tensors of several blocks; out: a
//! safetensors file with a checksum at its end, and back, every difference named.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;

use super::error::{Faults, WeightsError, WeightsErrorKind};
use super::header::{CUT_SHORT, FileHeader, Source};
use super::names::{CHECKSUM, NOTE};
use super::numbers::NumberType;
use super::{PIECE, misfit, no_read, read, replace};
use crate::params::Tensor;
use crate::quote::quoted;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// A tensor that is written: what it is called in the file, and the block its numbers lie in.
pub(crate) struct Piece<'a> {
    pub(crate) name: String,
    pub(crate) tensor: &'a Tensor,
    pub(crate) block: &'a [f32],
}

/// A tensor that is read: what it is called in the file, and the number of the block it goes to.
pub(crate) struct WantedPiece<'a> {
    pub(crate) name: String,
    pub(crate) tensor: &'a Tensor,
    pub(crate) block: usize,
}

/// Counts what is written into a checksum.
struct Summed<'a> {
    to: &'a mut dyn Write,
    crc: Crc,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes tensors one after the other; with a note a checksum too.
pub(crate) fn write_pieces(to: &mut dyn Write, pieces: &[Piece], note: Option<&str>) -> io::Result<()> {
    let mut entries = Vec::with_capacity(pieces.len() + 2);
    if let Some(text) = note {
        let text = serde_json::to_string(text)?;
        entries.push(format!("\"__metadata__\":{{\"{NOTE}\":{text}}}"));
    }
    let mut at = 0;
    for piece in pieces {
        let name = serde_json::to_string(&piece.name)?;
        let shape: Vec<String> = piece.tensor.shape.as_slice().iter().map(usize::to_string).collect();
        let (shape, end) = (shape.join(","), at + 4 * piece.tensor.count());
        entries.push(format!("{name}:{{\"dtype\":\"F32\",\"shape\":[{shape}],\"data_offsets\":[{at},{end}]}}"));
        at = end;
    }
    if note.is_some() {
        let end = at + 4;
        entries.push(format!("\"{CHECKSUM}\":{{\"dtype\":\"U32\",\"shape\":[1],\"data_offsets\":[{at},{end}]}}"));
    }
    let mut header = format!("{{{}}}", entries.join(","));
    // The numbers begin at a multiple of eight bytes, for readers that map files into memory.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut summed = Summed { to, crc: Crc::new() };
    summed.write_all(&(header.len() as u64).to_le_bytes())?;
    summed.write_all(header.as_bytes())?;
    let (mut values, mut bytes) = (Vec::new(), Vec::new());
    for piece in pieces {
        values.resize(piece.tensor.count(), 0.0);
        piece.tensor.read(piece.block, &mut values);
        for values in values.chunks(PIECE / 4) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            summed.write_all(&bytes)?;
        }
    }
    let sum = summed.crc.sum();
    if note.is_some() { to.write_all(&sum.to_le_bytes()) } else { Ok(()) }
}

/// [`write_pieces`] in the place of the file at `path`, which stays whole until the new one is on the disk.
pub(crate) fn save_pieces(path: &Path, pieces: &[Piece], note: &str) -> Result<(), WeightsError> {
    replace::replace(path, |to| write_pieces(to, pieces, Some(note))).map_err(|error| cannot_write(path, &error))
}

/// Writes a whole file of another kind, as safely.
#[cfg(feature = "onnx")]
pub(crate) fn save_bytes(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    replace::replace(path, |to| to.write_all(bytes)).map_err(|error| cannot_write(path, &error))
}

pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> WeightsError {
    WeightsError::one(path, WeightsErrorKind::Write(error.kind()), format!("cannot be written: {error}"))
}

/// A file with a note, as far as it has been read.
pub(crate) struct NotedFile {
    path: PathBuf,
    source: Source,
    header: FileHeader,
}

impl NotedFile {
    /// Reads the header.
    pub(crate) fn open(path: &Path) -> Result<NotedFile, WeightsError> {
        let mut source = Source::open(path).map_err(no_read(path))?;
        let header = FileHeader::read(path, &mut source)?;
        Ok(NotedFile { path: path.into(), source, header })
    }

    /// The note, if there is one.
    pub(crate) fn note(&self) -> Option<&str> {
        self.header.aliases.iter().find(|(key, _)| key == NOTE).map(|(_, text)| text.as_str())
    }

    /// Faults of this file, in words.
    pub(crate) fn faults(&self, kind: WeightsErrorKind, faults: Vec<String>, help: &'static str) -> WeightsError {
        faults_of(&self.path, kind, faults, help)
    }

    /// Whether every byte is as it was written.
    pub(crate) fn verify(&self) -> Result<(), WeightsError> {
        let damaged = |fault: &str| {
            Err(WeightsError::one(&self.path, WeightsErrorKind::Format, fault.to_owned()).help(CUT_SHORT))
        };
        match self.header.tensors.last() {
            Some(last) if last.name == CHECKSUM && last.dtype == "U32" && last.to - last.from == 4 => {}
            _ => return damaged("expected a checksum at the end, found none"),
        }
        let mut file = File::open(&self.path).map_err(no_read(&self.path))?;
        let (mut crc, mut bytes) = (Crc::new(), vec![0; PIECE]);
        let mut last = [0; 4];
        let mut held = 0;
        loop {
            let count = file.read(&mut bytes).map_err(no_read(&self.path))?;
            if count == 0 {
                break;
            }
            // The last four bytes are the sum of all others.
            let all: Vec<u8> = last[..held].iter().chain(&bytes[..count]).copied().collect();
            let (before, end) = all.split_at(all.len().saturating_sub(4));
            crc.update(before);
            held = end.len();
            last[..held].copy_from_slice(end);
        }
        match crc.sum() == u32::from_le_bytes(last) {
            true => Ok(()),
            false => damaged("expected the bytes that were written, found others by their checksum"),
        }
    }

    /// Reads exactly these tensors into their blocks. Blocks are changed though it fails.
    pub(crate) fn read(mut self, wanted: &[WantedPiece], blocks: &mut [AlignedBuffer]) -> Result<(), WeightsError> {
        let names: HashMap<&str, &WantedPiece> = wanted.iter().map(|wanted| (wanted.name.as_str(), wanted)).collect();
        let mut faults = Faults::default();
        let mut found = 0;
        for entry in &self.header.tensors {
            let Some(wanted) = names.get(entry.name.as_str()) else {
                if entry.name != CHECKSUM {
                    faults.add(|| format!("{}: expected no such tensor, found one", quoted(&entry.name)));
                }
                continue;
            };
            found += 1;
            match misfit(wanted.tensor, entry) {
                Ok(NumberType::F32) => {}
                Ok(_) => {
                    faults.add(|| format!("{}: expected F32, found {}", quoted(&entry.name), quoted(&entry.dtype)))
                }
                Err(fault) => faults.add(|| format!("{}: {fault}", quoted(&entry.name))),
            }
        }
        if found < wanted.len() {
            let there: Vec<&str> = self.header.tensors.iter().map(|entry| entry.name.as_str()).collect();
            for wanted in wanted.iter().filter(|wanted| !there.contains(&wanted.name.as_str())) {
                let shape = wanted.tensor.shape;
                faults.add(|| format!("{}: expected {shape}, found no tensor of that name", quoted(&wanted.name)));
            }
        }
        if !faults.is_empty() {
            return Err(WeightsError::all(&self.path, WeightsErrorKind::Mismatch, faults));
        }
        let mut values = Vec::new();
        for entry in self.header.tensors.iter().filter(|entry| entry.name != CHECKSUM) {
            let wanted = names[entry.name.as_str()];
            values.resize(wanted.tensor.count(), 0.0);
            read(&mut self.source, entry, NumberType::F32, &mut values).map_err(no_read(&self.path))?;
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let (name, value) = (quoted(&wanted.name), values[at]);
                faults.add(|| format!("{name}, element {at}: expected a finite number, found {value}"));
            }
            wanted.tensor.write(&values, &mut blocks[wanted.block]);
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(WeightsError::all(&self.path, WeightsErrorKind::Number, faults)),
        }
    }
}

/// Faults of the file at `path`, in words.
pub(crate) fn faults_of(path: &Path, kind: WeightsErrorKind, all: Vec<String>, help: &'static str) -> WeightsError {
    let mut faults = Faults::default();
    all.into_iter().for_each(|fault| faults.add(|| fault));
    WeightsError::all(path, kind, faults).help(help)
}
