//! What is left of a declaration with errors. In: the header, as far as it is known, and the errors; out: the
//! errors beside a stub of the struct, so that the rest of the program still means something. Adds no error
//! of its own.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Header, Port};
use crate::emit::{Shell, structure};
use crate::errors::Errors;
use crate::graph::{MAX_INPUTS, MAX_OUTPUTS};

/// ```text
/// ::core::compile_error! { "…" }
/// pub struct Net;
/// const _: () = { /* a network that knows only its shapes, with passes that do nothing */ };
/// ```
pub fn stub(header: Option<&Header>, errors: &Errors) -> TokenStream {
    let Some(header) = header else { return quote!(#errors) };
    let structure = structure(header, TokenStream::new());
    let (inputs, outputs) = (shapes(&header.inputs), shapes(&header.outputs));
    let network = match (inputs, outputs) {
        // With more ports than there may be, the stub could not compile either.
        (Some(inputs), Some(outputs)) if inputs.len() <= MAX_INPUTS && outputs.len() <= MAX_OUTPUTS => {
            Shell { header, inputs, outputs }.stub()
        }
        _ => Shell::unit(header),
    };
    quote!(#errors #structure #network)
}

fn shapes(ports: &Option<Vec<Port>>) -> Option<Vec<&proc_macro2::Group>> {
    ports.as_ref()?.iter().map(|port| port.shape.as_ref()).collect()
}
