//! The rules by which a formula gets shorter: what 0 and 1 do, numbers computed at once, like terms, numbers
//! before names. In: a graph and operands; out: a node of the same value. No rule here may lose a digit that
//! the written form had; forms that gain some are in `stable`.

use super::dag::Dag;
use super::node::{Function, Id, Node, Operator};

impl Dag {
    /// The two in the order in which sums and products hold them: numbers, other constants, and then what was
    /// there first.
    fn ordered(&self, a: Id, b: Id) -> (Id, Id) {
        let rank = |id: Id| match self.node(id) {
            Node::Number(_) => 0,
            Node::Constant(_) => 1,
            _ => 2 + u8::from(self.varies(id)),
        };
        if (rank(b), b) < (rank(a), a) { (b, a) } else { (a, b) }
    }

    /// A number made of numbers, unless it is none.
    fn fold(&mut self, a: Id, b: Id, f: impl Fn(f64, f64) -> f64) -> Option<Id> {
        let value = f(self.value(a)?, self.value(b)?);
        value.is_finite().then(|| self.number(value))
    }

    pub fn neg(&mut self, a: Id) -> Id {
        match self.node(a) {
            Node::Number(bits) => self.number(-f64::from_bits(bits)),
            Node::Unary(Function::Neg, b) => b,
            Node::Binary(Operator::Sub, b, c) => self.sub(c, b),
            Node::Binary(Operator::Mul, k, b) if let Some(k) = self.value(k) => {
                let k = self.number(-k);
                self.mul(k, b)
            }
            _ => self.intern(Node::Unary(Function::Neg, a)),
        }
    }

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = self.ordered(a, b);
        if let Some(sum) = self.fold(a, b, |a, b| a + b) {
            return sum;
        }
        if self.value(a) == Some(0.0) {
            return b;
        }
        if let Some(sum) = self.like_terms(a, b, 1.0) {
            return sum;
        }
        match (self.node(a), self.node(b)) {
            (_, Node::Unary(Function::Neg, c)) => return self.sub(a, c),
            (Node::Unary(Function::Neg, c), _) => return self.sub(b, c),
            // k + (j + c)
            (Node::Number(_), Node::Binary(Operator::Add, j, c)) if let Some(sum) = self.fold(a, j, |a, j| a + j) => {
                return self.add(sum, c);
            }
            _ => {}
        }
        // (k + c) + 2·c
        for (sum, other) in [(a, b), (b, a)] {
            if let Node::Binary(Operator::Add, k, c) = self.node(sum)
                && let Some(rest) = self.like_terms(c, other, 1.0)
            {
                return self.add(k, rest);
            }
        }
        if let Some(stable) = self.stable_add(a, b) {
            return stable;
        }
        self.intern(Node::Binary(Operator::Add, a, b))
    }

    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        if let Some(difference) = self.fold(a, b, |a, b| a - b) {
            return difference;
        }
        if self.value(a) == Some(0.0) {
            return self.neg(b);
        }
        if let Some(difference) = self.like_terms(a, b, -1.0) {
            return difference;
        }
        match self.node(b) {
            Node::Number(_) | Node::Unary(Function::Neg, _) => {
                let b = self.neg(b);
                return self.add(a, b);
            }
            Node::Binary(Operator::Mul, k, _) if self.value(k).is_some_and(|k| k < 0.0) => {
                let b = self.neg(b);
                return self.add(a, b);
            }
            _ => {}
        }
        if let Some(stable) = self.stable_sub(a, b) {
            return stable;
        }
        self.intern(Node::Binary(Operator::Sub, a, b))
    }

    /// `2·a + 3·a`
    fn like_terms(&mut self, a: Id, b: Id, sign: f64) -> Option<Id> {
        let ((j, base), (k, other)) = (self.scaled(a), self.scaled(b));
        (base == other).then(|| {
            let factor = self.number(j + sign * k);
            self.mul(factor, base)
        })
    }

    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = self.ordered(a, b);
        if let Some(product) = self.fold(a, b, |a, b| a * b) {
            return product;
        }
        match self.value(a) {
            Some(0.0) => return a,
            Some(1.0) => return b,
            Some(-1.0) => return self.neg(b),
            Some(k) => {
                let (j, c) = self.scaled(b);
                if c != b {
                    let k = self.number(k * j);
                    return self.mul(k, c);
                }
            }
            None => {
                let ((j, c), (k, d)) = (self.scaled(a), self.scaled(b));
                if c != a || d != b {
                    let k = self.number(j * k);
                    let product = self.mul(c, d);
                    return self.mul(k, product);
                }
            }
        }
        // A choice of 0 takes the other factor in: 0 · ∞ of what was not chosen would be NaN.
        for (choice, other) in [(a, b), (b, a)] {
            if let Node::Select(condition, then, otherwise) = self.node(choice)
                && [then, otherwise].iter().any(|&side| matches!(self.value(side), Some(0.0 | 1.0)))
            {
                let (then, otherwise) = (self.mul(then, other), self.mul(otherwise, other));
                return self.select(condition, then, otherwise);
            }
        }
        if let Some(rest) = self.without_factor(a, b) {
            return rest;
        }
        let ((base, m), (other, n)) = (self.raised(a), self.raised(b));
        if base == other && m + n != 0 {
            return self.simple_power(base, m + n);
        }
        self.intern(Node::Binary(Operator::Mul, a, b))
    }

    /// `k · (1 / k · b)` of a constant.
    fn without_factor(&mut self, k: Id, product: Id) -> Option<Id> {
        let inverse = |dag: &Dag, id| matches!(dag.node(id), Node::Binary(Operator::Div, one, of) if of == k && dag.value(one) == Some(1.0));
        match self.node(product) {
            _ if self.varies(k) => None,
            _ if inverse(self, product) => Some(self.number(1.0)),
            Node::Binary(Operator::Mul, other, b) if inverse(self, other) => Some(b),
            _ => None,
        }
    }

    fn raised(&self, id: Id) -> (Id, i32) {
        match self.node(id) {
            Node::Power(base, n) => (base, n),
            _ => (id, 1),
        }
    }

    pub fn div(&mut self, a: Id, b: Id) -> Id {
        if let Some(quotient) = self.fold(a, b, |a, b| a / b) {
            return quotient;
        }
        match (self.value(a), self.value(b)) {
            (Some(0.0), _) => return a,
            (_, Some(k)) if k != 0.0 && (1.0 / k).is_finite() => {
                let factor = self.number(1.0 / k);
                return self.mul(factor, a);
            }
            _ => {}
        }
        if a == b {
            return self.number(1.0);
        }
        if let Node::Binary(Operator::Mul, k, c) = self.node(a)
            && k == b
            && !self.varies(k)
        {
            return c;
        }
        let ((j, c), (k, d)) = (self.scaled(a), self.scaled(b));
        if (c != a || d != b) && k != 0.0 {
            let factor = self.number(j / k);
            let quotient = self.div(c, d);
            return self.mul(factor, quotient);
        }
        if let Node::Select(condition, then, otherwise) = self.node(a)
            && [then, otherwise].iter().any(|&side| self.value(side) == Some(0.0))
        {
            let (then, otherwise) = (self.div(then, b), self.div(otherwise, b));
            return self.select(condition, then, otherwise);
        }
        if let Some(stable) = self.stable_div(a, b) {
            return stable;
        }
        self.intern(Node::Binary(Operator::Div, a, b))
    }

    /// The larger, or the smaller; a number stands first.
    pub fn extreme(&mut self, operator: Operator, a: Id, b: Id) -> Id {
        let (a, b) = self.ordered(a, b);
        let choose = if operator == Operator::Max { f64::max } else { f64::min };
        if let Some(chosen) = self.fold(a, b, choose) {
            return chosen;
        }
        if a == b { a } else { self.intern(Node::Binary(operator, a, b)) }
    }

    pub fn simple_power(&mut self, a: Id, n: i32) -> Id {
        match (n, self.node(a)) {
            (0, _) => self.number(1.0),
            (1, _) => a,
            (_, Node::Number(bits)) if f64::from_bits(bits).powi(n).is_finite() => {
                self.number(f64::from_bits(bits).powi(n))
            }
            (_, Node::Power(base, m)) if let Some(n) = m.checked_mul(n) => self.simple_power(base, n),
            (_, Node::Unary(Function::Neg | Function::Abs, b)) if n % 2 == 0 => self.simple_power(b, n),
            _ => self.intern(Node::Power(a, n)),
        }
    }

    /// A power with a constant exponent, whole where it is a whole number.
    pub fn powf(&mut self, a: Id, exponent: Id) -> Id {
        match self.value(exponent) {
            Some(n) if n.fract() == 0.0 && n.abs() <= 64.0 => self.simple_power(a, n as i32),
            Some(0.5) => self.unary(Function::Sqrt, a),
            _ => self.intern(Node::Binary(Operator::Powf, a, exponent)),
        }
    }

    pub fn simple_unary(&mut self, function: Function, a: Id) -> Id {
        use Function::{Abs, Cos, Cosh, Erf, Exp, LnCosh, Neg, Sign, Sin, Sinh, Tanh};
        if function == Neg {
            return self.neg(a);
        }
        let zero = self.value(a) == Some(0.0);
        match function {
            Abs if let Some(k) = self.value(a) => return self.number(k.abs()),
            Sign if let Some(k) = self.value(a) => return self.number(if k == 0.0 { 0.0 } else { k.signum() }),
            Exp | Cos | Cosh if zero => return self.number(1.0),
            Sin | Sinh | Tanh | Erf | Function::Expm1 | Function::Ln1p | Function::Sqrt if zero => return a,
            Abs if self.argument_of(Abs, a).is_some() => return a,
            _ => {}
        }
        // Even functions do not see a sign, odd ones hand it on.
        if let Some(b) = self.argument_of(Neg, a) {
            match function {
                Abs | Cos | Cosh | LnCosh => return self.unary(function, b),
                Sin | Sinh | Tanh | Erf | Sign => {
                    let y = self.unary(function, b);
                    return self.neg(y);
                }
                _ => {}
            }
        }
        match self.stable_unary(function, a) {
            Some(stable) => stable,
            None => self.intern(Node::Unary(function, a)),
        }
    }
}
