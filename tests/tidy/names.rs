//! One word for one thing: no type name is declared twice in a crate. The files of instruction sets, which mirror
//! each other, test code and associated types may repeat a name.

use std::collections::BTreeMap;

use crate::modules::Crate;
use crate::source::CRATES;

#[test]
#[ignore = "not green yet"]
fn a_type_name_means_one_thing() {
    let mut all = String::new();
    for folder in CRATES {
        let mut declared = BTreeMap::<String, Vec<String>>::new();
        for module in Crate::read(folder).modules.values().filter(|module| !module.file.contains("/simd/")) {
            for (name, line) in &module.types {
                declared.entry(name.clone()).or_default().push(format!("{}:{line}", module.file));
            }
        }
        assert!(declared.len() > 30, "{folder}: only {} types are found", declared.len());
        for (name, places) in declared.iter().filter(|(_, places)| places.len() > 1) {
            all += &format!("  `{name}` in {}\n", places.join(", "));
        }
    }
    assert!(
        all.is_empty(),
        "type names that mean several things:\n{all}help: rename all but one, in the field's words"
    );
}
