//! Sums over a stretch of numbers that an update is measured by: of squares, and of sizes.
//! Comes in: an `Isa` and a slice; goes out: one `f64`, the same bits on every instruction set.
//! Never a fused product: the compiler vectorises these loops and leaves each rounding where it stands.

use crate::simd::{Isa, Kernel, Simd};

/// Sums kept side by side: enough to hide the time an addition takes.
const WAYS: usize = 32;

/// Σ x², of any numbers whose squares `f64` holds.
///
/// ```
/// use nn_kernels::{simd::Isa, update::sum_of_squares};
/// assert_eq!(sum_of_squares(Isa::detect(), &[3.0, -4.0]), 25.0);
/// ```
pub fn sum_of_squares(isa: Isa, x: &[f32]) -> f64 {
    isa.run(Fold::<true>(x))
}

/// Σ |x|.
pub fn sum_of_sizes(isa: Isa, x: &[f32]) -> f64 {
    isa.run(Fold::<false>(x))
}

struct Fold<'a, const SQUARE: bool>(&'a [f32]);

impl<const SQUARE: bool> Kernel for Fold<'_, SQUARE> {
    type Out = f64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let (chunks, tail) = self.0.as_chunks::<WAYS>();
        let mut sums = [0.0f64; WAYS];
        for chunk in chunks {
            for (sum, &x) in sums.iter_mut().zip(chunk) {
                *sum += term::<SQUARE>(x);
            }
        }
        for (sum, &x) in sums.iter_mut().zip(tail) {
            *sum += term::<SQUARE>(x);
        }
        sums.iter().sum()
    }
}

#[inline(always)]
fn term<const SQUARE: bool>(x: f32) -> f64 {
    let x = f64::from(x);
    if SQUARE { x * x } else { x.abs() }
}
