//! The checklist of CONTRIBUTING: each layer, loss, optimiser, schedule and metric has its page, its tests
//! and its places in the lists. In: the workspace; out: for each forgotten step a sentence that names the
//! file.

use std::collections::BTreeSet;

use crate::source::{group, text, tokens};
use crate::tree::{Tree, names, snake};

/// A row of the checklist.
struct Kind {
    /// As CONTRIBUTING calls it.
    row: &'static str,
    /// Where each has its file. A folder that is not there holds none.
    folder: &'static str,
    /// What the file of one says and the file of a helper does not; enums, traits and functions are no items
    /// anyway.
    marks: &'static [&'static str],
    /// The test of `<x>`: a file of its own where it holds `<x>`.
    test: &'static str,
    /// Lists that name it beside `mod.rs` and the README.
    lists: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        row: "a layer",
        folder: "nn-runtime/src/layers",
        marks: &[""],
        test: "tests/layers",
        lists: &["tests/layers/alone.rs", "tests/onnx/layers.rs", "CHANGELOG.md"],
    },
    Kind {
        row: "a loss",
        folder: "nn-runtime/src/losses",
        marks: &["LossOn", "compares!", "loss!"],
        test: "tests/losses/<x>.rs",
        lists: &["nn-runtime/src/editor.rs", "tests/losses/nan.rs", "CHANGELOG.md"],
    },
    Kind {
        row: "an optimiser",
        folder: "nn-runtime/src/optim",
        marks: &["Optimizer for", "optimizer!"],
        test: "tests/optim/main.rs",
        lists: &[
            "nn-runtime/src/editor.rs",
            "tests/updates/fixed.rs",
            "tests/trainer/refused_steps.rs",
            "CHANGELOG.md",
        ],
    },
    Kind {
        row: "a schedule",
        folder: "nn-runtime/src/train/schedule",
        marks: &["Schedule for"],
        test: "tests/updates/schedules.rs",
        lists: &["nn-runtime/src/editor.rs", "nn-runtime/src/lib.rs", "CHANGELOG.md"],
    },
    Kind {
        row: "a metric",
        folder: "nn-runtime/src/train/metrics",
        marks: &["MetricOn<", "class_score!", "error_metric! {"],
        test: "tests/metrics",
        lists: &["nn-runtime/src/lib.rs", "CHANGELOG.md"],
    },
];

/// A list within a file, what it begins with and what it ends before.
const PLACES: [[&str; 4]; 3] = [
    ["a layer", "nn-runtime/src/layers/signatures.rs", "signatures! {\n", "\n}"],
    ["a loss", "nn-runtime/src/losses/heads.rs", "taken_by! {\n    ", "\n}"],
    ["a schedule", "nn-runtime/src/train/schedule/mod.rs", "note = \"one of", "\n"],
];

/// One of a kind: its name and the file under the folder that `mod.rs` takes it from.
struct Item {
    name: String,
    file: String,
}

impl Kind {
    fn list(&self) -> String {
        format!("{}/mod.rs", self.folder)
    }

    /// What `mod.rs` lists with `pub use`, but for enums, traits, functions and helpers.
    fn items(&self, tree: &Tree) -> Vec<Item> {
        let others = self.declared(tree, &["enum", "trait", "fn", "const"]);
        let code = tokens(tree.get(&self.list()));
        let mut items = Vec::new();
        for i in (0..code.len()).filter(|&i| text(&code, i) == "pub" && text(&code, i + 1) == "use") {
            let file = text(&code, i + 2).to_owned();
            let end = (i..code.len()).find(|&i| text(&code, i) == ";").unwrap_or(code.len());
            let words = code[i + 3..end].iter().map(|token| &token.text);
            for name in words.filter(|word| word.starts_with(char::is_uppercase)) {
                let source = self.source(tree, &file);
                if !others.contains(name) && self.marks.iter().any(|mark| source.contains(mark)) {
                    items.push(Item { name: name.clone(), file: file.clone() });
                }
            }
        }
        items
    }

    /// A file of the folder and what lies below it.
    fn source(&self, tree: &Tree, file: &str) -> String {
        let below = format!("{}/{file}/", self.folder);
        let all = tree.within(&below, ".rs").map(|(_, text)| text);
        [tree.get(&format!("{}/{file}.rs", self.folder))].into_iter().chain(all).collect::<Vec<_>>().join("\n")
    }

