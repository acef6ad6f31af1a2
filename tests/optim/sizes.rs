//! Units of gradients are a convention: gradients, and an `eps` with them, times a power of two take every
//! optimiser the same way, or one that is as much longer. What is squared may neither overflow nor vanish.

use nn_runtime::optim::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Lamb, Lion, Muon, Nadam, Optimizer, RAdam, RmsProp, ScheduleFree, Sgd,
    TensorLayout,
};
use nn_runtime::{Isa, Shape};
use nn_tests::numbers::numbers;

use crate::{state, update_as};

const STEPS: u64 = 30;

/// Powers of two: gradients of 1e-18 to 1e18, as that is what can be squared.
const POWERS: [i32; 8] = [-60, -41, -27, -10, 13, 33, 47, 59];

#[derive(Clone, Copy)]
struct Case {
    shape: &'static [usize],
    /// The first step whose gradients are not 0.
    first: u64,
    /// Whether the way is as much longer as gradients are larger.
    longer: bool,
    powers: &'static [i32],
}

const TENSOR: Case = Case { shape: &[37], first: 1, longer: false, powers: &POWERS };

/// The way that steps take parameters whose gradients are of so many powers of two.
fn way(optimizer: &impl Optimizer, Case { shape, first, .. }: Case, isa: Isa, power: i32) -> Vec<f64> {
    let form = TensorLayout::plain(Shape::of_slice(shape));
    let start = vec![0.0; form.len()];
    // Lamb steps by a share of what the parameters are.
    let start = if optimizer.per_tensor() { numbers(77, form.len(), 1.0) } else { start };
    let (mut params, mut state) = (start.clone(), state(optimizer, form.len()));
    for step in 1..=STEPS {
        // Some come to rest, as those of a unit that is dead do.
        let rest = |i: usize| step < first || step > 20 && i.is_multiple_of(5);
        let grads = numbers(step, form.len(), 1.0).into_iter().enumerate();
        let grads = grads.map(|(i, g)| if rest(i) { 0.0 } else { (g + g.signum()) * 2f32.powi(power) });
        let grads: Vec<f32> = grads.collect();
        update_as(optimizer, &form, isa, step, &mut params, &grads, &mut state);
    }
    params.iter().zip(&start).map(|(p, start)| f64::from(*p) - f64::from(*start)).collect()
}

/// `of(unit, square)`: the optimiser where gradients, and their squares, are in these units.
fn check<O: Optimizer>(what: &str, case: Case, of: impl Fn(f64, f64) -> O) {
    for isa in Isa::available() {
        let truth = way(&of(1.0, 1.0), case, isa, 0);
        assert!(truth.iter().all(|way| way.is_finite()) && truth.iter().any(|way| *way != 0.0), "{what}: {truth:?}");
        for &power in case.powers {
            let unit = 2f64.powi(power);
            let found = way(&of(unit, unit * unit), case, isa, power);
            let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
            let scale = if case.longer { 1.0 / unit } else { 1.0 };
            let off = norm(&mut found.iter().zip(&truth).map(|(found, truth)| found * scale - truth));
            let share = off / norm(&mut truth.iter().copied());
            assert!(share <= 2e-6, "{what} {} 2^{power}: {share:.1e} off", isa.name());
        }
    }
}

#[test]
fn units_of_gradients_are_a_convention() {
    // Before the seventh step RAdam goes by the gradient itself.
    let (tensor, behind) = (TENSOR, Case { first: 7, ..TENSOR });
    let (matrix, longer) = (Case { shape: &[5, 7], ..TENSOR }, Case { longer: true, ..TENSOR });
    for eps in [1e-8, 1e-3, 1.0] {
        check("Adam", tensor, |unit, _| Adam::new(0.01).eps(eps * unit));
        check("Adam, AMSGrad", tensor, |unit, _| Adam::new(0.01).eps(eps * unit).amsgrad(true));
        check("AdamW", tensor, |unit, _| AdamW::new(0.01).eps(eps * unit).weight_decay(0.0));
        check("AdamW, AMSGrad", tensor, |unit, _| AdamW::new(0.01).eps(eps * unit).weight_decay(0.0).amsgrad(true));
        check("Nadam", tensor, |unit, _| Nadam::new(0.01).eps(eps * unit));
        check("RAdam", behind, |unit, _| RAdam::new(0.01).eps(eps * unit).betas(0.9, 0.99));
        check("Adamax", tensor, |unit, _| Adamax::new(0.01).eps(eps * unit));
        check("Adagrad", tensor, |unit, _| Adagrad::new(0.01).eps(eps * unit));
        check("RmsProp", tensor, |unit, _| RmsProp::new(0.01).eps(eps * unit));
        check("RmsProp with momentum", tensor, |unit, _| RmsProp::new(0.01).eps(eps * unit).momentum(0.9));
        check("RmsProp, centred", tensor, |unit, _| RmsProp::new(0.01).eps(eps * unit).centered(true));
        check("Lamb", tensor, |unit, _| Lamb::new(0.01).eps(eps * unit).weight_decay(0.0));
        check("ScheduleFree", tensor, |unit, _| ScheduleFree::new(0.01).eps(eps * unit));
        check("Muon of a vector", tensor, |unit, _| {
            Muon::new(0.01, AdamW::new(0.01).eps(eps * unit).weight_decay(0.0))
        });
        check("Muon of a matrix", matrix, |unit, _| {
            Muon::new(0.01, AdamW::new(0.01)).eps(eps * unit).weight_decay(0.0)
        });
    }
    check("Lion", tensor, |_, _| Lion::new(0.01).weight_decay(0.0));
    check("Sgd", longer, |_, _| Sgd::new(0.01));
    check("Sgd with momentum", longer, |_, _| Sgd::new(0.01).momentum(0.9).nesterov(true));
    check("ScheduleFree, plain", longer, |_, _| ScheduleFree::new(0.01).adaptive(false));
    // Its eps stands beside squares.
    let squares = Case { powers: &[-47, -30, -10, 13, 33, 47, 59], ..longer };
    check("Adadelta", squares, |_, square| Adadelta::new(1.0).eps(1e-2 * square));
}
