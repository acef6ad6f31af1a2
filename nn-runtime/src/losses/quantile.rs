//! `Quantile`: off by more on one side than on the other, so that the output becomes a quantile.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::simd::Simd;

/// `mean max(q · (t - y), (q - 1) · (t - y))` over a row's numbers, and then over rows: the pinball loss.
/// What minimises it is the value that a share `q` of the targets lies below.
///
/// | argument | here | scikit-learn's `mean_pinball_loss` |
/// |---|---|---|
/// | `quantile`, between 0 and 1 | must be given | `alpha=0.5` |
///
/// PyTorch and Keras have none. Targets: `f32`, as many as the network's outputs. Fits every head. Several
/// quantiles at once are a network of several outputs, `let low = h -> Dense(1)` and so on, and a tuple of
/// losses. With 0.5 it is half of [`Mae`](super::Mae), and like that it has no slope where the output is
/// right. Koenker & Bassett, "Regression Quantiles", 1978.
///
/// ```
/// use nn_runtime::losses::{LossOn, Quantile};
/// use nn_runtime::Isa;
///
/// let (isa, loss) = (Isa::detect(), Quantile::new(0.75));
/// assert_eq!(loss.value(isa, 1, &[1.0], &[3.0][..]), 1.5);
/// assert_eq!(loss.value(isa, 1, &[3.0], &[1.0][..]), 0.5);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quantile {
    quantile: f32,
}

impl Quantile {
    /// For the value that this share of the targets lies below.
    ///
    /// # Panics
    /// `!(quantile > 0.0 && quantile < 1.0)`
    #[track_caller]
    pub fn new(quantile: f32) -> Self {
        assert!(
            quantile > 0.0 && quantile < 1.0,
            "expected a quantile between 0 and 1, found {quantile}\nhelp: 0.5 is the median, 0.9 what nine of ten are below"
        );
        Quantile { quantile }
    }
}

impl Formula for Quantile {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F) {
        let (zero, difference) = (s.splat(0.0), s.sub(y, t));
        let (below, above) = (s.splat(-self.quantile), s.splat(1.0 - self.quantile));
        let slope = s.select(s.gt(difference, zero), above, s.select(s.lt(difference, zero), below, difference));
        // What is neither above nor below is 0 or NaN, and its own slope.
        (s.mul(slope, difference), slope)
    }
}

loss_on_values!(Quantile, logits: false, targets: f32::is_finite, "finite targets", correct: |_, _, _| None);
