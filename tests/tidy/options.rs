//! Options of built-in layers, as their files declare them, beside `layers/signatures.rs`: one that is
//! missing there would be refused where somebody gives it. In: the layers' sources; out: each option that no
//! line lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Token, group, text, tokens};
use crate::tree::Tree;

const FOLDER: &str = "nn-runtime/src/layers";

/// What a layer is given by: `pub const fn NAME(mut self, …)`, where no brace opens in between.
fn setters(code: &[Token]) -> BTreeSet<String> {
    let is = |i: usize, words: &[&str]| words.iter().enumerate().all(|(k, word)| text(code, i + k) == *word);
    let begins = (0..code.len()).filter(|&i| is(i, &["pub", "const", "fn"]));
    let takes_self = |i: &usize| {
        let end = (*i..code.len()).find(|&i| text(code, i) == "{").unwrap_or(code.len());
        (*i..end).any(|i| is(i, &["(", "mut", "self"]))
    };
    begins.filter(takes_self).map(|i| text(code, i + 3).to_owned()).collect()
}

/// A `macro_rules!` by its arms: the words before the first `$`, and what it stands for.
type Arms = Vec<(Vec<String>, Vec<Token>)>;

fn macros(files: &BTreeMap<&str, Vec<Token>>) -> BTreeMap<String, Arms> {
    let mut all = BTreeMap::new();
    for code in files.values() {
        for i in (0..code.len()).filter(|&i| text(code, i) == "macro_rules") {
            let body = group(code, i + 3);
            let (mut at, mut arms) = (body.start, Vec::new());
            while at < body.end {
                let pattern = group(code, at);
                let words = pattern.clone().map(|i| text(code, i).to_owned());
                let words = words.take_while(|word| word != "$").collect();
                let open = (pattern.end..body.end).find(|&i| text(code, i) == "=>").expect("an arm") + 1;
                let stands = group(code, open);
                at = stands.end + 1 + usize::from(text(code, stands.end + 1) == ";");
                arms.push((words, code[stands].to_vec()));
            }
            all.insert(text(code, i + 2).to_owned(), arms);
        }
    }
    all
}

/// Macros called in this code with the layer's name among what they are given: their options, and those of
/// the macros that they call in turn.
fn called(code: &[Token], layer: Option<&str>, macros: &BTreeMap<String, Arms>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for i in (0..code.len()).filter(|&i| text(code, i + 1) == "!" && text(code, i) != "macro_rules") {
        let Some(arms) = macros.get(text(code, i)) else { continue };
        let given = group(code, i + 2);
        if layer.is_some_and(|layer| !code[given.clone()].iter().any(|token| token.text == layer)) {
            continue;
        }
        for (words, stands) in arms {
            if words.iter().enumerate().all(|(k, word)| text(code, given.start + k) == word) {
                all.extend(setters(stands));
                all.extend(called(stands, None, macros));
            }
        }
    }
    all
}

/// Layers with what their files give them.
fn declared(tree: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    let files: BTreeMap<&str, Vec<Token>> =
        tree.within(FOLDER, ".rs").map(|(path, source)| (path, tokens(source))).collect();
    let macros = macros(&files);
    let mut all = BTreeMap::new();
    for layer in listed(tree).into_keys() {
        let mut options = BTreeSet::new();
        for code in files.values() {
            for i in (0..code.len()).filter(|&i| text(code, i) == "impl" && text(code, i + 1) == layer) {
                options.extend(setters(&code[group(code, i + 2)]));
            }
            options.extend(called(code, Some(&layer), &macros));
        }
        all.insert(layer, options);
    }
    all
}

/// `Layer(given) [options] [generic ones]` of the list.
fn listed(tree: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    let source = tree.get("nn-runtime/src/layers/signatures.rs");
    let list = source.split("\nsignatures! {\n").nth(1).and_then(|rest| rest.split("\n}").next()).expect("the list");
    let mut all = BTreeMap::new();
    for line in list.lines() {
        let (name, rest) = line.trim().split_once('(').expect("`Layer(…) […];`");
        let options = rest.split('[').skip(1).filter_map(|part| part.split(']').next());
        all.insert(name.to_owned(), options.flat_map(str::split_whitespace).map(str::to_owned).collect());
    }
    all
}

fn missing(tree: &Tree) -> Vec<String> {
    let listed = listed(tree);
    let lacks = |(layer, options): (String, BTreeSet<String>)| {
        let lacking: Vec<String> = options.difference(&listed[&layer]).cloned().collect();
        (!lacking.is_empty()).then(|| format!("`{layer}` lacks {}", lacking.join(", ")))
    };
    declared(tree).into_iter().filter_map(lacks).collect()
}

#[test]
fn every_option_of_a_layer_is_listed() {
    let tree = Tree::read();
    let missing = missing(&tree);
    assert!(missing.is_empty(), "{FOLDER}/signatures.rs: {missing:?}");
    // What is found is what there is: a list of nothing would be no test.
    let (declared, listed) = (declared(&tree), listed(&tree));
    for (layer, options) in &listed {
        let unseen: Vec<&String> = options.difference(&declared[layer]).collect();
        assert!(unseen.is_empty(), "the test does not see where {unseen:?} of `{layer}` are declared");
    }
}

#[test]
fn an_option_that_is_not_listed_is_told() {
    for (layer, line, without) in [
        ("Dense", "Dense(units) [bias init bias_init]", "Dense(units) [bias init]"),
        ("Conv2d", "    Conv2d(filters, kernel) [stride ", "    Conv2d(filters, kernel) ["),
        ("Lstm", "Lstm(units) [last projection", "Lstm(units) [projection"),
        ("RmsNorm", "RmsNorm() [axes ", "RmsNorm() ["),
        ("AdaptiveMaxPool2d", "AdaptiveMaxPool2d(size) [size_hw]", "AdaptiveMaxPool2d(size) []"),
        ("Split", "[axis] [sizes]", "[axis] []"),
    ] {
        let mut tree = Tree::read();
        let list = tree.files.get_mut("nn-runtime/src/layers/signatures.rs").expect("the list");
        assert!(list.contains(line), "{line}");
        *list = list.replace(line, without);
        let missing = missing(&tree);
        assert!(missing.len() == 1 && missing[0].starts_with(&format!("`{layer}` lacks ")), "{missing:?}");
    }
}
