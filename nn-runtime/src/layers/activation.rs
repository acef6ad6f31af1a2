//! The simple activations: functions of one number, in tables by family. In: any shape; out: the same. Each states its value and its
//! pullback side by side; the layer around them is the same for all, and may not know which it is.

use crate::fault::Fault;
use crate::kernels::elementwise::{Map, Zip};
use crate::kernels::simd::Simd;

/// A function of one number and its pullback, sixteen lanes at a time. Implementors mark both `#[inline(always)]`.
trait Curve {
    /// `y` from `x`; NaN from NaN.
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F;
    /// `dx` from `dy`, and from `y` or `x`, whichever the table says.
    fn pull<S: Simd>(&self, s: S, from: S::F, dy: S::F) -> S::F;
}

/// A curve as the kernels take it.
struct Of<'a, C>(&'a C);

impl<C: Curve> Map for Of<'_, C> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
        self.0.value(s, x)
    }
}

impl<C: Curve> Zip for Of<'_, C> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, from: S::F, dy: S::F) -> S::F {
        self.0.pull(s, from, dy)
    }
}

/// What is wrong with a setting that must be above 0.
const fn positive(expected: &str, value: f32, help: &str) -> Option<Fault> {
    if value > 0.0 && value.is_finite() { None } else { Some(Fault::expected(expected).found_real(value).help(help)) }
}

/// The layer around a curve: its arguments with their defaults, what its pullback reads (`input`, `output`, or the `output` of a
/// `floor`, which products absorb for nothing), its head, and what an argument must not be.
macro_rules! activation {
    (
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $about:literal])* $field:ident: $ty:ty = $default:expr)? }
        pulls from $from:ident, head $head:ident $(, where $this:ident: $fault:expr)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            $($field: $ty,)?
        }

        #[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
        impl $name {
            /// The function, with its default where it has an argument.
            pub const fn new() -> Self {
                $name { $($field: $default)? }
            }

            $(
                $(#[doc = $about])*
                pub const fn $field(mut self, $field: $ty) -> Self {
                    self.$field = $field;
                    self
                }
            )?

            /// `[…] -> […]`
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                $(
                    let $this = self;
                    if let Some(fault) = $fault {
                        return Rule::Err(fault);
                    }
                )?
                activation!(facts $from Facts::output(x).head(Head::$head)).ok()
            }
        }

        impl Layer for $name {
            fn forward(&self, cx: &mut Cx, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                cx.isa.map(&Of(self), x, y);
            }

            fn apply(&self, cx: &mut Cx, y: &mut [f32]) {
                cx.isa.map_in_place(&Of(self), y);
            }

            fn pull_input(&self, cx: &mut Cx, x: [&[f32]; 1], y: [&[f32]; 1], [dy]: [&[f32]; 1], [dx]: [&mut [f32]; 1]) {
                if !dx.is_empty() {
                    let [from] = activation!(from $from x y);
                    cx.isa.zip(&Of(self), from, dy, dx);
                }
            }
        }
    };
    (facts floor $facts:expr) => { $facts.is_floor(0.0).pulls_without_x() };
    (facts output $facts:expr) => { $facts.is_act(true).pulls_without_x() };
    (facts input $facts:expr) => { $facts.is_act(false).pulls_without_y() };
    (from input $x:ident $y:ident) => {{ let _ = $y; $x }};
    (from $from:ident $x:ident $y:ident) => {{ let _ = $x; $y }};
}

// After the macro, so that they see it.
mod gates;
mod rectifiers;
mod squashes;

pub use gates::{Gelu, HardSwish, Mish, Silu};
pub use rectifiers::{Elu, LeakyRelu, Relu, Selu, Softplus};
pub use squashes::{HardSigmoid, Sigmoid, Tanh};
