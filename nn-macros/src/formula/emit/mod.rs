//! A formula becomes a type. In: the formula and its graph; out: the struct with its settings, its value and
//! derivatives as vector code, its place in the runtime, and a test. Total: it never fails. It names
//! `::nn_runtime::__private` and the user's own words only.

mod of_many;
mod settings;
mod steps;
mod test;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse_quote;

use crate::formula::Kind;
use crate::formula::codegen::{CodeNames, Style, code, const_name};
use crate::formula::dag::Dag;
use crate::formula::derivative_from_output::from_output;
use crate::formula::lower::Lowered;
use crate::formula::node::{Constant, Function, Id, Node, Operator};
use crate::formula::parse::{Formula, Limit, Setting};
use crate::formula::simplified;
use settings::{defaults, inherent, limit_of};
use steps::steps;

/// ```text
/// #[doc..] #[derive(..)] pub struct Swish { beta: f32 }
/// const _: () = { /* settings, `rule`, the formula, the layer */ };
/// #[cfg(test)] #[test] fn derivative_of_swish() { /* … */ }
/// ```
pub fn formula(formula: &Formula, kind: Kind, lowered: &Lowered) -> TokenStream {
    let (dag, root) = simplified(lowered);
    let items = match kind {
        Kind::Activation if learnt(formula).next().is_some() => learning(formula, lowered, dag, root),
        Kind::Activation => activation(formula, lowered, dag, root),
        Kind::Loss if lowered.over.is_some() => of_many::loss(formula, lowered),
        Kind::Loss => loss(formula, lowered, dag, root),
    };
    let shell = shell(formula, kind, consts(lowered), items);
    let test = test::test(formula, kind, lowered);
    quote!(#shell #test)
}

/// What is left of a formula with errors: the identity, or the difference.
pub fn stub(of: &Formula, kind: Kind) -> TokenStream {
    let mut dag = Dag::simplifying();
    let x = dag.intern(Node::Argument(0));
    let arguments = match kind {
        Kind::Activation => vec![ident("x")],
        Kind::Loss => vec![ident("y"), ident("t")],
    };
    let first = |i: usize, name: &Ident| of.settings[..i].iter().all(|earlier| earlier.name != *name);
    let settings = of.settings.iter().enumerate();
    let settings = settings.filter(|(i, setting)| !kind.takes(&setting.name) && first(*i, &setting.name));
    let settings = settings.map(|(_, setting)| Setting {
        attrs: setting.attrs.clone(),
        learn: setting.learn,
        name: setting.name.clone(),
        default: parse_quote!(0.0),
    });
    let formula = Formula {
        attrs: of.attrs.clone(),
        vis: of.vis.clone(),
        written: of.written.clone(),
        name: of.name.clone(),
        arguments,
        settings: settings.collect(),
        limits: Vec::new(),
        body: None,
    };
    let plain = Lowered { dag: Dag::plain(), root: x, paths: Vec::new(), sums: Vec::new(), over: None };
    let items = match kind {
        Kind::Activation => activation(&formula, &plain, dag, x),
        Kind::Loss => loss(&formula, &plain, dag, x),
    };
    shell(&formula, kind, TokenStream::new(), items)
}

/// ```text
/// const __C0: f32 = SCALE;
/// ```
/// A const of another type is told here, and once.
fn consts(lowered: &Lowered) -> TokenStream {
    let consts = lowered.paths.iter().enumerate().map(|(i, path)| {
        let name = const_name(i);
        quote_spanned!(Span::mixed_site()=> const #name: ::core::primitive::f32 = #path;)
    });
    consts.collect()
}

/// The most settings with which a function can be run in place, without a context.
const SETTINGS_OF_SAMPLE: usize = 4;

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn constants(formula: &Formula) -> impl Iterator<Item = &Setting> {
    formula.settings.iter().filter(|setting| !setting.learn)
}

fn learnt(formula: &Formula) -> impl Iterator<Item = &Setting> {
    formula.settings.iter().filter(|setting| setting.learn)
}

/// What learnt parameters are called in the code.
fn params(formula: &Formula) -> Vec<Ident> {
    learnt(formula).enumerate().map(|(i, _)| ident(&format!("__p{i}"))).collect()
}

/// The struct, and everything else behind a const, whose names nobody sees.
fn shell(formula: &Formula, kind: Kind, consts: TokenStream, items: TokenStream) -> TokenStream {
    let Formula { attrs, vis, name, settings, .. } = formula;
    let at = Span::mixed_site();
    let fields = settings.iter().map(|setting| &setting.name);
    let partial_eq = (kind == Kind::Loss).then(|| quote_spanned!(at=> ::core::cmp::PartialEq,));
    let derive = quote_spanned! {at=>
        #[::core::prelude::v1::derive(::core::clone::Clone, ::core::marker::Copy, #partial_eq ::core::fmt::Debug)]
    };
    let (inherent, defaults) = (inherent(formula, kind), defaults(formula));
    let structure = quote!(#(#attrs)* #derive #vis struct #name);
    // A unit is a value too: as an argument (`activation = Relu`) it is told by the layer alone.
    let fields = match settings.is_empty() {
        true => quote_spanned!(at=> ;),
        false => quote_spanned!(at=> { #(#fields: ::core::primitive::f32,)* }),
    };
    quote_spanned! {at=>
        #structure #fields
        #[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
        const _: () = {
            use ::nn_runtime::__private as __nn;
            #consts
            #inherent
            #defaults
            #items
        };
    }
}

/// ```text
/// pub const fn rule(&self, [x]: [Shape; 1]) -> Rule { … }
/// ```
fn rule(formula: &Formula, spec: TokenStream) -> TokenStream {
    let (at, name) = (Span::mixed_site(), &formula.name);
    let limits = formula.limits.iter().map(|limit| {
        let setting = &formula.settings[limit.setting].name;
        let (holds, fault) = limit_of(formula, limit, quote!(self.#setting), None);
        // A default that does not keep to it is told where it stands.
        let (given, default) = (quote!(self.#setting), quote_spanned!(at=> #name::new().#setting));
        quote_spanned!(at=> if #holds || #given == #default {} else { return __nn::Rule::Err(#fault); })
    });
    // `self` of the user's tokens and of ours have to be one.
    let this = Ident::new("self", Span::call_site());
    quote_spanned! {at=>
        impl #name {
            /// `[…] -> […]`
            pub const fn rule(&#this, [__x]: [__nn::Shape; 1]) -> __nn::Rule {
                #(#limits)*
                #spec.ok()
            }
        }
    }
}

/// Settings as the code finds them: fields.
fn fields<'a>(settings: impl Iterator<Item = &'a Setting>) -> Vec<TokenStream> {
    settings.map(|setting| &setting.name).map(|name| quote!(self.#name)).collect()
}

/// A function without parameters: it runs in place, and the layer before it may do it on the way.
fn activation(formula: &Formula, lowered: &Lowered, mut dag: Dag, root: Id) -> TokenStream {
    let (at, name) = (Span::mixed_site(), &formula.name);
    let settings = fields(constants(formula));
    let x = [ident("__x")];
    let names = CodeNames { arguments: &x, settings: &settings, learnt: &[], paths: &lowered.paths };
    let slope = dag.derivative(root, Node::Argument(0));
    let positive = positive(formula);
    let (value, y) = code(&dag, &[root], &names, Style::Vector);

    let from_output = from_output(&dag, root, slope, &positive);
    let output = from_output.is_some();
    let (slope_dag, slope) = from_output.unwrap_or_else(|| {
        let mut own = Dag::simplifying();
        let slope = dag.copy(slope, &mut own, &mut |_, _, _| None);
        (own, slope)
    });
    let (backward, dx) = backward(slope_dag, slope, &names);
    let from = ident(if output { "__y" } else { "__x" });
    let spec = quote_spanned!(at=> __nn::LayerSpec::output(__x).head(__nn::Head::Other));
    let spec = match (floor(&dag, root), output) {
        (Some(floor), _) => {
            let floor = Literal::f32_unsuffixed(floor);
            quote_spanned!(at=> __nn::floor(#spec, #floor).backward_without_x())
        }
        (None, true) if squashes(&dag, root) => {
            quote_spanned!(at=> #spec.squashes().elementwise(true).backward_in_place().backward_without_x())
        }
        (None, true) => quote_spanned!(at=> #spec.elementwise(true).backward_in_place().backward_without_x()),
        (None, false) => quote_spanned!(at=> #spec.elementwise(false).backward_in_place().backward_without_y()),
    };
    let names: Vec<&Ident> = formula.settings.iter().map(|setting| &setting.name).collect();
    let (spec, layer) = match names.len() <= SETTINGS_OF_SAMPLE {
        true => (
            quote_spanned!(at=> #spec.in_place(Self::of_sample, [#(#settings),*])
                .gradient_in_place(Self::gradient_of_samples)),
            quote_spanned!(at=> #name { #(#names),* }),
        ),
        false => (spec, quote_spanned!(at=> #name)),
    };
    let (rule, steps) =
        (rule(formula, quote_spanned!(at=> #spec.formula(__STEPS, [#(#settings),*]))), steps(&dag, root));
    let this = Ident::new("self", Span::call_site());
    quote_spanned! {at=>
        #steps
        #rule
        impl __nn::Curve for #name {
            const FROM_OUTPUT: ::core::primitive::bool = #output;
            #[inline(always)]
            fn value<S: __nn::Simd>(&#this, __s: S, __x: S::F) -> S::F {
                #value
                #(#y)*
            }
            #[inline(always)]
            fn backward<S: __nn::Simd>(&#this, __s: S, #from: S::F, __dy: S::F) -> S::F {
                #backward
                #dx
            }
        }
        __nn::curve_layer!(#layer);
    }
}

/// The derivative times `__dy`, which is itself part of the graph: a choice of 0 or 1 then costs no product.
fn backward(mut dag: Dag, slope: Id, names: &CodeNames) -> (TokenStream, TokenStream) {
    let dy = dag.intern(Node::Argument(names.arguments.len()));
    let dx = dag.binary(Operator::Mul, slope, dy);
    let arguments: Vec<Ident> = names.arguments.iter().cloned().chain([ident("__dy")]).collect();
    let (lets, roots) = code(&dag, &[dx], &CodeNames { arguments: &arguments, ..*names }, Style::Vector);
    (lets, quote!(#(#roots)*))
}

/// The constants that are known to be above 0.
fn positive(formula: &Formula) -> Vec<usize> {
    let above = |limit: &&Limit| {
        let bound = limit.bound.to_string().parse::<f64>();
        let sign = limit.sign.to_string();
        bound.is_ok_and(|bound| sign == ">" && bound >= 0.0 || sign.starts_with('>') && bound > 0.0)
    };
    let names: Vec<&Ident> =
        formula.limits.iter().filter(above).map(|limit| &formula.settings[limit.setting].name).collect();
    let constants = constants(formula).enumerate();
    constants.filter(|(_, setting)| names.contains(&&setting.name)).map(|(i, _)| i).collect()
}

/// The floor of `max(x, floor)`.
fn floor(dag: &Dag, root: Id) -> Option<f32> {
    match dag.node(root) {
        Node::Binary(Operator::Max, k, x) if dag.node(x) == Node::Argument(0) => {
            dag.value(k).filter(|k| *k >= 0.0).map(|k| k as f32)
        }
        _ => None,
    }
}

/// Whether the function is one that keeps to an interval.
fn squashes(dag: &Dag, root: Id) -> bool {
    matches!(dag.node(root), Node::Unary(Function::Tanh | Function::Sigmoid, _))
}

/// A function with parameters that are learnt.
fn learning(formula: &Formula, lowered: &Lowered, mut dag: Dag, root: Id) -> TokenStream {
    let (at, name) = (Span::mixed_site(), &formula.name);
    let settings = fields(constants(formula));
    let count = learnt(formula).count();
    let params = params(formula);
    let tokens: Vec<TokenStream> = params.iter().map(ToTokens::to_token_stream).collect();
    let x = [ident("__x")];
    let names = CodeNames { arguments: &x, settings: &settings, learnt: &tokens, paths: &lowered.paths };
    let slope = dag.derivative(root, Node::Argument(0));
    let slopes: Vec<Id> = (0..count).map(|i| dag.derivative(root, Node::Constant(Constant::Learnt(i)))).collect();
    let (value, y) = code(&dag, &[root], &names, Style::Vector);
    let dy = dag.intern(Node::Argument(1));
    let terms: Vec<Id> = slopes.into_iter().map(|slope| dag.binary(Operator::Mul, slope, dy)).collect();
    let arguments = [ident("__x"), ident("__dy")];
    let (backward_params, terms) = code(&dag, &terms, &CodeNames { arguments: &arguments, ..names }, Style::Vector);
    let mut own = Dag::simplifying();
    let slope = dag.copy(slope, &mut own, &mut |_, _, _| None);
    let (backward, dx) = backward(own, slope, &names);

    let this = Ident::new("self", Span::call_site());
    let spec = learnt(formula).map(|Setting { name, .. }| {
        let text = name.unraw().to_string();
        quote_spanned!(at=> .param(#text, __nn::Shape::of([1]), __nn::Init::Constant(#this.#name)))
    });
    let number = Literal::usize_unsuffixed(count);
    let spec = quote_spanned! {at=>
        __nn::LayerSpec::output(__x)#(#spec)*.head(__nn::Head::Other).saves(#number).per_step().backward_without_y()
    };
    let spec = quote_spanned!(at=> #spec.formula(__STEPS, [#(#settings),*]));
    let (rule, steps) = (rule(formula, spec), steps(&dag, root));
    quote_spanned! {at=>
        #steps
        #rule
        impl __nn::Learning<#number> for #name {
            #[inline(always)]
            fn value<S: __nn::Simd>(&#this, __s: S, [#(#params),*]: [S::F; #number], __x: S::F) -> S::F {
                #value
                #(#y)*
            }
            #[inline(always)]
            fn backward<S: __nn::Simd>(&#this, __s: S, [#(#params),*]: [S::F; #number], __x: S::F, __dy: S::F) -> S::F {
                #backward
                #dx
            }
            #[inline(always)]
            fn backward_params<S: __nn::Simd>(
                &#this,
                __s: S,
                [#(#params),*]: [S::F; #number],
                __x: S::F,
                __dy: S::F,
            ) -> [S::F; #number] {
                #backward_params
                [#(#terms),*]
            }
        }
        __nn::learning_layer!(#name, #number);
    }
}

/// A function of output and target.
fn loss(formula: &Formula, lowered: &Lowered, mut dag: Dag, root: Id) -> TokenStream {
    let (at, name) = (Span::mixed_site(), &formula.name);
    let settings = fields(constants(formula));
    let arguments = [ident("__y"), ident("__t")];
    let names = CodeNames { arguments: &arguments, settings: &settings, learnt: &[], paths: &lowered.paths };
    let slope = dag.derivative(root, Node::Argument(0));
    let (lets, roots) = code(&dag, &[root, slope], &names, Style::Vector);
    let this = Ident::new("self", Span::call_site());
    quote_spanned! {at=>
        impl __nn::Formula for #name {
            #[inline(always)]
            fn both<S: __nn::Simd>(&#this, __s: S, __y: S::F, __t: S::F) -> (S::F, S::F) {
                #lets
                (#(#roots),*)
            }
        }
        __nn::own_loss!(#name);
    }
}
