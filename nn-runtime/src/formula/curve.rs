//! A function of one number, and the layer around it. In: value and pullback, sixteen lanes at a time; out:
//! passes over whole batches, in place too. It may not know which function it is.

use crate::layer::LayerContext;
use crate::spec::LayerSpec;
use nn_kernels::elementwise::Map;
use nn_kernels::simd::Simd;

/// A function of one number and its pullback. Implementors mark both `#[inline(always)]`.
pub trait Curve {
    /// Whether the pullback is made of the value rather than of the input.
    const FROM_OUTPUT: bool;
    /// `y` from `x`; NaN from NaN.
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F;
    /// `dx` from `dy`, and from `y` or `x`, whichever it is.
    fn backward<S: Simd>(&self, s: S, from: S::F, dy: S::F) -> S::F;
}

/// A curve as the kernels take it.
pub struct Of<'a, C>(pub &'a C);

impl<C: Curve> Map for Of<'_, C> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        self.0.value(s, x)
    }
}

impl<C: Curve> Map<2> for Of<'_, C> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [d, from]: [S::F; 2]) -> S::F {
        self.0.backward(s, from, d)
    }
}

/// [`Layer::forward`](crate::Layer::forward)
pub fn forward(curve: &impl Curve, cx: &mut LayerContext, x: &[f32], y: &mut [f32]) {
    cx.isa.map(&Of(curve), x, y);
}

/// [`Layer::apply`](crate::Layer::apply)
pub fn forward_in_place(curve: &impl Curve, cx: &mut LayerContext, y: &mut [f32]) {
    cx.isa.map_in_place(&Of(curve), y);
}

/// [`Layer::backward_input`](crate::Layer::backward_input)
pub fn backward<C: Curve>(curve: &C, cx: &mut LayerContext, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    if !dx.is_empty() {
        dx.copy_from_slice(dy);
        backward_in_place(curve, cx, x, y, dx);
    }
}

/// [`Layer::backward_in_place`](crate::Layer::backward_in_place)
pub fn backward_in_place<C: Curve>(curve: &C, cx: &mut LayerContext, x: &[f32], y: &[f32], d: &mut [f32]) {
    cx.isa.zip_in_place(&Of(curve), d, if C::FROM_OUTPUT { y } else { x });
}

/// The spec of `max(x, floor)`, which products absorb for nothing.
pub const fn floor(spec: LayerSpec, floor: f32) -> LayerSpec {
    spec.floor(floor).backward_in_place()
}

/// The layer of a type that is a `Curve`.
#[doc(hidden)]
#[macro_export]
macro_rules! __curve_layer {
    // With up to four settings, it can be run without a context too.
    ($name:ident { $($setting:ident),* }) => {
        impl $name {
            fn of_sample(
                __isa: $crate::Isa,
                __settings: &[::core::primitive::f32; 4],
                __y: &mut [::core::primitive::f32],
            ) {
                let [$($setting,)* ..] = *__settings;
                __isa.map_in_place(&$crate::__private::Of(&$name { $($setting),* }), __y);
            }
            fn gradient_of_samples(
                __isa: $crate::Isa,
                __settings: &[::core::primitive::f32; 4],
                __from: &[::core::primitive::f32],
                __d: &mut [::core::primitive::f32],
            ) {
                let [$($setting,)* ..] = *__settings;
                __isa.zip_in_place(&$crate::__private::Of(&$name { $($setting),* }), __d, __from);
            }
        }
        $crate::__private::curve_layer!($name);
    };
    ($name:ident) => {
        impl $crate::Layer for $name {
            fn forward(
                &self,
                __cx: &mut $crate::LayerContext<'_>,
                [__x]: [&[::core::primitive::f32]; 1],
                [__y]: [&mut [::core::primitive::f32]; 1],
            ) {
                $crate::__private::forward(self, __cx, __x, __y);
            }
            fn apply(&self, __cx: &mut $crate::LayerContext<'_>, __y: &mut [::core::primitive::f32]) {
                $crate::__private::forward_in_place(self, __cx, __y);
            }
            fn backward_input(
                &self,
                __cx: &mut $crate::LayerContext<'_>,
                [__x]: [&[::core::primitive::f32]; 1],
                [__y]: [&[::core::primitive::f32]; 1],
                [__dy]: [&[::core::primitive::f32]; 1],
                [__dx]: [&mut [::core::primitive::f32]; 1],
            ) {
                $crate::__private::backward(self, __cx, __x, __y, __dy, __dx);
            }
            fn backward_in_place(
                &self,
                __cx: &mut $crate::LayerContext<'_>,
                [__x]: [&[::core::primitive::f32]; 1],
                [__y]: [&[::core::primitive::f32]; 1],
                __d: &mut [::core::primitive::f32],
            ) {
                $crate::__private::backward_in_place(self, __cx, __x, __y, __d);
            }
        }
    };
}
pub use crate::__curve_layer as curve_layer;
