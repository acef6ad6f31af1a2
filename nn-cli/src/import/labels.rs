//! What layers are called: labels out of the names of initialisers. In: layers with those names; out: labels
//! that Rust takes, each once.

use std::collections::BTreeSet;

use super::network::Network;

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum", "extern",
    "false", "final", "fn", "for", "frozen", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "self", "share", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Whether an exporter took the name from the model, and did not make it up.
pub fn means_something(name: &str) -> bool {
    let made_up = ["onnx::", "val_", "_val_", "const_", "coefficient", "intercept", "shape", "/"];
    !name.is_empty() && !made_up.iter().any(|begin| name.starts_with(begin))
}

/// The label that a name gives; nothing where it says nothing.
fn label_of(name: &str) -> Option<String> {
    if !means_something(name) {
        return None;
    }
    let general = |part: &&str| {
        let begins =
            ["StatefulPartitionedCall", "sequential", "functional", "model", "ReadVariableOp", "Cast", "kernel"];
        let whole = [
            "MatMul",
            "BiasAdd",
            "Conv2D",
            "Add",
            "add",
            "convolution",
            "Squeeze",
            "batchnorm",
            "weight",
            "bias",
            "gamma",
            "beta",
            "W",
            "R",
            "B",
            "",
        ];
        let parameter = part.starts_with("weight_") || part.starts_with("bias_") || part.starts_with("running_");
        !begins.iter().any(|begin| part.starts_with(begin)) && !whole.contains(part) && !parameter
    };
    let parts: Vec<&str> = name.trim_end_matches(":0").split(['/', '.']).filter(general).collect();
    // Of a path through a graph the last part; of a module's name all.
    let text = if name.contains('/') { (*parts.last()?).to_owned() } else { parts.join("_") };
    let text: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).take(40).collect();
    let text = text.trim_matches('_').to_owned();
    match text.chars().next()? {
        c if c.is_ascii_digit() => Some(format!("layer_{text}")),
        _ => Some(text),
    }
}

/// A name that Rust takes, and that nothing else has.
pub fn free(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    if KEYWORDS.contains(&name.as_str()) || name.is_empty() {
        name.push('_');
    }
    let first = name.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{first}_{number}");
        number += 1;
    }
    name
}

/// Labels all layers that have parameters.
pub fn label(network: &mut Network) {
    let mut taken = BTreeSet::new();
    let mut counts = std::collections::BTreeMap::new();
    network.sites.iter_mut().filter(|site| site.params.is_empty()).for_each(|site| site.label.clear());
    for site in network.sites.iter_mut().filter(|site| !site.params.is_empty()) {
        let given = Some(std::mem::take(&mut site.label)).filter(|label| !label.is_empty());
        let wanted = given.or_else(|| label_of(&site.hint)).unwrap_or_else(|| {
            let kind = snake(&site.kind);
            let count = counts.entry(kind.clone()).or_insert(0);
            *count += 1;
            format!("{kind}{count}")
        });
        site.label = free(&wanted, &mut taken);
    }
}

/// `GroupNorm` as `group_norm`.
fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_the_model() {
        let all = [
            ("fc1.weight", Some("fc1")),
            ("features.0.weight", Some("features_0")),
            ("0.weight", Some("layer_0")),
            ("StatefulPartitionedCall/sequential_1/hidden_1/Cast/ReadVariableOp:0", Some("hidden_1")),
            ("lstm_1/W", Some("lstm_1")),
            ("onnx::MatMul_6", None),
            ("val_3", None),
            ("coefficient1", None),
        ];
        for (name, label) in all {
            assert_eq!(label_of(name).as_deref(), label, "{name}");
        }
        let mut taken = BTreeSet::new();
        assert_eq!(["loop", "a", "a"].map(|name| free(name, &mut taken)), ["loop_", "a", "a_2"]);
    }
}
