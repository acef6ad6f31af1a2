//! What masks do to pools over steps, and `LastStep`: against the plainest of loops.

use nn_runtime::layers::{GlobalAvgPool, GlobalMaxPool, LastStep};
use nn_runtime::prelude::*;
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::numbers::{assert_near, numbers, wide};

use crate::harness::{against_formula, fault};

/// Steps that are there: all, some, one, none.
fn mask(batch: usize, steps: usize) -> Vec<f32> {
    let one = |i: usize| match i / steps % 4 {
        0 => true,
        1 => !i.is_multiple_of(3),
        2 => i % steps == steps / 2,
        _ => false,
    };
    (0..batch * steps).map(|i| f32::from(one(i))).collect()
}

/// `pooled(steps that are there)` is the answer for one feature, and the share of its gradient that each of
/// those steps gets.
fn against_loop<L: Layer<2> + Copy>(
    layer: L,
    rule: impl Fn(&L, [Shape; 2]) -> Rule + Copy,
    pooled: impl Fn(&[f64]) -> (f64, Vec<f64>),
) {
    for (steps, features) in [(1, 1), (5, 6), (3, 17), (19, 33)] {
        let batch = 7;
        let (x, mask) = (numbers(1, batch * steps * features, 2.0), mask(batch, steps));
        let dy = numbers(2, batch * features, 1.0);
        let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        for sample in 0..batch {
            for feature in 0..features {
                let there: Vec<usize> = (0..steps).filter(|s| mask[sample * steps + s] != 0.0).collect();
                let at = |step: usize| (sample * steps + step) * features + feature;
                let seen: Vec<f64> = there.iter().map(|step| f64::from(x[at(*step)])).collect();
                let (value, shares) = pooled(&seen);
                y[sample * features + feature] = value;
                for (step, share) in there.iter().zip(shares) {
                    dx[at(*step)] = share * f64::from(dy[sample * features + feature]);
                }
            }
        }
        for isa in Isa::available() {
            let what = |of: &str| format!("{steps} of {features}, {}: {of}", isa.name());
            let shapes = [Shape::of([steps, features]), Shape::of([steps])];
            let probe = Probe::new(layer, rule, shapes).unwrap().isa(isa);
            assert_near(&probe.forward(batch, [&x, &mask])[0], &y, &what("y"));
            let found = probe.gradients(batch, [&x, &mask], [&dy]);
            assert_near(&found.inputs[0], &dx, &what("dx"));
            assert_eq!(found.inputs[1], vec![0.0; mask.len()], "{}", what("dmask"));
            probe.check_contract(batch, [&x, &mask], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
        }
    }
}

#[test]
fn pools_of_what_a_mask_leaves() {
    against_loop(GlobalAvgPool::new(), GlobalAvgPool::rule, |x| {
        let share = 1.0 / x.len().max(1) as f64;
        (x.iter().sum::<f64>() * share, vec![share; x.len()])
    });
    against_loop(GlobalMaxPool::new(), GlobalMaxPool::rule, |x| {
        let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares = x.iter().map(|x| f64::from(u8::from(*x == most))).collect();
        (if x.is_empty() { 0.0 } else { most }, shares)
    });
    against_loop(LastStep::new(), LastStep::rule, |x| {
        let shares = (0..x.len()).map(|i| f64::from(u8::from(i + 1 == x.len()))).collect();
        (x.last().copied().unwrap_or(0.0), shares)
    });
}

#[test]
fn of_equal_steps_the_first_takes_the_gradient() {
    let shapes = [Shape::of([4, 1]), Shape::of([4])];
    let probe = Probe::new(GlobalMaxPool::new(), GlobalMaxPool::rule, shapes).unwrap();
    let (x, mask) = ([5.0, 2.0, 2.0, 1.0], [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(probe.gradients(1, [&x, &mask], [&[3.0]]).inputs[0], [0.0, 3.0, 0.0, 0.0]);
    let [y] = probe.forward(1, [&[f32::NAN, 1.0, f32::NAN, 2.0], &mask]);
    assert!(y[0].is_nan(), "a NaN that is there is told");
    let [y] = probe.forward(1, [&[f32::NAN, 1.0, 3.0, 2.0], &mask]);
    assert_eq!(y, [3.0], "a NaN that is padding is not");
}

#[test]
fn the_last_step() {
    for (steps, features) in [(1, 1), (5, 6), (3, 17)] {
        against_formula(LastStep::new(), LastStep::rule, Shape::of([steps, features]), 2.0, |x, _| {
            x[x.len() - features..].to_vec()
        });
    }
    let probe = Probe::new(LastStep::new(), LastStep::rule, [Shape::of([3, 2])]).unwrap();
    let x = numbers(1, 6, 1.0);
    assert_near(&probe.forward(1, [&x])[0], &wide(&x[4..]), &"y");
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    let says = |rule: Rule, text: &str| assert_eq!(rule.fault().expect("a fault").as_str(), text);
    let (x, image) = (Shape::of([5, 6]), Shape::of([3, 8, 8]));
    says(
        GlobalAvgPool::new().rule([x, Shape::of([4])]),
        "expected a mask of one number for each of 5 steps, found [4]\nhelp: declare it as [5]: 1 a step, 0 padding",
    );
    says(
        GlobalMaxPool::new().rule([image, Shape::of([8])]),
        "expected an input of [steps, features] beside a mask, found [3, 8, 8]\n\
         help: leave the mask out, as in `x -> GlobalMaxPool`",
    );
    says(
        LastStep::new().rule([x, Shape::of([5]), Shape::of([5])]),
        "expected an input of [steps, features], and perhaps a mask of [steps], found 3 inputs\n\
         help: write `(x, mask) -> LastStep`",
    );
    assert_eq!(
        fault(LastStep::new(), LastStep::rule, Shape::of([8])),
        "expected an input of [steps, features], found [8]\nhelp: leave it out: there is one step already"
    );
    fault(LastStep::new(), LastStep::rule, Shape::of([0, 6]));
    fault(LastStep::new(), LastStep::rule, Shape::UNKNOWN);
}

network! {
    struct Attends: (x: [5, 8], mask: [5]) -> [8] {
        let y = (x, mask) -> MultiHeadAttention(2);
        (y, mask) -> GlobalAvgPool
    }
}
network! {
    struct Crosses: (x: [3, 8], memory: [5, 8], mask: [5]) -> [3, 8] { (x, memory, mask) -> MultiHeadAttention(2) }
}
network! {
    struct Remembers: (x: [5, 8], mask: [5]) -> [6] { (x, mask) -> Lstm(6, last = true) }
}
network! {
    struct Ends: (x: [5, 8], mask: [5]) -> [8] { (x, mask) -> LastStep }
}
network! {
    struct Largest: (x: [5, 8], mask: [5]) -> [8] { (x, mask) -> GlobalMaxPool }
}
network! {
    struct Gated: (x: [5, 8], mask: [5]) -> [5, 12] { (x, mask) -> Gru(6, direction = Both) }
}
network! {
    struct Causal: [40, 4] -> [40, 4] { MultiHeadAttention(2, causal = true) }
}

/// Outputs and gradients where `hidden` is put in the masked steps 1 and 4.
fn hides<N: Network>(model: &Model<N>, inputs: &[Vec<f32>], masked: usize, len: usize, what: &str) {
    let run = |hidden: f32| {
        let mut inputs = inputs.to_vec();
        for step in [1, 4] {
            inputs[masked][step * 8..][..8].fill(hidden);
        }
        let inputs: Vec<&[f32]> = inputs.iter().map(|x| &x[..]).collect();
        let mut y = vec![0.0; len];
        model.predictor(1).predict_into(&inputs, &mut [&mut y]).unwrap();
        let gradients = model.gradients(&inputs, &[&numbers(9, len, 1.0)]).unwrap();
        (y, gradients.inputs, gradients.params)
    };
    let plain = run(0.5);
    for step in [1, 4] {
        assert!(plain.1[masked][step * 8..][..8].iter().all(|dx| *dx == 0.0), "{what}: {:?}", plain.1[masked]);
    }
    for wild in [f32::NAN, f32::INFINITY, f32::MAX] {
        let found = run(wild);
        assert_eq!(found, plain, "{what} with {wild}");
    }
}

/// A weight of 0 leaves out a step, it does not multiply it.
#[test]
fn what_is_masked_may_be_anything() {
    let mask = vec![1.0, 0.0, 1.0, 1.0, 0.0];
    let x = |seed, steps: usize| numbers(seed, steps * 8, 1.0);
    hides(&Attends::init(1), &[x(1, 5), mask.clone()], 0, 8, "attention");
    hides(&Crosses::init(1), &[x(1, 3), x(2, 5), mask.clone()], 1, 24, "cross-attention");
    hides(&Remembers::init(1), &[x(1, 5), mask.clone()], 0, 6, "lstm");
    hides(&Gated::init(1), &[x(1, 5), mask.clone()], 0, 60, "gru");
    hides(&Ends::init(1), &[x(1, 5), mask.clone()], 0, 8, "last step");
    hides(&Largest::init(1), &[x(1, 5), mask], 0, 8, "max");
}

/// A query sees no later key, whatever it is: as in a stream.
#[test]
fn later_steps_of_causal_attention_may_be_anything() {
    let model = Causal::init(0);
    let plain: [f32; 160] = numbers(1, 160, 1.0).try_into().unwrap();
    let mut dy = numbers(2, 160, 1.0);
    dy[37 * 4..].fill(0.0);
    let run = |later: f32| {
        let mut x = plain;
        x[37 * 4..].fill(later);
        let gradients = model.gradients(&[&x], &[&dy]).unwrap();
        (model.predictor(1).predict(&x)[..37 * 4].to_vec(), gradients.inputs, gradients.params)
    };
    let truth = run(0.25);
    for wild in [f32::NAN, f32::NEG_INFINITY, f32::MAX] {
        assert_eq!(run(wild), truth, "{wild}");
    }
    let mut stream = model.streamer().unwrap();
    for (x, y) in plain.chunks(4).zip(truth.0.chunks(4)) {
        assert_near(stream.step(x.try_into().unwrap()).unwrap(), &wide(y), &"stream");
    }
}

/// A running sum in `f32` and a mean by a rounded 1/n would be wrong by 3e-3 here; steps that are left out
/// hold NaN.
#[test]
fn the_mean_of_a_long_sequence_is_exact() {
    const STEPS: usize = 480_000;
    let probe = Probe::new(GlobalAvgPool, GlobalAvgPool::rule, [Shape::of([STEPS, 2]), Shape::of([STEPS])]).unwrap();
    let mask: Vec<f32> = (0..STEPS).map(|step| if step % 5 == 0 { 0.0 } else { 1.0 }).collect();
    let x: Vec<f32> = (0..2 * STEPS).map(|i| if mask[i / 2] == 0.0 { f32::NAN } else { 0.1 }).collect();
    let [y] = probe.forward(1, [&x, &mask]);
    assert!(y.iter().all(|y| (y - 0.1).abs() <= 1e-7), "{y:?}");
    let [y] = Probe::new(GlobalAvgPool, GlobalAvgPool::rule, [Shape::of([STEPS, 2])])
        .unwrap()
        .forward(1, [&vec![0.1; 2 * STEPS]]);
    assert!(y.iter().all(|y| (y - 0.1).abs() <= 1e-7), "{y:?}");
}
