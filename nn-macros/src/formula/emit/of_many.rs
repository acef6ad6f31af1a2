//! A loss that says something of more than one number: sums over a row or a window, the number before. In:
//! the formula and its graph, in which sums are arguments; out: its parts (the terms of each sum, then the
//! formula itself) and their slopes as vector code, and the formula once more in `f64` for its test.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{constants, fields, ident};
use crate::formula::codegen::{CodeNames, Style, code};
use crate::formula::dag::Dag;
use crate::formula::lower::{BEFORE, COUNT, Lowered, Over, SUMS};
use crate::formula::node::{Id, Node};
use crate::formula::parse::Formula;

/// What the arguments are called: output and target, both of the place before, the count, the sums.
fn arguments(sums: usize) -> Vec<Ident> {
    let first = ["__y", "__t", "__before_y", "__before_t", "__n"].into_iter().map(ident);
    first.chain((0..sums).map(|j| ident(&format!("__sum{j}")))).collect()
}

/// ```text
/// impl FormulaOfMany for Esr {
///     const SUMS: usize = 2;
///     const WHOLE: bool = true;
///     const READS: &'static [u32] = &[0b000001, 0b000000, 0b110000];
///     fn part(&self, s, part, x) -> S::F { match part { 0 => …, 1 => …, _ => … } }
///     fn slope(&self, s, part, by, x) -> S::F { match (part, by) { (0, 0) => …, … } }
/// }
/// ```
pub fn loss(formula: &Formula, lowered: &Lowered) -> TokenStream {
    let (at, name) = (Span::mixed_site(), &formula.name);
    let settings = fields(constants(formula));
    let arguments = arguments(lowered.sums.len());
    let names = CodeNames { arguments: &arguments, settings: &settings, learnt: &[], paths: &lowered.paths };
    let parts: Vec<Id> = lowered.sums.iter().copied().chain([lowered.root]).collect();
    // What a part is derived by: the output, the output before, each sum.
    let by: Vec<usize> = [0, BEFORE].into_iter().chain((0..lowered.sums.len()).map(|j| SUMS + j)).collect();
    let (mut values, mut slopes, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for (part, id) in parts.iter().enumerate() {
        let mut dag = Dag::simplifying();
        let root = lowered.dag.copy(*id, &mut dag, &mut |_, _, _| None);
        let (lets, value) = code(&dag, &[root], &names, Style::Vector);
        let part = Literal::usize_unsuffixed(part);
        values.push(quote_spanned!(at=> #part => { #lets #(#value)* }));
        let mut mask = 0u32;
        for (k, argument) in by.iter().enumerate() {
            let slope = dag.derivative(root, Node::Argument(*argument));
            if dag.value(slope) == Some(0.0) {
                continue;
            }
            mask |= 1 << k;
            let (lets, slope) = code(&dag, &[slope], &names, Style::Vector);
            let k = Literal::usize_unsuffixed(k);
            slopes.push(quote_spanned!(at=> (#part, #k) => { #lets #(#slope)* }));
        }
        reads.push(Literal::u32_unsuffixed(mask));
    }
    let count = Literal::usize_unsuffixed(lowered.sums.len());
    let whole = lowered.over == Some(Over::Window);
    let unpack = unpack(&arguments);
    let this = Ident::new("self", Span::call_site());
    quote_spanned! {at=>
        impl __nn::FormulaOfMany for #name {
            const SUMS: ::core::primitive::usize = #count;
            const WHOLE: ::core::primitive::bool = #whole;
            const READS: &'static [::core::primitive::u32] = &[#(#reads),*];
            #[inline(always)]
            fn part<S: __nn::Simd>(&#this, __s: S, __part: ::core::primitive::usize, __x: &[S::F]) -> S::F {
                #unpack
                match __part {
                    #(#values,)*
                    _ => __s.splat(0.0),
                }
            }
            #[inline(always)]
            fn slope<S: __nn::Simd>(
                &#this,
                __s: S,
                __part: ::core::primitive::usize,
                __by: ::core::primitive::usize,
                __x: &[S::F],
            ) -> S::F {
                #unpack
                match (__part, __by) {
                    #(#slopes,)*
                    _ => __s.splat(0.0),
                }
            }
        }
        __nn::own_loss_of_many!(#name);
    }
}

fn unpack(arguments: &[Ident]) -> TokenStream {
    let numbers = (0..arguments.len()).map(Literal::usize_unsuffixed);
    quote_spanned!(Span::mixed_site()=> #(let #arguments = __x[#numbers];)*)
}

/// ```text
/// check_loss_of_many("esr", &formula, |at, n| { let sum0 = at.sum(|…| …); at.sum(|…| …) / n });
/// ```
pub fn test(formula: &Formula, lowered: &Lowered, own: &Ident) -> TokenStream {
    let at = Span::mixed_site();
    let settings: Vec<TokenStream> = constants(formula)
        .map(|setting| {
            let name = &setting.name;
            quote!(#own.#name)
        })
        .collect();
    let arguments = arguments(lowered.sums.len());
    let names = CodeNames { arguments: &arguments, settings: &settings, learnt: &[], paths: &lowered.paths };
    let [y, t, before_y, before_t] = [0, 1, BEFORE, BEFORE + 1].map(|i| &arguments[i]);
    let term = |id: Id| {
        let (lets, root) = code(&lowered.dag, &[id], &names, Style::Double);
        quote_spanned!(at=> __at.sum(|[#y, #t, #before_y, #before_t]: [::core::primitive::f64; 4]| { #lets #(#root)* }))
    };
    let sums = lowered.sums.iter().zip(&arguments[SUMS..]).map(|(id, name)| {
        let sum = term(*id);
        quote_spanned!(at=> let #name = #sum;)
    });
    let (count, whole, text) = (&arguments[COUNT], term(lowered.root), &formula.written);
    quote_spanned! {at=>
        __nn::check_loss_of_many(#text, &#own, |__at: &__nn::WideNumbers| {
            let #count = __at.count();
            #(#sums)*
            #whole / #count
        });
    }
}
