//! The pipeline of a formula on one screen. In: the tokens of `activation!` or `loss!`; out: types with their
//! values and derivatives as vector code, each with a test beside it, or every error found and stubs. It may
//! decide nothing itself.

mod codegen;
mod dag;
mod derivative_from_output;
mod derive;
mod emit;
mod foreign;
mod functions;
mod lower;
mod node;
mod parse;
mod simplify;
mod stable;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::errors::Errors;
use dag::Dag;
use node::Node;

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function of one number, as a layer.
    Activation,
    /// A function of an output and its target.
    Loss,
}

impl Kind {
    fn arguments(self) -> usize {
        match self {
            Kind::Activation => 1,
            Kind::Loss => 2,
        }
    }

    fn signature(self) -> &'static str {
        match self {
            Kind::Activation => "one argument",
            Kind::Loss => "two arguments, output and target",
        }
    }

    /// True for names of methods that are there anyway.
    fn takes(self, name: &proc_macro2::Ident) -> bool {
        let taken: &[&str] = match self {
            Kind::Activation => &["new", "rule", "forward", "apply"],
            Kind::Loss => &["new", "value", "gradient", "fault", "correct"],
        };
        taken.iter().any(|taken| name == taken)
    }

    fn example(self) -> &'static str {
        match self {
            Kind::Activation => "`pub swish(x; beta = 1.0) = x * sigmoid(beta * x)`",
            Kind::Loss => "`pub log_cosh(y, t) = ln(cosh(y - t))`",
        }
    }
}

pub fn expand(tokens: TokenStream, kind: Kind) -> TokenStream {
    let mut errors = Errors::default();
    let formulas = parse::formulas(tokens, kind, &mut errors);
    let lowered: Vec<_> = formulas.iter().map(|formula| sound(formula, kind, &mut errors)).collect();
    if errors.is_empty() {
        return formulas
            .iter()
            .zip(lowered)
            .filter_map(|(formula, lowered)| Some(emit::formula(formula, kind, &lowered?)))
            .collect();
    }
    let stubs = formulas.iter().map(|formula| emit::stub(formula, kind));
    quote!(#errors #(#stubs)*)
}

/// The formula as a graph, if it is one whose derivative means something.
fn sound(formula: &parse::Formula, kind: Kind, errors: &mut Errors) -> Option<lower::Lowered> {
    reserved(formula, kind, errors);
    let lowered = lower::lower(formula, errors)?;
    let slopes = [Node::Argument(0), Node::Argument(lower::BEFORE)];
    let all: Vec<node::Id> = lowered.sums.iter().copied().chain([lowered.root]).collect();
    if !lowered.dag.holds(&all, |node| slopes.contains(&node))
        && let Some(name) = formula.arguments.first()
        && errors.is_empty()
    {
        errors.add(&formula.body, &format!("a formula of `{name}`"), "one without it", kind.example());
    }
    if errors.is_empty()
        && let Some(found) = all.iter().find_map(|part| lowered.dag.not_finite(*part))
    {
        let help = "such a formula is NaN or infinite wherever it is asked: write another number";
        errors.add(&formula.body, "numbers that make a number", &found, help);
    }
    Some(lowered)
}

/// Settings become methods: some names are taken, and a layer holds eight parameters at most.
fn reserved(formula: &parse::Formula, kind: Kind, errors: &mut Errors) {
    for setting in formula.settings.iter().filter(|setting| kind.takes(&setting.name)) {
        let name = &setting.name;
        let found = format!("`{name}`, which is a method of every formula");
        errors.add(name, "a name of its own", &found, &format!("`{name}_`, or another name"));
    }
    if let Some(ninth) = formula.settings.iter().filter(|setting| setting.learn).nth(8) {
        errors.add(
            ninth.name.to_token_stream(),
            "at most 8 learnt parameters",
            "a ninth",
            "make some of them constants",
        );
    }
}

/// The formula simplified, in a graph that has room for its derivatives.
fn simplified(lowered: &lower::Lowered) -> (Dag, node::Id) {
    let mut dag = Dag::simplifying();
    let root = lowered.dag.copy(lowered.root, &mut dag, &mut |_, _, _| None);
    (dag, root)
}

/// The texts of all faults.
#[cfg(test)]
pub fn faults(tokens: TokenStream, kind: Kind) -> Vec<String> {
    let mut errors = Errors::default();
    for formula in parse::formulas(tokens, kind, &mut errors) {
        sound(&formula, kind, &mut errors);
    }
    errors.texts()
}
