//! How parameters follow their gradients. In: parameters, their gradients, what the optimiser remembers of them; out: all but the
//! gradients changed. Most work number by number, so that a cut changes nothing; some see whole tensors. None may know a network.

mod adagrad;
mod adam;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod rmsprop;
mod sgd;
mod whole;

use alloc::format;
use alloc::string::String;

use nn_kernels::simd::Isa;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::Nadam;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use whole::{Form, Whole};

/// A rule that changes parameters by their gradients.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Optimizer, Sgd};
///
/// /// The direction of each gradient, whatever its size.
/// struct Sign(f64);
///
/// impl Optimizer for Sign {
///     fn states(&self) -> usize {
///         0
///     }
///     fn update(&self, _: Isa, _: u64, params: &mut [f32], grads: &[f32], _: &mut [&mut [f32]]) {
///         params.iter_mut().zip(grads).for_each(|(p, g)| *p -= self.0 as f32 * g.signum());
///     }
///     fn rate(&self) -> f64 {
///         self.0
///     }
///     fn set_rate(&mut self, rate: f64) {
///         self.0 = rate;
///     }
/// }
///
/// let mut params = [1.0];
/// Sign(0.5).update(Isa::detect(), 1, &mut params, &[-8.0], &mut []);
/// Sgd::new(0.25).update(Isa::detect(), 1, &mut params, &[2.0], &mut []);
/// assert_eq!(params, [1.0]);
/// ```
pub trait Optimizer: Sync {
    /// How many numbers it remembers for each parameter.
    fn states(&self) -> usize;

    /// What the `k`-th of them begins with.
    fn initial_state(&self, k: usize) -> f32 {
        let _ = k;
        0.0
    }

    /// Whether it must see whole tensors.
    fn whole(&self) -> bool {
        false
    }

    /// How many numbers [`update_tensor`](Optimizer::update_tensor) needs to work in.
    fn scratch(&self, form: &Form) -> usize {
        let _ = form;
        0
    }

    /// Changes a stretch of the parameters; `step` is 1 for the first. All slices have one length, and there are
    /// [`states`](Optimizer::states) of `state`. To update two stretches is to update both at once. Where
    /// [`whole`](Optimizer::whole) no training calls it.
    ///
    /// # Panics
    /// The lengths disagree, there are too few states, or `step == 0`; always, where `whole`.
    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]);

    /// Changes a whole tensor, as [`update`](Optimizer::update) a stretch. It is called where [`whole`](Optimizer::whole).
    ///
    /// # Panics
    /// As `update`; there is less scratch than was asked for.
    fn update_tensor(&self, isa: Isa, step: u64, tensor: Whole, state: &mut [&mut [f32]]) {
        self.update(isa, step, tensor.params, tensor.grads, state);
    }

    /// The learning rate.
    fn rate(&self) -> f64;

    /// Changes the learning rate, as a schedule does between steps.
    fn set_rate(&mut self, rate: f64);

    /// What no step changes a parameter by more than, with the rate that is set, where no gradient since the first step has been larger
    /// than `grad` and no parameter is larger than `param`; a bound far above what happens is good enough. A trainer refuses steps that
    /// make a parameter infinite or NaN: with a limit it knows beforehand that this one does not, without one it copies all before each
    /// step and looks at all after it.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let _ = (grad, param);
        None
    }

    /// What is wrong with the settings, if anything. Asked before training.
    ///
    /// # Errors
    /// A setting is out of its range: *expected, found*, and what to type.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The states of one stretch.
#[track_caller]
fn states<'a, const K: usize>(state: &'a mut [&mut [f32]]) -> [&'a mut [f32]; K] {
    assert_eq!(state.len(), K, "expected as many states as the optimiser asked for");
    let mut all = state.iter_mut();
    core::array::from_fn(|_| match all.next() {
        Some(state) => &mut **state,
        None => unreachable!("the count was just compared"),
    })
}

/// What a number becomes at most when it is divided by a root plus `eps`.
fn over_eps(x: f64, eps: f64) -> f64 {
    // As the kernels see it.
    x / f64::from(eps as f32)
}

/// The root of more numbers than any tensor has.
const ROOT_OF_LARGEST: f64 = 1e6;

/// For `update` of an optimiser that sees whole tensors.
#[track_caller]
fn not_a_stretch() -> ! {
    panic!("expected a whole tensor, found a stretch: call `update_tensor`")
}

/// Learning rates, epsilons, decays: finite, and not below 0.
fn not_negative(name: &str, value: f64) -> Result<(), String> {
    match value >= 0.0 && value.is_finite() {
        true => Ok(()),
        false => {
            Err(format!("expected {name} of at least 0, found {value}\nhelp: use a finite number that is not negative"))
        }
    }
}

/// ChunkQueue of the past: 1 would never forget.
fn share(name: &str, value: f64, usual: f64) -> Result<(), String> {
    match (0.0..1.0).contains(&value) {
        true => Ok(()),
        false => Err(format!("expected {name} from 0 up to but without 1, found {value}\nhelp: {usual} is usual")),
    }
}
