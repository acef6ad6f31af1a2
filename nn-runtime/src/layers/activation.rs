//! The simple activations: functions of one number, by family. In: any shape; out: the same. Most are
//! formulas, as users write them. By hand stand `Sigmoid`, whose head losses know; `Gelu`, which keeps its
//! slope; and `Mish`, whose formula has no slope at ∞.

/// The layer around a curve that is written by hand: what its pullback reads (`input` or `output`), and its
/// head.
macro_rules! by_hand {
    ($(#[doc = $doc:literal])* $name:ident backward from $from:ident, head $head:ident, onnx $form:expr) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        #[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
        impl $name {
            /// The function.
            pub const fn new() -> Self {
                $name
            }

            /// `[…] -> […]`
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                by_hand!(spec $from LayerSpec::output(x).head(Head::$head))
                    .in_place(Self::of_sample, [])
                    .gradient_in_place(Self::gradient_of_samples)
                    .onnx($form)
                    .ok()
            }
        }

        curve_layer!($name {});
    };
    (spec output $spec:expr) => { $spec.elementwise(true).backward_in_place().backward_without_x() };
    (spec input $spec:expr) => { $spec.elementwise(false).backward_in_place().backward_without_y() };
}

// After the macro, so that they see it.
mod gates;
mod gelu;
mod rectifiers;
mod squashes;

pub use gates::{HardSwish, Mish, Silu};
pub use gelu::Gelu;
pub use rectifiers::{Elu, LeakyRelu, Relu, Selu, Softplus};
pub use squashes::{HardSigmoid, Sigmoid, Tanh};
