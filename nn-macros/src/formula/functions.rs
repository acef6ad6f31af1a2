//! The functions that a formula may call. In: a name; out: what it stands for and how many arguments it
//! takes. This list is all that is known of names; what the functions mean is known in `dag` and `derive`.

use super::node::Function;

/// What a name stands for.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// A function that the kernels have.
    Unary(Function),
    Max,
    Min,
    Clamp,
    Relu,
    Recip,
    Square,
    /// With a whole number.
    Power,
    /// With any constant.
    Powf,
}

/// Name, meaning, number of arguments.
const ALL: [(&str, Meaning, usize); 23] = [
    ("abs", Meaning::Unary(Function::Abs), 1),
    ("clamp", Meaning::Clamp, 3),
    ("cos", Meaning::Unary(Function::Cos), 1),
    ("cosh", Meaning::Unary(Function::Cosh), 1),
    ("erf", Meaning::Unary(Function::Erf), 1),
    ("exp", Meaning::Unary(Function::Exp), 1),
    ("expm1", Meaning::Unary(Function::Expm1), 1),
    ("exp_m1", Meaning::Unary(Function::Expm1), 1),
    ("ln", Meaning::Unary(Function::Ln), 1),
    ("ln_1p", Meaning::Unary(Function::Ln1p), 1),
    ("max", Meaning::Max, 2),
    ("min", Meaning::Min, 2),
    ("powf", Meaning::Powf, 2),
    ("powi", Meaning::Power, 2),
    ("recip", Meaning::Recip, 1),
    ("relu", Meaning::Relu, 1),
    ("sigmoid", Meaning::Unary(Function::Sigmoid), 1),
    ("sin", Meaning::Unary(Function::Sin), 1),
    ("sinh", Meaning::Unary(Function::Sinh), 1),
    ("softplus", Meaning::Unary(Function::Softplus), 1),
    ("sqrt", Meaning::Unary(Function::Sqrt), 1),
    ("square", Meaning::Square, 1),
    ("tanh", Meaning::Unary(Function::Tanh), 1),
];

/// What a name means, and how many arguments it takes.
pub fn meaning(name: &str) -> Option<(Meaning, usize)> {
    ALL.iter().find(|(known, ..)| *known == name).map(|(_, meaning, count)| (*meaning, *count))
}

/// All names, in the order of the alphabet.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, ..)| *name)
}
