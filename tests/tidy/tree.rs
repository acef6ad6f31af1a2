//! The text of the workspace in memory, so that a test can ask what tidy would say if a step had been
//! forgotten.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::source::root;

/// Files by path: Rust, Markdown and the reference values.
#[derive(Clone)]
pub struct Tree {
    pub files: BTreeMap<String, String>,
}

impl Tree {
    /// What is on disk.
    pub fn read() -> Tree {
        let mut files = BTreeMap::new();
        for folder in [
            "",
            "nn-cli/src",
            "nn-macros/src",
            "nn-runtime/src",
            "nn-runtime/kernels/src",
            "tests",
            "benches",
            "examples",
        ] {
            walk(folder, !folder.is_empty(), &mut files);
        }
        Tree { files }
    }

    /// A file, or nothing where there is none.
    pub fn get(&self, path: &str) -> &str {
        self.files.get(path).map_or("", |text| text)
    }

    /// Files whose path begins and ends so.
    pub fn within<'a>(&'a self, folder: &'a str, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.files.iter().filter(move |(path, _)| path.starts_with(folder) && path.ends_with(end));
        all.map(|(path, text)| (&**path, &**text))
    }
}

fn walk(folder: &str, deep: bool, files: &mut BTreeMap<String, String>) {
    let at = root().join(folder);
    for entry in fs::read_dir(&at).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let full = root().join(&path);
        if full.is_dir() {
            if deep && !path.ends_with("/target") {
                walk(&path, deep, files);
            }
        } else if ["rs", "md", "toml", "json"].iter().any(|ext| Path::new(&path).extension().is_some_and(|e| e == *ext))
        {
            let text = fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"));
            files.insert(path, text);
        }
    }
}

/// Whether a text holds a word, not as a part of another one.
pub fn names(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// `DensePerStep` as a file: `dense_per_step`.
pub fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
