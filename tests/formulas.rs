//! The user's own formulas: values and derivatives beside functions in double precision that were written by
//! hand, on every instruction set and at odd lengths; what happens at corners and far out; and that they
//! train and are saved as built-in ones are.

use std::f32::consts::PI;

use nn_runtime::__private::{Curve, Simd, check_curve};
use nn_runtime::losses::LossOn;
use nn_runtime::prelude::*;
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::numbers::{numbers, slopes};

const SCALE: f32 = 1.7159;
mod own {
    pub const HALF: f32 = 0.5;
}

activation! { swish(x; beta = 1.0) = x * sigmoid(beta * x) }
activation! { long_swish(x) = x / (1.0 + exp(-x)) }
activation! { logistic(x) = exp(x) / (1.0 + exp(x)) }
activation! { scaled_tanh(x) = SCALE * tanh(2.0 / 3.0 * x) }
activation! { long_tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x)) }
activation! { short_tanh(x) = (exp(2.0 * x) - 1.0) / (exp(2.0 * x) + 1.0) }
activation! { long_softplus(x; beta = 1.5) = ln(1.0 + exp(beta * x)) / beta }
activation! { log_sigmoid(x) = ln(1.0 / (1.0 + (-x).exp())) }
activation! { log_cosh_of(x) = ln(cosh(x)) }
activation! { log_cosh_long(x) = ln(exp(x) + exp(-x)) }
activation! { log_sum(x) = ln(exp(x) + exp(2.0 * x - 1.0) + 3.0) }
activation! { log_one(x) = ln(1.0 + x * x) }
activation! { soft_sign(x) = x / (1.0 + x.abs()) }
activation! { square_root(x) = sqrt(x * x) + sqrt(1.0 + x.powi(2)) }
activation! { gauss(x; width = 2.0) = exp(-x * x / (width * width)) }
activation! { gelu(x) = own::HALF * x * (1.0 + erf(x / sqrt(2.0))) }
activation! { gelu_tanh(x) = { let u = sqrt(2.0 / PI) * (x + 0.044715 * x.powi(3)); 0.5 * x * (1.0 + tanh(u)) } }
activation! { snake(x; freq = 1.5) = x + sin(freq * x).square() / freq }
activation! { waves(x) = sin(x) * cos(2.0 * x) - cos(x).powi(3) }
activation! { elu(x; alpha = 0.7) = if x > 0.0 { x } else { alpha * (exp(x) - 1.0) } }
activation! { celu(x; alpha = 0.7) where alpha > 0.0 = if x > 0.0 { x } else { alpha * expm1(x / alpha) } }
activation! { selu(x) = 1.0507 * if x > 0.0 { x } else { 1.6733 * x.exp_m1() } }
activation! { relu6(x) = min(max(x, 0.0), 6.0) }
activation! { clamped(x) = 2.0 * clamp(x, -1.5, 2.5) - 1.0 }
activation! { pieces(x) = if x < -2.0 || x > 3.5 { 0.25 * x } else if !(x >= 0.0) && x != -1.0 { x.square() } else { -x } }
activation! { guarded(x) = if x > 0.0 { sqrt(x) * ln(x) } else { recip(x - 1.0) } }
activation! { powers(x) = powf(abs(x) + 0.3, 1.7) + powi(x, -3) + powi(x, 5) }
activation! { mish(x) = x * tanh(softplus(x)) }
activation! { bumps(x) = max(sin(x), min(x / 4.0, 1.0 - x)) + ln_1p(x * x) + sinh(x) / cosh(x) }
activation! { shared(x) = { let e = exp(-x); let e = e / (1.0 + e); e * e + 3.0 * e } }
activation! { constant_slope(x) = 3.0 * x + x / 2.0 - 1.0 }

/// Where formulas are tried: near 0, further out, and far.
fn grid() -> Vec<f32> {
    let near = (-61..62).map(|i| (i as f32 + 0.317) * 0.0981);
    near.chain([-100.0, -51.3, -20.7, -12.2, 12.1, 20.3, 51.9, 100.0]).collect()
}

#[track_caller]
fn near(found: f32, truth: f64, size: f64, what: &dyn Fn() -> String) {
    let off = (f64::from(found) - truth).abs();
    // Not `off > …`: NaN is not near.
    assert!(off <= 1e-5 * truth.abs() + 2e-6 * size, "{}: {found} instead of {truth}", what());
}

