//! A weight file that is read. In: a path; out: its header, then its numbers from one place after the other.
//! A pipe is read as well, of which no length is known.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::file_kind::START;
use crate::save::entry::CUT_SHORT;
use crate::save::error::{WeightsError, WeightsErrorKind};
use crate::save::file_header::{HeaderText, told};
use crate::save::header::{cut_header, header_len};
use crate::save::source::ReadAt;

/// A file that is read from its start to its end.
pub(super) struct Source {
    file: File,
    at: u64,
    /// Known of regular files; a pipe ends where it ends.
    pub(super) len: Option<u64>,
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

    /// Up to `limit` bytes more, fewer only at the end; memory grows as they come.
    pub(super) fn read_up_to(&mut self, limit: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        // At once, where the file can have as many.
        bytes.reserve_exact(self.len.map_or(0, |len| limit.min(len - self.at.min(len))) as usize);
        let read = self.file.by_ref().take(limit).read_to_end(bytes)?;
        self.at += read as u64;
        Ok(())
    }
}

impl ReadAt for Source {
    type Error = io::Error;

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        if self.len.is_some() {
            self.file.seek(SeekFrom::Start(at))?;
        } else {
            let skipped = io::copy(&mut self.file.by_ref().take(at - self.at), &mut io::sink())?;
            if skipped < at - self.at {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
        }
        self.file.read_exact(bytes)?;
        self.at = at + bytes.len() as u64;
        Ok(())
    }
}

/// The header of the file at `path`, behind which `source` then stands.
pub(super) fn header(path: &Path, source: &mut Source) -> Result<HeaderText<Vec<u8>>, WeightsError> {
    let no_read = no_read(path);
    let mut text = Vec::new();
    source.read_up_to(8, &mut text).map_err(&no_read)?;
    let claimed = text.first_chunk::<8>().map_or(u64::MAX, |size| u64::from_le_bytes(*size));
    // No byte behind the header is read here: from a pipe there is no way back.
    let peek = claimed.min(START as u64 - 8);
    source.read_up_to(peek, &mut text).map_err(&no_read)?;
    let size = header_len(&text, source.len).map_err(|fault| told(fault).at(&path.display()))?;
    source.read_up_to(size - (text.len() as u64 - 8).min(size), &mut text).map_err(&no_read)?;
    text.drain(..8);
    if (text.len() as u64) < size {
        return Err(told(cut_header(size, text.len() as u64)).at(&path.display()));
    }
    Ok(HeaderText::new(text, source.len))
}

/// What reading the file at `path` fails with.
pub(super) fn no_read(path: &Path) -> impl Fn(io::Error) -> WeightsError {
    move |error| {
        let error = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let fault = "expected as many bytes as its header says, found fewer";
                WeightsError::new(WeightsErrorKind::Format, fault).help(CUT_SHORT)
            }
            kind => WeightsError::new(WeightsErrorKind::Read(kind), format!("cannot be read: {error}")),
        };
        error.at(&path.display())
    }
}
