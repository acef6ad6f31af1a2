//! `Sum`: several values added number by number, the end of a residual way. In: two or more values of one shape; out: the same
//! shape. It never widens a shape to fit another.

use crate::facts::{Facts, Rule};
use crate::fault::Fault;
use crate::kernels::elementwise::Zip;
use crate::kernels::simd::Simd;
use crate::layer::{Cx, Layer};
use crate::shape::Shape;

/// `y = x₁ + x₂ + …`, number by number: `([…], […], …) -> […]`, all of one shape.
///
/// No arguments, as Keras's `Add()`; PyTorch writes `a + b`, which also widens shapes. Here shapes are equal or refused.
/// He et al., "Deep Residual Learning for Image Recognition", 2016.
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
            None => Facts::output(x[0]).pulls_without_x().pulls_without_y().ok(),
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
            let fault = Fault::expected("inputs of one shape").found(x[0]).str(" and ").shape(x[k]).help("");
            return Some(match (x[0].dims(), x[k].dims()) {
                (Some([width]), Some([_])) => {
                    fault.str("end the way of input ").num(k + 1).str(" in `Dense(").num(width).str(")`")
                }
                _ => match (x[0].dims(), x[k].dims()) {
                    (Some([channels, h0, w0]), Some([_, h, w])) if h0 == h && w0 == w => {
                        fault.str("end the way of input ").num(k + 1).str(" in `Conv2d(").num(channels).str(", 1)`")
                    }
                    _ => fault.str("end every way in ").shape(x[0]).str(", or join them by `Concat`"),
                },
            });
        }
        k += 1;
    }
    None
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
struct Add;

impl Zip for Add {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, a: S::F, b: S::F) -> S::F {
        s.add(a, b)
    }
}

impl<const N: usize> Layer<N> for Sum {
    fn forward(&self, cx: &mut Cx, x: [&[f32]; N], [y]: [&mut [f32]; 1]) {
        cx.isa.zip(&Add, x[0], x[1], y);
        for x in &x[2..] {
            cx.isa.add(x, y);
        }
    }

    fn pull_input(&self, _: &mut Cx, _: [&[f32]; N], _: [&[f32]; 1], [dy]: [&[f32]; 1], dx: [&mut [f32]; N]) {
        for dx in dx.into_iter().filter(|dx| !dx.is_empty()) {
            dx.copy_from_slice(dy);
        }
    }
}
