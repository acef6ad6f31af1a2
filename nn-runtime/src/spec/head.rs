//! What a loss sees of the last layer.

/// What a loss sees when it looks at a network's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Head {
    /// Any numbers: class scores (logits), regression values.
    Plain,
    /// One plain number: no scores of classes. Follows from [`Head::Plain`] and the shape.
    Value,
    /// Probabilities that sum to one.
    Softmax,
    /// Logarithms of such probabilities.
    LogSoftmax,
    /// Each number a probability of its own.
    Sigmoid,
    /// A range that is neither scores nor probabilities, as ReLU's.
    Other,
    /// Probabilities of scores that an activation has cut before: nobody's scores. Follows from the layers.
    Squashed,
    /// Whatever the layer's input is: layers that only move numbers.
    Same,
}
