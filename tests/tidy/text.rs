//! What files look like: how long they are, how wide their comments, how they begin, and that nothing is left
//! open.

use crate::source::{Source, sources};

/// All that is written by hand in Rust, but for the declarations of compile-error tests.
fn all() -> Vec<Source> {
    let folders =
        ["nn-cli/src", "nn-macros/src", "nn-runtime/src", "nn-runtime/kernels/src", "examples", "tests", "benches"];
    let all = folders.into_iter().flat_map(sources);
    all.filter(|source| !source.path.starts_with("tests/errors/ui/") && !source.path.contains("/target/")).collect()
}

/// The widest a comment may be; rustfmt holds code to 120.
const COLUMNS: usize = 110;
const LINES: usize = 400;

fn wide_comments(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    // A row of a table cannot be broken.
    let row = |line: &str| line.trim_start_matches(['/', '!']).trim_start().starts_with('|');
    let comment = |line: &str| line.starts_with("//") && !row(line);
    let wide = lines.filter(|(_, line)| comment(line.trim_start()) && line.chars().count() > COLUMNS);
    wide.map(|(i, _)| format!("{}:{}", source.path, i + 1)).collect()
}

fn too_long(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > LINES).then(|| format!("{}: {lines}", source.path))
}

/// The first paragraph: what users read of a public module may go on.
fn bad_header(source: &Source) -> Option<String> {
    match source.text.lines().take_while(|line| line.starts_with("//!") && *line != "//!").count() {
        0 if !source.is_test() => Some(format!("{}: none", source.path)),
        0..=5 => None,
        lines => Some(format!("{}: {lines} lines", source.path)),
    }
}

/// Nothing but the list, or a panic that shows it.
fn expect_none(found: &[String], what: &str, help: &str) {
    assert!(found.is_empty(), "{what}:\n  {}\nhelp: {help}", found.join("\n  "));
}

#[test]
fn comments_are_narrow() {
    let found: Vec<String> = all().iter().flat_map(wide_comments).collect();
    expect_none(&found, "comments wider than 110 columns", "break the lines");
}

#[test]
fn a_file_is_one_concept() {
    let found: Vec<String> = all().iter().filter_map(too_long).collect();
    expect_none(&found, "files of more than 400 lines", "split them, one concept each");
}

#[test]
fn a_module_says_what_it_is_for() {
    let found: Vec<String> = all().iter().filter_map(bad_header).collect();
    let help = "begin with `//!`: what it is for, what comes in, what goes out, what it may never do";
    expect_none(&found, "modules without a header of 1 to 5 lines", help);
}

#[test]
fn what_is_wide_long_or_without_a_header_is_found() {
    let source = |text: String| Source { path: "src/a.rs".to_owned(), text };
    let wide = source(format!("//! A header.\nfn a() {{}}\n    // {}\n", "x".repeat(104)));
    assert_eq!(wide_comments(&wide), ["src/a.rs:3"]);
    assert!(wide_comments(&source(format!("// {}\n", "x".repeat(107)))).is_empty());
    assert!(wide_comments(&source(format!("/// | {} |\n", "x".repeat(107)))).is_empty(), "a row of a table");
    assert_eq!(too_long(&source("\n".repeat(401))), Some("src/a.rs: 401".to_owned()));
    assert_eq!(too_long(&source("\n".repeat(400))), None);
    assert_eq!(bad_header(&source("use std::fs;\n".to_owned())), Some("src/a.rs: none".to_owned()));
    assert_eq!(bad_header(&source("//! a\n".repeat(6))), Some("src/a.rs: 6 lines".to_owned()));
    assert_eq!(bad_header(&source("//! a\n".repeat(5) + "//!\n//! more\n")), None);
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
