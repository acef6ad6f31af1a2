//! `Concat`: several values one behind the other along a dimension. In: two or more values that agree in
//! every other dimension; out: one value. It only moves numbers.

use super::any_inputs::{AnyInputs, layer_of_any_inputs};
use super::axis::{self, cut, join, row};
use super::sum::several;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::LayerContext;
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, Range};

/// Joined along `axis`: `([a, …], [b, …], …) -> [a + b + …, …]`, the other dimensions equal.
///
/// | argument | here | PyTorch's `cat` | Keras's `Concatenate` |
/// |---|---|---|---|
/// | `axis`, from 0, the batch not counted | `0`: of images the channels | `dim=0`, the batch | `axis=-1` |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Twice: [2] -> [4] {
///         let x = Relu;
///         let y = x -> Tanh;
///         (x, y) -> Concat
///     }
/// }
/// assert_eq!(Twice::init(0).predictor(1).predict(&[-1.0, 100.0]), &[0.0, 100.0, 0.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Concat {
    axis: usize,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl Concat {
    /// Along the first dimension.
    pub const fn new() -> Self {
        Concat { axis: 0 }
    }

    /// Along this dimension, the batch not counted.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = axis;
        self
    }

    /// `([a, …], [b, …], …) -> [a + b + …, …]`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        if let Some(fault) = several(&x, "Concat") {
            return Rule::Err(fault);
        }
        if let Some(fault) = axis::fault(self.axis, x[0]) {
            return Rule::Err(fault);
        }
        let mut total = x[0].dim(self.axis);
        let mut k = 1;
        while k < N {
            if x[k].rank() != x[0].rank() || !x[k].with_dim(self.axis, 1).equals(&x[0].with_dim(self.axis, 1)) {
                return Rule::Err(self.disagree(x[0], x[k]));
            }
            total = total.saturating_add(x[k].dim(self.axis));
            k += 1;
        }
        let y = x[0].with_dim(self.axis, total);
        let form = OnnxForm::AlongAxis("Concat", self.axis as i64 + 1);
        let spec = LayerSpec::output(y).range(Range::All).backward_without_x().backward_without_y().onnx(form);
        if self.axis == 0 { spec.ok() } else { spec.per_step().ok() }
    }

    const fn disagree(&self, a: Shape, b: Shape) -> Fault {
        let fault = Fault::expected("inputs that differ in axis ").num(self.axis).str(" alone").found(a);
        let fault = fault.str(" and ").shape(b);
        if a.rank() != b.rank() {
            return fault.help("put `Flatten` before it on every way");
        }
        // Where they differ in one dimension alone, that is the axis that was meant.
        let mut i = 0;
        while i < a.rank() {
            if a.with_dim(i, 1).equals(&b.with_dim(i, 1)) {
                return fault.help("join them by `Concat(axis = ").num(i).str(")`, or make axis ").num(i).str(" equal");
            }
            i += 1;
        }
        fault.help(match a.rank() {
            3 => {
                "make their heights and widths equal, as `padding = Same` does, or put `Flatten` before it on every way"
            }
            _ => "make their other dimensions equal, or put `Flatten` before it on every way",
        })
    }

    fn rows(&self, cx: &LayerContext) -> [usize; MAX_INPUTS] {
        core::array::from_fn(|k| row(&cx.input_shape(k), self.axis))
    }
}

layer_of_any_inputs!(Concat);

impl AnyInputs for Concat {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        join(x, &self.rows(cx)[..x.len()], y);
    }

    fn backward_input_any(&self, cx: &mut LayerContext, _: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        cut(dy, dx, &self.rows(cx)[..dx.len()]);
    }
}
