//! Tokens become a declaration. In: what stands in `network! { … }`; out: as much of it as can be read, and
//! every mistake in its syntax. It goes on behind each mistake at the next arrow or `;`, and looks no name
//! up.

mod args;
mod body;
mod budget;
mod foreign;
mod header;
pub mod pretty;
mod sizes;
mod source;
mod step;
pub mod tokens;
pub mod weights;
mod wrapped;

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;

use crate::ast::{Header, Network};
use crate::case;
use crate::errors::Errors;
use tokens::Tokens;

/// Reads a declaration; `None` if it has not even a name.
pub fn parse(input: TokenStream, errors: &mut Errors) -> Option<Network> {
    let mut tokens = Tokens::new(input);
    let header = header::header(&mut tokens, errors);
    let body = header::braces(&mut tokens, errors);
    let values = Values::of(header.as_ref(), body.as_ref().map(|body| body.stream()).unwrap_or_default());
    let statements = body.as_ref().map_or_else(Vec::new, |body| body::statements(body, &values, errors));
    Some(Network { header: header?, statements, body })
}

/// The names of all inputs and of everything that a `let` binds, wherever it stands. Only to tell what a word
/// that stands in a wrong place was meant to be.
pub struct Values(Vec<String>);

impl Values {
    fn of(header: Option<&Header>, body: TokenStream) -> Values {
        let ports = header.and_then(|header| header.inputs.as_ref()).into_iter().flatten();
        let mut names: Vec<String> = ports.map(|port| port.name_or("input")).collect();
        let mut tokens = Tokens::new(body);
        while !tokens.at_end() {
            if tokens.is_word(0, "let") {
                let mut bound = Tokens::new(tokens.left());
                let end = bound.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
                names.extend(wrapped::idents(bound.take(end)).iter().map(|name| name.unraw().to_string()));
            }
            tokens.bump();
        }
        Values(names)
    }

    /// True if some value has this name.
    pub fn knows(&self, word: &Ident) -> bool {
        self.0.contains(&word.unraw().to_string())
    }

    /// True for what may name a value, and for Rust's own words where one is used as a name all the same:
    /// that is told where the name is given.
    pub fn may_be(&self, word: &Ident) -> bool {
        case::is_value(word) || self.knows(word)
    }
}
