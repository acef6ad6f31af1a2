//! What the macro answers. In: declarations, sound and faulty; out: nothing, or a test that says what
//! differs. Whether rustc likes the answer is tested where the runtime is.

mod faults;
mod formulas;
mod fuzz;
mod snapshots;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::{graph, parse};

#[test]
fn tokens_are_printed_with_the_usual_spaces() {
    for text in [
        "Path::<T>(x + 1.0, -y)",
        "<const K: usize>",
        "Dense::<f32>(10)",
        "if x < 1.0 && !y { x.pow(2) } else { [a, b] }",
        "x - 1.0 * *y",
        "a::b::C(stride = 2, kernel: [3, 3])",
        "env!(\"N\").len()",
        "x -> Lstm(8)(m)",
    ] {
        assert_eq!(parse::pretty::pretty(&tokens(text)), text);
    }
}

fn tokens(source: &str) -> TokenStream {
    source.parse().expect("the test's own source has balanced brackets")
}

/// The texts of all faults, and whether there is a graph without any.
fn faults(source: TokenStream) -> (Vec<String>, bool) {
    let mut errors = Errors::default();
    let network = parse::parse(source, &mut errors);
    let graph = network.as_ref().and_then(|network| graph::resolve(network, &mut errors));
    (errors.texts(), graph.is_some())
}
