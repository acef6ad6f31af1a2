//! Writing a file so that nothing is lost: what stands there stays whole until the new one is on the disk,
//! links lead where they led, and the mode is kept. What is no regular file, such as a pipe, is written to as
//! it stands.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Links that are followed from one to the next; as many as Linux does.
const LINKS: usize = 40;
/// Names that are tried until one is free.
const NAMES: usize = 100;

/// Puts what `write` writes in the place of `path`.
///
/// # Errors
/// Those of `write` and of the file system; what stood at `path` before is left as it was, and nothing else
/// is left.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let path = resolve(path)?;
    let before = match fs::metadata(&path) {
        Ok(before) if before.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(before) if !before.is_file() => {
            let mut to = BufWriter::new(OpenOptions::new().write(true).open(&path)?);
            write(&mut to)?;
            return to.flush();
        }
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (file, mut beside) = Beside::create(folder, before.as_ref())?;
    let mut to = BufWriter::with_capacity(1 << 16, file);
    write(&mut to)?;
    let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
    // On the disk before it has the name: after a power cut the name leads to one of the two, whole.
    file.sync_all()?;
    drop(file);
    fs::rename(&beside.path, &path)?;
    beside.renamed = true;
    sync_folder(folder);
    Ok(())
}

/// Where the links of `path` lead, though nothing may stand there.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let target = fs::read_link(&path)?;
                // A relative target counts from the folder that holds the link.
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many links, one leading to the next"))
}

/// A file that nobody else has, in the folder of the one it will replace; gone unless it is renamed.
struct Beside {
    path: PathBuf,
    renamed: bool,
}

impl Beside {
    fn create(folder: &Path, before: Option<&Metadata>) -> io::Result<(File, Beside)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        restrict(&mut options, before);
        for _ in 0..NAMES {
            let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            // Not made of the name it will get, which may be as long as names can be.
            let path = folder.join(format!(".saving-{:x}-{count:x}-{nanos:x}.tmp", process::id()));
            match options.open(&path) {
                Ok(file) => {
                    let beside = Beside { path, renamed: false };
                    if let Some(before) = before {
                        keep_owner(&file, before);
                        file.set_permissions(before.permissions())?;
                    }
                    return Ok((file, beside));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// From its first moment the new file is open to nobody that the old one was closed to.
#[cfg(unix)]
fn restrict(options: &mut OpenOptions, before: Option<&Metadata>) {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    if let Some(before) = before {
        // The owner writes it, whatever the old one allowed.
        options.mode(before.permissions().mode() & 0o777 | 0o200);
    }
}

#[cfg(not(unix))]
fn restrict(_: &mut OpenOptions, _: Option<&Metadata>) {}

/// The owner and the group of the old file, as far as the process may give files away.
#[cfg(unix)]
fn keep_owner(file: &File, before: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(now) = file.metadata() else { return };
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        let _ = fchown(file, Some(before.uid()), Some(before.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}

/// The new name on the disk too. Not every file system can be asked for it, and the file has taken its place
/// by then.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    #[cfg(not(unix))]
    let _ = folder;
}
