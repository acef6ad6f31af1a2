//! Tokens become a declaration. In: what stands in `network! { … }`; out: as much of it as can be read, and
//! every mistake in its syntax. It goes on behind each mistake at the next `->` or `;`, and looks no name up.

mod args;
mod body;
mod header;
pub mod pretty;
mod step;
pub mod tokens;

use proc_macro2::TokenStream;

use crate::ast::Network;
use crate::errors::Errors;
use tokens::Tokens;

/// Reads a declaration; `None` if it has not even a name.
pub fn parse(input: TokenStream, errors: &mut Errors) -> Option<Network> {
    let mut tokens = Tokens::new(input);
    let header = header::header(&mut tokens, errors);
    let body = header::braces(&mut tokens, errors);
    let statements = body.as_ref().map_or_else(Vec::new, |body| body::statements(body, errors));
    Some(Network { header: header?, statements, body })
}
