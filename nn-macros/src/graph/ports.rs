//! Names of inputs and outputs. In: ports as they were written; out: ports with a name each, no two alike.
//! Shapes are handed on unread.

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::{MAX_INPUTS, MAX_OUTPUTS, NamedPort};
use crate::ast;
use crate::case::{is_keyword, is_snake, snake};
use crate::errors::Errors;

/// Every port with its name, or `otherwise`; `None` where a shape could not be read.
pub fn named<'a>(ports: &'a [ast::Port], otherwise: &str) -> Option<Vec<NamedPort<'a>>> {
    ports.iter().map(|port| Some(NamedPort { name: port.name_or(otherwise), shape: port.shape.as_ref()? })).collect()
}

/// Reports names that may not be, and more ports than there may be.
pub fn check(inputs: &[ast::Port], outputs: &[ast::Port], errors: &mut Errors) {
    let mut earlier: Vec<&Ident> = Vec::new();
    for name in inputs.iter().chain(outputs).filter_map(|port| port.name.as_ref()) {
        let text = name.unraw().to_string();
        if earlier.contains(&name) {
            errors.add(name, "a name of its own", &format!("`{name}` a second time"), &format!("`{name}_b: …`"));
        } else if !is_snake(&text) {
            errors.add(name, "a name in lower case", &format!("`{name}`"), &format!("`{}: …`", snake(&text)));
        } else if is_keyword(name) {
            errors.add(name, "a name", &format!("the Rust keyword `{name}`"), &format!("`{name}_: …`"));
        }
        earlier.push(name);
    }
    for (ports, most, what) in [(inputs, MAX_INPUTS, "inputs"), (outputs, MAX_OUTPUTS, "outputs")] {
        if let Some(port) = ports.get(most) {
            let help = "put some of them together in one shape";
            errors.add(&port.name, &format!("at most {most} {what}"), &ports.len().to_string(), help);
        }
    }
}
