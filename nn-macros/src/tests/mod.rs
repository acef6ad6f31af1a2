//! What the macro answers. In: declarations, sound and faulty; out: nothing, or a test that says what differs. Whether rustc
//! likes the answer is tested where the runtime is.

mod faults;
mod formulas;
mod snapshots;
mod soup;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::{graph, parse};

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
