//! What stands at the path before and after a save.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("nn-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn links_lead_where_they_led() {
    let folder = Folder::new("links");
    fs::create_dir(folder.0.join("real")).unwrap();
    let (target, link) = (folder.0.join("real/weights"), folder.0.join("link"));
    symlink("real/weights", &link).unwrap();
    symlink("link", folder.0.join("second")).unwrap();
    // A link to what is not there yet, then to what is.
    for (seed, path) in [(1, "link"), (2, "link"), (3, "second")] {
        Net::init(seed).save(folder.0.join(path)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::symlink_metadata(&target).unwrap().is_file());
        assert_eq!(all(&Model::<Net>::load(&target).unwrap()), all(&Net::init(seed)));
    }
    assert_eq!(folder.names(), ["link", "real", "second"]);
    symlink("loop", folder.0.join("loop")).unwrap();
    let error = Net::init(0).save(folder.0.join("loop")).unwrap_err();
    assert!(error.to_string().contains("too many links"), "{error}");
}

#[test]
fn modes_are_kept_and_neighbours_left_alone() {
    let folder = Folder::new("modes");
    let path = folder.0.join("weights");
    let beside = folder.0.join("weights.part");
    fs::write(&beside, "mine").unwrap();
    for mode in [0o600, 0o640, 0o644, 0o400, 0o666] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Net::init(1).save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read(&beside).unwrap(), b"mine");
    assert_eq!(folder.names(), ["weights.part"]);
}

#[test]
fn a_save_that_fails_leaves_the_old_file_and_nothing_else() {
    let folder = Folder::new("fails");
    let within = folder.0.join("within");
    fs::create_dir(&within).unwrap();
    let error = Net::init(0).save(&within).unwrap_err();
    assert_eq!(error.kind(), WeightsErrorKind::Write(std::io::ErrorKind::IsADirectory));
    assert_eq!(folder.names(), ["within"]);
    // A name that cannot be: everything is written, and cannot take its place.
    let long = folder.0.join("x".repeat(300));
    assert!(matches!(Net::init(0).save(&long).unwrap_err().kind(), WeightsErrorKind::Write(_)));
    assert_eq!(folder.names(), ["within"]);
    // The longest name there may be is one that can.
    Net::init(0).save(folder.0.join("y".repeat(255))).unwrap();
}

#[test]
fn pipes_and_devices_are_written_to_as_they_stand() {
    Net::init(0).save("/dev/null").unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    if cfg!(target_os = "linux") {
        let full = Net::init(0).save("/dev/full").unwrap_err();
        assert_eq!(full.kind(), WeightsErrorKind::Write(std::io::ErrorKind::StorageFull));
    }
    let folder = Folder::new("pipe");
    let pipe = folder.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for seed in 0..3 {
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || Net::init(seed).save(pipe).unwrap()
        });
        // Read from a pipe too, of which no length is known.
        assert_eq!(all(&Model::<Net>::load(&pipe).unwrap()), all(&Net::init(seed)));
        writer.join().unwrap();
    }
    assert_eq!(folder.names(), ["pipe"]);
}

#[test]
fn savers_at_once_never_break_the_file() {
    let folder = Folder::new("savers");
    let path = folder.0.join("weights");
    let good: Vec<_> = (0..4).map(|seed| all(&Net::init(seed))).collect();
    Net::init(0).save(&path).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let savers: Vec<_> = (0..4)
            .map(|seed| {
                let path = &path;
                scope.spawn(move || (0..10).for_each(|_| Net::init(seed).save(path).unwrap()))
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let found = all(&Model::<Net>::load(&path).unwrap());
                assert!(good.contains(&found));
            }
        });
        savers.into_iter().for_each(|saver| saver.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(folder.names(), ["weights"]);
}
