//! Whether a derivative follows from the value alone, so that the input need not be kept. In: a formula and
//! its derivative; out: the derivative as made of the value, or nothing where the input is still in it, or
//! digits would be lost on the way.

use std::collections::HashMap;

use super::dag::Dag;
use super::node::{Comparison, Constant, Function, Id, Node, Operator};

/// The slope of `body` as made of `body`'s value. Of the settings in `positive` it is known that they are
/// above 0.
pub fn from_output(dag: &Dag, body: Id, slope: Id, positive: &[usize]) -> Option<(Dag, Id)> {
    let mut to = Dag::simplifying();
    let slope = inverted_slope(dag, body, slope, positive, &mut to)?;
    let left = to.holds(&[slope], |node| matches!(node, Node::Argument(_)));
    (!left).then_some((to, slope))
}

fn inverted_slope(dag: &Dag, body: Id, slope: Id, positive: &[usize], to: &mut Dag) -> Option<Id> {
    let Node::Select(condition, then, otherwise) = dag.node(slope) else {
        return Some(inverted(dag, body, slope, positive, to));
    };
    // Which side was chosen has to show in the value.
    let (condition, sides) = match dag.node(body) {
        Node::Binary(Operator::Max | Operator::Min, k, u) => match dag.node(condition) {
            Node::Compare(comparison, v, limit) if v == u && limit == k => ((comparison, k), [k, u]),
            _ => return None,
        },
        Node::Select(choice, a, b) if choice == condition => match dag.node(condition) {
            Node::Compare(comparison, x, zero)
                if dag.value(zero) == Some(0.0)
                    && dag.node(x) == Node::Argument(0)
                    && shows(dag, comparison, (a, b), positive) =>
            {
                ((comparison, zero), [a, b])
            }
            _ => return None,
        },
        _ => return None,
    };
    let then = inverted_slope(dag, sides[0], then, positive, to)?;
    let otherwise = inverted_slope(dag, sides[1], otherwise, positive, to)?;
    let output = to.intern(Node::Output);
    let limit = dag.copy(condition.1, to, &mut |_, _, _| None);
    let condition = to.compare(condition.0, output, limit);
    Some(to.select(condition, then, otherwise))
}

/// The slope with everything in it replaced that the value tells.
fn inverted(dag: &Dag, body: Id, slope: Id, positive: &[usize], to: &mut Dag) -> Id {
    let mut known = HashMap::new();
    let mut value = to.intern(Node::Output);
    let mut at = body;
    loop {
        // A number tells nothing: it may stand elsewhere for itself.
        if dag.varies(at) {
            known.insert(Known::Node(at), value);
        }
        match dag.node(at) {
            Node::Unary(Function::Neg, a) => {
                value = to.neg(value);
                at = a;
            }
            // An offset that is large beside the rest would take its digits.
            Node::Binary(Operator::Add, k, a) if dag.value(k).is_some_and(|k| k.abs() <= 2.0) => {
                let k = dag.copy(k, to, &mut |_, _, _| None);
                value = to.sub(value, k);
                at = a;
            }
            Node::Binary(Operator::Sub, k, a) if dag.value(k).is_some_and(|k| k.abs() <= 2.0) => {
                let k = dag.copy(k, to, &mut |_, _, _| None);
                value = to.sub(k, value);
                at = a;
            }
            Node::Binary(Operator::Mul, k, a) => {
                let above = matches!(dag.node(k), Node::Constant(Constant::Setting(i)) if positive.contains(&i));
                let divides = above || dag.value(k).is_some_and(|k| k.abs() >= 0.1);
                let factor = dag.copy(k, to, &mut |_, _, _| None);
                if let (false, Some(u)) = (dag.varies(k), dag.argument_of(Function::Expm1, a)) {
                    let sum = to.add(value, factor);
                    known.insert(Known::Times(k, Function::Exp, u), sum);
                }
                if !divides {
                    break;
                }
                value = to.div(value, factor);
                at = a;
            }
            Node::Unary(Function::Expm1, u) => {
                let one = to.number(1.0);
                let sum = to.add(one, value);
                known.insert(Known::Of(Function::Exp, u), sum);
                break;
            }
            Node::Unary(Function::Sigmoid, u) => {
                let one = to.number(1.0);
                let rest = to.sub(one, value);
                known.insert(Known::Opposite(Function::Sigmoid, u), rest);
                break;
            }
            _ => break,
        }
    }
    dag.copy(slope, to, &mut |_, id, node| {
        let told = match node {
            Node::Unary(function, u) => {
                let opposite = || {
                    let tells =
                        |tell: &&Known| matches!(tell, Known::Opposite(f, v) if *f == function && dag.opposite(u, *v));
                    known.keys().find(tells).copied()
                };
                known.get(&Known::Of(function, u)).copied().or_else(|| known.get(&opposite()?).copied())
            }
            Node::Binary(Operator::Mul, k, a) => match dag.node(a) {
                Node::Unary(function, u) => known.get(&Known::Times(k, function, u)).copied(),
                _ => None,
            },
            _ => None,
        };
        known.get(&Known::Node(id)).copied().or(told)
    })
}

