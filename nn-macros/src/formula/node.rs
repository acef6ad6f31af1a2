//! What a formula is made of: numbers, names, functions, choices. Plain data, in and out; every node names
//! its operands by number, so that what is written twice is there once.

/// The number of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(pub usize);

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Function {
    Neg,
    Abs,
    /// −1, 0 or 1: the derivative of the former.
    Sign,
    Exp,
    Expm1,
    Ln,
    Ln1p,
    Sqrt,
    Sin,
    Cos,
    Sinh,
    Cosh,
    LnCosh,
    Tanh,
    Sigmoid,
    Softplus,
    Erf,
}

/// A function of two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    /// The second is a constant.
    Powf,
    /// The logarithm of the sum of their exponentials.
    LnAddExp,
}

/// A comparison of two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
}

impl Comparison {
    /// That of the two the other way round.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::Lt => Comparison::Gt,
            Comparison::Le => Comparison::Ge,
            Comparison::Gt => Comparison::Lt,
            Comparison::Ge => Comparison::Le,
            Comparison::Eq => Comparison::Eq,
        }
    }
}

/// What does not change from number to number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Constant {
    /// A const of the user's, by its place in the list of paths.
    Path(usize),
    /// A setting of the formula.
    Setting(usize),
    /// A parameter that is learnt.
    Learnt(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// The bits of an `f64`.
    Number(u64),
    Constant(Constant),
    /// An argument of the formula: `x`, or `y` and `t`.
    Argument(usize),
    /// The value of the formula, where its derivative is made of that.
    Output,
    Unary(Function, Id),
    Binary(Operator, Id, Id),
    /// To a whole power.
    Power(Id, i32),
    /// Condition, then, otherwise.
    Select(Id, Id, Id),
    Compare(Comparison, Id, Id),
    And(Id, Id),
    Or(Id, Id),
    Not(Id),
}

impl Node {
    /// The nodes that it is made of.
    pub fn operands(self) -> impl Iterator<Item = Id> {
        let operands = match self {
            Node::Number(_) | Node::Constant(_) | Node::Argument(_) | Node::Output => [None; 3],
            Node::Unary(_, a) | Node::Power(a, _) | Node::Not(a) => [Some(a), None, None],
            Node::Binary(_, a, b) | Node::Compare(_, a, b) | Node::And(a, b) | Node::Or(a, b) => {
                [Some(a), Some(b), None]
            }
            Node::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        operands.into_iter().flatten()
    }
}
