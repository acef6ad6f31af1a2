//! `Sum`: several values added number by number, the end of a residual way. In: two or more values of one
//! shape; out: the same shape. It never widens a shape to fit another.

use super::any_inputs::{AnyInputs, layer_of_any_inputs};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::LayerContext;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, Range};
use nn_kernels::elementwise::Map;
use nn_kernels::simd::Simd;

/// `y = x₁ + x₂ + …`, number by number: `([…], […], …) -> […]`, all of one shape.
///
/// No arguments, as Keras's `Add()`; PyTorch writes `a + b`, which also widens shapes. Here shapes are equal
/// or refused. He et al., "Deep Residual Learning for Image Recognition", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Residual: [3] -> [3] {
///         let x = Relu;
///         let y = x -> Tanh;
///         (x, y) -> Sum
///     }
/// }
/// assert_eq!(Residual::init(0).predictor(1).predict(&[-1.0, 0.0, 100.0]), &[0.0, 0.0, 101.0]);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct Sum;

impl Sum {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        Sum
    }

    /// `([…], […], …) -> […]`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        match alike(&x, "Sum") {
            Some(fault) => Rule::Err(fault),
            None => {
                let spec = LayerSpec::output(x[0]).range(Range::All).backward_without_x().backward_without_y();
                spec.passes_gradient().per_step().onnx(OnnxForm::Operator("Sum")).ok()
            }
        }
    }
}

/// Why several values cannot be joined number by number.
pub(super) const fn alike(x: &[Shape], layer: &str) -> Option<Fault> {
    if let Some(fault) = several(x, layer) {
        return Some(fault);
    }
    let mut k = 1;
    while k < x.len() {
        if !x[k].equals(&x[0]) {
            let fault = Fault::expected("inputs of one shape").found(x[0]).str(" and ").shape(x[k]);
            return Some(alike_by(fault.help(""), [x[0], x[k]], k));
        }
        k += 1;
    }
    None
}

/// What makes input `k` and the first of one shape.
const fn alike_by(fault: Fault, [first, other]: [Shape; 2], k: usize) -> Fault {
    if let (Some([width]), Some([_])) = (first.dims::<1>(), other.dims::<1>()) {
        return end(fault, k, "Dense(").num(width).str(")`");
    }
    if let (Some([channels, h0, w0]), Some([others, h, w])) = (first.dims::<3>(), other.dims::<3>()) {
        if h0 == h && w0 == w {
            return end(fault, k, "Conv2d(").num(channels).str(", 1)`");
        }
        // A smaller image comes of a stride, so that the larger one needs the same.
        return match (stride([h0, w0], [h, w]), stride([h, w], [h0, w0])) {
            (Some(stride), _) => end(fault, 0, "Conv2d(").num(others).str(", 1, stride = ").num(stride).str(")`"),
            (_, Some(stride)) => end(fault, k, "Conv2d(").num(channels).str(", 1, stride = ").num(stride).str(")`"),
            _ => fault.str("end every way in ").shape(first),
        };
    }
    match (for_every_pixel(first, other), for_every_pixel(other, first)) {
        (Some([c, h, w]), _) => spread(end(fault, k, "Reshape("), [c, h, w]),
        (_, Some([c, h, w])) => spread(end(fault, 0, "Reshape("), [c, h, w]),
        _ => fault.str("end every way in ").shape(first),
    }
}

const fn end(fault: Fault, k: usize, layer: &str) -> Fault {
    fault.str("end the way of input ").num(k + 1).str(" in `").str(layer)
}

/// The stride of the way from a large image to a small one, if there is one.
const fn stride(large: [usize; 2], small: [usize; 2]) -> Option<usize> {
    if small[0] == 0 || large[0] == 0 {
        return None;
    }
    let stride = large[0].div_ceil(small[0]);
    let fits = large[0].div_ceil(stride) == small[0] && large[1].div_ceil(stride) == small[1];
    if stride > 1 && fits { Some(stride) } else { None }
}

/// The image, if the other value has one number for each of its channels.
const fn for_every_pixel(image: Shape, channels: Shape) -> Option<[usize; 3]> {
    match (image.dims::<3>(), channels.dims::<1>()) {
        (Some([c, h, w]), Some([numbers])) if c == numbers => Some([c, h, w]),
        _ => None,
    }
}

/// "[16, 1, 1]) -> Upsample(8)`"
const fn spread(fault: Fault, [c, h, w]: [usize; 3]) -> Fault {
    let fault = fault.shape(Shape::of([c, 1, 1])).str(") -> Upsample(").num(h);
    if h == w { fault.str(")`") } else { fault.str(", scale_hw = ").shape(Shape::of([h, w])).str(")`") }
}

/// What is wrong with fewer inputs than two.
pub(super) const fn several(x: &[Shape], layer: &str) -> Option<Fault> {
    if x.len() > 1 {
        return None;
    }
    let fault = Fault::expected("2 inputs or more").found_num(x.len());
    Some(fault.help("write the values in brackets, such as `(a, b) -> ").str(layer).str("`"))
}

/// a + b.
pub(super) struct Add;

impl Map<2> for Add {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> S::F {
        s.add(a, b)
    }
}

layer_of_any_inputs!(Sum);

impl AnyInputs for Sum {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        cx.isa.zip(&Add, x[0], x[1], y);
        for x in &x[2..] {
            cx.isa.add(x, y);
        }
    }

    fn backward_input_any(&self, _: &mut LayerContext, _: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        for dx in dx.iter_mut().filter(|dx| !dx.is_empty()) {
            dx.copy_from_slice(dy);
        }
    }
}
