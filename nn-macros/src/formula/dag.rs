//! The formula as a graph without cycles, in which equal things are one. In: nodes; out: their numbers, and
//! what a rewriting needs to know of them. With `plain` everything stays as it was written: what the
//! generated test compares with.

use std::collections::HashMap;

use super::node::{Comparison, Constant, Function, Id, Node, Operator};

pub struct Dag {
    nodes: Vec<Node>,
    /// Of each node, whether it depends on an argument, the output, or a learnt parameter.
    varies: Vec<bool>,
    ids: HashMap<Node, Id>,
    plain: bool,
}

impl Dag {
    /// One in which things stay as they are written.
    pub fn plain() -> Dag {
        Dag { nodes: Vec::new(), varies: Vec::new(), ids: HashMap::new(), plain: true }
    }

    /// One in which things are put as simply, and as safely, as they can be.
    pub fn simplifying() -> Dag {
        Dag { plain: false, ..Dag::plain() }
    }

    pub fn node(&self, id: Id) -> Node {
        self.nodes[id.0]
    }

    /// True if it changes from number to number, or by learning.
    pub fn varies(&self, id: Id) -> bool {
        self.varies[id.0]
    }

    /// The node as it is, once.
    pub fn intern(&mut self, node: Node) -> Id {
        if let Some(id) = self.ids.get(&node) {
            return *id;
        }
        let own = matches!(node, Node::Argument(_) | Node::Output | Node::Constant(Constant::Learnt(_)));
        let varies = own || node.operands().any(|id| self.varies(id));
        let id = Id(self.nodes.len());
        self.nodes.push(node);
        self.varies.push(varies);
        self.ids.insert(node, id);
        id
    }

    pub fn number(&mut self, value: f64) -> Id {
        // There is one zero here.
        self.intern(Node::Number((value + 0.0).to_bits()))
    }

    pub fn unary(&mut self, function: Function, a: Id) -> Id {
        if self.plain { self.intern(Node::Unary(function, a)) } else { self.simple_unary(function, a) }
    }

    pub fn binary(&mut self, operator: Operator, a: Id, b: Id) -> Id {
        if self.plain {
            return self.intern(Node::Binary(operator, a, b));
        }
        match operator {
            Operator::Add => self.add(a, b),
            Operator::Sub => self.sub(a, b),
            Operator::Mul => self.mul(a, b),
            Operator::Div => self.div(a, b),
            Operator::Max | Operator::Min => self.extreme(operator, a, b),
            Operator::Powf => self.powf(a, b),
            Operator::LnAddExp => self.intern(Node::Binary(operator, a, b)),
        }
    }

    pub fn power(&mut self, a: Id, n: i32) -> Id {
        if self.plain { self.intern(Node::Power(a, n)) } else { self.simple_power(a, n) }
    }

    pub fn select(&mut self, condition: Id, then: Id, otherwise: Id) -> Id {
        if !self.plain {
            if then == otherwise {
                return then;
            }
            if let Node::Not(condition) = self.node(condition) {
                return self.select(condition, otherwise, then);
            }
        }
        self.intern(Node::Select(condition, then, otherwise))
    }

    pub fn compare(&mut self, comparison: Comparison, a: Id, b: Id) -> Id {
        if !self.plain && self.value(a).is_some() && self.value(b).is_none() {
            return self.compare(comparison.mirrored(), b, a);
        }
        self.intern(Node::Compare(comparison, a, b))
    }

