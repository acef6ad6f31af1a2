//! Where the numbers of a weight file come from: bytes that are there, or a file that is read from its start
//! to its end. In: places; out: bytes, or that they are not there.

#[cfg(feature = "std")]
use std::fs::File;
#[cfg(feature = "std")]
use std::io::{self, Read, Seek, SeekFrom};
#[cfg(feature = "std")]
use std::path::Path;
#[cfg(feature = "std")]
use std::vec::Vec;

/// What gives the bytes of a file, from one place after the other.
pub(super) trait ReadAt {
    type Error;
    /// Fills `bytes` from byte `at` on, which lies behind all that was asked for before.
    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// Bytes that are all there: what a header promises of them has been checked.
impl ReadAt for &[u8] {
    type Error = core::convert::Infallible;

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let at = at as usize;
        bytes.copy_from_slice(&self[at..at + bytes.len()]);
        Ok(())
    }
}

/// A file that is read from its start to its end.
#[cfg(feature = "std")]
pub(super) struct Source {
    file: File,
    at: u64,
    /// Known of regular files; a pipe ends where it ends.
    pub(super) len: Option<u64>,
}

#[cfg(feature = "std")]
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

#[cfg(feature = "std")]
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
