#!/bin/sh
# csv 1.4.0 (Rust): the line of a record behind blank lines is that of the first blank line, and errors tell it.
#
# What one expects: `Record::position().line()` and the line in an error are the line on which the record begins in the file.
# What is so: blank lines are left out of the records, but the position is taken before they are skipped. A record on line 4
# behind two blank ones is "line: 2", in errors too; with CRLF line ends a record even has the line on which the one before it
# began, because the line feed of that one is counted only afterwards.
# What follows: whoever tells users a line counts lines on its own, or takes the reader's position after the record and
# subtracts the line feeds within it.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "lines"
version = "0.1.0"
edition = "2021"

[dependencies]
csv = "=1.4.0"

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
fn lines(text: &str) -> Vec<u64> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().position().unwrap().line()).collect()
}

fn main() {
    let blank = lines("a,b\n1,1\n\n\n2,2\n3,3\n");
    println!("records on lines 2, 5, 6 are told to be on {blank:?}");
    let crlf = lines("a,b\r\n1,1\r\n2,2\r\n");
    println!("records on lines 2, 3 with CRLF are told to be on {crlf:?}");
    let mut reader = csv::Reader::from_reader("a,b\n\n\n1\n".as_bytes());
    let error = reader.records().next().unwrap().unwrap_err().to_string();
    println!("a record on line 4 that is too short: {error}");
    println!("csv 1.4.0");
    assert_eq!(blank, [2, 3, 6]);
    assert_eq!(crlf, [1, 2]);
    assert!(error.contains("line: 2,"));
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
