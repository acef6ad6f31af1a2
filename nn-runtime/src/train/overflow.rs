//! Whether a step could make a parameter infinite or NaN. In: how large gradients and parameters are, and
//! what an optimiser says of its changes; out: that it cannot, or that nobody knows.

use crate::optim::Optimizer;

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

impl OverflowGuard {
    /// The parameters have been changed by another than the step that was asked about.
    pub(super) fn forget(&mut self) {
        self.largest_param = None;
    }

    /// Whether no parameter can become infinite or NaN in a step where no gradient so far has been larger
    /// than `grad`; `largest` tells the largest parameter now, and `penalty` what regularisers add to
    /// gradients where none is larger than that. If so, the step must be taken.
    pub(super) fn rules_out(
        &mut self,
        optimizer: &(impl Optimizer + ?Sized),
        grad: f64,
        largest: impl Fn() -> f64,
        penalty: impl Fn(f64) -> f64,
    ) -> bool {
        let known = self.largest_param.take();
        // What is known grows by a bound with every step, beyond what there is: then it is worth a look.
        for param in known.into_iter().chain([f64::NAN]) {
            let param = if param.is_nan() { largest() } else { param };
            let grad = grad + penalty(param);
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
    use crate::train::magnitude::largest;
    use nn_kernels::simd::Isa;

    fn rules_out(guard: &mut OverflowGuard, optimizer: &impl Optimizer, grad: f64, params: &[f32]) -> bool {
        guard.rules_out(optimizer, grad, || largest(Isa::detect(), params), |_| 0.0)
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
