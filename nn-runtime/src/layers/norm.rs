//! What the normalisations of rows have in common: spec, passes, and what an argument must not be. In: how
//! rows and weights lie; out: spec and filled slices. Parameters are `weight` and `bias`, in this order,
//! where there are any.

use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, SavedLayout};
use nn_kernels::long_sums::BLOCK;
use nn_kernels::row_norm::{
    NormRows, SAVED_PER_ROW, row_bias_backward, row_norm, row_norm_backward, row_weight_backward,
};

/// A normalisation of rows as a layer says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub(super) eps: f32,
    pub(super) weight: bool,
    pub(super) bias: bool,
}

/// What is wrong with a number that keeps a division from 0.
pub(super) const fn eps_fault(eps: f32) -> Option<Fault> {
    if eps > 0.0 && eps.is_finite() {
        return None;
    }
    Some(Fault::expected("an eps above 0").found_real(eps).help("give one such as `eps = 1e-5`"))
}

impl Norm {
    /// The spec of so many rows a sample, and weights of this shape. `too_few` helps where a row is a single
    /// number, which would always become 0 (or ±1).
    pub(super) const fn rule(&self, x: Shape, rows: usize, weights: Shape, too_few: &str, form: OnnxForm) -> Rule {
        if let Some(fault) = eps_fault(self.eps) {
            return Rule::Err(fault);
        }
        let numbers = if let Some(count) = x.len().checked_div(rows) { count } else { 0 };
        if numbers < 2 {
            let fault = Fault::expected("at least 2 numbers to normalise together, of ").shape(x);
            return Rule::Err(fault.found_num(numbers).help(too_few));
        }
        let mut spec = LayerSpec::output(x)
            .computes()
            .saves(SAVED_PER_ROW * rows)
            .saved_layout(SavedLayout::Sample)
            .accepts_elementwise()
            .onnx(form);
        if self.weight {
            spec = spec.param("weight", weights, Init::Constant(1.0));
        }
        if self.weight && self.bias {
            spec = spec.param("bias", weights, Init::Zeros);
        }
        spec.ok()
    }

    /// The spec of rows that are the last `axes` dimensions. Where there are others before them, each step is
    /// normalised on its own.
    pub(super) const fn over_last(&self, x: Shape, axes: usize, form: OnnxForm) -> Rule {
        let (weights, rows) = match last_axes(x, axes) {
            Ok(last) => last,
            Err(fault) => return Rule::Err(fault),
        };
        let too_few = "leave it out, or normalise before the features become one";
        match self.rule(x, rows, weights, too_few, form) {
            Rule::Ok(spec) if axes < x.rank() => spec.per_step().ok(),
            rule => rule,
        }
    }

    /// Weight and bias, where there are any.
    pub(super) fn params<'a>(&self, cx: &LayerContext<'a>) -> [Option<&'a [f32]>; 2] {
        let there = [self.weight, self.weight && self.bias];
        core::array::from_fn(|i| there[i].then(|| cx.param(i)))
    }

    pub(super) fn forward(&self, cx: &mut LayerContext, rows: NormRows, x: &[f32], y: &mut [f32]) {
        let params = self.params(cx);
        row_norm(cx.isa, rows, x, params, cx.floor(), y, cx.saved);
    }

    pub(super) fn backward_input(&self, cx: &mut LayerContext, rows: NormRows, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        if !dx.is_empty() {
            let weight = self.weight.then(|| cx.param(0));
            row_norm_backward(cx.isa, rows, x, weight, dy, cx.saved, dx);
        }
    }

    pub(super) fn backward_params(
        &self,
        cx: &mut ReadContext,
        rows: NormRows,
        x: &[f32],
        dy: &[f32],
        mut grad: ParamGrad,
    ) {
        if !self.weight {
            return;
        }
        // All rows of different weights are one row of the sum.
        let together = (rows.weights * rows.span / rows.row).max(1);
        let width = together * rows.row;
        let sums = cx.row_sums(cx.input_shape(0).len() / width);
        let (isa, saved, each) = (cx.isa, cx.saved, together * SAVED_PER_ROW);
        let (range, dw) = grad.slice(cx, 0);
        if !range.is_empty() {
            sums.add_by_blocks(BLOCK, dw, |at, of, dw| {
                let (numbers, kept) = (at.start * width..at.end * width, at.start * each..at.end * each);
                let range = range.start + of.start..range.start + of.end;
                row_weight_backward(isa, rows, &x[numbers.clone()], &dy[numbers], &saved[kept], range, dw);
            });
        }
        if self.bias {
            let (range, db) = grad.slice(cx, 1);
            if !range.is_empty() {
                sums.add_by_blocks(BLOCK, db, |at, of, db| {
                    let dy = &dy[at.start * width..at.end * width];
                    row_bias_backward(isa, rows, dy, range.start + of.start..range.start + of.end, db);
                });
            }
        }
    }
}

/// The passes of a layer that has a `norm` and knows how its rows lie.
macro_rules! row_norm_layer {
    ($layer:ident) => {
        impl Layer for $layer {
            fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                self.norm.forward(cx, self.rows(cx), x, y);
            }

            fn backward_input(
                &self,
                cx: &mut LayerContext,
                [x]: [&[f32]; 1],
                _: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                [dx]: [&mut [f32]; 1],
            ) {
                self.norm.backward_input(cx, self.rows(cx), x, dy, dx);
            }

            fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], grad: ParamGrad) {
                self.norm.backward_params(cx, self.rows(cx), x, dy, grad);
            }
        }
    };
}
pub(super) use row_norm_layer;

/// The arguments and rows of a layer that normalises the last `axes` dimensions, about their mean or about 0.
macro_rules! norm_of_last_axes {
    ($layer:ident, centred: $centred:literal, $form:ident) => {
        impl $layer {
            /// Over so many of the last dimensions together.
            pub const fn axes(mut self, axes: usize) -> Self {
                self.axes = axes;
                self
            }

            /// What is added under the root.
            pub const fn eps(mut self, eps: f32) -> Self {
                self.norm.eps = eps;
                self
            }

            /// Whether a weight, and the bias if there is one, are learnt.
            pub const fn affine(mut self, affine: bool) -> Self {
                self.norm.weight = affine;
                self
            }

            /// `[…] -> […]`
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                self.norm.over_last(x, self.axes, crate::spec::OnnxForm::$form(self.axes, self.norm.eps))
            }

            fn rows(&self, cx: &LayerContext<'_, impl Sized>) -> NormRows {
                let x = cx.input_shape(0);
                let row = super::axis::row(&x, x.rank() - self.axes);
                NormRows { row, span: 1, weights: row, centred: $centred, eps: self.norm.eps }
            }
        }

        super::norm::row_norm_layer!($layer);
    };
}
pub(super) use norm_of_last_axes;

/// The last `axes` dimensions, as the shape of weights and the number of rows before them.
const fn last_axes(x: Shape, axes: usize) -> Result<(Shape, usize), Fault> {
    if axes == 0 || axes > x.rank() {
        let fault = Fault::expected("1 to ").num(x.rank()).str(" axes, the dimensions of ").shape(x).found_num(axes);
        return Err(fault.help("give the number of last dimensions to normalise together, such as `axes = 1`"));
    }
    let (rows, last) = x.as_slice().split_at(x.rank() - axes);
    Ok((Shape::of_slice(last), Shape::of_slice(rows).len()))
}
