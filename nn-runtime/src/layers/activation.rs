//! The simple activations: functions of one number, by family. In: any shape; out: the same. Most are formulas, as users write them. By hand
//! stand `Sigmoid`, whose head losses know; `Gelu`, of which a setting is no number; and `Mish`, whose formula has no slope at ∞.

/// The layer around a curve that is written by hand: its arguments with their defaults, what its pullback reads (`input` or `output`), and
/// its head.
macro_rules! by_hand {
    (
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $about:literal])* $field:ident: $ty:ty = $default:expr)? }
        pulls from $from:ident, head $head:ident
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
                by_hand!(facts $from Facts::output(x).head(Head::$head)).ok()
            }
        }

        curve_layer!($name);
    };
    (facts output $facts:expr) => { $facts.is_act(true).pulls_without_x() };
    (facts input $facts:expr) => { $facts.is_act(false).pulls_without_y() };
}

// After the macro, so that they see it.
mod gates;
mod rectifiers;
mod squashes;

pub use gates::{Gelu, HardSwish, Mish, Silu};
pub use rectifiers::{Elu, LeakyRelu, Relu, Selu, Softplus};
pub use squashes::{HardSigmoid, Sigmoid, Tanh};
