//! Expansions compared with `snapshots/<name>.rs`, formatted. `BLESS=1 cargo test -p nn-macros` writes them
//! anew.

use std::fmt::Write;
use std::{env, fs, path::PathBuf};

use proc_macro2::TokenStream;

use super::tokens;
use crate::expand::expand;
use crate::formula::{self, Kind};

fn snapshot(name: &str, source: &str) {
    compare(name, expand(tokens(source)));
}

fn activation(name: &str, source: &str) {
    compare(name, formula::expand(tokens(source), Kind::Activation));
}

fn loss(name: &str, source: &str) {
    compare(name, formula::expand(tokens(source), Kind::Loss));
}

fn compare(name: &str, expanded: TokenStream) {
    let file = syn::parse2::<syn::File>(expanded).expect("an expansion is a row of items");
    let found = prettyplease::unparse(&file);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(format!("{name}.rs"));
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &found).expect("snapshots/ can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "snapshots/{name}.rs differs; `BLESS=1` writes it anew\n{}", diff(&expected, &found));
}

/// The lines that differ, between what is equal at the start and at the end.
fn diff(expected: &str, found: &str) -> String {
    let (a, b): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut text = format!("from line {}:\n", start + 1);
    for (sign, lines) in [('-', &a[start..a.len() - end]), ('+', &b[start..b.len() - end])] {
        for line in lines {
            writeln!(text, "{sign} {line}").expect("a string can be written to");
        }
    }
    text
}

#[test]
fn weights() {
    snapshot(
        "weights",
        "#[weights(concat!(env!(\"OUT_DIR\"), \"/net.safetensors\"), Names::new().map(\"0\", \"head\"))]
        pub(crate) struct Net: [4] -> [2] { head: Dense(2) }",
    );
}

#[test]
fn a_chain() {
    snapshot(
        "chain",
        "/// The convolutional digit classifier.
        #[allow(dead_code)]
        pub struct Cnn: [1, SIDE, SIDE] -> [10] {
            Conv2d(32, 3, stride = 2, padding = Same) -> Relu -> layers::MaxPool2d(2);
            Flatten -> Dense(64);
            Dense(10)
        }",
    );
}

#[test]
fn several_sizes() {
    snapshot("sizes", "struct Net<const W: usize in [2, 3]>: [4] -> [1] { Dense(W) }");
}

#[test]
fn one_layer() {
    snapshot("one_layer", "struct One: [3] -> [4] { Dense(4) }");
}

#[test]
fn labels_and_a_checked_shape() {
    snapshot(
        "labels",
        "pub struct Net: [8] -> [10] { first: Dense(64) -> Relu -> [64]; Relu -> head: Dense::<f32>(10) -> Softmax; }",
    );
}

#[test]
fn a_fork_and_a_join() {
    snapshot(
        "residual",
        "pub struct Block: [16, 32, 32] -> [16, 32, 32] {
            let x = input;
            let y = x -> Conv2d(16, 3) -> BatchNorm;
            (x, y) -> Sum -> Relu
        }",
    );
}

#[test]
fn several_inputs() {
    snapshot(
        "inputs",
        "pub(crate) struct TwoTower: (image: [1, 28, 28], tags: [16]) -> [10] {
            let a = image -> Flatten -> Dense(32);
            let b = tags -> Dense(32);
            (a, b) -> Concat -> Dense(10)
        }",
    );
}

#[test]
fn several_outputs() {
    snapshot(
        "outputs",
        "pub struct Detector: [64] -> (class: [10], bounds: [4]) {
            let (h, g) = Split;
            let class = h -> Dense(10);
            let bounds = g -> Dense(4);
        }",
    );
}

#[test]
fn a_repetition() {
    snapshot("repeat", "pub struct Deep: [16] -> [10] { Block * (DEPTH - 1) -> body: Dense(16) * 2 -> Dense(10) }");
}

#[test]
fn shared_parameters() {
    snapshot(
        "share",
        "pub struct Tied: [16] -> [16] { tie: Dense(16) -> Relu; share(tie) -> again: share(tie) -> Dense(16) }",
    );
}

#[test]
fn frozen_parameters() {
    snapshot("frozen", "pub struct Tuned: [16] -> [10] { let h = frozen backbone: Deep; h -> frozen Dense(10) }");
}

#[test]
fn a_stub_beside_errors() {
    snapshot(
        "stub",
        "/// Docs.
        pub struct Net: (a: [16], b: [4]) -> (c: [10], d: [2]) { let c = a -> dense(10) let d = e -> Dense(2); }",
    );
}

#[test]
fn a_stub_of_a_header_alone() {
    snapshot("stub_unit", "pub struct Net: [] -> [10] { Dense(10) }");
}

#[test]
fn a_formula() {
    activation("activation", "/// A gate.\npub swish(x; beta = 1.0) = x * sigmoid(beta * x)");
}

#[test]
fn a_formula_whose_derivative_follows_from_its_value() {
    activation(
        "activation_from_output",
        "pub elu(x; /// How deep.\nalpha = 1.0) where alpha > 0.0 = if x > 0.0 { x } else { alpha * expm1(x) }",
    );
}

#[test]
fn a_floor() {
    activation("activation_floor", "relu(x) = max(x, 0.0)");
}

#[test]
fn a_formula_that_learns() {
    activation(
        "activation_learning",
        "pub bent(x; learn alpha = 0.25, scale = 2.0) = scale * tanh(alpha * x) + OFFSET * x.powi(2)",
    );
}

#[test]
fn a_loss() {
    loss("loss", "pub log_cosh(y, t; delta = 1.0) = delta * ln(cosh((y - t) / delta))");
}

#[test]
fn a_stub_of_a_formula() {
    activation("activation_stub", "pub Swish(x; beta = 1.0) = x * sigmod(beta * x)");
}
