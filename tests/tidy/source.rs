//! Source files as tidy reads them: paths, text, and tokens without comments, strings and test code. In: a
//! folder; out: its Rust files. No grammar beyond brackets and `#[cfg(test)]` is known here.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the workspace as text.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The crates whose insides tidy looks into, by the folder of their sources.
pub const CRATES: [&str; 3] = ["nn-macros/src", "nn-runtime/src", "nn-runtime/kernels/src"];

/// One Rust file.
pub struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    pub text: String,
}

/// A word, a number or a punctuation mark (`::`, `->` and `=>` are one each; any string is `"`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// All Rust files below a folder, in order.
pub fn sources(folder: &str) -> Vec<Source> {
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
    assert!(!files.is_empty(), "{folder} has no Rust files");
    files.sort();
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path.strip_prefix(root()).unwrap().components();
        let path: Vec<_> = path.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        Source { path: path.join("/"), text }
    };
    files.into_iter().map(source).collect()
}

impl Source {
    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The tokens of what is compiled without tests.
    pub fn code(&self) -> Vec<Token> {
        if self.is_test() { Vec::new() } else { without_tests(tokens(&self.text)) }
    }
}

/// Cuts Rust into tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let b = text.as_bytes();
    let (mut all, mut i, mut line) = (Vec::new(), 0, 1);
    while i < b.len() {
        let end = token_end(text, i);
        let kind = match (b[i], &text[i..end]) {
            (c, _) if c.is_ascii_whitespace() => None,
            (_, word) if word.starts_with("//") || word.starts_with("/*") => None,
            (_, word) if word.ends_with(['"', '#']) && word.contains('"') => Some("\""),
            (_, word) => Some(word),
        };
        all.extend(kind.map(|word| Token { text: word.to_owned(), line }));
        line += text[i..end].bytes().filter(|&c| c == b'\n').count();
        i = end;
    }
    all
}

/// Where the token, comment or whitespace that begins at `i` ends.
fn token_end(text: &str, i: usize) -> usize {
    let (b, rest) = (text.as_bytes(), &text[i..]);
    let word = |c: u8| c == b'_' || c.is_ascii_alphanumeric() || c >= 128;
    let run = |from: usize, of: &dyn Fn(u8) -> bool| from + b[from..].iter().take_while(|&&c| of(c)).count();
    if b[i].is_ascii_whitespace() {
        return run(i, &|c| c.is_ascii_whitespace());
    }
    if rest.starts_with("//") {
        return run(i, &|c| c != b'\n');
    }
    if rest.starts_with("/*") {
        return i + rest.find("*/").map_or(rest.len(), |at| at + 2);
    }
    if let Some(end) = string_end(text, i) {
        return end;
    }
    if b[i] == b'\'' {
        // A letter or an escape between quotes, or else a lifetime.
        let mut letters = rest[1..].char_indices();
        let end = match letters.next() {
            Some((_, '\\')) => letters.skip(1).find(|&(_, c)| c == '\'').map(|(at, _)| at),
            _ => letters.next().filter(|&(_, c)| c == '\'').map(|(at, _)| at),
        };
        return end.map_or_else(|| run(i + 1, &word), |at| i + 1 + at + 1);
    }
    if word(b[i]) {
        return run(i, &word);
    }
    if ["::", "->", "=>"].iter().any(|mark| rest.starts_with(mark)) { i + 2 } else { i + 1 }
}

/// Where a string that begins at `i` ends: `"…"`, `b"…"`, `r"…"`, `r#"…"#`.
fn string_end(text: &str, i: usize) -> Option<usize> {
    let rest = &text[i..];
    let opening = rest.find('"').filter(|&at| rest[..at].chars().all(|c| "brc#".contains(c)))?;
    let (prefix, from) = (&rest[..opening], i + opening + 1);
    if prefix.contains('r') {
        let close = format!("\"{}", "#".repeat(prefix.matches('#').count()));
        return Some(text[from..].find(&close).map_or(text.len(), |at| from + at + close.len()));
    }
    if prefix.contains('#') {
        return None;
    }
    let mut escaped = false;
    for (at, c) in text[from..].bytes().enumerate() {
        match c {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(from + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// The tokens but for items under `#[cfg(test)]` or `#[cfg(doctest)]`.
fn without_tests(all: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(all.len());
    let mut i = 0;
    while i < all.len() {
        let attribute = ["#", "[", "cfg", "("].iter().enumerate().all(|(k, word)| text(&all, i + k) == *word);
        if attribute && ["test", "doctest"].contains(&text(&all, i + 4)) && text(&all, i + 5) == ")" {
            i = item_end(&all, i + 7);
        } else {
            kept.push(all[i].clone());
            i += 1;
        }
    }
    kept
}

/// The text of a token, empty behind the end.
pub fn text(all: &[Token], i: usize) -> &str {
    all.get(i).map_or("", |token| &token.text)
}

/// The end of the item that begins at `i`: its `;`, or the bracket that closes its body.
fn item_end(all: &[Token], mut i: usize) -> usize {
    while i < all.len() {
        match text(all, i) {
            ";" => return i + 1,
            "{" => return group(all, i).end + 1,
            "(" | "[" => i = group(all, i).end + 1,
            _ => i += 1,
        }
    }
    i
}

/// What stands between the bracket at `open` and the one that closes it.
pub fn group(all: &[Token], open: usize) -> Range<usize> {
    let mut depth = 0;
    for (i, token) in all.iter().enumerate().skip(open) {
        match &*token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + 1..i;
        }
    }
    open + 1..all.len()
}

#[test]
fn strings_comments_and_tests_are_no_code() {
    let text = r###"
        /// unsafe { }
        fn a<'a>(x: &'a str) -> char { r#"fn "b" { }"#; "\"}"; '{'; '\''; b"x"; x /* fn */ }
        #[cfg(test)]
        mod tests { fn c() {} }
        fn d() {}
    "###;
    let source = Source { path: "a.rs".to_owned(), text: text.to_owned() };
    let code: Vec<String> = source.code().into_iter().map(|token| token.text).collect();
    let wanted = "fn a < 'a > ( x : & 'a str ) -> char { \" ; \" ; '{' ; '\\'' ; \" ; x } fn d ( ) { }";
    assert_eq!(code.join(" "), wanted);
    assert_eq!(source.code().last().unwrap().line, 6);
}
