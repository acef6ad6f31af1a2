//! A file of tensors with a note beside them: what a checkpoint is. In: tensors of several blocks; out: a
//! safetensors file with a checksum at its end, and back, every difference named.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;

use super::source::{Source, header, no_read};
use super::{cannot_write, replace};
use crate::params::Tensor;
use crate::quote::quoted;
use crate::save::entry::{CUT_SHORT, Entry};
use crate::save::error::{Faults, WeightsError, WeightsErrorKind};
use crate::save::file_header::HeaderText;
use crate::save::header::unescaped;
use crate::save::names::{CHECKSUM, NOTE};
use crate::save::numbers::NumberType;
use crate::save::wanted::{StoredNumbers, misfit};
pub(crate) use crate::save::write::Piece;
use crate::save::write::write_pieces;
use crate::save::{PIECE, read};
use nn_kernels::aligned_buffer::AlignedBuffer;

/// A tensor that is read: what it is called in the file, and the number of the block it goes to.
pub(crate) struct WantedPiece<'a> {
    pub(crate) name: String,
    pub(crate) tensor: &'a Tensor,
    pub(crate) block: usize,
}

/// [`write_pieces`] with a checksum at the end, in the place of the file at `path`, which stays whole until
/// the new one is on the disk.
pub(crate) fn save_pieces(path: &Path, pieces: &[Piece], note: &str) -> Result<(), WeightsError> {
    let write = |to: &mut dyn Write| {
        let mut crc = Crc::new();
        write_pieces(pieces, Some(note), &mut |bytes: &[u8]| {
            crc.update(bytes);
            to.write_all(bytes)
        })?;
        to.write_all(&crc.sum().to_le_bytes())
    };
    replace::replace(path, write).map_err(|error| cannot_write(path, &error))
}

/// A file with a note, as far as it has been read.
pub(crate) struct NotedFile {
    path: PathBuf,
    source: Source,
    header: HeaderText<Vec<u8>>,
}

impl NotedFile {
    /// Reads the header.
    pub(crate) fn open(path: &Path) -> Result<NotedFile, WeightsError> {
        let mut source = Source::open(path).map_err(no_read(path))?;
        let header = header(path, &mut source)?;
        header.read().map_err(|error| error.at(&path.display()))?;
        Ok(NotedFile { path: path.into(), source, header })
    }

    /// The note, if there is one.
    pub(crate) fn note(&self) -> Option<String> {
        let (header, _) = self.header.read().ok()?;
        header.note(NOTE.as_bytes()).map(unescaped)
    }

    /// Faults of this file, in words.
    pub(crate) fn faults(&self, kind: WeightsErrorKind, faults: Vec<String>, help: &'static str) -> WeightsError {
        faults_of(&self.path, kind, faults, help)
    }

    /// Whether every byte is as it was written.
    pub(crate) fn verify(&self) -> Result<(), WeightsError> {
        let damaged = |fault: &str| {
            Err(WeightsError::new(WeightsErrorKind::Format, fault).help(CUT_SHORT).at(&self.path.display()))
        };
        let (header, entries) = self.header.read()?;
        match entries.last() {
            Some(last)
                if header.name(last).is(CHECKSUM.as_bytes())
                    && header.dtype(last) == b"U32"
                    && last.to - last.from == 4 => {}
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
        let (header, entries) = self.header.read()?;
        let mut faults = Faults::default();
        let mut found: HashMap<String, &Entry> = HashMap::with_capacity(entries.len());
        for entry in &entries {
            let name = unescaped(header.raw_name(entry));
            match names.get(name.as_str()) {
                Some(wanted) => match misfit(&header, entry, wanted.tensor.shape) {
                    Ok(NumberType::F32) => {}
                    Ok(_) => faults.add(|| {
                        format!("{}: expected F32, found {}", quoted(&name), quoted(&unescaped(header.dtype(entry))))
                    }),
                    Err(fault) => faults.add(|| format!("{}: {}", quoted(&name), fault.as_str())),
                },
                None if name == CHECKSUM => {}
                None => faults.add(|| format!("{}: expected no such tensor, found one", quoted(&name))),
            }
            if let Some(twice) = found.insert(name, entry) {
                let name = quoted(&unescaped(header.raw_name(twice)));
                faults.add(|| format!("{name}: expected one tensor of that name, found two"));
            }
        }
        for wanted in wanted.iter().filter(|wanted| !found.contains_key(&wanted.name)) {
            let shape = wanted.tensor.shape;
            faults.add(|| format!("{}: expected {shape}, found no tensor of that name", quoted(&wanted.name)));
        }
        if !faults.is_empty() {
            return Err(faults.told(WeightsErrorKind::Mismatch).at(&self.path.display()));
        }
        let mut values = Vec::new();
        for entry in &entries {
            let name = unescaped(header.raw_name(entry));
            let Some(wanted) = names.get(name.as_str()) else { continue };
            values.resize(wanted.tensor.count(), 0.0);
            let place = StoredNumbers { from: entry.from, of: NumberType::F32 };
            read(&mut self.source, place, &mut values).map_err(no_read(&self.path))?;
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let (name, value) = (quoted(&wanted.name), values[at]);
                faults.add(|| format!("{name}, element {at}: expected a finite number, found {value}"));
            }
            wanted.tensor.write(&values, &mut blocks[wanted.block]);
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults.told(WeightsErrorKind::Number).at(&self.path.display())),
        }
    }
}

/// Faults of the file at `path`, in words.
pub(crate) fn faults_of(path: &Path, kind: WeightsErrorKind, all: Vec<String>, help: &'static str) -> WeightsError {
    let mut faults = Faults::default();
    all.into_iter().for_each(|fault| faults.add(|| fault));
    faults.told(kind).help(help).at(&path.display())
}