    /// The value of a number.
    pub fn value(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// What is made of numbers alone and is none itself, such as `x / 0.0` and `ln(-1.0)`, in words.
    pub fn not_finite(&self, root: Id) -> Option<String> {
        let mut values: HashMap<Id, f64> = HashMap::new();
        for id in self.order(&[root]) {
            let of = |id: Id| values.get(&id).copied();
            let value = match self.node(id) {
                Node::Number(bits) => Some(f64::from_bits(bits)),
                Node::Unary(Function::Neg, a) => of(a).map(|a| -a),
                Node::Unary(Function::Ln, a) => of(a).map(f64::ln),
                Node::Unary(Function::Ln1p, a) => of(a).map(f64::ln_1p),
                Node::Unary(Function::Sqrt, a) => of(a).map(f64::sqrt),
                Node::Unary(Function::Exp, a) => of(a).map(f64::exp),
                Node::Binary(Operator::Div, _, b) if of(b) == Some(0.0) => {
                    return Some("a division by 0".to_owned());
                }
                Node::Binary(operator, a, b) => match (operator, of(a), of(b)) {
                    (Operator::Add, Some(a), Some(b)) => Some(a + b),
                    (Operator::Sub, Some(a), Some(b)) => Some(a - b),
                    (Operator::Mul, Some(a), Some(b)) => Some(a * b),
                    (Operator::Div, Some(a), Some(b)) => Some(a / b),
                    _ => None,
                },
                _ => None,
            };
            match value {
                Some(value) if !value.is_finite() => {
                    return Some(
                        if value.is_nan() { "a function of a number where it has no value" } else { "an infinite one" }
                            .to_owned(),
                    );
                }
                Some(value) => drop(values.insert(id, value)),
                None => {}
            }
        }
        None
    }

    /// What `function` is applied to, where `id` is that.
    pub fn argument_of(&self, function: Function, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Unary(found, a) if found == function => Some(a),
            _ => None,
        }
    }

    /// A number times something: `-3 · a`, `-a`, or `a` itself.
    pub fn scaled(&self, id: Id) -> (f64, Id) {
        match self.node(id) {
            Node::Unary(Function::Neg, a) => {
                let (factor, a) = self.scaled(a);
                (-factor, a)
            }
            Node::Binary(Operator::Mul, k, a) => self.value(k).map_or((1.0, id), |k| (k, a)),
            _ => (1.0, id),
        }
    }

    /// True if one is the other with its sign changed.
    pub fn opposite(&self, a: Id, b: Id) -> bool {
        let ((j, a), (k, b)) = (self.scaled(a), self.scaled(b));
        a == b && j == -k && j != 0.0
    }

    /// The same thing in another graph, made with its own constructors; `change` may answer for a node
    /// instead.
    pub fn copy(&self, root: Id, to: &mut Dag, change: &mut dyn FnMut(&mut Dag, Id, Node) -> Option<Id>) -> Id {
        let mut done = HashMap::new();
        self.copy_node(root, to, change, &mut done)
    }

    fn copy_node(
        &self,
        id: Id,
        to: &mut Dag,
        change: &mut dyn FnMut(&mut Dag, Id, Node) -> Option<Id>,
        done: &mut HashMap<Id, Id>,
    ) -> Id {
        if let Some(id) = done.get(&id) {
            return *id;
        }
        let node = self.node(id);
        let copied = match change(to, id, node) {
            Some(changed) => changed,
            None => {
                let parts: Vec<Id> = node.operands().map(|part| self.copy_node(part, to, change, done)).collect();
                to.remake(node, &parts)
            }
        };
        done.insert(id, copied);
        copied
    }

    /// A node like this one, of other operands.
    fn remake(&mut self, node: Node, parts: &[Id]) -> Id {
        match node {
            Node::Number(_) | Node::Constant(_) | Node::Argument(_) | Node::Output => self.intern(node),
            Node::Unary(function, _) => self.unary(function, parts[0]),
            Node::Binary(operator, ..) => self.binary(operator, parts[0], parts[1]),
            Node::Power(_, n) => self.power(parts[0], n),
            Node::Select(..) => self.select(parts[0], parts[1], parts[2]),
            Node::Compare(comparison, ..) => self.compare(comparison, parts[0], parts[1]),
            Node::And(..) => self.intern(Node::And(parts[0], parts[1])),
            Node::Or(..) => self.intern(Node::Or(parts[0], parts[1])),
            Node::Not(_) => self.intern(Node::Not(parts[0])),
        }
    }

    /// True if `what` is part of any of `roots`.
    pub fn holds(&self, roots: &[Id], what: impl Fn(Node) -> bool) -> bool {
        self.order(roots).into_iter().any(|id| what(self.node(id)))
    }

    /// Everything that `roots` are made of, operands first.
    pub fn order(&self, roots: &[Id]) -> Vec<Id> {
        fn visit(dag: &Dag, id: Id, seen: &mut [bool], order: &mut Vec<Id>) {
            if !std::mem::replace(&mut seen[id.0], true) {
                dag.node(id).operands().for_each(|part| visit(dag, part, seen, order));
                order.push(id);
            }
        }
        let (mut seen, mut order) = (vec![false; self.nodes.len()], Vec::new());
        roots.iter().for_each(|root| visit(self, *root, &mut seen, &mut order));
        order
    }
}
