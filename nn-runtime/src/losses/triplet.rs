//! `Triplet`: an anchor is to be nearer to its like than to another, by a margin.

use crate::text::{String, format};

use super::{Loss, LossOn, TargetValue};
use nn_kernels::simd::Isa;

/// `max(0, |a - p| - |a - n| + margin)` of a row that holds an anchor `a`, its like `p` and another `n`, each
/// a third of it: `let (a, p, n) = …; (a, p, n) -> Concat`, where one encoder that is shared (`share`) has
/// made the three. Distances are Euclidean, of differences to which 1e-6 is added as in PyTorch; then the
/// mean over rows.
///
/// | argument | here | PyTorch's `TripletMarginLoss` |
/// |---|---|---|
/// | `margin` | `1.0` | `margin=1.0` |
/// | `swap`: whether the nearer of `a` and `p` to `n` counts | `false` | `swap=False` |
/// | the norm | 2 | `p=2` |
///
/// Targets: `f32`, of any number, which are not looked at: `Dataset::values(inputs, (vec![0.0; samples],
/// 1))`. Keras has none. Fits a network that ends in anything but a single number. Schroff et al., "FaceNet:
/// A Unified Embedding for Face Recognition and Clustering", 2015.
///
/// ```
/// use nn_runtime::losses::{LossOn, Triplet};
/// use nn_runtime::Isa;
///
/// // At 0, 1 and 4: the like is nearer by 3.
/// let y = [0.0, 1.0, 4.0];
/// let loss = |margin| Triplet::new().margin(margin).value(Isa::detect(), 3, &y, &[0.0][..]);
/// assert!(loss(1.0) == 0.0 && (loss(5.0) - 2.0).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Triplet {
    margin: f64,
    swap: bool,
}

/// What PyTorch adds to differences, so that no distance is 0.
const EPS: f64 = 1e-6;

impl Triplet {
    /// With PyTorch's settings.
    pub const fn new() -> Self {
        Triplet { margin: 1.0, swap: false }
    }

    /// By how much nearer the like is to be.
    pub const fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Whether the other is compared with the nearer of anchor and like.
    pub const fn swap(mut self, swap: bool) -> Self {
        self.swap = swap;
        self
    }

    /// The loss of a row, and its gradient times a scale.
    fn row(&self, y: &[f32], gradient: Option<(f32, &mut [f32])>) -> f64 {
        let n = y.len() / 3;
        let part = |k: usize, i: usize| f64::from(y[k * n + i]);
        let distance = |k: usize, l: usize| {
            libm::sqrt((0..n).map(|i| part(k, i) - part(l, i) + EPS).map(|apart| apart * apart).sum::<f64>())
        };
        let (like, mut other, mut from) = (distance(0, 1), distance(0, 2), 0);
        if self.swap {
            let swapped = distance(1, 2);
            // As PyTorch's `minimum`: NaN stays.
            if swapped < other || swapped.is_nan() {
                (other, from) = (swapped, 1);
            }
        }
        let loss = like - other + self.margin;
        let Some((scale, dy)) = gradient else { return if loss <= 0.0 { 0.0 } else { loss } };
        dy.fill(0.0);
        if loss <= 0.0 {
            return 0.0;
        }
        let mut pull = |k: usize, l: usize, distance: f64, sign: f64| {
            for i in 0..n {
                let slope = sign * f64::from(scale) * (part(k, i) - part(l, i) + EPS) / distance;
                dy[k * n + i] += slope as f32;
                dy[l * n + i] -= slope as f32;
            }
        };
        pull(0, 1, like, 1.0);
        pull(from, 2, other, -1.0);
        loss
    }
}

impl Default for Triplet {
    fn default() -> Self {
        Triplet::new()
    }
}

#[track_caller]
fn check(width: usize, y: &[f32]) {
    assert!(
        width > 0 && width.is_multiple_of(3) && y.len().is_multiple_of(width),
        "expected rows of three times as many numbers as an anchor has, found {} numbers in rows of {width}",
        y.len()
    );
}

impl Loss for Triplet {
    const LOGITS: bool = false;

    fn settings(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: TargetValue> LossOn<[T]> for Triplet {
    fn gradient(&self, _: Isa, width: usize, y: &[f32], _: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        check(width, y);
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
        let rows = y.chunks_exact(width).zip(dy.chunks_exact_mut(width));
        rows.map(|(y, dy)| self.row(y, Some((scale, dy)))).sum()
    }

    fn value(&self, _: Isa, width: usize, y: &[f32], _: &[T]) -> f64 {
        check(width, y);
        y.chunks_exact(width).map(|y| self.row(y, None)).sum()
    }

    fn fault(&self, width: usize, _: &[T], _: usize) -> Option<(usize, String)> {
        if !width.is_multiple_of(3) {
            let fault = format!(
                "expected an anchor, its like and another of as many numbers each, found a row of {width}\nhelp: end the network in `(a, p, n) -> Concat`"
            );
            return Some((0, fault));
        }
        (!(self.margin >= 0.0 && self.margin.is_finite())).then(|| {
            (0, format!("expected a margin of at least 0, found {}\nhelp: `Triplet::new().margin(1.0)`", self.margin))
        })
    }

    fn correct(&self, _: usize, _: &[f32], _: &[T]) -> Option<usize> {
        None
    }
}