    /// Names that follow one of these words anywhere in the folder; of enums their variants too.
    fn declared(&self, tree: &Tree, words: &[&str]) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (_, source) in tree.within(self.folder, ".rs") {
            let code = tokens(source);
            for i in (0..code.len()).filter(|&i| words.contains(&text(&code, i))) {
                all.insert(text(&code, i + 1).to_owned());
                if text(&code, i) == "enum" {
                    let open = (i..code.len()).find(|&i| text(&code, i) == "{").unwrap_or(i);
                    all.extend(code[group(&code, open)].iter().map(|token| token.text.clone()));
                }
            }
        }
        all
    }

    /// What has been forgotten of one item.
    fn missing(&self, tree: &Tree, item: &Item) -> Vec<String> {
        let (name, x) = (&item.name, snake(&item.name));
        let mut missing = Vec::new();
        let mut step = |done: bool, what: String| missing.extend((!done).then_some(what));
        match docs(&self.source(tree, &item.file), name) {
            None => step(false, format!("{}/{}.rs: no `///` above `{name}`", self.folder, item.file)),
            Some(docs) => {
                let page = format!("{}/{}.rs: the docs of `{name}`", self.folder, item.file);
                step(docs.contains("```"), format!("{page} lack an example (```)"));
                let compared = ["PyTorch", "Keras", "JAX", "Optax"].iter().any(|other| docs.contains(other));
                step(compared, format!("{page} do not say how PyTorch or Keras call it, or that they have none"));
                step(has_formula(&docs), format!("{page} lack a formula in backticks, or a paper with its year"));
            }
        }
        let test = self.test.replace("<x>", &x);
        // A list that has them all tests none of them for itself.
        let own = tree.within(&test, ".rs").filter(|(path, _)| !self.lists.contains(path));
        let tests: Vec<(&str, &str)> = own.filter(|(_, text)| names(&body(text), name)).collect();
        step(!tests.is_empty(), format!("{test}: no test names `{name}`"));
        // Noise has no reference.
        if !name.starts_with("Dropout") && !tests.is_empty() {
            let layer = self.row == "a layer";
            let one = |text: &str| if layer { has_reference(text) } else { compared(text, name) };
            let reference = tests.iter().any(|(_, text)| one(text));
            step(reference, format!("{test}: `{name}` is compared with no reference (`load(..)`, `against_..(..)`)"));
        }
        if self.row == "a layer" {
            let drawn = tree.within("tests/graphs/", ".rs").any(|(_, text)| names(text, name));
            let what = format!("tests/graphs draws no `{name}`: add kinds/{x}.rs, or say in `NOT_DRAWN` why not");
            step(drawn, what);
        }
        for list in self.lists {
            let text = tree.get(list);
            // An import alone tests nothing.
            let text = if list.starts_with("tests/") { body(text) } else { text.to_owned() };
            step(names(&text, name), format!("{list} does not name `{name}`"));
        }
        for [_, list, from, to] in PLACES.into_iter().filter(|place| place[0] == self.row) {
            let rest = tree.get(list).split_once(from).map_or("", |(_, rest)| rest);
            let place = rest.split(to).next().unwrap_or("");
            let formula = self.row == "a layer" && item.file == "activation";
            step(formula || names(place, name), format!("{list}: `{}` lacks `{name}`", from.trim_end()));
        }
        let readme = prose(tree.get("README.md"));
        let listed = [format!("`{name}`"), format!("`{name}(")].iter().any(|word| readme.contains(word));
        step(listed, format!("README.md does not list `{name}`"));
        missing
    }

    /// Files that hold one and are not listed.
    fn unlisted(&self, tree: &Tree) -> Vec<String> {
        let listed: BTreeSet<String> = self.items(tree).into_iter().map(|item| item.name).collect();
        let mut missing = Vec::new();
        for (path, source) in tree.within(self.folder, ".rs") {
            let file = path.rsplit('/').next().unwrap().trim_end_matches(".rs");
            let alone = path.matches('/').count() == self.folder.matches('/').count() + 1;
            let code = tokens(source);
            let structs = (1..code.len()).filter(|&i| text(&code, i - 1) == "pub" && text(&code, i) == "struct");
            let mut names = structs.map(|i| text(&code, i + 1));
            let own = names.find(|name| snake(name) == file);
            let marked = self.marks.iter().any(|mark| source.contains(mark));
            if let Some(name) = own.filter(|name| alone && marked && !listed.contains(*name)) {
                missing.push(format!("{} lacks `mod {file};` and `pub use {file}::{name};`", self.list()));
            }
        }
        missing
    }
}

/// The names of all layers.
pub fn layers(tree: &Tree) -> Vec<String> {
    KINDS[0].items(tree).into_iter().map(|item| item.name).collect()
}

