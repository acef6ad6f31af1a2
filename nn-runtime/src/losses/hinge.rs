//! `Hinge`: the right side of a line, with some room to spare.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::simd::Simd;

/// `mean max(0, 1 - t · y)` over a row's numbers, and then over rows; or of its square.
///
/// Targets: `f32`, -1 or 1, as many as a row has numbers. Where `t · y = 1` the gradient is 0. A row counts
/// as right where every number has the sign of its target.
///
/// | | here | PyTorch | Keras |
/// |---|---|---|---|
/// | `max(0, 1 - t · y)` | [`Hinge::new`] | none (its `HingeEmbeddingLoss` is another one) | `Hinge` |
/// | `max(0, 1 - t · y)²` | [`Hinge::squared`] | none | `SquaredHinge` |
/// | targets 0 and 1 | refused | – | read as -1 and 1 |
///
/// Fits a network that ends in `Dense`, or in an activation whose range has both signs, such as `Tanh`.
/// Cortes, Vapnik, "Support-Vector Networks", 1995.
///
/// ```
/// use nn_runtime::losses::{Hinge, LossOn};
/// use nn_runtime::Isa;
///
/// let (y, target) = ([0.5, -2.0], [1.0, 1.0]);
/// assert_eq!(Hinge::new().value(Isa::detect(), 2, &y, &target[..]), (0.5 + 3.0) / 2.0);
/// assert_eq!(Hinge::squared().value(Isa::detect(), 2, &y, &target[..]), (0.25 + 9.0) / 2.0);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hinge {
    squared: bool,
}

impl Hinge {
    /// `mean max(0, 1 - t · y)`
    #[allow(clippy::new_without_default, reason = "which of the two is meant is always said")]
    pub const fn new() -> Self {
        Hinge { squared: false }
    }

    /// `mean max(0, 1 - t · y)²`
    pub const fn squared() -> Self {
        Hinge { squared: true }
    }
}

impl Formula for Hinge {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F) {
        let zero = s.splat(0.0);
        let short = s.sub(s.splat(1.0), s.mul(t, y));
        // 0 stands first: NaN stays.
        let loss = s.max(zero, short);
        if self.squared {
            return (s.mul(loss, loss), s.mul(s.mul(s.splat(-2.0), t), loss));
        }
        // By way of what is short itself where that is NaN.
        let none = s.select(s.le(short, zero), zero, short);
        (loss, s.select(s.gt(short, zero), s.neg(t), none))
    }
}

fn correct(width: usize, y: &[f32], target: &[f32]) -> Option<usize> {
    let rows = y.chunks_exact(width).zip(target.chunks_exact(width));
    Some(rows.filter(|(y, t)| y.iter().zip(*t).all(|(y, t)| y * t > 0.0)).count())
}

loss_on_values!(Hinge, logits: false, targets: |t| t == 1.0 || t == -1.0, "targets of -1 or 1", correct: correct);
