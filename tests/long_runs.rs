//! Long runs: a million steps of a stream, gradients over fifty thousand steps. In: networks that forget,
//! numbers; out: nothing, or where rounding has grown with the length. Slow:
//! `cargo test -p nn-tests --test long_runs -- --ignored`.

use nn_runtime::prelude::*;
use nn_tests::numbers::{distance, numbers};

/// The steps of a stream.
const MILLION: usize = 1_000_000;
/// What comes again and again.
const PERIOD: usize = 7;

network! {
    struct Bounded: [16, 2] -> [16, 3] {
        Conv1d(4, 3, padding = Causal) -> Tanh -> Conv1d(3, 2, padding = Causal, dilation = 2) -> LayerNorm
    }
}
network! {
    struct Recurrent: [16, 2] -> [16, 3] { Lstm(5) -> Gru(4) -> Rnn(4) -> DensePerStep(3) }
}
network! { struct Waves: [16, 4] -> [16, 4] { PositionalEncoding } }

/// The last period of so many steps of a stream.
fn last_period<N>(model: &Model<N>, steps: usize) -> Vec<Vec<f32>>
where
    for<'a> N: Network<Step<'a> = &'a [f32; 2], StepOutput<'a> = &'a [f32; 3]>,
{
    let x = numbers(3, PERIOD * 2, 1.0);
    let mut stream = model.streamer().unwrap();
    let mut all = Vec::new();
    for step in 0..steps {
        let x: &[f32; 2] = x[step % PERIOD * 2..][..2].try_into().unwrap();
        let y = stream.step(x).unwrap();
        if step + PERIOD >= steps {
            all.push(y.to_vec());
        }
    }
    all
}

#[test]
#[ignore = "a million steps"]
fn a_stream_of_bounded_memory_is_the_same_for_ever() {
    let model = Bounded::init(1);
    let fresh = last_period(&model, 10 * PERIOD + 1);
    assert_eq!(last_period(&model, MILLION / PERIOD * PERIOD + 1), fresh);
}

#[test]
#[ignore = "a million steps"]
fn a_recurrence_settles_and_stays() {
    let model = Recurrent::init(1);
    let fresh = last_period(&model, 3000 * PERIOD + 1).concat();
    let fresh: Vec<f64> = fresh.iter().map(|&y| f64::from(y)).collect();
    let off = distance(&last_period(&model, MILLION / PERIOD * PERIOD + 1).concat(), &fresh);
    assert!(off < 1e-6, "{off:.1e} off after a million steps");
}

#[test]
#[ignore = "a million steps"]
fn positions_are_right_after_a_million_steps() {
    let model = Waves::init(1);
    let mut stream = model.streamer().unwrap();
    for step in 0..=MILLION {
        let y = *stream.step(&[0.0; 4]).unwrap();
        if step % 99_991 == 0 || step == MILLION {
            let slow = step as f64 / 100.0;
            let truth = [(step as f64).sin(), (step as f64).cos(), slow.sin(), slow.cos()];
            let off = y.iter().zip(truth).map(|(&y, truth)| (f64::from(y) - truth).abs()).fold(0.0, f64::max);
            assert!(off < 1e-6, "{off:.1e} off at step {step}: {y:?} instead of {truth:?}");
        }
    }
}

/// The steps of a window.
const STEPS: usize = 50_000;

network! { struct DenseSteps: [STEPS, 3] -> [STEPS, 2] { layer: DensePerStep(2) } }
network! { struct ConvSteps: [STEPS, 3] -> [STEPS, 2] { layer: Conv1d(2, 1, padding = Causal) } }
network! { struct NormSteps: [STEPS, 2] -> [STEPS, 2] { layer: LayerNorm } }
network! { struct RnnSteps: [STEPS, 1] -> [STEPS, 1] { layer: Rnn(1) } }

/// Numbers above 0, so that sums grow and nothing cancels.
fn positive(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|x| 0.5 + 0.5 * x.abs()).collect()
}

fn assert_close(found: &[f32], truth: &[f64], most: f64, what: &str) {
    let off = distance(found, truth);
    assert!(off <= most, "{what}: {off:.1e} off: {found:?} instead of {truth:?}");
}

fn gradient(found: &[(String, Vec<f32>)], name: &str) -> Vec<f32> {
    let of = found.iter().find(|(found, _)| found == name);
    of.unwrap_or_else(|| panic!("a gradient of `{name}` among {found:?}")).1.clone()
}

