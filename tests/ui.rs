//! The compile errors, word for word, and what becomes of a declaration when their help is typed. They are
//! those of one compiler: under any other this says that it was skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler whose words stand in `ui/`.
const PINNED: &str = "1.95.0";

fn is_pinned() -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc tells its version");
    let version = String::from_utf8_lossy(&version.stdout);
    let pinned = version.split(' ').nth(1) == Some(PINNED);
    if !pinned {
        println!("skipped: the compile errors are checked under rustc {PINNED}, this is {version}");
    }
    pinned
}

#[test]
fn errors_read_as_they_should() {
    if is_pinned() {
        trybuild::TestCases::new().compile_fail("ui/*/*.rs");
    }
}

/// The files whose lines say what they are when their help has been typed.
fn typed() -> Vec<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let folders = fs::read_dir(ui).expect("ui/ is there").map(|folder| folder.expect("a folder").path());
    let folders = folders.filter(|folder| folder.is_dir());
    let files =
        folders.flat_map(|folder| fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()));
    let typed = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("typed_") && name.ends_with(".rs")
    };
    let mut files: Vec<PathBuf> = files.filter(typed).collect();
    files.sort();
    files
}

/// A line's macro, and its declaration as it is when mended.
fn mended(line: &str) -> Option<(&str, &str)> {
    Some((line.split('!').next()?, line.split_once("// mended: ")?.1))
}

/// What `ui/mended.txt` makes of the cases: each file's name, and its text when its help has been typed.
fn typed_by_table() -> Vec<(String, String)> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let table = fs::read_to_string(ui.join("mended.txt")).expect("the table is there");
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (name, change) = line.split_once(": ").expect("`folder/file: before ⇒ after`");
        let (before, after) = change.split_once(" ⇒").expect("`before ⇒ after`");
        if cases.last().is_none_or(|(last, _)| last != name) {
            let text = fs::read_to_string(ui.join(name).with_extension("rs")).expect("a case of that name");
            cases.push((name.to_owned(), text));
        }
        let (_, text) = cases.last_mut().expect("there is one");
        assert!(text.contains(before), "{name}: `{before}` does not stand there");
        *text = text.replacen(before, after.trim_start(), 1);
    }
    cases
}

#[test]
fn every_help_is_typed_somewhere() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let named: Vec<String> = typed_by_table().into_iter().map(|(name, _)| name).collect();
    let mut missing = Vec::new();
    for folder in fs::read_dir(&ui).expect("ui/ is there").map(|folder| folder.expect("a folder").path()) {
        for file in fs::read_dir(&folder).into_iter().flatten().map(|file| file.expect("a file").path()) {
            let name = file.with_extension("").strip_prefix(&ui).expect("within ui/").to_string_lossy().into_owned();
            if file.extension().is_none_or(|extension| extension != "stderr") || name.contains("typed_") {
                continue;
            }
            let errors = fs::read_to_string(&file).expect("errors are pinned");
            let help = errors.lines().any(|line| line.starts_with("    ") && line.trim_start().starts_with("help: "));
            if help && !named.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "these say what to type, and ui/mended.txt does not: {missing:?}");
}

#[test]
fn what_the_help_says_compiles() {
    if !is_pinned() {
        return;
    }
    let mut program = "#![allow(dead_code, deprecated, unused)]\n".to_owned();
    let mut count = 0;
    for (i, file) in typed().into_iter().enumerate() {
        program += &format!("mod m{i} {{\n    use nn_runtime::prelude::*;\n");
        for line in fs::read_to_string(file).expect("a file of text").lines() {
            if let Some((name, declaration)) = mended(line) {
                program += &format!("    {name}! {{ {declaration} }}\n");
                count += 1;
            }
        }
        program += "}\n";
    }
    for (i, (_, text)) in typed_by_table().iter().enumerate() {
        program += &format!("mod t{i} {{\n{text}\n}}\n");
    }
    program += "fn main() {}\n";
    assert!(count > 60, "{count} lines are mended");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mended.rs");
    fs::write(&path, program).expect("the folder of tests can be written");
    trybuild::TestCases::new().pass(path);
}

/// Each error of a mended line says what was typed: the code in its help, or what stands around a `…` in it.
#[test]
fn what_was_typed_is_what_the_help_says() {
    let (mut checked, mut open) = (0, 0);
    for file in typed() {
        let text = fs::read_to_string(&file).expect("a file of text");
        let lines: Vec<&str> = text.lines().collect();
        let errors = fs::read_to_string(file.with_extension("stderr")).expect("errors are pinned");
        for error in errors.split("error").filter(|error| error.contains("help: ")) {
            let place = error.split("--> ui/").nth(1).and_then(|place| place.split(':').nth(1));
            let line = place.and_then(|line| line.parse::<usize>().ok()).expect("an error has a place");
            let Some((_, declaration)) = mended(lines[line - 1]) else { continue };
            let help = error.split("help: ").nth(1).and_then(|help| help.split("-->").next()).unwrap_or_default();
            let codes: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
            let plain = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            let typed = |code: &&str| code.split('…').all(|part| plain(declaration).contains(&plain(part)));
            match codes.iter().any(typed) {
                true => checked += 1,
                false => {
                    open += 1;
                    println!("{}:{line}: {}", file.display(), help.trim());
                }
            }
        }
    }
    assert!(checked > 85 && open < 15, "{checked} helps are typed as they stand, {open} are not");
}
