//! From scores to predictions.

/// What makes predictions of the outputs a loss reads: the inverse link function of a generalised linear
/// model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// The outputs are the predictions.
    Identity,
    /// `1 / (1 + exp(-y))` of each number: a yes or no of its own.
    Sigmoid,
    /// `exp(y) / Σ exp(y)` over a row: classes of which one is right.
    Softmax,
}