/// `Σ_s dy[s, u] · x[s, f]` and `Σ_s dy[s, u]`, in double precision.
fn sums(x: &[f32], features: usize, dy: &[f32], units: usize) -> (Vec<f64>, Vec<f64>) {
    let mut weight = vec![0.0; units * features];
    let mut bias = vec![0.0; units];
    for (x, dy) in x.chunks(features).zip(dy.chunks(units)) {
        for (u, &dy) in dy.iter().enumerate() {
            bias[u] += f64::from(dy);
            x.iter().enumerate().for_each(|(f, &x)| weight[u * features + f] += f64::from(dy) * f64::from(x));
        }
    }
    (weight, bias)
}

#[test]
#[ignore = "fifty thousand steps; sums in 32 bits are up to 5e-6 off"]
fn weights_of_dense_steps_are_summed_as_in_double_precision() {
    let (x, dy) = (positive(1, STEPS * 3), positive(2, STEPS * 2));
    let found = DenseSteps::init(0).gradients(&[&x], &[&dy]).unwrap().params;
    let (weight, bias) = sums(&x, 3, &dy, 2);
    assert_close(&gradient(&found, "layer.weight"), &weight, 1e-6, "weight");
    assert_close(&gradient(&found, "layer.bias"), &bias, 1e-6, "bias");
}

#[test]
#[ignore = "fifty thousand steps; sums in 32 bits are up to 5e-6 off"]
fn weights_of_convolutions_are_summed_as_in_double_precision() {
    let (x, dy) = (positive(1, STEPS * 3), positive(2, STEPS * 2));
    let found = ConvSteps::init(0).gradients(&[&x], &[&dy]).unwrap().params;
    let (weight, bias) = sums(&x, 3, &dy, 2);
    assert_close(&gradient(&found, "layer.weight"), &weight, 1e-6, "weight");
    assert_close(&gradient(&found, "layer.bias"), &bias, 1e-6, "bias");
}

#[test]
#[ignore = "fifty thousand steps; sums in 32 bits are up to 5e-6 off"]
fn weights_of_norms_are_summed_as_in_double_precision() {
    let (x, dy) = (positive(1, STEPS * 2), positive(2, STEPS * 2));
    let found = NormSteps::init(0).gradients(&[&x], &[&dy]).unwrap().params;
    let (mut weight, mut bias) = ([0.0; 2], [0.0; 2]);
    for (x, dy) in x.chunks(2).zip(dy.chunks(2)) {
        let [a, b] = [f64::from(x[0]), f64::from(x[1])];
        let half = (a - b) / 2.0;
        let scale = 1.0 / (half * half + f64::from(1e-5f32)).sqrt();
        for (k, way) in [1.0, -1.0].into_iter().enumerate() {
            weight[k] += way * half * scale * f64::from(dy[k]);
            bias[k] += f64::from(dy[k]);
        }
    }
    assert_close(&gradient(&found, "layer.bias"), &bias, 1e-6, "bias");
    // Signs cancel here: beside the number of steps.
    for (found, truth) in gradient(&found, "layer.weight").iter().zip(weight) {
        assert!((f64::from(*found) - truth).abs() < 1e-6 * STEPS as f64, "{found} instead of {truth}");
    }
}

#[test]
#[ignore = "fifty thousand steps; sums in 32 bits are up to 5e-6 off"]
fn a_recurrence_is_followed_back_as_in_double_precision() {
    let mut model = RnnSteps::init(0);
    let (w, u, b) = (0.6f32, 0.7f32, 0.1f32);
    for (name, value) in [("weight_ih", w), ("weight_hh", u), ("bias_ih", b), ("bias_hh", 0.0)] {
        model.set(&format!("layer.{name}"), &[value]).unwrap();
    }
    let (x, dy) = (numbers(1, STEPS, 1.0), positive(2, STEPS));
    let found = model.gradients(&[&x], &[&dy]).unwrap().params;
    let (w, u, b) = (f64::from(w), f64::from(u), f64::from(b));
    let mut h = vec![0.0];
    for &x in &x {
        h.push((w * f64::from(x) + u * h[h.len() - 1] + b).tanh());
    }
    let (mut back, mut dw, mut du, mut db) = (0.0, 0.0, 0.0, 0.0);
    for s in (0..STEPS).rev() {
        let before = (f64::from(dy[s]) + back) * (1.0 - h[s + 1] * h[s + 1]);
        dw += before * f64::from(x[s]);
        du += before * h[s];
        db += before;
        back = before * u;
    }
    assert_close(&gradient(&found, "layer.bias_ih"), &[db], 1e-6, "bias");
    assert_close(&gradient(&found, "layer.weight_hh"), &[du], 1e-5, "recurrent weight");
    assert!((f64::from(gradient(&found, "layer.weight_ih")[0]) - dw).abs() < 1e-6 * STEPS as f64, "{dw}");
}
