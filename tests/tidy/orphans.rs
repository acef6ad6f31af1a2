//! Every file has a reader: Rust files are modules of their parent, reference values are loaded by a test, ui
//! cases have their expected error.

use crate::source::{CRATES, root, text, tokens};
use crate::tree::Tree;

#[test]
fn every_rust_file_is_a_module() {
    let tree = Tree::read();
    let mut lost = String::new();
    let folders = ["tests/graphs", "tests/layers", "tests/losses", "tests/networks", "tests/tidy", "tests/updates"];
    for folder in CRATES.into_iter().chain(folders) {
        for (path, _) in tree.within(&format!("{folder}/"), ".rs") {
            let stem = path.trim_end_matches(".rs");
            let stem = stem.strip_suffix("/mod").unwrap_or(stem);
            let (parent, name) = stem.rsplit_once('/').unwrap();
            if stem[folder.len()..] == *"/lib" || stem[folder.len()..] == *"/main" {
                continue;
            }
            let parents = if parent == folder {
                vec![format!("{parent}/lib.rs"), format!("{parent}/main.rs")]
            } else {
                vec![format!("{parent}.rs"), format!("{parent}/mod.rs")]
            };
            let declares = |file: &String| {
                let code = tokens(tree.get(file));
                (0..code.len()).any(|i| text(&code, i) == "mod" && text(&code, i + 1) == name)
            };
            // A part of a generated program is text to those beside it.
            let included = format!("include_str!(\"{name}.rs\")");
            let included = tree.within(&format!("{parent}/"), ".rs").any(|(_, text)| text.contains(&included));
            if !included && !parents.iter().any(declares) {
                lost += &format!("  {path}: `mod {name};` is missing in {}\n", parents.join(" or "));
            }
        }
    }
    assert!(lost.is_empty(), "files that are compiled nowhere:\n{lost}");
}

#[test]
fn every_reference_is_loaded() {
    let tree = Tree::read();
    let tests: Vec<&str> = tree.within("tests/", ".rs").map(|(_, text)| text).collect();
    let mut lost = String::new();
    for (path, _) in tree.within("tests/reference/", ".json") {
        let name = path.trim_start_matches("tests/reference/").trim_end_matches(".json");
        let short = name.rsplit('/').next().unwrap();
        if !tests.iter().any(|test| test.contains(&format!("{name}\"")) || test.contains(&format!("\"{short}\""))) {
            lost += &format!("  {path}\n");
        }
    }
    assert!(lost.is_empty(), "references that no test loads:\n{lost}");
}

#[test]
fn every_compile_error_is_there() {
    let tree = Tree::read();
    let cases = tree.within("tests/errors/ui/", ".rs").map(|(path, _)| path);
    let lost: Vec<&str> = cases.filter(|case| !root().join(case).with_extension("stderr").exists()).collect();
    assert!(
        lost.is_empty(),
        "no .stderr; `TRYBUILD=overwrite cargo test -p nn-error-tests -- errors trybuild=NAME` writes it:\n  {}",
        lost.join("\n  ")
    );
}
