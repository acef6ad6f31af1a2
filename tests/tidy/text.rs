//! What files look like: how long they are, how wide their comments, how they begin, and that nothing is left open.

use crate::source::{Source, sources};

/// All that is written by hand in Rust, but for the declarations of compile-error tests.
fn all() -> Vec<Source> {
    let folders = ["nn-macros/src", "nn-runtime/src", "nn-runtime/kernels/src", "examples", "tests", "benches"];
    let all = folders.into_iter().flat_map(sources);
    all.filter(|source| !source.path.starts_with("tests/ui/") && !source.path.contains("/target/")).collect()
}

/// The widest a comment may be; rustfmt holds code to 120.
const COLUMNS: usize = 110;
const LINES: usize = 400;

#[test]
#[ignore = "not green yet"]
fn comments_are_narrow() {
    let wide = |source: &Source| {
        let lines = source.text.lines().enumerate();
        let wide = lines.filter(|(_, line)| line.trim_start().starts_with("//") && line.chars().count() > COLUMNS);
        wide.map(|(i, _)| format!("  {}:{}\n", source.path, i + 1)).collect::<String>()
    };
    let found: String = all().iter().map(wide).collect();
    assert!(found.is_empty(), "comments wider than {COLUMNS} columns:\n{found}help: break the lines");
}

#[test]
#[ignore = "not green yet"]
fn a_file_is_one_concept() {
    let long = |source: &Source| Some(source.text.lines().count()).filter(|&lines| lines > LINES);
    let all = all();
    let found = all.iter().filter_map(|source| Some(format!("  {}: {}\n", source.path, long(source)?)));
    let found: String = found.collect();
    assert!(found.is_empty(), "files of more than {LINES} lines:\n{found}help: split them, one concept each");
}

#[test]
#[ignore = "not green yet"]
fn a_module_says_what_it_is_for() {
    let mut found = String::new();
    for source in all() {
        // The first paragraph: what users read of a public module may go on.
        match source.text.lines().take_while(|line| line.starts_with("//!") && *line != "//!").count() {
            0 if !source.is_test() => found += &format!("  {}: none\n", source.path),
            0..=5 => {}
            lines => found += &format!("  {}: {lines} lines\n", source.path),
        }
    }
    assert!(
        found.is_empty(),
        "modules without a header of 1 to 5 lines:\n{found}\
        help: begin with `//!`: what it is for, what comes in, what goes out, what it may never do"
    );
}

#[test]
fn nothing_is_left_open() {
    for source in all().iter().filter(|source| !source.path.starts_with("tests/")) {
        for word in ["TODO", "todo!", "unimplemented!", "FIXME"] {
            let line = source.text.lines().position(|line| line.contains(word));
            assert!(line.is_none(), "{}:{} holds `{word}`", source.path, line.unwrap_or_default() + 1);
        }
    }
}
