//! Writing a file so that nothing is lost. In: a path and bytes; out: the file, whole or as it was before:
//! links lead where they led, the mode is kept, and what is no regular file is written to as it stands.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Puts `bytes` in the place of `path`.
///
/// # Errors
/// Those of the file system; what stood there is left as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(before) if !before.is_file() => return fs::write(path, bytes),
        Ok(before) => Some(before),
        // A link that leads nowhere is written through.
        Err(_) if fs::symlink_metadata(path).is_ok() => return fs::write(path, bytes),
        Err(_) => None,
    };
    let path = if before.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new();
    #[cfg(unix)]
    beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = beside.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(before) = before {
        file.as_file().set_permissions(before.permissions())?;
    }
    // On the disk before it has the name.
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_there_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert!(replace(&folder.path().join("none/numbers"), b"").is_err());
        assert!(replace(folder.path(), b"").is_err(), "a folder");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_are_kept() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("numbers"), folder.path().join("link"));
        fs::write(&path, b"first").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        symlink("numbers", &link).unwrap();
        replace(&link, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        fs::remove_file(&path).unwrap();
        replace(&link, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        replace(Path::new("/dev/null"), b"nowhere").unwrap();
    }
}