/// The doc comment directly above the declaration of a name.
pub fn docs(source: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let declares = |line: &str| {
        let line = line.trim_start();
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let first = words.find(|word| !["pub", "struct"].contains(word));
        !line.starts_with(['/', '#']) && first.is_some_and(|word| word == name || word == snake(name))
    };
    for (i, _) in lines.iter().enumerate().filter(|(_, line)| declares(line)) {
        let above = lines[..i].iter().rev().map(|line| line.trim_start());
        let above: Vec<&str> = above.take_while(|line| line.starts_with("//") || line.starts_with("#[")).collect();
        let docs: Vec<&str> = above.into_iter().rev().filter_map(|line| line.strip_prefix("///")).collect();
        if !docs.is_empty() {
            return Some(docs.join("\n"));
        }
    }
    None
}

/// A span of code that computes something, or the year of a paper.
fn has_formula(docs: &str) -> bool {
    // Neither the example nor the arguments' defaults are the formula.
    let docs: Vec<&str> = docs.split("```").step_by(2).flat_map(str::lines).collect();
    let docs: Vec<&str> = docs.into_iter().filter(|line| !line.trim_start().starts_with('|')).collect();
    let docs = docs.join("\n");
    let code = docs.split('`').skip(1).step_by(2).any(|code| code.contains(['=', '·', '/', '+', '²', '-', '→']));
    let year = |word: &str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    let years = docs.split(|c: char| !c.is_ascii_digit()).any(year);
    code || years
}

