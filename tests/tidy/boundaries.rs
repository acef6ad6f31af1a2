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

/// Modules of the root that are there with the feature `std` only.
fn std_modules(lib: &Source) -> Vec<String> {
    let code = lib.code();
    let words = ["#", "[", "cfg", "(", "feature", "=", "\"", ")", "]"];
    let gated = |i: usize| words.iter().enumerate().all(|(k, word)| text(&code, i + k) == *word);
    let module = |i: usize| {
        let at = i + words.len() + usize::from(text(&code, i + words.len()) == "pub");
        (text(&code, at) == "mod").then(|| text(&code, at + 1).to_owned())
    };
    (0..code.len()).filter(|&i| gated(i)).filter_map(module).collect()
}

#[test]
fn the_core_needs_no_operating_system() {
    let all = sources("nn-runtime/src");
    let lib = all.iter().find(|source| source.path.ends_with("src/lib.rs")).expect("the root of the crate");
    let std = std_modules(lib);
    assert!(std.iter().any(|module| module == "train"), "modules of the feature `std` are found: {std:?}");
    for source in &all {
        let inside = source.path.trim_start_matches("nn-runtime/src/");
        let module = inside.split(['/', '.']).next().unwrap();
        if std.iter().any(|name| name == module) {
            continue;
        }
        let code = source.code();
        for (i, token) in code.iter().enumerate().filter(|(_, token)| token.text == "std") {
            let names = text(&code, i + 1) == "::";
            assert!(!names, "{}:{} names `std`: the core is for bare machines too", source.path, token.line);
        }
    }
}