/// Value and slope, number by number.
#[track_caller]
fn check<L: Layer + Copy>(layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy, formula: fn(f64) -> f64) {
    let all = grid();
    let mut compared = 0;
    for isa in Isa::available() {
        for len in [1, 15, 17, all.len()] {
            let x = &all[all.len() - len..];
            let probe = Probe::new(layer, rule, [Shape::of([len])]).unwrap().isa(isa);
            let [y] = probe.forward(1, [x]);
            assert_eq!(probe.in_place(1, x).as_ref(), Some(&y), "{}: in place", isa.name());
            let dx = &probe.gradients(1, [x], [&vec![1.0; len]]).inputs[0];
            let dy = numbers(7, len, 2.0);
            let scaled = &probe.gradients(1, [x], [&dy]).inputs[0];
            for i in 0..len {
                let what = || format!("{} at {} on {}", std::any::type_name::<L>(), x[i], isa.name());
                let (value, slope) = (formula(f64::from(x[i])), slopes(&[f64::from(x[i])], |x| formula(x[0]))[0]);
                assert!(value.is_finite() && slope.is_finite(), "the formula itself: {}", what());
                near(y[i], value, 1.0, &what);
                near(dx[i], slope, 1.0, &|| format!("slope of {}", what()));
                near(scaled[i], slope * f64::from(dy[i]), 2.0, &|| format!("pulled by {} {}", dy[i], what()));
                compared += 1;
            }
            probe.check_contract(1, [x], [&dy]).unwrap();
        }
    }
    assert!(compared > 100);
}

fn sigmoid(x: f64) -> f64 {
    if x > 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
fn log_cosh_f64(x: f64) -> f64 {
    x.abs() + (-2.0 * x.abs()).exp().ln_1p() - std::f64::consts::LN_2
}

#[test]
fn gates() {
    check(Swish::new(), Swish::rule, |x| x * sigmoid(x));
    check(Swish::new().beta(2.5), Swish::rule, |x| x * sigmoid(2.5 * x));
    check(LongSwish::new(), LongSwish::rule, |x| x * sigmoid(x));
    check(Gelu::new(), Gelu::rule, |x| 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt())));
    check(GeluTanh::new(), GeluTanh::rule, |x| {
        0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
    });
    check(Mish::new(), Mish::rule, |x| x * softplus(x).tanh());
}

/// Each of the forms that would overflow as it is written, at ±100 too.
#[test]
fn unstable_forms_are_recognised() {
    check(Logistic::new(), Logistic::rule, sigmoid);
    check(LongTanh::new(), LongTanh::rule, f64::tanh);
    check(ShortTanh::new(), ShortTanh::rule, f64::tanh);
    check(LongSoftplus::new(), LongSoftplus::rule, |x| softplus(1.5 * x) / 1.5);
    check(LogSigmoid::new(), LogSigmoid::rule, |x| -softplus(-x));
    check(LogCoshOf::new(), LogCoshOf::rule, log_cosh_f64);
    check(LogCoshLong::new(), LogCoshLong::rule, |x| log_cosh_f64(x) + std::f64::consts::LN_2);
    check(LogSum::new(), LogSum::rule, |x| {
        let most = x.max(2.0 * x - 1.0).max(3f64.ln());
        most + ((x - most).exp() + (2.0 * x - 1.0 - most).exp() + (3f64.ln() - most).exp()).ln()
    });
    check(LogOne::new(), LogOne::rule, |x| (x * x).ln_1p());
    check(SquareRoot::new(), SquareRoot::rule, |x| x.abs() + x.hypot(1.0));
    check(Shared::new(), Shared::rule, |x| sigmoid(-x).powi(2) + 3.0 * sigmoid(-x));
}

#[test]
fn smooth_formulas() {
    check(ScaledTanh::new(), ScaledTanh::rule, |x| f64::from(SCALE) * (2.0 / 3.0 * x).tanh());
    check(SoftSign::new(), SoftSign::rule, |x| x / (1.0 + x.abs()));
    check(Gauss::new(), Gauss::rule, |x| (-x * x / 4.0).exp());
    check(Snake::new(), Snake::rule, |x| x + (1.5 * x).sin().powi(2) / 1.5);
    check(Waves::new(), Waves::rule, |x| x.sin() * (2.0 * x).cos() - x.cos().powi(3));
    check(Powers::new(), Powers::rule, |x| {
        (x.abs() + f64::from(0.3f32)).powf(f64::from(1.7f32)) + x.powi(-3) + x.powi(5)
    });
    check(ConstantSlope::new(), ConstantSlope::rule, |x| 3.5 * x - 1.0);
}

