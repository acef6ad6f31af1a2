//! What an optimiser sees that looks at whole tensors: how a tensor lies in memory, and its numbers.
//! In: a shape and a layout; out: its standard, row-major form and back.

use crate::shape::Shape;
use crate::spec::{Layout, Param};
use nn_kernels::matrix::Panels;

/// How a tensor lies in memory. Its numbers may be in an order of their own, padded with zeros: what is
/// computed number by number, or over all of them, need not care.
#[derive(Clone, Debug)]
pub struct TensorLayout {
    shape: Shape,
    layout: Layout,
}

impl TensorLayout {
    /// A tensor that lies row by row.
    pub const fn plain(shape: Shape) -> TensorLayout {
        TensorLayout { shape, layout: Layout::Plain }
    }

    /// A matrix `[outputs, inputs]` that lies in panels, as the weights of dense layers do.
    ///
    /// # Panics
    /// `outputs == 0 || inputs == 0`
    pub const fn panels(outputs: usize, inputs: usize) -> TensorLayout {
        TensorLayout { shape: Shape::of([outputs, inputs]), layout: Layout::Panels(Panels::best(inputs, outputs)) }
    }

    pub(crate) fn of(param: &Param) -> TensorLayout {
        TensorLayout { shape: param.shape, layout: param.layout }
    }

    /// In the field's standard layout: `[outputs, inputs]` for a dense weight.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many numbers it is stored in, padding included.
    #[allow(clippy::len_without_is_empty, reason = "no tensor is empty")]
    pub fn len(&self) -> usize {
        self.layout.len(&self.shape)
    }

    /// Its first axis and all others, flattened; `None` of a tensor with a single axis.
    pub fn matrix(&self) -> Option<[usize; 2]> {
        let [out, rest @ ..] = self.shape.as_slice() else { return None };
        (!rest.is_empty()).then(|| [*out, rest.iter().product()])
    }

    /// Copies it from storage to row-major numbers in its standard shape.
    ///
    /// # Panics
    /// `stored.len() != self.len() || standard.len() != self.shape().len()`
    pub fn read(&self, stored: &[f32], standard: &mut [f32]) {
        match self.layout {
            Layout::Plain => standard.copy_from_slice(stored),
            Layout::Panels(panels) => panels.unpack(stored, standard),
        }
    }

    /// The reverse of [`read`](TensorLayout::read).
    ///
    /// # Panics
    /// `stored.len() != self.len() || standard.len() != self.shape().len()`
    pub fn write(&self, standard: &[f32], stored: &mut [f32]) {
        match self.layout {
            Layout::Plain => stored.copy_from_slice(standard),
            Layout::Panels(panels) => panels.pack(standard, stored),
        }
    }
}

/// A whole tensor in a step: parameters and gradients as they are stored, and scratch memory.
pub struct TensorUpdate<'a> {
    /// How they are stored.
    pub layout: &'a TensorLayout,
    /// The parameters, to be changed.
    pub params: &'a mut [f32],
    /// Their gradients, which may be overwritten: nobody reads them afterwards.
    pub grads: &'a mut [f32],
    /// As many numbers as [`Optimizer::scratch`](super::Optimizer::scratch) asked for, of any value.
    pub scratch: &'a mut [f32],
}
