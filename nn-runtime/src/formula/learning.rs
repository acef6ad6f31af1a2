//! A function of one number with `P` parameters that are learnt, and the layer around it. In: value, pullback
//! and the parameters' gradients, sixteen lanes at a time; out: passes over whole batches. A batch cut
//! anywhere gives the same bits: sums go sample by sample.

use crate::layer::{LayerContext, ParamGrad, ReadContext};
use nn_kernels::elementwise::Map;
use nn_kernels::reduce::{Terms, sums};
use nn_kernels::simd::{Kernel, Simd};

/// A function of one number and of parameters. Implementors mark all three `#[inline(always)]`.
pub trait Learning<const P: usize> {
    /// `y` from `x`; NaN from NaN.
    fn value<S: Simd>(&self, s: S, p: [S::F; P], x: S::F) -> S::F;
    /// `dx` from `x` and `dy`.
    fn backward<S: Simd>(&self, s: S, p: [S::F; P], x: S::F, dy: S::F) -> S::F;
    /// What each number adds to the gradient of each parameter.
    fn backward_params<S: Simd>(&self, s: S, p: [S::F; P], x: S::F, dy: S::F) -> [S::F; P];
}

/// Such a function with its parameters, as the kernels take it.
pub(super) struct At<'a, C, const P: usize>(pub(super) &'a C, pub(super) [f32; P]);

impl<C: Learning<P>, const P: usize> At<'_, C, P> {
    #[inline(always)]
    fn params<S: Simd>(&self, s: S) -> [S::F; P] {
        self.1.map(
            #[inline(always)]
            |p| s.splat(p),
        )
    }
}

impl<C: Learning<P>, const P: usize> Map for At<'_, C, P> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        self.0.value(s, self.params(s), x)
    }
}

impl<C: Learning<P>, const P: usize> Map<2> for At<'_, C, P> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, dy]: [S::F; 2]) -> S::F {
        self.0.backward(s, self.params(s), x, dy)
    }
}

impl<C: Learning<P>, const P: usize> Terms<2, P> for At<'_, C, P> {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x, dy]: [S::F; 2]) -> [S::F; P] {
        self.0.backward_params(s, self.params(s), x, dy)
    }
}

/// The sums over one sample.
pub(super) struct Sums<'a, C, const P: usize>(pub(super) At<'a, C, P>, pub(super) &'a [f32], pub(super) &'a [f32]);

impl<C: Learning<P>, const P: usize> Kernel for Sums<'_, C, P> {
    type Out = [f64; P];
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [f64; P] {
        let Sums(at, x, dy) = self;
        sums(s, &at, [x, dy])
    }
}

fn params<const P: usize>(cx: &LayerContext) -> [f32; P] {
    core::array::from_fn(|i| cx.param(i)[0])
}

/// [`Layer::forward`](crate::Layer::forward). Training, it keeps the parameters for `learn_backward_params`,
/// which may find them changed.
pub fn learn_forward<C: Learning<P>, const P: usize>(curve: &C, cx: &mut LayerContext, x: &[f32], y: &mut [f32]) {
    let params = params::<P>(cx);
    for (saved, param) in cx.saved.iter_mut().zip(params) {
        *saved = param;
    }
    cx.isa.map(&At(curve, params), x, y);
}

/// [`Layer::backward_input`](crate::Layer::backward_input)
pub fn learn_backward<C: Learning<P>, const P: usize>(
    curve: &C,
    cx: &mut LayerContext,
    x: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) {
    if !dx.is_empty() {
        cx.isa.zip(&At(curve, params::<P>(cx)), x, dy, dx);
    }
}

/// [`Layer::backward_params`](crate::Layer::backward_params)
pub fn learn_backward_params<C: Learning<P>, const P: usize>(
    curve: &C,
    cx: &mut ReadContext,
    x: &[f32],
    dy: &[f32],
    mut part: ParamGrad,
) {
    let len = cx.input_shape(0).len();
    let asked: [bool; P] = core::array::from_fn(|i| !part.slice(cx, i).1.is_empty());
    if x.is_empty() || !asked.contains(&true) {
        return;
    }
    let params: [f32; P] = core::array::from_fn(|i| cx.saved[i]);
    let mut all: [f32; P] = core::array::from_fn(|i| part.slice(cx, i).1.first().copied().unwrap_or(0.0));
    cx.row_sums(1).add_samples(&mut all, |samples, of, to| {
        let numbers = samples.start * len..samples.end * len;
        for (x, dy) in x[numbers.clone()].chunks_exact(len).zip(dy[numbers].chunks_exact(len)) {
            let sums = cx.isa.run(Sums(At(curve, params), x, dy));
            to.iter_mut().zip(&sums[of.clone()]).for_each(|(to, sum)| *to += *sum as f32);
        }
    });
    for i in (0..P).filter(|&i| asked[i]) {
        part.slice(cx, i).1[0] = all[i];
    }
}

/// The layer of a type that is `Learning`.
#[doc(hidden)]
#[macro_export]
macro_rules! __learning_layer {
    ($name:ident, $count:literal) => {
        impl $crate::Layer for $name {
            fn forward(
                &self,
                __cx: &mut $crate::LayerContext<'_>,
                [__x]: [&[::core::primitive::f32]; 1],
                [__y]: [&mut [::core::primitive::f32]; 1],
            ) {
                $crate::__private::learn_forward::<_, $count>(self, __cx, __x, __y);
            }
            fn backward_input(
                &self,
                __cx: &mut $crate::LayerContext<'_>,
                [__x]: [&[::core::primitive::f32]; 1],
                _: [&[::core::primitive::f32]; 1],
                [__dy]: [&[::core::primitive::f32]; 1],
                [__dx]: [&mut [::core::primitive::f32]; 1],
            ) {
                $crate::__private::learn_backward::<_, $count>(self, __cx, __x, __dy, __dx);
            }
            fn backward_params(
                &self,
                __cx: &mut $crate::ReadContext<'_>,
                [__x]: [&[::core::primitive::f32]; 1],
                [__dy]: [&[::core::primitive::f32]; 1],
                __part: $crate::ParamGrad<'_>,
            ) {
                $crate::__private::learn_backward_params::<_, $count>(self, __cx, __x, __dy, __part);
            }
        }
    };
}
pub use crate::__learning_layer as learning_layer;