#[test]
fn choices() {
    check(Elu::new(), Elu::rule, |x| if x > 0.0 { x } else { f64::from(0.7f32) * x.exp_m1() });
    check(Celu::new().alpha(0.5), Celu::rule, |x| if x > 0.0 { x } else { 0.5 * (x / 0.5).exp_m1() });
    check(Selu::new(), Selu::rule, |x| {
        f64::from(1.0507f32) * if x > 0.0 { x } else { f64::from(1.6733f32) * x.exp_m1() }
    });
    check(Relu6::new(), Relu6::rule, |x| x.clamp(0.0, 6.0));
    check(Clamped::new(), Clamped::rule, |x| 2.0 * x.clamp(-1.5, 2.5) - 1.0);
    check(Pieces::new(), Pieces::rule, |x| match x {
        x if !(-2.0..=3.5).contains(&x) => 0.25 * x,
        x if x < 0.0 => x * x,
        x => -x,
    });
    check(Guarded::new(), Guarded::rule, |x| if x > 0.0 { x.sqrt() * x.ln() } else { 1.0 / (x - 1.0) });
    check(Bumps::new(), Bumps::rule, |x| x.sin().max((x / 4.0).min(1.0 - x)) + (x * x).ln_1p() + x.tanh());
}

activation! { corner_abs(x) = abs(x) }
activation! { corner_max(x) = max(x, 2.0 * x) }
activation! { corner_min(x) = min(x, 6.0) }
activation! { corner_clamp(x) = clamp(x, -1.0, 1.0) }
activation! { corner_relu(x) = relu(x) }
activation! { corner_mask(x) = relu(ln(x)) }

fn slope_at<L: Layer + Copy>(layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy, x: f32) -> f32 {
    let slopes = Isa::available().map(|isa| {
        let probe = Probe::new(layer, rule, [Shape::of([1])]).unwrap().isa(isa);
        probe.gradients(1, [&[x]], [&[1.0]]).inputs[0][0]
    });
    slopes.reduce(|a, b| if a.to_bits() == b.to_bits() { a } else { f32::NAN }).unwrap()
}

/// As PyTorch has them.
#[test]
fn slopes_at_corners() {
    assert_eq!(slope_at(CornerAbs::new(), CornerAbs::rule, 0.0), 0.0);
    assert_eq!(slope_at(CornerMax::new(), CornerMax::rule, 0.0), 1.5);
    assert_eq!(slope_at(CornerMin::new(), CornerMin::rule, 6.0), 0.0);
    assert_eq!(slope_at(CornerRelu::new(), CornerRelu::rule, 0.0), 0.0);
    assert_eq!([-1.0, 1.0, 1.5].map(|x| slope_at(CornerClamp::new(), CornerClamp::rule, x)), [1.0, 1.0, 0.0]);
}

/// A gradient of ∞ or NaN is not let through where the slope is 0.
#[test]
fn a_slope_of_0_lets_nothing_through() {
    for isa in Isa::available() {
        let probe = Probe::new(Relu6::new(), Relu6::rule, [Shape::of([4])]).unwrap().isa(isa);
        let dy = [f32::INFINITY, f32::NAN, f32::INFINITY, 2.0];
        let dx = &probe.gradients(1, [&[-1.0, -2.0, 7.0, 3.0]], [&dy]).inputs[0];
        assert_eq!(*dx, [0.0, 0.0, 0.0, 2.0], "{}", isa.name());
        let probe = Probe::new(CornerRelu::new(), CornerRelu::rule, [Shape::of([4])]).unwrap().isa(isa);
        let dx = &probe.gradients(1, [&[-1.0, -2.0, 0.0, 3.0]], [&dy]).inputs[0];
        assert_eq!(*dx, [0.0, 0.0, 0.0, 2.0], "{}", isa.name());
    }
}

