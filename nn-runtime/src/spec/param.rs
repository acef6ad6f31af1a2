//! One parameter tensor of a layer: its name, its shape, how it lies in memory and what it is for. In: a rule's words; out: numbers the
//! parameter table and the kernels agree on.

use super::LINE;
use crate::init::Init;
use crate::shape::Shape;
use nn_kernels::matrix::Panels;

/// What a parameter is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Learnt by gradient.
    Trainable,
    /// A statistic that follows the batches it has seen: what `backward_params` adds to it is its change, applied after the step.
    RunningStat,
    /// Given once and saved with the rest; no step changes it.
    Constant,
}

/// How a parameter lies in memory. What is saved and shown is always the standard layout, row-major.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    Plain,
    /// A matrix `[cols, rows]` in panels of columns, as the product kernel reads it.
    Panels(Panels),
}

impl Layout {
    pub(crate) const fn len(&self, shape: &Shape) -> usize {
        match self {
            Layout::Plain => shape.len(),
            Layout::Panels(panels) => panels.len(),
        }
    }

    /// Where a parameter may be cut in parts: at multiples of this many floats.
    pub(crate) const fn grain(&self) -> usize {
        match self {
            Layout::Plain => LINE,
            Layout::Panels(_) => Panels::SPLIT_ALIGN,
        }
    }
}

/// One parameter tensor of a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) layout: Layout,
    pub(crate) init: Init,
    /// How many inputs and outputs `init` is scaled by.
    pub(crate) fans: [usize; 2],
    /// From where on, and how many, numbers in it no step changes.
    pub(crate) fixed: [usize; 2],
    pub(crate) role: Role,
    /// Where it begins within the layer's parameters.
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

impl Param {
    pub(super) const NONE: Param = Param {
        name: "",
        shape: Shape::UNKNOWN,
        layout: Layout::Plain,
        init: Init::Zeros,
        fans: [1, 1],
        fixed: [0, 0],
        role: Role::Trainable,
        offset: 0,
        len: 0,
    };
}
