//! The mean over the steps of a sequence that a mask leaves: numbers of steps left out are not looked at.

use super::average::wide_means;
use crate::compensated::WideSum;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `y[f]` is the mean of `x[t, f]` over the steps t whose mask is not 0, for `x` of `[steps, features]`; 0
/// where there is none. What stands at other steps, NaN included, takes no part.
///
/// ```
/// use nn_kernels::{pool::masked_mean, simd::Isa};
/// let mut y = [0.0; 2];
/// masked_mean(Isa::detect(), &[1.0, 2.0, f32::NAN, 9.0, 2.0, 4.0], &[1.0, 0.0, 1.0], &mut y);
/// assert_eq!(y, [1.5, 3.0]);
/// ```
///
/// # Panics
/// `x.len() != mask.len() * y.len()`.
pub fn masked_mean(isa: Isa, x: &[f32], mask: &[f32], y: &mut [f32]) {
    assert!(
        Some(x.len()) == mask.len().checked_mul(y.len()),
        "expected {} steps of {} features, found {} numbers",
        mask.len(),
        y.len(),
        x.len()
    );
    isa.run(MaskedMean { x, mask, y });
}

struct MaskedMean<'a> {
    x: &'a [f32],
    mask: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for MaskedMean<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let MaskedMean { x, mask, y } = self;
        let (features, steps) = (y.len(), mask.iter().filter(|mask| **mask != 0.0).count());
        for (n, y) in y.chunks_mut(LANES).enumerate() {
            let lanes = n * LANES..n * LANES + y.len();
            let mut sums = WideSum::zero(s);
            for (x, mask) in x.chunks_exact(features).zip(mask) {
                if *mask != 0.0 {
                    sums.add(s, s.load_part(&x[lanes.clone()]));
                }
            }
            s.store_part(wide_means(s, sums, steps.max(1) as f32), y);
        }
    }
}
