//! What goes into a layer and what comes out of it.

use super::LayerSpec;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::shape::Shape;

/// The shapes of one sample of every input and output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShapeSpec {
    pub(crate) inputs: [Shape; MAX_INPUTS],
    pub(crate) outputs: [Shape; MAX_OUTPUTS],
    /// How many outputs there are.
    pub(crate) arity: usize,
    /// The first output without a number.
    pub(super) empty: Option<usize>,
    /// All of them fit into memory.
    pub(super) fits: bool,
    /// Of each input, how many token ids there are: it holds whole numbers below that. 0 where it holds any
    /// numbers.
    pub(crate) ids: [u32; MAX_INPUTS],
}

impl ShapeSpec {
    pub(super) const fn outputs(shapes: &[Shape]) -> ShapeSpec {
        assert!(shapes.len() <= MAX_OUTPUTS, "expected at most 4 outputs");
        let mut outputs = [Shape::UNKNOWN; MAX_OUTPUTS];
        let (mut empty, mut fits) = (None, true);
        let mut i = shapes.len();
        while i > 0 {
            i -= 1;
            outputs[i] = shapes[i];
            match shapes[i].checked_len() {
                Some(0) if shapes[i].is_known() => empty = Some(i),
                Some(_) => {}
                None => fits = false,
            }
        }
        let inputs = [Shape::UNKNOWN; MAX_INPUTS];
        ShapeSpec { inputs, outputs, arity: shapes.len(), empty, fits, ids: [0; MAX_INPUTS] }
    }
}

impl LayerSpec {
    /// Input `k` holds token ids: whole numbers from 0 up to but without `count`. Where that input is one of
    /// the network's, every sample is checked before it comes in.
    pub const fn ids(mut self, k: usize, count: usize) -> LayerSpec {
        self.shapes.ids[k] = if count < 1 << 24 { count as u32 } else { 1 << 24 };
        self
    }

    /// The shapes of the outputs.
    pub const fn output_shapes(&self) -> &[Shape] {
        self.shapes.outputs.split_at(self.shapes.arity).0
    }
}
