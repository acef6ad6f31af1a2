//! Derivatives. In: a graph, what to derive and with respect to what; out: the derivative, in the same graph,
//! so that both share what they have in common. At corners: abs 0; max and min half of each side, but all of
//! a constant's 0; a choice that of the side chosen.

use std::collections::HashMap;
use std::f64::consts::FRAC_2_SQRT_PI;

use super::dag::Dag;
use super::node::{Comparison, Function, Id, Node, Operator};

impl Dag {
    /// d `of` / d `by`, an argument or a parameter.
    pub fn derivative(&mut self, of: Id, by: Node) -> Id {
        let mut done = HashMap::new();
        for id in self.order(&[of]) {
            let slope = self.slope(id, by, &done);
            done.insert(id, slope);
        }
        done[&of]
    }

    /// The slope of a node, those of its operands being known.
    fn slope(&mut self, id: Id, by: Node, done: &HashMap<Id, Id>) -> Id {
        let node = self.node(id);
        if node == by {
            return self.number(1.0);
        }
        let zero = self.number(0.0);
        match node {
            Node::Unary(function, a) => {
                if done[&a] == zero {
                    return zero;
                }
                let outer = self.outer(function, a, id);
                self.mul(outer, done[&a])
            }
            Node::Power(a, n) => {
                let factor = self.number(f64::from(n));
                let power = self.power(a, n - 1);
                let outer = self.mul(factor, power);
                self.mul(outer, done[&a])
            }
            Node::Binary(operator, a, b) => self.slope_of_binary(operator, (a, done[&a]), (b, done[&b]), id),
            Node::Select(condition, a, b) => self.select(condition, done[&a], done[&b]),
            // Conditions, and what does not depend on it.
            _ => zero,
        }
    }

    /// The derivative of `function` at `a`, where its value is `y`.
    fn outer(&mut self, function: Function, a: Id, y: Id) -> Id {
        match function {
            Function::Neg => self.number(-1.0),
            Function::Abs => self.unary(Function::Sign, a),
            Function::Sign => self.number(0.0),
            Function::Exp => y,
            Function::Expm1 => self.unary(Function::Exp, a),
            Function::Ln => {
                let one = self.number(1.0);
                self.div(one, a)
            }
            Function::Ln1p => {
                let one = self.number(1.0);
                let sum = self.add(one, a);
                self.div(one, sum)
            }
            Function::Sqrt => {
                let half = self.number(0.5);
                self.div(half, y)
            }
            Function::Sin => self.unary(Function::Cos, a),
            Function::Cos => {
                let sin = self.unary(Function::Sin, a);
                self.neg(sin)
            }
            Function::Sinh => self.unary(Function::Cosh, a),
            Function::Cosh => self.unary(Function::Sinh, a),
            Function::LnCosh => self.unary(Function::Tanh, a),
            Function::Tanh => self.tanh_slope(y),
            Function::Sigmoid => {
                let a = self.neg(a);
                let rest = self.unary(Function::Sigmoid, a);
                self.mul(y, rest)
            }
            Function::Softplus => self.unary(Function::Sigmoid, a),
            Function::Erf => {
                let square = self.power(a, 2);
                let square = self.neg(square);
                let (factor, density) = (self.number(FRAC_2_SQRT_PI), self.unary(Function::Exp, square));
                self.mul(factor, density)
            }
        }
    }

    /// Operands with their slopes; `y` is the whole.
    fn slope_of_binary(&mut self, operator: Operator, (a, da): (Id, Id), (b, db): (Id, Id), y: Id) -> Id {
        match operator {
            Operator::Add => self.add(da, db),
            Operator::Sub => self.sub(da, db),
            Operator::Mul => {
                let (left, right) = (self.mul(da, b), self.mul(a, db));
                self.add(left, right)
            }
            // By the quotient itself, not by b², which overflows sooner.
            Operator::Div => {
                let product = self.mul(y, db);
                let rest = self.sub(da, product);
                self.div(rest, b)
            }
            Operator::Max | Operator::Min => self.slope_of_extreme(operator, (a, da), (b, db)),
            Operator::Powf => {
                let one = self.number(1.0);
                let less = self.sub(b, one);
                let power = self.binary(Operator::Powf, a, less);
                let outer = self.mul(b, power);
                self.mul(outer, da)
            }
            Operator::LnAddExp => {
                let (difference, other) = (self.sub(a, b), self.sub(b, a));
                let (left, right) = (self.unary(Function::Sigmoid, difference), self.unary(Function::Sigmoid, other));
                let (left, right) = (self.mul(left, da), self.mul(right, db));
                self.add(left, right)
            }
        }
    }

    fn slope_of_extreme(&mut self, operator: Operator, (a, da): (Id, Id), (b, db): (Id, Id)) -> Id {
        let max = operator == Operator::Max;
        for ((a, da), (b, db)) in [((a, da), (b, db)), ((b, db), (a, da))] {
            // The constant's side has the corner; where b is NaN, its own slope goes on.
            if !self.varies(a) {
                let comparison = if max { Comparison::Le } else { Comparison::Ge };
                let flat = self.compare(comparison, b, a);
                return self.select(flat, da, db);
            }
        }
        let half = self.number(0.5);
        let sum = self.add(da, db);
        let middle = self.mul(half, sum);
        let (equal, first) =
            (self.compare(Comparison::Eq, a, b), self.compare(if max { Comparison::Gt } else { Comparison::Lt }, a, b));
        let chosen = self.select(first, da, db);
        self.select(equal, middle, chosen)
    }
}
