//! What a stream's layers are, and where they read and write, in the words of whoever makes a chain of them.
//! It computes nothing.

use core::ops::Range;

use crate::matrix::Panels;
use crate::recurrent::CellKind;

/// An input or output by its number, or where its numbers begin among the values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamPlace {
    /// An input or an output of the network.
    Outside(usize),
    /// A value between two layers, with room for whole vectors.
    Within(usize),
}

/// A layer of a stream.
#[derive(Clone, Debug)]
pub enum StreamOp {
    /// The step times a matrix, plus a bias, if there is one.
    Product {
        /// How the matrix lies.
        panels: Panels,
        /// Where it lies among the parameters.
        weight: Range<usize>,
        /// Where the bias does.
        bias: Option<Range<usize>>,
    },
    /// A causal convolution of one group, which carries where the oldest step stands in its ring, and the
    /// ring.
    Causal {
        /// Numbers of a step.
        features: usize,
        /// Taps of the kernel.
        kernel: usize,
        /// How far apart in time they are.
        dilation: usize,
        /// How the weights lie: inputs are the taps of each feature.
        panels: Panels,
        /// Where they lie among the parameters.
        weight: Range<usize>,
        /// Where the bias does.
        bias: Option<Range<usize>>,
        /// Where that is which it carries.
        carried: Range<usize>,
    },
    /// A step of a recurrence, which carries its states, each padded to whole vectors.
    Cell {
        /// Which cell it is.
        kind: CellKind,
        /// Numbers of a step.
        features: usize,
        /// Units of the cell.
        units: usize,
        /// Where [`PreparedCell`](crate::recurrent::PreparedCell) has written its weights.
        prepared: Range<usize>,
        /// Where that is which it carries.
        carried: Range<usize>,
    },
    /// The same numbers.
    Copy {
        /// How many.
        len: usize,
    },
}
