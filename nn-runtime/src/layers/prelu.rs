//! `Prelu`: a rectifier that learns its slope below 0. In: any shape; out: the same. One slope for all
//! numbers, or one per channel.

use core::ops::Range;

use super::{Normalization, axis};
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::elementwise::{Map, add, fill};
use nn_kernels::long_sums::BLOCK;
use nn_kernels::reduce::{Terms, sums};
use nn_kernels::simd::{Kernel, Simd};

/// `y = x` above 0, `y = weight · x` elsewhere. Any shape. At 0 the slope is the weight.
///
/// | argument | here | PyTorch's `PReLU` | Keras's `PReLU` |
/// |---|---|---|---|
/// | `per_channel`: a slope for each feature of `[features]` and `[steps, features]`, or channel of `[channels, …]` | `false`: one | `num_parameters=1` | one per number unless `shared_axes` |
/// | `axis`, from 0, the batch not counted: where the channels are | 1 of `[steps, features]`, else 0 | 0 | `shared_axes` are the others |
/// | `init` | `Constant(0.25)` | `init=0.25` | `"zeros"` |
///
/// Parameter: `weight`, `[1]` or `[channels]`. He et al., "Delving Deep into Rectifiers", 2015.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { pub struct Net: [2] -> [2] { Prelu } }
/// assert_eq!(Net::init(0).predictor(1).predict(&[-2.0, 2.0]), &[-0.5, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Prelu {
    per_channel: bool,
    init: Init,
    axis: Option<usize>,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl Prelu {
    /// One slope for all numbers.
    pub const fn new() -> Self {
        Prelu { per_channel: false, init: Init::Constant(0.25), axis: None }
    }

    /// Whether each feature of `[features]` and `[steps, features]`, or channel of `[channels, …]`, has a
    /// slope of its own.
    pub const fn per_channel(mut self, per_channel: bool) -> Self {
        self.per_channel = per_channel;
        self
    }

    /// Where the channels are: this dimension, the batch not counted. `axis = 0` for a signal of `[channels,
    /// length]`.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    const fn axis_of(&self, x: &Shape) -> usize {
        match self.axis {
            Some(axis) => axis,
            None => Normalization::feature_axis(x),
        }
    }

    /// What the slopes are drawn from.
    pub const fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// `[…] -> […]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let axis = self.axis_of(&x);
        if self.per_channel
            && x.rank() > 0
            && let Some(fault) = axis::fault(axis, x)
        {
            return Rule::Err(fault);
        }
        let slopes = if self.per_channel && x.rank() > 0 { x.dim(axis) } else { 1 };
        let spec =
            LayerSpec::output(x).param("weight", Shape::of([slopes]), self.init).head(Head::Other).backward_without_y();
        let spec = spec.onnx(OnnxForm::Prelu(axis));
        if self.per_channel && axis == 0 { spec.ok() } else { spec.per_step().ok() }
    }

    /// Adjacent numbers with the same slope.
    fn span(&self, cx: &LayerContext<'_, impl Sized>) -> usize {
        let x = cx.input_shape(0);
        if self.per_channel { axis::row(&x, self.axis_of(&x) + 1) } else { x.len() }
    }
}

/// x above 0, else x times the slope: the last operand, or the one in the brackets.
struct Bent(f32);

impl Map<2> for Bent {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, slope]: [S::F; 2]) -> S::F {
        s.select(s.gt(x, s.splat(0.0)), x, s.mul(slope, x))
    }
}

impl Map<1> for Bent {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        Map::<2>::apply(self, s, [x, s.splat(self.0)])
    }
}

/// dy where x is above 0, else dy times the slope.
struct SlopedGradient(f32);

impl Map<3> for SlopedGradient {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x, slope]: [S::F; 3]) -> S::F {
        s.select(s.gt(x, s.splat(0.0)), dy, s.mul(slope, dy))
    }
}

