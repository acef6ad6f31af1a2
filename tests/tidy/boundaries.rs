//! What the crates may know: the macro no layer, the core no operating system.

use crate::checklist;
use crate::source::{Source, sources, text};
use crate::tree::Tree;

#[test]
fn the_macro_knows_no_layer() {
    let all: Vec<Source> = sources("nn-macros/src");
    // A function of formulas that is a layer's namesake is a function.
    let mut functions = Vec::new();
    for source in all.iter().filter(|source| source.path.contains("/formula/")) {
        let code = source.code();
        let paths = (2..code.len()).filter(|&i| text(&code, i - 1) == "::");
        let of = paths.filter(|&i| ["Function", "Meaning"].contains(&text(&code, i - 2)));
        functions.extend(of.map(|i| code[i].text.clone()));
    }
    let layers: Vec<String> = checklist::layers(&Tree::read());
    for source in &all {
        let formula = source.path.contains("/formula/");
        for token in source.code() {
            let known = layers.contains(&token.text) && !(formula && functions.contains(&token.text));
            assert!(!known, "{}:{} names the layer `{}`", source.path, token.line, token.text);
        }
    }
}

/// The paths, without `.rs`, of the modules of a file that are there with a feature only.
fn std_modules(source: &Source) -> Vec<String> {
    let code = source.code();
    let words = ["#", "[", "cfg", "(", "feature", "=", "\"", ")", "]"];
    let gated = |i: usize| words.iter().enumerate().all(|(k, word)| text(&code, i + k) == *word);
    let path = source.path.trim_end_matches(".rs");
    let within = ["/lib", "/mod"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let module = |i: usize| {
        let at = i + words.len() + usize::from(text(&code, i + words.len()) == "pub");
        (text(&code, at) == "mod").then(|| format!("{within}/{}", text(&code, at + 1)))
    };
    (0..code.len()).filter(|&i| gated(i)).filter_map(module).collect()
}

#[test]
fn the_core_needs_no_operating_system() {
    let all = sources("nn-runtime/src");
    let std: Vec<String> = all.iter().flat_map(std_modules).collect();
    for module in ["files", "train/fit", "data/rows"] {
        let path = format!("nn-runtime/src/{module}");
        assert!(std.contains(&path), "modules of the feature `std` are found: {std:?}");
    }
    for source in &all {
        let path = source.path.trim_end_matches(".rs");
        let within =
            |module: &String| path.strip_prefix(&**module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if std.iter().any(within) {
            continue;
        }
        let code = source.code();
        for (i, token) in code.iter().enumerate().filter(|(_, token)| token.text == "std") {
            let names = text(&code, i + 1) == "::";
            assert!(!names, "{}:{} names `std`: the core is for bare machines too", source.path, token.line);
        }
    }
}
