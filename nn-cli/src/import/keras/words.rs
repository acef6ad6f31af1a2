//! Words: arguments, labels out of Keras's names, and what comes nearest to a layer that is none here.

use crate::import::expr::number;

/// A name as Rust has it.
pub fn label(name: &str) -> String {
    let text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).take(60).collect();
    match text.chars().next() {
        Some(c) if c.is_ascii_alphabetic() => text,
        _ => format!("layer_{}", text.trim_start_matches('_')),
    }
}

/// An argument, where it is not what it is of itself.
pub fn said(name: &str, value: f32, default: f32) -> String {
    if value == default { String::new() } else { format!("{name} = {}", number(value)) }
}

/// Arguments side by side, those that say something.
pub fn joined(args: &[String]) -> String {
    let there: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.is_empty()).collect();
    there.join(", ")
}

const NEAREST: &[(&str, &str)] = &[
    ("Attention", "`MultiHeadAttention`"),
    ("AdditiveAttention", "`MultiHeadAttention`"),
    ("GroupQueryAttention", "`MultiHeadAttention`"),
    ("Conv3D", "`Conv2d`"),
    ("ConvLSTM1D", "`Conv1d` and `Lstm`"),
    ("ConvLSTM2D", "`Conv2d` and `Lstm`"),
    ("SeparableConv1D", "`Conv1d` with `groups`, and `DensePerStep`"),
    ("DepthwiseConv1D", "`Conv1d` with `groups`"),
    ("EinsumDense", "`DensePerStep`"),
    ("Masking", "a second input, as in `(x, mask) -> Lstm(32)`"),
    ("TimeDistributed", "the layer itself, where it takes steps: `DensePerStep`"),
    ("Lambda", "`activation!`, or a layer of your own"),
    ("Discretization", "ids that are computed before"),
    ("StringLookup", "ids that are computed before"),
    ("TextVectorization", "ids that are computed before"),
    ("RNN", "`Rnn`, `Gru` or `Lstm`"),
    ("Maximum", "`Sum`"),
    ("Minimum", "`Sum`"),
    ("Dot", "`Product`, then `Dense`"),
    ("RepeatVector", "a network that is given the vector at each step"),
    ("UnitNormalization", "`RmsNorm(affine = false)`"),
    ("SpectralNormalization", "the layer within"),
];

pub fn refusal(class: &str) -> String {
    match NEAREST.iter().find(|(name, _)| *name == class) {
        Some((_, nearest)) => format!("no layer is this as it stands here\nhelp: the nearest is {nearest}"),
        None => "no layer is this\nhelp: write a layer of your own for it, or train without it".to_owned(),
    }
}
