//! `Glu`: one half of a value lets the other through. In: any shape with an even axis; out: half of it.
//! Nothing is learnt here.

use super::axis::{self, row};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::elementwise::{Map, fill};
use nn_kernels::math;
use nn_kernels::simd::{Kernel, Simd};

/// `y = a · σ(b)`, where `a` and `b` are the halves of `x` along `axis`: `[…, 2 · n] -> […, n]`.
///
/// | argument | here | PyTorch's `GLU` | Keras's `glu` |
/// |---|---|---|---|
/// | `axis`, from 0, the batch not counted | the last | `dim=-1` | `axis=-1` |
///
/// Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2017.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { pub struct Net: [4] -> [2] { Glu } }
/// assert_eq!(Net::init(0).predictor(1).predict(&[3.0, 5.0, 0.0, 100.0]), &[1.5, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Glu {
    axis: Option<usize>,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl Glu {
    /// Halves of the last dimension.
    pub const fn new() -> Self {
        Glu { axis: None }
    }

    /// Halves of this dimension, the batch not counted.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    /// `[…, 2 · n] -> […, n]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let axis = self.on(x);
        if let Some(fault) = axis::fault(axis, x) {
            return Rule::Err(fault);
        }
        let len = x.dim(axis);
        if !len.is_multiple_of(2) {
            let fault = Fault::expected("an even axis ").num(axis).str(", to cut in halves").found_num(len).str(" in ");
            let fault = fault.shape(x).help("make the layer before it give ").num(len - 1).str(" or ").num(len + 1);
            return Rule::Err(fault.str(" there, twice what is wanted here"));
        }
        let spec = LayerSpec::output(x.with_dim(axis, len / 2)).head(Head::Plain).backward_without_y();
        let spec = spec.onnx(OnnxForm::Glu(axis + 1));
        if axis == 0 { spec.ok() } else { spec.per_step().ok() }
    }

    const fn on(&self, x: Shape) -> usize {
        match self.axis {
            Some(axis) => axis,
            None => x.rank().saturating_sub(1),
        }
    }

    /// Numbers next to each other that belong to one half.
    fn half(&self, cx: &LayerContext) -> usize {
        let x = cx.input_shape(0);
        row(&x, self.on(x)) / 2
    }
}

/// a · σ(b)
struct Gated;

impl Map<2> for Gated {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> S::F {
        s.mul(a, math::sigmoid(s, b))
    }
}

/// dy · a · σ(b) · σ(-b)
struct GluBackwardB;

impl Map<3> for GluBackwardB {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, a, b]: [S::F; 3]) -> S::F {
        let slope = s.mul(math::sigmoid(s, b), math::sigmoid(s, s.neg(b)));
        s.mul(s.mul(dy, a), slope)
    }
}

struct GluForward<'a> {
    half: usize,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for GluForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (x, y) in self.x.chunks_exact(2 * self.half).zip(self.y.chunks_exact_mut(self.half)) {
            let (a, b) = x.split_at(self.half);
            fill(s, &Gated, [a, b], y);
        }
    }
}

struct GluBackward<'a> {
    half: usize,
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for GluBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GluBackward { half, x, dy, dx } = self;
        for ((x, dy), dx) in x.chunks_exact(2 * half).zip(dy.chunks_exact(half)).zip(dx.chunks_exact_mut(2 * half)) {
            let (a, b) = x.split_at(half);
            let (da, db) = dx.split_at_mut(half);
            fill(s, &Gated, [dy, b], da);
            fill(s, &GluBackwardB, [dy, a, b], db);
        }
    }
}

impl Layer for Glu {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        cx.isa.run(GluForward { half: self.half(cx), x, y });
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        [x]: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            cx.isa.run(GluBackward { half: self.half(cx), x, dy, dx });
        }
    }
}
