//! The test beside a formula. In: the formula as it was written; out: a function that compares vector code
//! with it, in double precision. It never simplifies: what it checks is whether simplifying was right.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{constants, ident, learnt, params};
use crate::case::snake;
use crate::formula::Kind;
use crate::formula::codegen::{CodeNames, Style, code};
use crate::formula::lower::Lowered;
use crate::formula::parse::{Formula, Setting};

/// ```text
/// #[cfg(test)] #[test] fn derivative_of_swish() { /* vector code against differences of the formula */ }
/// ```
pub fn test(formula: &Formula, kind: Kind, lowered: &Lowered) -> TokenStream {
    let at = Span::mixed_site();
    let own = ident("__formula");
    let settings: Vec<TokenStream> = constants(formula).map(|Setting { name, .. }| quote!(#own.#name)).collect();
    let count = learnt(formula).count();
    let params = params(formula);
    let tokens: Vec<TokenStream> = params.iter().map(ToTokens::to_token_stream).collect();
    if lowered.over.is_some() {
        let check = super::of_many::test(formula, lowered, &own);
        return test_of(formula, &own, check);
    }
    let arguments = match kind {
        Kind::Activation => vec![ident("__x")],
        Kind::Loss => vec![ident("__y"), ident("__t")],
    };
    let names = CodeNames { arguments: &arguments, settings: &settings, learnt: &tokens, paths: &lowered.paths };
    let (lets, root) = code(&lowered.dag, &[lowered.root], &names, Style::Double);
    let text = &formula.written;
    let check = match (kind, count) {
        (Kind::Activation, 0) => quote_spanned! {at=>
            __nn::check_curve(#text, &#own, |__x: ::core::primitive::f64| { #lets #(#root)* });
        },
        (Kind::Activation, _) => {
            let begin = learnt(formula).map(|Setting { name, .. }| quote!(#own.#name));
            quote_spanned! {at=>
                let __begin = [#(#begin),*];
                __nn::check_learning(#text, &#own, __begin, |[#(#params),*], __x: ::core::primitive::f64| { #lets #(#root)* });
            }
        }
        (Kind::Loss, _) => quote_spanned! {at=>
            __nn::check_loss(#text, &#own, |__y: ::core::primitive::f64, __t: ::core::primitive::f64| { #lets #(#root)* });
        },
    };
    test_of(formula, &own, check)
}

/// The test that makes this check.
fn test_of(formula: &Formula, own: &Ident, check: TokenStream) -> TokenStream {
    let (at, name) = (Span::mixed_site(), &formula.name);
    let test = Ident::new(&format!("derivative_of_{}", snake(&formula.written)), name.span());
    quote_spanned! {at=>
        #[cfg(test)]
        #[::core::prelude::v1::test]
        #[allow(unnameable_test_items, unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
        fn #test() {
            use ::nn_runtime::__private as __nn;
            let #own = #name::new();
            #check
        }
    }
}
