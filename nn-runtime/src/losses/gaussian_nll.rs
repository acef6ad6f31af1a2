//! `GaussianNll`: values with a spread of their own. In: rows of means and of logarithms of variances,
//! targets; out: how unlikely the targets are.

use crate::text::{String, format};

use super::elementwise::fault;
use super::{Loss, LossOn, TargetValue};
use nn_kernels::math;
use nn_kernels::simd::{Isa, Kernel, LANES, Simd};

/// The negative logarithm of a normal density: `mean (s + (t - m)² · exp(-s)) / 2` over a row's targets
/// `t`, and then over rows. A row holds a mean `m` for each target, and behind all means a logarithm of
/// the variance `s` for each.
///
/// So a network of `n` values ends in `Dense(2 * n)`, on steps in `DensePerStep(2 * n)`, and learns how
/// far off it is: `exp(s / 2)` is the deviation. Targets: `f32`, finite, `n` for each row, half as many as
/// a row of the output has numbers.
///
/// | argument | here | PyTorch's `GaussianNLLLoss` | Keras |
/// |---|---|---|---|
/// | the variance is given as | its logarithm, behind the means | itself, an input of its own, at least `eps=1e-6` | none |
/// | `full`: with the term `ln(2π) / 2` | `false` | `full=False` | |
///
/// Nix & Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", 1994.
///
/// ```
/// use nn_runtime::losses::{GaussianNll, LossOn};
/// use nn_runtime::Isa;
///
/// // A mean of 1 and a variance of 1, for a target of 3.
/// assert_eq!(GaussianNll::new().value(Isa::detect(), 2, &[1.0, 0.0], &[3.0][..]), 2.0);
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct GaussianNll {
    full: bool,
}

impl GaussianNll {
    /// Without what no parameter has an influence on.
    pub const fn new() -> Self {
        GaussianNll { full: false }
    }

    /// Whether `ln(2π) / 2` is added, so that the loss is that of a density.
    pub const fn full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }
}

/// The logarithm of nearly the largest number.
const MOST: f32 = 88.0;

/// `dy` is as long as `y` with `GRADIENT`, and empty without.
struct GaussianRows<'a, const GRADIENT: bool> {
    width: usize,
    y: &'a [f32],
    target: &'a [f32],
    scale: f32,
    dy: &'a mut [f32],
}

impl<const GRADIENT: bool> Kernel for GaussianRows<'_, GRADIENT> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let GaussianRows { width, y, target, scale, dy } = self;
        let n = width / 2;
        let (half, scale) = (s.splat(0.5), s.splat(scale / n as f32));
        let mut total = 0.0;
        for (row, (y, t)) in y.chunks_exact(width).zip(target.chunks_exact(n)).enumerate() {
            let (means, logs) = y.split_at(n);
            let mut sum = 0.0;
            for (i, t) in t.chunks(LANES).enumerate() {
                let at = i * LANES..i * LANES + t.len();
                // Lanes past the end are means of 0 and variances of 1 for a target of 0, of which the
                // loss is 0.
                let (m, log) = (s.load_part(&means[at.clone()]), s.load_part(&logs[at.clone()]));
                let off = s.sub(m, s.load_part(t));
                // Divided by the deviation, twice: 1 over a small variance overflows, and 0 · ∞ is NaN.
                let narrow = math::exp(s, s.min(s.splat(MOST), s.mul(s.splat(-0.5), log)));
                let score = s.mul(off, narrow);
                sum += f64::from(s.sum(s.mul(half, s.fma(score, score, log))));
                if GRADIENT {
                    let dy = &mut dy[row * width..][..width];
                    let (dm, dlog) = dy.split_at_mut(n);
                    s.store_part(s.mul(scale, s.mul(score, narrow)), &mut dm[at.clone()]);
                    let slope = s.mul(half, s.sub(s.splat(1.0), s.mul(score, score)));
                    s.store_part(s.mul(scale, slope), &mut dlog[at]);
                }
            }
            total += sum / n as f64;
        }
        total
    }
}

#[track_caller]
fn check(width: usize, y: &[f32], target: &[f32]) {
    assert!(
        width >= 2 && width.is_multiple_of(2),
        "expected rows of means and as many variances, found {width} numbers"
    );
    assert!(y.len().is_multiple_of(width), "expected rows of {width} numbers, found {} numbers", y.len());
    assert_eq!(y.len(), 2 * target.len(), "expected a target for two outputs each");
}

impl Loss for GaussianNll {
    const LOGITS: bool = false;

    fn settings(&self) -> String {
        format!("{self:?}")
    }
}

impl GaussianNll {
    /// What is the same for all rows.
    fn constant(&self, rows: usize) -> f64 {
        if self.full { rows as f64 * 0.5 * libm::log(2.0 * core::f64::consts::PI) } else { 0.0 }
    }
}

// What is not generic is compiled once, in this crate.

#[inline(never)]
fn gradient(isa: Isa, width: usize, y: &[f32], target: &[f32], scale: f32, dy: &mut [f32]) -> f64 {
    check(width, y, target);
    assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
    isa.run(GaussianRows::<true> { width, y, target, scale, dy })
}

#[inline(never)]
fn value(isa: Isa, width: usize, y: &[f32], target: &[f32]) -> f64 {
    check(width, y, target);
    isa.run(GaussianRows::<false> { width, y, target, scale: 0.0, dy: &mut [] })
}

impl<T: TargetValue> LossOn<[T]> for GaussianNll {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        gradient(isa, width, y, T::numbers(target), scale, dy) + self.constant(y.len() / width)
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        value(isa, width, y, T::numbers(target)) + self.constant(y.len() / width)
    }

    fn fault(&self, width: usize, target: &[T], rows: usize) -> Option<(usize, String)> {
        let (n, found) = (width / 2, target.len() / rows.max(1));
        if !width.is_multiple_of(2) || target.len() != n * rows {
            let expected = "a mean and the logarithm of a variance for each target";
            let help = format!("end the network in {} numbers a row, the means first", 2 * found);
            let found = format!("{found} targets for {width} numbers");
            return Some((0, format!("expected {expected}, found {found}\nhelp: {help}")));
        }
        fault(n, T::numbers(target), rows, f32::is_finite, "finite targets")
    }

    fn correct(&self, _: usize, _: &[f32], _: &[T]) -> Option<usize> {
        None
    }
}
