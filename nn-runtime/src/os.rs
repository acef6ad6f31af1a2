//! What is asked of an operating system where there is one, and said of it: bytes of a file that several
//! threads read, why it refused something, and the paths it has.

use std::format;
use std::fs::File;
use std::io::Result;
use std::path::Path;
use std::string::String;

use crate::quote::escaped;

/// Why the operating system refused something.
pub use std::io::ErrorKind;

/// A path in backquotes, whole.
pub(crate) fn quoted_path(path: &Path) -> String {
    format!("`{}`", escaped(&path.display().to_string()))
}

/// A file that several threads read at places of their own.
#[derive(Debug)]
pub(crate) struct SharedFile {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
}

impl SharedFile {
    pub(crate) fn new(file: File) -> SharedFile {
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        SharedFile { file }
    }

    /// Reads all of `into` from this byte on.
    #[cfg(unix)]
    pub(crate) fn read_at(&self, from: u64, into: &mut [u8]) -> Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, from)
    }

    /// Reads all of `into` from this byte on.
    #[cfg(not(unix))]
    pub(crate) fn read_at(&self, from: u64, into: &mut [u8]) -> Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        // Whoever panicked had the file stand elsewhere, and so does everybody.
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(from)).and_then(|_| file.read_exact(into))
    }
}
