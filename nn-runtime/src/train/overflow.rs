//! Whether a step could make a parameter infinite or NaN. In: how large gradients and parameters are, and
//! what an optimiser says of its changes; out: that it cannot, or that nobody knows.

use core::ops::Range;

use super::magnitude::largest;
use super::regularizer::PlacedRegularizer;
use crate::optim::Optimizer;
use nn_kernels::simd::Isa;

/// Gradients up to this, squared and summed as optimisers do, are far from overflow.
const SAFE_GRAD: f64 = 1e18;

/// Parameters up to this are far from overflow.
const SAFE_PARAM: f64 = 1e37;

/// What is known of the size of all parameters.
#[derive(Default)]
pub(super) struct OverflowGuard {
    /// What none is larger than.
    largest_param: Option<f64>,
}

/// The parameters before a step.
pub(super) struct ParamsNow<'a> {
    pub(super) isa: Isa,
    pub(super) params: &'a [f32],
    /// Those that are trained.
    pub(super) ranges: &'a [Range<usize>],
    pub(super) regularizers: &'a [PlacedRegularizer],
}

impl ParamsNow<'_> {
    fn largest(&self) -> f64 {
        let of = |range: &Range<usize>| largest(self.isa, &self.params[range.clone()]);
        self.ranges.iter().map(of).fold(0.0, f64::max)
    }
}

impl OverflowGuard {
    /// The parameters have been changed by another than the step that was asked about.
    pub(super) fn forget(&mut self) {
        self.largest_param = None;
    }

    /// Whether no parameter can become infinite or NaN in a step where no gradient so far has been larger
    /// than `grad`, regularisers left out. If so, the step must be taken.
    pub(super) fn rules_out(&mut self, optimizer: &(impl Optimizer + ?Sized), grad: f64, now: ParamsNow) -> bool {
        let known = self.largest_param.take();
        // What is known grows by a bound with every step, beyond what there is: then it is worth a look.
        for param in known.into_iter().chain([f64::NAN]) {
            let param = if param.is_nan() { now.largest() } else { param };
            let grad = grad + now.regularizers.iter().map(|of| of.largest_gradient(param)).sum::<f64>();
            let change = optimizer.change_limit(grad, param).unwrap_or(f64::INFINITY);
            if grad <= SAFE_GRAD && param + change <= SAFE_PARAM {
                self.largest_param = Some(param + change);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Adam, Sgd};

    fn rules_out(guard: &mut OverflowGuard, optimizer: &impl Optimizer, grad: f64, params: &[f32]) -> bool {
        let all = 0..params.len();
        let now = ParamsNow { isa: Isa::detect(), params, ranges: core::slice::from_ref(&all), regularizers: &[] };
        guard.rules_out(optimizer, grad, now)
    }

    #[test]
    fn what_is_known_grows_until_it_is_worth_a_look() {
        let mut guard = OverflowGuard::default();
        for _ in 0..100 {
            assert!(rules_out(&mut guard, &Sgd::new(1e19), 1e17, &[1.0]));
            assert!(guard.largest_param.is_some_and(|known| known <= SAFE_PARAM));
        }
        assert!(!rules_out(&mut guard, &Sgd::new(1e19), 1e17, &[1e37]), "it has looked again");
    }

    #[test]
    fn doubt_is_cast_by_sizes_and_by_what_is_no_number() {
        let mut guard = OverflowGuard::default();
        assert!(rules_out(&mut guard, &Adam::new(1e-3), 1.0, &[1.0]));
        for (grad, param) in [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (1e19, 1.0), (1.0, f32::MAX), (1.0, f32::NAN)] {
            let mut guard = OverflowGuard::default();
            assert!(!rules_out(&mut guard, &Adam::new(1e-3), grad, &[0.0, param]), "{grad} {param}");
        }
        assert!(!rules_out(&mut guard, &Adam::new(1e-3).eps(0.0), 1.0, &[1.0]), "0 / 0");
    }
}
