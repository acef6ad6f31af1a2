//! The formula as data, for what writes a network down in another language. In: the graph; out: a constant
//! whose last step is the result.

use std::collections::HashMap;

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use crate::formula::codegen::{const_name, literal, name, operator_name, relation, span};
use crate::formula::dag::Dag;
use crate::formula::node::{Constant, Id, Node};

/// ```text
/// const __STEPS: &[__nn::FormulaStep] = &[
///     __nn::FormulaStep::X,
///     __nn::FormulaStep::Unary("sigmoid", 0),
///     __nn::FormulaStep::Binary("mul", 0, 1),
/// ];
/// ```
pub fn steps(dag: &Dag, root: Id) -> TokenStream {
    let order = dag.order(&[root]);
    let places: HashMap<Id, usize> = order.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let of = |id: Id| Literal::usize_unsuffixed(places[&id]);
    let steps = order.iter().map(|id| {
        let step = match dag.node(*id) {
            Node::Number(bits) => {
                let number = literal(f64::from_bits(bits));
                quote!(Number(#number))
            }
            Node::Constant(Constant::Path(i)) => {
                let path = const_name(i);
                quote!(Number(#path))
            }
            Node::Constant(Constant::Setting(i)) => {
                let i = Literal::usize_unsuffixed(i);
                quote!(Setting(#i))
            }
            Node::Constant(Constant::Learnt(i)) => {
                let i = Literal::usize_unsuffixed(i);
                quote!(Learnt(#i))
            }
            Node::Argument(_) | Node::Output => quote!(X),
            Node::Unary(function, a) => unary(name(function), of(a)),
            Node::Not(a) => unary("not", of(a)),
            Node::Binary(operator, a, b) => binary(operator_name(operator), of(a), of(b)),
            Node::Compare(comparison, a, b) => binary(relation(comparison).0, of(a), of(b)),
            Node::And(a, b) => binary("and", of(a), of(b)),
            Node::Or(a, b) => binary("or", of(a), of(b)),
            Node::Power(a, n) => {
                let (a, sign) = (of(a), (n < 0).then(|| quote!(-)));
                let n = Literal::i32_unsuffixed(n.abs());
                quote!(Power(#a, #sign #n))
            }
            Node::Select(condition, a, b) => {
                let (condition, a, b) = (of(condition), of(a), of(b));
                quote!(Select(#condition, #a, #b))
            }
        };
        quote_spanned!(span()=> __nn::FormulaStep::#step)
    });
    quote_spanned!(span()=> const __STEPS: &[__nn::FormulaStep] = &[#(#steps),*];)
}

fn unary(name: &str, a: Literal) -> TokenStream {
    quote!(Unary(#name, #a))
}

fn binary(name: &str, a: Literal, b: Literal) -> TokenStream {
    quote!(Binary(#name, #a, #b))
}
