//! Losses of one's own that say something of more than one number, against PyTorch and loops.

use nn_runtime::losses::LossOn;
use nn_runtime::prelude::*;
use nn_runtime::{Isa, loss};
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, numbers, wide};

loss! {
    /// The share of the target's energy that the difference has.
    pub esr(y, t; eps = 1e-8) = sum(square(y - t)) / (sum(square(t)) + eps);
    /// The same behind a filter that lifts what changes.
    pub pre_emphasised(y, t; coefficient = 0.85) = {
        let a = y - coefficient * before(y);
        let b = t - coefficient * before(t);
        sum(square(a - b)) / (sum(square(b)) + 1e-8)
    };
    /// What two means differ by.
    pub direct_current(y, t) = square(mean(t - y)) / (mean(square(t)) + 1e-8);
    /// Of each row 1 less the correlation, sums of sums.
    pub correlation(y, t) = {
        let a = y - row_mean(y);
        let b = t - row_mean(t);
        1.0 - row_sum(a * b) / sqrt(row_sum(square(a)) * row_sum(square(b)) + 1e-12)
    };
    /// Each number by what its row has.
    pub shares(y, t) = square(y - t) / (row_sum(abs(t)) + 0.5)
}

fn is_pytorchs(name: &str, loss: impl LossOn<[f32]>) {
    let cases: Vec<_> = load("of_many").into_iter().filter(|case| case.word("loss") == name).collect();
    assert!(!cases.is_empty());
    for case in cases {
        let (y, t) = (case.inputs[0].narrow(), case.inputs[1].narrow());
        let shape = &case.inputs[0].shape;
        let (samples, width) = (shape[0], shape[2]);
        for isa in Isa::available() {
            let what = format!("{} {}", case.name, isa.name());
            let (mut dy, mut value) = (vec![0.0; y.len()], 0.0);
            let rows = y.len() / samples;
            let per_row = name == "correlation" || name == "shares";
            let scale = samples * if per_row { shape[1] } else { 1 };
            for ((y, t), dy) in y.chunks(rows).zip(t.chunks(rows)).zip(dy.chunks_mut(rows)) {
                value += loss.gradient(isa, width, y, t, 1.0 / scale as f32, dy) / scale as f64;
                assert!((loss.value(isa, width, y, t) / scale as f64).is_finite());
            }
            let truth = case.output.as_ref().unwrap().data[0];
            assert!((value - truth).abs() <= 1e-5 * truth.abs(), "{what}: {value} instead of {truth}");
            assert_near(&dy, &case.dinputs[0].data, &what);
        }
    }
}

#[test]
fn sums_are_pytorchs() {
    is_pytorchs("esr", Esr::new());
    is_pytorchs("pre_emphasised", PreEmphasised::new());
    is_pytorchs("direct_current", DirectCurrent::new());
    is_pytorchs("correlation", Correlation::new());
    is_pytorchs("shares", Shares::new());
}

network! { struct Filter: [40, 2] -> [40, 2] { Gru(6) -> DensePerStep(2) } }

/// A trainer takes a window's value as one of the sample, and its mean over samples; also a tuple of losses.
#[test]
fn a_window_is_one_value() {
    let (x, t) = (numbers(1, 5 * 80, 1.0), numbers(2, 5 * 80, 1.0));
    let data = Dataset::values((x, 80), (t.clone(), 80)).unwrap();
    let mut model = Filter::init(1);
    let mut trainer = Trainer::new(&mut model, Esr::new(), Adam::new(3e-3));
    let before = trainer.evaluate(&data).unwrap().loss;
    let mut predictor = trainer.model().predictor(5);
    let y = predictor.predict_all(&data).unwrap();
    let energy = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>();
    let truth: f64 = (0..5)
        .map(|i| {
            let (y, t) = (wide(y.sample(i)), wide(&t[i * 80..(i + 1) * 80]));
            energy(&mut y.iter().zip(&t).map(|(y, t)| y - t)) / energy(&mut t.iter().copied()) / 5.0
        })
        .sum();
    assert!((before - truth).abs() < 1e-5 * truth, "{before} instead of {truth}");
    for _ in 0..30 {
        trainer.step(&data).unwrap();
    }
    assert!(trainer.evaluate(&data).unwrap().loss < 0.9 * before);
}
