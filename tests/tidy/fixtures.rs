//! How large the files of other tools are that tests read. In: their folders; out: nothing, or the largest of
//! them. Scripts that write them are not counted, nor what is printed of them here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::root;

/// Bytes of all of them.
const MOST: u64 = 300_000;

const FOLDERS: [&str; 2] = ["tests/imports/files", "tests/reference/weights"];

fn collect(folder: &Path, to: &mut Vec<(u64, PathBuf)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match path.is_dir() {
            // What Python leaves beside a script is not kept.
            true if path.ends_with("__pycache__") => {}
            true => collect(&path, to),
            false if ["py", "declaration"].contains(&ending) => {}
            false => to.push((fs::metadata(&path).unwrap().len(), path)),
        }
    }
}

#[test]
fn files_of_other_tools_are_small() {
    let mut files = Vec::new();
    FOLDERS.iter().for_each(|folder| collect(&root().join(folder), &mut files));
    let sum: u64 = files.iter().map(|(len, _)| len).sum();
    files.sort_unstable_by(|a, b| b.cmp(a));
    assert!(files.len() > 80, "{} files of other tools", files.len());
    assert!(
        sum < MOST,
        "files of other tools have {sum} bytes, more than {MOST}; make the largest smaller: {:#?}",
        &files[..8]
    );
}