/// What the side not chosen would give, NaN or ∞, stays there; NaN that came in comes out.
#[test]
fn nothing_leaks_from_the_other_side() {
    assert_eq!([0.0, -3.0].map(|x| slope_at(CornerMask::new(), CornerMask::rule, x))[0], 0.0);
    assert_eq!([0.0, -1.0].map(|x| slope_at(Guarded::new(), Guarded::rule, x)), [-1.0, -0.25]);
    for isa in Isa::available() {
        let x = [f32::NAN; 3];
        let probe = Probe::new(Bumps::new(), Bumps::rule, [Shape::of([3])]).unwrap().isa(isa);
        assert!(probe.forward(1, [&x])[0].iter().all(|y| y.is_nan()));
        let probe = Probe::new(Relu6::new(), Relu6::rule, [Shape::of([3])]).unwrap().isa(isa);
        assert!(probe.forward(1, [&x])[0].iter().all(|y| y.is_nan()));
    }
}

activation! {
    /// A parametric exponential.
    pub soft_exp(x; learn alpha = 0.25, learn gain = 1.0, scale = 2.0) = gain * expm1(alpha * tanh(x)) / alpha + alpha * scale
}

/// Gradients of parameters by differences, over batches that are cut; the contract of every layer.
#[test]
fn learnt_parameters_have_gradients() {
    for isa in Isa::available() {
        for shape in [Shape::of([1]), Shape::of([17]), Shape::of([3, 2, 5])] {
            for batch in [1, 2, 7] {
                let probe = Probe::new(SoftExp::new().scale(0.5), SoftExp::rule, [shape]).unwrap().isa(isa);
                assert_eq!(probe.params(), [[0.25], [1.0]]);
                let probe = probe.param(0, &[0.7]).param(1, &[-1.3]);
                let x = numbers(3, batch * shape.len(), 3.0);
                let dy = numbers(5, x.len(), 1.0);
                let formula = |x: f64, alpha: f64, gain: f64| gain * (alpha * x.tanh()).exp_m1() / alpha + alpha * 0.5;
                let pairs = || x.iter().zip(&dy).map(|(&x, &dy)| (f64::from(x), f64::from(dy)));
                let truth = slopes(&[f64::from(0.7f32), f64::from(-1.3f32)], |p| {
                    pairs().map(|(x, dy)| dy * formula(x, p[0], p[1])).sum()
                });
                let found = probe.gradients(batch, [&x], [&dy]);
                for (i, truth) in truth.into_iter().enumerate() {
                    near(found.params[i][0], truth, 1.0 + x.len() as f64, &|| {
                        format!("parameter {i}, {shape}, {batch}")
                    });
                }
                probe.check_contract(batch, [&x], [&dy]).unwrap();
                probe.check_gradients(batch, [&x], [&dy], 1e-2).unwrap();
            }
        }
    }
}

loss! { log_cosh(y, t; delta = 1.0) where delta > 0.0 = delta * ln(cosh((y - t) / delta)) }
loss! { quantile(y, t; q = 0.5) = if t > y { q * (t - y) } else { (1.0 - q) * (y - t) } }

#[test]
fn losses_are_means_over_a_samples_numbers() {
    let (y, t) = (numbers(1, 34, 30.0), numbers(2, 34, 30.0));
    for isa in Isa::available() {
        let (mut sum, mut dy) = (0.0, vec![f32::NAN; 34]);
        let found = LogCosh::new().delta(2.0).gradient(isa, 17, &y, &t[..], 0.5, &mut dy);
        for i in 0..34 {
            let d = (f64::from(y[i]) - f64::from(t[i])) / 2.0;
            sum += 2.0 * log_cosh_f64(d) / 17.0;
            near(dy[i], d.tanh() * 0.5 / 17.0, 1.0, &|| format!("{i}"));
        }
        near(found as f32, sum, 1.0, &|| "log_cosh".to_owned());
        assert_eq!(LogCosh::new().delta(2.0).value(isa, 17, &y, &t[..]), found);
    }
    assert_eq!(Quantile::new().q(0.75).value(Isa::detect(), 2, &[0.0, 0.0], &[2.0, -2.0][..]), 1.0);
    assert_eq!(LogCosh::new(), LogCosh::new().delta(1.0));
}

#[test]
#[should_panic(expected = "expected a delta above 0, found 0\nhelp: give one such as `delta = 1.0`")]
fn a_loss_keeps_to_its_limits() {
    let _ = LogCosh::new().delta(0.0);
}

network! {
    struct Own: [1] -> [1] { Dense(16) -> Swish(beta = 2.0) -> bend: SoftExp -> Dense(1) }
}