impl Map<2> for SlopedGradient {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        Map::<3>::apply(self, s, [dy, x, s.splat(self.0)])
    }
}

/// dy · x where x is not above 0.
struct Below;

impl Map<2> for Below {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        s.select(s.gt(x, s.splat(0.0)), s.splat(0.0), s.mul(dy, x))
    }
}

impl Terms<2, 1> for Below {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, x: [S::F; 2]) -> [S::F; 1] {
        [Map::<2>::apply(self, s, x)]
    }
}

struct PreluForward<'a> {
    span: usize,
    slopes: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for PreluForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PreluForward { span, slopes, x, y } = self;
        let sample = span * slopes.len();
        for (x, y) in x.chunks_exact(sample).zip(y.chunks_exact_mut(sample)) {
            if span == 1 {
                fill(s, &Bent(0.0), [x, slopes], y);
                continue;
            }
            for ((x, y), &slope) in x.chunks_exact(span).zip(y.chunks_exact_mut(span)).zip(slopes) {
                fill(s, &Bent(slope), [x], y);
            }
        }
    }
}

struct PreluBackwardInput<'a> {
    span: usize,
    slopes: &'a [f32],
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for PreluBackwardInput<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PreluBackwardInput { span, slopes, x, dy, dx } = self;
        let sample = span * slopes.len();
        for ((x, dy), dx) in x.chunks_exact(sample).zip(dy.chunks_exact(sample)).zip(dx.chunks_exact_mut(sample)) {
            if span == 1 {
                fill(s, &SlopedGradient(0.0), [dy, x, slopes], dx);
                continue;
            }
            let pieces = x.chunks_exact(span).zip(dy.chunks_exact(span)).zip(dx.chunks_exact_mut(span));
            for (((x, dy), dx), &slope) in pieces.zip(slopes) {
                fill(s, &SlopedGradient(slope), [dy, x], dx);
            }
        }
    }
}

struct PreluBackwardWeight<'a> {
    span: usize,
    /// Numbers of a row, with all slopes once, and where in them those of the asked slopes lie.
    row: usize,
    of: Range<usize>,
    x: &'a [f32],
    dy: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for PreluBackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PreluBackwardWeight { span, row, of, x, dy, to } = self;
        for (x, dy) in x.chunks_exact(row).zip(dy.chunks_exact(row)) {
            let (x, dy) = (&x[of.clone()], &dy[of.clone()]);
            if span == 1 {
                add(s, &Below, [dy, x], to);
                continue;
            }
            for ((x, dy), to) in x.chunks_exact(span).zip(dy.chunks_exact(span)).zip(&mut *to) {
                *to += sums(s, &Below, [dy, x])[0] as f32;
            }
        }
    }
}

impl Layer for Prelu {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        // One slope for whatever there is: in a stream that is less than a sample.
        let span = if self.per_channel { self.span(cx) } else { x.len().max(1) };
        cx.isa.run(PreluForward { span, slopes: cx.param(0), x, y });
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
            cx.isa.run(PreluBackwardInput { span: self.span(cx), slopes: cx.param(0), x, dy, dx });
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut grad: ParamGrad) {
        let (span, shape) = (self.span(cx), cx.input_shape(0));
        let slopes = if self.per_channel { shape.dim(self.axis_of(&shape)) } else { 1 };
        let row = span * slopes;
        let (isa, sums) = (cx.isa, cx.row_sums(shape.len() / row));
        let (range, to) = grad.slice(cx, 0);
        if !range.is_empty() {
            sums.add_by_blocks(BLOCK, to, |rows, slopes, to| {
                let (x, dy) = (&x[rows.start * row..rows.end * row], &dy[rows.start * row..rows.end * row]);
                let of = span * (range.start + slopes.start)..span * (range.start + slopes.end);
                isa.run(PreluBackwardWeight { span, row, of, x, dy, to });
            });
        }
    }
}
