//! The parameters of a layer: names, shapes, how they lie in memory, and what each is for.

use super::LayerSpec;
use crate::init::{self, Init};
use crate::limits::{LINE, MAX_LEN, MAX_PARAMS, lines};
use crate::shape::Shape;
use nn_kernels::matrix::Panels;

/// What a parameter is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Role {
    /// Learnt by gradient.
    Trainable,
    /// A statistic that follows the batches it has seen: what `backward_params` adds to it is its change,
    /// applied after the step.
    RunningStat,
    /// Given once and saved with the rest; no step changes it.
    Constant,
}

/// Whether a parameter called so is a variance or a deviation, which is not below 0.
pub(crate) const fn is_spread(role: Role, name: &str) -> bool {
    !matches!(role, Role::Trainable) && matches!(name.as_bytes(), b"running_var" | b"std")
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

    /// Copies what is stored to row-major numbers in the standard shape.
    pub(crate) fn read(&self, stored: &[f32], to: &mut [f32]) {
        match self {
            Layout::Plain => to.copy_from_slice(stored),
            Layout::Panels(panels) => panels.unpack(stored, to),
        }
    }

    /// Copies row-major numbers in the standard shape to where they are stored.
    #[cfg(feature = "train")]
    pub(crate) fn write(&self, from: &[f32], stored: &mut [f32]) {
        match self {
            Layout::Plain => stored.copy_from_slice(from),
            Layout::Panels(panels) => panels.pack(from, stored),
        }
    }

    /// Where a parameter may be split: at multiples of this many floats.
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
    /// Numbers that stay what they are: the first, and how many.
    pub(crate) fixed: [usize; 2],
    pub(crate) role: Role,
    /// Where it begins within the layer's parameters.
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

impl Param {
    /// Zeros as far as may be, which a download need not hold.
    const NONE: Param = Param {
        name: "",
        shape: Shape::UNKNOWN,
        layout: Layout::Plain,
        init: Init::GlorotUniform,
        fans: [0, 0],
        fixed: [0, 0],
        role: Role::Trainable,
        offset: 0,
        len: 0,
    };
}

/// All parameters of a layer, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParamSpec {
    list: [Param; MAX_PARAMS],
    count: usize,
    /// A step changes one of them.
    trains: bool,
    /// There were more than there is room for.
    pub(super) too_many: bool,
    /// Floats of all in storage, each rounded up to whole cache lines.
    pub(crate) len: usize,
}

impl ParamSpec {
    pub(super) const NONE: ParamSpec =
        ParamSpec { list: [Param::NONE; MAX_PARAMS], count: 0, trains: false, too_many: false, len: 0 };

    /// The parameters of one copy of the layer, in the order its rule lists them.
    pub(crate) const fn list(&self) -> &[Param] {
        self.list.split_at(self.count).0
    }

    /// Makes room for so many copies; true where that does not fit into memory.
    pub(super) const fn repeat(&mut self, times: usize) -> bool {
        match self.len.checked_mul(times) {
            Some(len) if len <= MAX_LEN => {
                self.len = len;
                false
            }
            _ => {
                self.len = 0;
                true
            }
        }
    }
}

impl LayerSpec {
    /// A learnt parameter, row-major, with its initial distribution. Parameters are numbered in the order
    /// they are given; more than 8 are refused where the layer stands.
    pub const fn param(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        self.push(name, shape, Layout::Plain, init, Role::Trainable)
    }

    /// `len` numbers of the parameter given last, from `from` on, stay what they are: no gradient, decay,
    /// penalty or optimiser moves them.
    ///
    /// # Panics
    /// No parameter has been given yet, or it does not have these numbers.
    pub const fn fixed(mut self, from: usize, len: usize) -> LayerSpec {
        assert!(self.params.count > 0, "expected a parameter before what is fixed in it");
        let param = &mut self.params.list[self.params.count - 1];
        assert!(matches!(param.layout, Layout::Plain), "expected a parameter that is stored row by row");
        assert!(from <= param.len && len <= param.len - from, "expected numbers of the parameter");
        param.fixed = [from, len];
        self
    }

    /// A running statistic: saved with the others, never touched by an optimiser. What `backward_params` adds
    /// for it is its change after this step; for that it may read its present value.
    pub const fn running_stat(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        self.push(name, shape, Layout::Plain, init, Role::RunningStat)
    }

    /// A parameter that is given once, by [`Model::set`](crate::Model::set) or a file, and that no step
    /// changes.
    pub const fn constant(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        self.push(name, shape, Layout::Plain, init, Role::Constant)
    }

    /// How many inputs each output of the parameter given last is made of, and how many outputs each input
    /// goes into: what [`Init`] scales its distribution by. Without this they are read from the shape, as of
    /// `[out, in, …]`.
    ///
    /// # Panics
    /// No parameter has been given yet.
    pub const fn fans(mut self, inputs: usize, outputs: usize) -> LayerSpec {
        assert!(self.params.count > 0, "expected a parameter before its fans");
        self.params.list[self.params.count - 1].fans = [inputs, outputs];
        self
    }

    /// A learnt matrix `[outputs, inputs]`, stored as the product kernels read it.
    pub(crate) const fn matrix(self, name: &'static str, cols: usize, rows: usize, init: Init) -> LayerSpec {
        let shape = Shape::of([cols, rows]);
        // Where the size overflows nothing is laid out: the fault is told by `check`.
        let panels = match shape.checked_len() {
            Some(len) if len > 0 => Panels::best(rows, cols),
            _ => Panels::new(1, 1),
        };
        self.push(name, shape, Layout::Panels(panels), init, Role::Trainable)
    }

    /// Learnt filters `[outputs, …]`, stored as a matrix of one output a column.
    pub(crate) const fn filters(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        let panels = match shape.checked_len() {
            Some(len) if len > 0 => Panels::new(len / shape.dim(0), shape.dim(0)),
            _ => Panels::new(1, 1),
        };
        self.push(name, shape, Layout::Panels(panels), init, Role::Trainable)
    }

    const fn push(mut self, name: &'static str, shape: Shape, layout: Layout, init: Init, role: Role) -> LayerSpec {
        if self.params.count == MAX_PARAMS {
            self.params.too_many = true;
            return self;
        }
        self.overflow |= shape.checked_len().is_none();
        let len = layout.len(&shape);
        let fans = init::fans(&shape);
        let offset = self.params.len;
        self.params.list[self.params.count] =
            Param { name, shape, layout, init, fans, fixed: [0, 0], role, offset, len };
        self.params.count += 1;
        self.params.trains |= !matches!(role, Role::Constant);
        self.params.len += lines(len);
        self.overflow |= self.params.len > MAX_LEN;
        self
    }

    /// How many numbers are learnt or kept, as the field counts them.
    pub(crate) const fn param_count(&self) -> usize {
        let each = match self.nested {
            Some(nested) => nested.param_count,
            None => {
                let (mut sum, mut i) = (0, 0);
                while i < self.params.count {
                    sum += self.params.list[i].shape.len();
                    i += 1;
                }
                sum
            }
        };
        each.saturating_mul(self.times)
    }

    /// True if a step changes something here.
    pub(crate) const fn trains(&self) -> bool {
        match self.nested {
            Some(nested) => nested.trains,
            None => self.params.trains,
        }
    }
}
