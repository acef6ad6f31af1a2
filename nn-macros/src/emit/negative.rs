//! Negative numbers in an array that a layer is given: `Reshape([-1])`. In: an argument; out: the same, with
//! each such number by a trait that lengths lack, so that the type checker says in a sentence what to write.
//! Where they may be negative nothing changes.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

/// Whether there is one.
pub fn any(argument: &Expr) -> bool {
    matches!(argument, Expr::Array(array) if array.elems.iter().any(|expr| digits(expr).is_some()))
}

/// ```text
/// [<_ as __nn::Negative<1>>::VALUE]
/// ```
pub fn told(argument: &Expr) -> TokenStream {
    let Expr::Array(array) = argument else { return argument.to_token_stream() };
    let element = |expr: &Expr| match digits(expr) {
        Some((sign, number)) => {
            let end = quote_spanned!(number.span()=> VALUE);
            quote_spanned!(sign=> <_ as __nn::Negative<#number>>::#end)
        }
        None => expr.to_token_stream(),
    };
    let elements = array.elems.iter().map(element);
    let mut group = Group::new(Delimiter::Bracket, quote!(#(#elements),*));
    group.set_span(array.bracket_token.span.join());
    group.to_token_stream()
}

/// The number behind a minus, and where the minus stands.
fn digits(expr: &Expr) -> Option<(Span, &syn::LitInt)> {
    match expr {
        Expr::Unary(ExprUnary { op: UnOp::Neg(sign), expr, .. }) => match &**expr {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number.suffix().is_empty() => {
                Some((Span::mixed_site().located_at(sign.span()), number))
            }
            _ => None,
        },
        _ => None,
    }
}
