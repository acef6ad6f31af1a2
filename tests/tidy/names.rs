//! One word for one thing: no type name is declared twice in a crate. The files of instruction sets, which
//! mirror each other, test code and associated types may repeat a name.

use std::collections::BTreeMap;

use crate::modules::{Crate, Module};
use crate::source::CRATES;

/// Names declared more than once, and where.
fn doubles<'a>(modules: impl IntoIterator<Item = &'a Module>) -> Vec<String> {
    let mut declared = BTreeMap::<&str, Vec<String>>::new();
    for module in modules.into_iter().filter(|module| !module.file.contains("/simd/")) {
        for (name, line) in &module.types {
            declared.entry(name).or_default().push(format!("{}:{line}", module.file));
        }
    }
    let doubles = declared.iter().filter(|(_, places)| places.len() > 1);
    doubles.map(|(name, places)| format!("`{name}` in {}", places.join(", "))).collect()
}

#[test]
fn a_type_name_means_one_thing() {
    let mut all = Vec::new();
    for folder in CRATES {
        let of = Crate::read(folder);
        let types = of.modules.values().map(|module| module.types.len()).sum::<usize>();
        assert!(types > 30, "{folder}: only {types} types are found");
        all.extend(doubles(of.modules.values()));
    }
    assert!(
        all.is_empty(),
        "type names that mean several things:\n  {}\nhelp: rename all but one, in the field's words",
        all.join("\n  ")
    );
}

#[test]
fn a_name_that_is_declared_twice_is_found() {
    let module = |file: &str, name: &str| Module {
        file: file.to_owned(),
        types: vec![(name.to_owned(), 7)],
        ..Module::default()
    };
    let all = [module("a.rs", "Plan"), module("b.rs", "Plan"), module("b.rs", "Other")];
    assert_eq!(doubles(&all), ["`Plan` in a.rs:7, b.rs:7"]);
    let mirrored = [module("src/simd/avx2.rs", "F"), module("src/simd/neon.rs", "F")];
    assert!(doubles(&mirrored).is_empty(), "instruction sets mirror each other");
}

/// Names that the prelude brings and that are no layers, but which no list of `editor.rs` holds.
fn offered(library: &str, losses: &str, editor: &str) -> Vec<String> {
    let brought = |text: &str, of: &str| -> Vec<String> {
        let uses = text.split("pub use ").skip(1).filter_map(|one| one.split(';').next());
        let uses = uses.filter(|one| one.starts_with(of) && !one.starts_with("crate::layers"));
        let names = uses.flat_map(|one| one.split(|c: char| !c.is_alphanumeric()));
        names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned).collect()
    };
    let prelude = library.split("pub mod prelude {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or("");
    let mut names = brought(prelude, "crate::");
    names.extend(brought(losses, ""));
    let listed: Vec<&str> = editor.split(|c: char| !c.is_alphanumeric()).collect();
    names.retain(|name| !listed.contains(&name.as_str()));
    names
}

#[test]
fn editors_offer_layers_where_layers_go() {
    let tree = crate::tree::Tree::read();
    let [library, losses, editor] =
        ["lib.rs", "losses/mod.rs", "editor.rs"].map(|file| tree.get(&format!("nn-runtime/src/{file}")).to_owned());
    let missing = offered(&library, &losses, &editor);
    assert!(missing.is_empty(), "an editor offers {missing:?} as layers\nhelp: list them in nn-runtime/src/editor.rs");
    assert_eq!(offered(&library, &losses, &editor.replace(" TopK", "").replace(" Link ", " ")), ["TopK", "Link"]);
}