/// Code without its imports.
fn body(source: &str) -> String {
    let mut importing = false;
    let kept = source.lines().filter(|line| {
        importing |= line.starts_with("use ");
        let kept = !importing;
        importing &= !line.ends_with(';');
        kept
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// One test, or what stands before all tests, names it and has a reference.
fn compared(test: &str, name: &str) -> bool {
    let body = body(test);
    let mut parts = body.split("#[test]");
    let shared = parts.next().is_some_and(|part| names(part, name)) && has_reference(&body);
    shared || parts.any(|part| names(part, name) && has_reference(part))
}

fn has_reference(test: &str) -> bool {
    ["load(", "against_", "truth", "slopes(", "check_gradients("].iter().any(|word| test.contains(word))
}

/// Markdown without its blocks of code.
fn prose(markdown: &str) -> String {
    markdown.split("```").step_by(2).collect()
}

/// All that has been forgotten of these kinds.
fn forgotten<'a>(tree: &Tree, kinds: impl IntoIterator<Item = &'a Kind>) -> Vec<String> {
    let mut all = Vec::new();
    for kind in kinds {
        all.extend(kind.unlisted(tree));
        for item in kind.items(tree) {
            let missing = kind.missing(tree, &item);
            all.extend(missing.into_iter().map(|what| format!("{} {}: {what}", kind.row, item.name)));
        }
    }
    all
}

#[test]
fn no_step_of_the_checklist_is_forgotten() {
    let tree = Tree::read();
    for (kind, least) in KINDS.iter().zip([50, 12, 9, 7, 15]) {
        let names: Vec<String> = kind.items(&tree).into_iter().map(|item| item.name).collect();
        assert!(names.len() >= least, "{}: only {names:?} are found in {}", kind.row, kind.list());
    }
    let all = forgotten(&tree, &KINDS);
    assert!(all.is_empty(), "steps of CONTRIBUTING's checklist are missing:\n  {}", all.join("\n  "));
}

/// Whoever forgets a step is told which.
#[test]
fn each_forgotten_step_is_named() {
    let whole = Tree::read();
    let told = |row: &str, what: &str, change: &dyn Fn(&mut Tree)| {
        let mut tree = whole.clone();
        change(&mut tree);
        let all = forgotten(&tree, KINDS.iter().filter(|kind| kind.row == row));
        assert!(all.iter().any(|line| line.contains(what)), "`{what}` is not among {all:?}");
    };
    let edit = |path: &'static str, from: &'static str, to: &'static str| {
        move |tree: &mut Tree| {
            let text = tree.files.get_mut(path).unwrap_or_else(|| panic!("{path}"));
            assert!(text.contains(from), "{path} holds {from}");
            *text = text.replace(from, to);
        }
    };
    let (losses, hinge) = ("nn-runtime/src/losses/mod.rs", "nn-runtime/src/losses/hinge.rs");
    told("a loss", "losses/mod.rs lacks `mod hinge;`", &edit(losses, "pub use hinge::Hinge;", ""));
    told("a loss", "the docs of `Hinge` lack an example", &edit(hinge, "/// ```", "///"));
    told("a loss", "how PyTorch or Keras call it", &|tree| {
        edit(hinge, "Keras", "")(tree);
        edit(hinge, "PyTorch", "")(tree);
    });
    told("a loss", "tests/losses/hinge.rs: no test names `Hinge`", &|tree| {
        tree.files.remove("tests/losses/hinge.rs");
    });
    told("a loss", "`Hinge` is compared with no reference", &edit("tests/losses/hinge.rs", "against_", "beside_"));
    told("a loss", "tests/losses/nan.rs does not name `Hinge`", &edit("tests/losses/nan.rs", "Hinge", "Other"));
    told("a loss", "README.md does not list `Hinge`", &edit("README.md", "`Hinge`", ""));
    told("a loss", "CHANGELOG.md does not name `Hinge`", &edit("CHANGELOG.md", "Hinge", ""));
    told("an optimiser", "Lion: README.md", &edit("README.md", "`Lion`", ""));
    told("an optimiser", "Lion: tests/optim", &|tree| {
        let tests = tree.files.iter_mut().filter(|(path, _)| path.starts_with("tests/optim"));
        tests.for_each(|(_, text)| *text = text.replace("Lion", "Other"));
    });
    let heads = "nn-runtime/src/losses/heads.rs";
    told("a loss", "`taken_by! {` lacks `Hinge`", &edit(heads, "Hinge: AnyHead", "Other: AnyHead"));
    told("a loss", "nan.rs does not name `Hinge`", &edit("tests/losses/nan.rs", "check(&Hinge", "check(&Other"));
    told("an optimiser", "fixed.rs does not name `Lion`", &edit("tests/updates/fixed.rs", "Lion", "Other"));
    told(
        "an optimiser",
        "`Lion` is compared with no",
        &edit("tests/optim/main.rs", "against_pytorch(\"lion\"", "(\"lion\""),
    );
    told("an optimiser", "the docs of `Lion` lack a formula", &|tree| {
        let page = tree.files.get_mut("nn-runtime/src/optim/lion.rs").unwrap();
        let (before, rest) = page.split_once("/// Lion: ").unwrap();
        *page = format!("{before}/// |{}", rest.split_once("/// |").unwrap().1.replace("2023", "lately"));
    });
    told("a schedule", "CHANGELOG.md does not name `Warmup`", &edit("CHANGELOG.md", "Warmup", ""));
    let schedules = "nn-runtime/src/train/schedule/mod.rs";
    told("a schedule", "`note = \"one of` lacks `Warmup`", &edit(schedules, "`Warmup`, ", ""));
    told("a layer", "`signatures! {` lacks `Glu`", &edit("nn-runtime/src/layers/signatures.rs", "Glu()", "Other()"));
    told("a layer", "CHANGELOG.md does not name `Glu`", &edit("CHANGELOG.md", "Glu", ""));
    told("a layer", "`Glu` is compared with no", &edit("tests/layers/glu.rs", "against_", "beside_"));
    told("a schedule", "Warmup: nn-runtime/src/lib.rs", &edit("nn-runtime/src/lib.rs", "Warmup", ""));
    told("a layer", "Glu: tests/layers", &|tree| {
        let tests = tree.files.iter_mut().filter(|(path, _)| path.starts_with("tests/layers"));
        tests.for_each(|(_, text)| *text = text.replace("Glu", "Other"));
    });
    told("a layer", "tests/graphs draws no `Conv2d`", &|tree| {
        let tests = tree.files.iter_mut().filter(|(path, _)| path.starts_with("tests/graphs/"));
        tests.for_each(|(_, text)| *text = text.replace("Conv2d", "Other"));
    });
    told("a layer", "Glu: README.md", &edit("README.md", "`Glu`", ""));
}

/// CONTRIBUTING's table says what is checked here.
#[test]
fn the_table_says_what_is_checked() {
    let tree = Tree::read();
    let table = tree.get("CONTRIBUTING.md");
    for kind in &KINDS {
        let begins = format!("| {} |", kind.row);
        let row = table.lines().find(|line| line.starts_with(&begins));
        let row = row.unwrap_or_else(|| panic!("CONTRIBUTING.md's table has no row for {}", kind.row));
        let folder = format!("{}/<x>.rs", kind.folder);
        let places = [&*folder, kind.test, "mod.rs", "README"];
        let graphs = (kind.row == "a layer").then_some("tests/graphs/kinds/<x>.rs");
        for place in places.into_iter().chain(kind.lists.iter().copied()).chain(graphs) {
            assert!(
                row.contains(place.trim_end_matches(".md")),
                "CONTRIBUTING.md's row for {} does not name {place}",
                kind.row
            );
        }
    }
}
