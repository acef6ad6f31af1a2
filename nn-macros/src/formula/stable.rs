//! Forms that lose digits or overflow as they are usually written, and the functions that do not. In: a node
//! about to be made; out: its stable form, if it is one of these. Each is tested at ±100 and near where it
//! loses most.

use super::dag::Dag;
use super::node::{Function, Id, Node, Operator};
use Function::{Cosh, Exp, Expm1, Ln, Ln1p, LnCosh, Neg, Sigmoid, Sinh, Softplus, Sqrt, Tanh};

impl Dag {
    fn is(&self, id: Id, value: f64) -> bool {
        self.value(id) == Some(value)
    }

    /// `u` of `1 + exp(u)`.
    fn one_plus_exp(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Binary(Operator::Add, one, e) if self.is(one, 1.0) => self.argument_of(Exp, e),
            _ => None,
        }
    }

    /// Operands as `ordered` gives them.
    pub fn stable_add(&mut self, a: Id, b: Id) -> Option<Id> {
        if self.is(a, -1.0)
            && let Some(u) = self.argument_of(Exp, b)
        {
            return Some(self.unary(Expm1, u)); // exp(u) - 1
        }
        if self.is(a, 1.0)
            && let Some(u) = self.argument_of(Expm1, b)
        {
            return Some(self.unary(Exp, u));
        }
        // exp(u) + exp(-u)
        let (u, v) = (self.argument_of(Exp, a)?, self.argument_of(Exp, b)?);
        if !self.opposite(u, v) {
            return None;
        }
        let cosh = self.unary(Cosh, u);
        let two = self.number(2.0);
        Some(self.mul(two, cosh))
    }

    pub fn stable_sub(&mut self, a: Id, b: Id) -> Option<Id> {
        if self.is(a, 1.0) {
            if let Some(u) = self.argument_of(Sigmoid, b) {
                let u = self.neg(u);
                return Some(self.unary(Sigmoid, u));
            }
            if let Some(u) = self.argument_of(Exp, b) {
                let y = self.unary(Expm1, u);
                return Some(self.neg(y));
            }
            // 1 - tanh²
            if let Node::Power(t, 2) = self.node(b)
                && self.argument_of(Tanh, t).is_some()
            {
                return Some(self.tanh_slope(t));
            }
        }
        // exp(u) - exp(-u)
        let (u, v) = (self.argument_of(Exp, a)?, self.argument_of(Exp, b)?);
        if !self.opposite(u, v) {
            return None;
        }
        let sinh = self.unary(Sinh, u);
        let two = self.number(2.0);
        Some(self.mul(two, sinh))
    }

    /// `1 - t²` as `(1 - t)(1 + t)`, which is exact where t is near 1.
    pub fn tanh_slope(&mut self, t: Id) -> Id {
        let one = self.number(1.0);
        let (less, more) = (self.sub(one, t), self.add(one, t));
        self.mul(less, more)
    }

    pub fn stable_div(&mut self, a: Id, b: Id) -> Option<Id> {
        if let Some(u) = self.one_plus_exp(b) {
            // exp(u) / (1 + exp(u)), and a / (1 + exp(u)) of anything else
            if self.argument_of(Exp, a) == Some(u) {
                return Some(self.unary(Sigmoid, u));
            }
            // (exp(u) - 1) / (exp(u) + 1)
            if self.argument_of(Expm1, a) == Some(u) {
                let half = self.number(0.5);
                let u = self.mul(half, u);
                return Some(self.unary(Tanh, u));
            }
            let u = self.neg(u);
            let sigmoid = self.unary(Sigmoid, u);
            return Some(self.mul(a, sigmoid));
        }
        if let Some(u) = self.argument_of(Exp, b) {
            let u = self.neg(u);
            let e = self.unary(Exp, u);
            return Some(self.mul(a, e));
        }
        let (u, v) = (self.argument_of(Sinh, a)?, self.argument_of(Cosh, b)?);
        (u == v).then(|| self.unary(Tanh, u))
    }

    pub fn stable_unary(&mut self, function: Function, a: Id) -> Option<Id> {
        match (function, self.node(a)) {
            (Sqrt, Node::Power(u, 2)) => Some(self.unary(Function::Abs, u)),
            (Ln1p, Node::Unary(Exp, u)) => Some(self.unary(Softplus, u)),
            (Tanh, Node::Unary(Softplus, u)) => Some(self.tanh_of_softplus(u)),
            (Ln, _) => self.stable_ln(a),
            _ => None,
        }
    }

    /// `tanh(ln(1 + e))` of `e = exp(u)` is `n / (n + 2)` with `n = e·(e + 2)`: one exponential for it and
    /// its slope. Beyond the limits it is 1, or 0, to the last digit, and squares do not overflow.
    fn tanh_of_softplus(&mut self, u: Id) -> Id {
        let (lowest, highest, two) = (self.number(-100.0), self.number(20.0), self.number(2.0));
        let u = self.binary(Operator::Max, u, lowest);
        let u = self.binary(Operator::Min, u, highest);
        let e = self.unary(Exp, u);
        let more = self.add(e, two);
        let n = self.mul(e, more);
        let below = self.add(n, two);
        self.div(n, below)
    }

    fn stable_ln(&mut self, a: Id) -> Option<Id> {
        if let Some(u) = self.ln_of_sum(a) {
            return Some(u);
        }
        match self.node(a) {
            Node::Unary(Exp, u) => Some(u),
            Node::Unary(Sigmoid, u) => {
                let u = self.neg(u);
                let y = self.unary(Softplus, u);
                Some(self.neg(y))
            }
            Node::Unary(Cosh, u) => Some(self.unary(LnCosh, u)),
            // ln(2·cosh(u)): what exp(u) + exp(-u) has become
            Node::Binary(Operator::Mul, k, u)
                if let (Some(k), Some(u)) = (self.value(k), self.argument_of(Cosh, u)) =>
            {
                let offset = if k > 0.0 { self.number(k.ln()) } else { return None };
                let y = self.unary(LnCosh, u);
                Some(self.add(offset, y))
            }
            Node::Binary(Operator::Add, one, u) if self.is(one, 1.0) => Some(self.unary(Ln1p, u)),
            Node::Binary(Operator::Sub, one, u) if self.is(one, 1.0) => {
                let u = self.unary(Neg, u);
                Some(self.unary(Ln1p, u))
            }
            _ => None,
        }
    }

    /// `ln(exp(a) + exp(b) + …)`, where numbers above 0 count as exponentials.
    fn ln_of_sum(&mut self, a: Id) -> Option<Id> {
        let Node::Binary(Operator::Add, ..) = self.node(a) else { return None };
        let (mut terms, mut open) = (Vec::new(), vec![a]);
        while let Some(term) = open.pop() {
            match self.node(term) {
                Node::Binary(Operator::Add, b, c) => open.extend([c, b]),
                Node::Unary(Exp, u) => terms.push(u),
                Node::Number(bits) if f64::from_bits(bits) > 0.0 => {
                    let exponent = f64::from_bits(bits).ln();
                    terms.push(self.number(exponent));
                }
                _ => return None,
            }
        }
        let mut sum = *terms.first()?;
        for &term in &terms[1..] {
            sum =
                if self.is(sum, 0.0) { self.unary(Softplus, term) } else { self.binary(Operator::LnAddExp, sum, term) };
        }
        Some(sum)
    }
}
