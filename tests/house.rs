//! The house rules as tests: where `unsafe` may stand, what the macro may know, how a module begins.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(at: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(at).unwrap_or_else(|error| panic!("{}: {error}", at.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, all);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                all.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} has sources");
    files.sort();
    files
        .into_iter()
        .map(|path| (path.strip_prefix(root()).unwrap().display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The names of all layers, from the list in `layers/mod.rs`.
fn layers() -> Vec<String> {
    let text = fs::read_to_string(root().join("nn-runtime/src/layers/mod.rs")).unwrap();
    let names: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("pub use"))
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| word.chars().next().is_some_and(char::is_uppercase))
        .collect();
    assert!(names.iter().any(|name| name == "Dense"), "the list of layers is found: {names:?}");
    names
}

#[test]
fn unsafe_stands_in_the_kernel_room_only() {
    for krate in ["nn-macros", "nn-runtime"] {
        let lib = fs::read_to_string(root().join(krate).join("src/lib.rs")).unwrap();
        assert!(lib.contains("\n#![forbid(unsafe_code)]\n"), "{krate} may not hold `unsafe`");
    }
}

#[test]
fn every_unsafe_block_is_argued() {
    for (file, text) in sources("nn-runtime/kernels/src") {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            if line.contains("unsafe {") && !line.trim_start().starts_with("//") {
                let above = &lines[i.saturating_sub(8)..=i];
                assert!(above.iter().any(|l| l.contains("SAFETY:")), "{file}:{} has no `// SAFETY:` above it", i + 1);
            }
        }
    }
}

#[test]
fn the_macro_knows_no_layer() {
    let layers = layers();
    for (file, text) in sources("nn-macros/src") {
        if file.ends_with("tests.rs") || file.contains("/tests/") {
            continue;
        }
        for (i, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            // What a message shows as an example is text, not knowledge.
            let code: String = code.split('"').step_by(2).collect();
            let found =
                code.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| layers.iter().any(|l| l == word));
            assert!(found.is_none(), "{file}:{} names the layer `{}`", i + 1, found.unwrap_or_default());
        }
    }
}

#[test]
fn every_module_opens_with_a_sign() {
    for folder in ["nn-macros/src", "nn-runtime/src", "examples", "tests", "benches"] {
        for (file, text) in sources(folder) {
            // Files that are `include!`d into a test module, or are what a user would write, have no room of their own.
            if file.contains("/ui/") || file.contains("/tests/") || file.ends_with("tests.rs") {
                continue;
            }
            assert!(text.starts_with("//!"), "{file} opens without a sign of what the room is for");
        }
    }
}

#[test]
fn the_core_needs_no_operating_system() {
    for (file, text) in sources("nn-runtime/src") {
        let outside = ["/train/", "/data/", "src/save/", "src/quote.rs", "/kernels/simd", "tests.rs"]
            .iter()
            .any(|part| file.contains(part));
        if outside {
            continue;
        }
        let mut tests = false;
        for (i, line) in text.lines().enumerate() {
            tests |= line.contains("#[cfg(test)]");
            let code = line.trim_start();
            let names = !code.starts_with("//") && code.contains("std::") && !code.contains("\"std");
            assert!(tests || !names, "{file}:{} names `std`: the core is for bare machines too", i + 1);
        }
    }
}

#[test]
fn nothing_is_left_open() {
    for folder in ["nn-macros/src", "nn-runtime/src", "examples", "benches"] {
        for (file, text) in sources(folder) {
            for word in ["TODO", "todo!", "unimplemented!", "FIXME"] {
                assert!(!text.contains(word), "{file} holds `{word}`");
            }
        }
    }
}

/// The error messages that the README shows are those of the compile-error tests.
#[test]
fn the_readme_shows_real_errors() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut shown = 0;
    for part in readme.split("<!-- error: ").skip(1) {
        let (file, rest) = part.split_once(" -->\n```text\n").expect("a text block follows");
        let text = rest.split("```").next().unwrap();
        let stderr = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(stderr.contains(text.trim_end()), "{file} reads\n{stderr}\nand the README shows\n{text}");
        assert!(text.lines().count() > 4, "the README shows the whole of {file}");
        shown += 1;
    }
    assert!(shown > 0);
}

/// Each row of the layer table leads to a page with a runnable example and the shape rule, and to tests.
#[test]
fn the_layer_table_leads_somewhere() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.split("| page: formula, example, rule |").nth(1).expect("the layer table");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let mut named = Vec::new();
    for row in &rows {
        let links: Vec<&str> = row.split("](").skip(1).map(|part| part.split(')').next().unwrap()).collect();
        assert!(links.len() >= 2 && links.last().unwrap().starts_with("tests/"), "{row}");
        for link in &links {
            let text = fs::read_to_string(root().join(link)).unwrap_or_else(|error| panic!("{link}: {error}"));
            assert!(
                !link.contains("/layers/") || link.starts_with("tests/") || text.contains("/// ```"),
                "{link} has no example"
            );
        }
        let cell = row.split('|').nth(1).unwrap();
        named.extend(cell.split('`').skip(1).step_by(2).map(|name| name.split('(').next().unwrap().to_owned()));
    }
    for layer in layers() {
        let value = [
            "Nearest",
            "Bilinear",
            "Valid",
            "Same",
            "Pad",
            "Causal",
            "Padding",
            "UpsampleMode",
            "Direction",
            "Forward",
            "Backward",
            "Both",
        ]
        .contains(&&*layer);
        assert!(value || named.contains(&layer), "the layer table lacks {layer}");
    }
}