/// What a value tells: a node, a function of a node, one of the node with its sign changed, or one times a
/// constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Known {
    Node(Id),
    Of(Function, Id),
    Opposite(Function, Id),
    Times(Id, Function, Id),
}

/// True if a value of the first formula compares with 0 as x does, and one of the second does not.
fn shows(dag: &Dag, comparison: Comparison, (then, otherwise): (Id, Id), positive: &[usize]) -> bool {
    let (yes, no) = match comparison {
        Comparison::Gt => (POSITIVE, NEGATIVE | ZERO),
        Comparison::Ge => (POSITIVE | ZERO, NEGATIVE),
        Comparison::Lt => (NEGATIVE, POSITIVE | ZERO),
        Comparison::Le => (NEGATIVE | ZERO, POSITIVE),
        Comparison::Eq => return false,
    };
    let within = |id, x, all: u8| signs(dag, id, x, positive) & !all == 0;
    within(then, yes, yes) && within(otherwise, no, no)
}

const NEGATIVE: u8 = 1;
const ZERO: u8 = 2;
const POSITIVE: u8 = 4;
const ANY: u8 = NEGATIVE | ZERO | POSITIVE;

/// The signs that a node may have, x having one of those of `x`.
fn signs(dag: &Dag, id: Id, x: u8, positive: &[usize]) -> u8 {
    let of = |id| signs(dag, id, x, positive);
    match dag.node(id) {
        Node::Argument(0) => x,
        Node::Number(bits) => sign(f64::from_bits(bits)),
        Node::Constant(Constant::Setting(i)) if positive.contains(&i) => POSITIVE,
        Node::Unary(Function::Neg, a) => each(of(a), POSITIVE, |sign, _| -sign),
        // Those that are 0 at 0 and grow.
        Node::Unary(
            Function::Expm1 | Function::Tanh | Function::Sinh | Function::Erf | Function::Ln1p | Function::Sign,
            a,
        ) => of(a),
        Node::Unary(Function::Exp | Function::Sigmoid | Function::Softplus, _) => POSITIVE | ZERO,
        Node::Binary(Operator::Mul | Operator::Div, a, b) => each(of(a), of(b), |a, b| a * b),
        Node::Binary(Operator::Add, a, b) => match of(a) | of(b) {
            one @ (NEGATIVE | POSITIVE | ZERO) => one,
            both if both & NEGATIVE == 0 || both & POSITIVE == 0 => both,
            _ => ANY,
        },
        _ => ANY,
    }
}

fn sign(value: f64) -> u8 {
    match value {
        0.0 => ZERO,
        value if value < 0.0 => NEGATIVE,
        _ => POSITIVE,
    }
}

/// The signs of a function of two signs.
fn each(a: u8, b: u8, f: impl Fn(i8, i8) -> i8) -> u8 {
    let list = |set: u8| [(NEGATIVE, -1), (ZERO, 0), (POSITIVE, 1)].into_iter().filter(move |(bit, _)| set & bit != 0);
    let (mut all, f) = (0, &f);
    for ((_, a), (_, b)) in list(a).flat_map(|a| list(b).map(move |b| (a, b))) {
        all |= sign(f64::from(f(a, b)));
    }
    all
}