#[test]
fn an_own_loss_and_learnt_parameters_train_and_save() {
    let x: Vec<f32> = (0..64).map(|i| i as f32 / 16.0 - 2.0).collect();
    let t: Vec<f32> = x.iter().map(|x| (1.5 * x).sin()).collect();
    let data = Dataset::values((&x[..], 1), (&t[..], 1)).unwrap();
    let mut model = Own::init(1);
    let mut trainer = Trainer::new(&mut model, LogCosh::new(), Adam::new(0.02));
    let first = trainer.evaluate(&data).unwrap().loss;
    trainer.fit(&data, Fit::epochs(150)).unwrap();
    let last = trainer.evaluate(&data).unwrap().loss;
    assert!(last < 0.02 * first, "{first} became {last}");
    let alpha = model.get("bend.alpha").unwrap();
    assert!(alpha.len() == 1 && alpha[0] != 0.25, "{alpha:?}");

    let file = std::env::temp_dir().join(format!("nn-{}-formula.safetensors", std::process::id()));
    model.save(&file).unwrap();
    let loaded = Model::<Own>::load(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(loaded.get("bend.alpha").unwrap(), alpha);
    assert_eq!(*loaded.predictor(1).predict(&[0.3]), *model.predictor(1).predict(&[0.3]));
}

activation! { bare_relu(x) = max(x, 0.0) }
activation! { bare_tanh(x) = tanh(x) }
network! { struct Built: [9] -> [3] { Dense(33) -> Relu -> Dense(20) -> Tanh -> Dense(3) } }
network! { struct Bare: [9] -> [3] { Dense(33) -> BareRelu -> Dense(20) -> BareTanh -> Dense(3) } }

/// As much memory, and the same bits: the layers before them absorb them too.
#[test]
fn products_absorb_own_formulas_as_they_do_built_in_ones() {
    assert_eq!(Built::memory(32).training(), Bare::memory(32).training());
    let x = numbers(1, 9, 2.0);
    let (built, bare) = (Built::init(5), Bare::init(5));
    assert_eq!(
        built.predictor(1).predict(x.first_chunk().unwrap()),
        bare.predictor(1).predict(x.first_chunk().unwrap())
    );
}

/// Names that formulas must not trip over.
#[allow(dead_code, non_camel_case_types, non_upper_case_globals, missing_docs)]
#[deny(unused_qualifications, unused_imports, clippy::all, clippy::pedantic, clippy::nursery)]
#[no_implicit_prelude]
mod hygiene {
    const x: f32 = 3.0;
    const s: f32 = 4.0;
    const dy: f32 = 5.0;
    pub struct bool;
    pub struct usize;
    pub struct Option;
    pub struct Curve;
    const fn sigmoid() {}
    mod core {}
    ::nn_runtime::activation! { pub shadowed(z; t = 1.0) where t > 0.0 = { let y = z * t; let z = y * y; z + sigmoid(y) } }
    ::nn_runtime::activation! { pub learning(z; learn t = 1.0) = tanh(t * z) }
    ::nn_runtime::loss! { pub distance(a, b; k = 1.0) where k >= 0.5 = k * square(a - b) }
}

#[test]
fn names_of_the_user_mean_nothing_to_generated_code() {
    check(hygiene::Shadowed::new(), hygiene::Shadowed::rule, |x| x * x + sigmoid(x));
}

/// A formula whose derivative is wrong.
struct Wrong;

impl Curve for Wrong {
    const FROM_OUTPUT: bool = false;
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, x)
    }
    #[inline(always)]
    fn backward<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        s.mul(s.mul(s.splat(2.02), x), dy)
    }
}

#[test]
#[should_panic(expected = "expected a derivative of `wrong` with respect to `x` of ")]
fn the_generated_test_finds_a_wrong_derivative() {
    check_curve("wrong", &Wrong, |x| x * x);
}

#[test]
#[should_panic(expected = "expected a value of `wrong` of ")]
fn the_generated_test_finds_a_wrong_value() {
    check_curve("wrong", &Wrong, |x| x * x + 0.01);
}

/// Within a function, from consts of it.
#[test]
#[allow(unnameable_test_items, reason = "what `cargo test` cannot reach is tried here")]
fn a_formula_within_a_function() {
    const DEPTH: f32 = 0.25;
    activation! { local(x) = if x < 0.0 { DEPTH * x } else { x } }
    check(Local::new(), Local::rule, |x| if x < 0.0 { 0.25 * x } else { x });
    network! { struct Net: [2] -> [2] { Local } }
    assert_eq!(Net::init(0).predictor(1).predict(&[-4.0, 4.0]), &[-1.0, 4.0]);
}
