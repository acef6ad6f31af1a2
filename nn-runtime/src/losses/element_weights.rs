//! `ElementWeights`: a weight for each number of a target. In: a loss that compares number with number,
//! outputs, and targets with their weights behind them; out: the weighted sum, and its gradient.

use crate::text::{String, format};

use super::elementwise::Formula;
use super::{Link, Loss, LossOn, TargetValue};
use nn_kernels::simd::{Isa, Kernel, LANES, Simd};

/// Another loss with a weight for each number: `mean w · l(y, t)` over a row's numbers, and then over rows.
///
/// Around any loss that compares number with number, one of [`loss!`](crate::loss) included:
/// `ElementWeights::new(BinaryCrossEntropy::new())`. A row of targets holds its values and then as many
/// weights, `[t, …, w, …]`: `Dataset::values((inputs, 4), (targets, 6))` for outputs of 3. What has the
/// weight 0 has no part in anything, and may be any finite number: targets that are missing. The mean is over
/// all numbers, those of weight 0 too, as PyTorch's `(loss(reduction="none") * weight).mean()` and the
/// `weight` of `BCEWithLogitsLoss`; Keras has none. Weights of whole samples and steps are the data's
/// ([`Dataset::with_weights`](crate::data::Dataset::with_weights)). Fits what the loss within fits.
///
/// ```
/// use nn_runtime::losses::{ElementWeights, LossOn, Mse};
/// use nn_runtime::Isa;
///
/// let (y, target) = ([1.0, 4.0], [0.0, 2.0, 0.5, 0.0]);
/// assert_eq!(ElementWeights::new(Mse::new()).value(Isa::detect(), 2, &y, &target[..]), 0.25);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ElementWeights<L> {
    loss: L,
}

impl<L: Formula> ElementWeights<L> {
    /// This loss, with weights.
    pub const fn new(loss: L) -> Self {
        ElementWeights { loss }
    }
}

impl<L: Loss> Loss for ElementWeights<L> {
    const LOGITS: bool = L::LOGITS;
    const LINK: Link = L::LINK;

    fn settings(&self) -> String {
        format!("ElementWeights({})", self.loss.settings())
    }
}

/// One row. `dy` is as long as `y` with `GRADIENT`, and empty without.
struct WeightedRow<'a, L, const GRADIENT: bool> {
    loss: &'a L,
    y: &'a [f32],
    target: &'a [f32],
    weights: &'a [f32],
    scale: f32,
    dy: &'a mut [f32],
}

impl<L: Formula, const GRADIENT: bool> Kernel for WeightedRow<'_, L, GRADIENT> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let WeightedRow { loss, y, target, weights, scale, dy } = self;
        let (zero, scale) = (s.splat(0.0), s.splat(scale));
        let mut total = 0.0;
        for at in (0..y.len()).step_by(LANES) {
            let of = at..y.len().min(at + LANES);
            let weight = s.load_part(&weights[of.clone()]);
            // Lanes past the end have the weight 0, like what does not count.
            let counts = s.gt(weight, zero);
            let (value, slope) = loss.both(s, s.load_part(&y[of.clone()]), s.load_part(&target[of.clone()]));
            total += f64::from(s.sum(s.select(counts, s.mul(weight, value), zero)));
            if GRADIENT {
                s.store_part(s.select(counts, s.mul(s.mul(slope, weight), scale), zero), &mut dy[of]);
            }
        }
        total
    }
}

#[track_caller]
fn check(width: usize, y: &[f32], target: &[f32]) {
    assert!(width > 0 && y.len().is_multiple_of(width), "expected rows of {width} numbers, found {} numbers", y.len());
    assert_eq!(2 * y.len(), target.len(), "expected a target and a weight for each output");
}

impl<L: Formula + Loss + LossOn<[f32]>, T: TargetValue> LossOn<[T]> for ElementWeights<L> {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        let target = T::numbers(target);
        check(width, y, target);
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
        let scale = scale / width as f32;
        let rows = y.chunks_exact(width).zip(target.chunks_exact(2 * width)).zip(dy.chunks_exact_mut(width));
        let one = |((y, target), dy): ((_, &_), _)| {
            let (target, weights) = <[f32]>::split_at(target, width);
            isa.run(WeightedRow::<_, true> { loss: &self.loss, y, target, weights, scale, dy })
        };
        rows.map(one).sum::<f64>() / width as f64
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        let target = T::numbers(target);
        check(width, y, target);
        let rows = y.chunks_exact(width).zip(target.chunks_exact(2 * width));
        let one = |(y, target): (_, &_)| {
            let (target, weights) = <[f32]>::split_at(target, width);
            isa.run(WeightedRow::<_, false> { loss: &self.loss, y, target, weights, scale: 0.0, dy: &mut [] })
        };
        rows.map(one).sum::<f64>() / width as f64
    }

    fn fault(&self, width: usize, target: &[T], rows: usize) -> Option<(usize, String)> {
        let target = T::numbers(target);
        let found = target.len() / rows.max(1);
        if target.len() != 2 * width * rows {
            let expected = format!("expected {width} targets and then {width} weights, found {found} numbers");
            return Some((0, format!("{expected}\nhelp: give the rows of targets a width of {}", 2 * width)));
        }
        target.chunks_exact(2 * width).enumerate().find_map(|(row, target)| {
            let (values, weights) = target.split_at(width);
            values.iter().zip(weights).find_map(|(value, weight)| {
                if !(*weight >= 0.0 && weight.is_finite()) {
                    return Some((row, format!("expected weights of at least 0 behind the targets, found {weight}")));
                }
                let (_, fault) = self.loss.fault(1, core::slice::from_ref(value), 1).filter(|_| *weight > 0.0)?;
                Some((row, fault))
            })
        })
    }

    fn correct(&self, width: usize, y: &[f32], target: &[T]) -> Option<usize> {
        let target = T::numbers(target);
        let rows = y.chunks_exact(width).zip(target.chunks_exact(2 * width));
        let one = |(y, target): (&[f32], &[f32])| {
            let (values, weights) = target.split_at(width);
            let counted = y.iter().zip(values).zip(weights).filter(|(_, weight)| **weight > 0.0);
            let rights = counted.map(|((y, t), _)| self.loss.correct(1, &[*y], &[*t][..]));
            rights.map(|right| right.map(|right| right > 0)).try_fold(true, |all, right| Some(all & right?))
        };
        rows.map(|row| one(row).map(usize::from)).sum()
    }
}
