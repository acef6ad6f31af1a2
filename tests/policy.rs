//! Choices and their probabilities against PyTorch's distributions, and against how often they are made.

use nn_runtime::policy::{Categorical, Draws, Gaussian, Observations};
use serde_json::Value;

fn cases(kind: &str) -> Vec<Value> {
    let (folder, name) = (env!("CARGO_MANIFEST_DIR"), "policy");
    let text = std::fs::read_to_string(format!("{folder}/reference/{name}.json")).expect("the file is there");
    let all: Value = serde_json::from_str(&text).expect("the file holds JSON");
    all[kind].as_array().expect("a list of cases").clone()
}

fn numbers(case: &Value, field: &str) -> Vec<f64> {
    let values = case[field].as_array().unwrap_or_else(|| panic!("no `{field}`"));
    values.iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn floats(case: &Value, field: &str) -> Vec<f32> {
    numbers(case, field).into_iter().map(|v| v as f32).collect()
}

#[track_caller]
fn close(found: f64, truth: f64, tolerance: f64) {
    assert!((found - truth).abs() <= tolerance * (1.0 + truth.abs()), "{found} for {truth}");
}

#[track_caller]
fn all_close(found: &[f32], truth: &[f64]) {
    assert_eq!(found.len(), truth.len());
    found.iter().zip(truth).for_each(|(found, truth)| close(f64::from(*found), *truth, 1e-6));
}

#[test]
fn categorical_is_pytorchs() {
    for case in cases("categorical") {
        let (scores, choice) = (floats(&case, "scores"), case["choice"].as_u64().expect("a number") as usize);
        let choices = Categorical::new(&scores);
        close(choices.log_prob(choice), case["log_prob"].as_f64().unwrap(), 1e-12);
        close(choices.entropy(), case["entropy"].as_f64().unwrap(), 1e-12);
        // Added to what is there, times the weight.
        let mut d = vec![1.0; scores.len()];
        choices.add_log_prob_gradient(choice, -2.0, &mut d);
        let truth: Vec<f64> = numbers(&case, "log_prob_gradient").iter().map(|g| 1.0 - 2.0 * g).collect();
        all_close(&d, &truth);
        let mut d = vec![1.0; scores.len()];
        choices.add_entropy_gradient(0.5, &mut d);
        let truth: Vec<f64> = numbers(&case, "entropy_gradient").iter().map(|g| 1.0 + 0.5 * g).collect();
        all_close(&d, &truth);
    }
}

#[test]
fn gaussian_is_pytorchs() {
    for case in cases("gaussian") {
        let [mean, log, action] = ["mean", "log_deviation", "action"].map(|field| floats(&case, field));
        let gaussian = Gaussian::new(&mean, &log);
        close(gaussian.log_prob(&action), case["log_prob"].as_f64().unwrap(), 1e-12);
        close(gaussian.entropy(), case["entropy"].as_f64().unwrap(), 1e-12);
        let (mut d_mean, mut d_log) = (vec![0.0; mean.len()], vec![0.0; mean.len()]);
        gaussian.add_log_prob_gradient(&action, 1.0, &mut d_mean, &mut d_log);
        all_close(&d_mean, &numbers(&case, "mean_gradient"));
        all_close(&d_log, &numbers(&case, "log_deviation_gradient"));
        let mut d = vec![0.0; mean.len()];
        gaussian.add_entropy_gradient(1.0, &mut d);
        all_close(&d, &numbers(&case, "entropy_gradient"));
    }
}

#[test]
fn choices_are_made_as_often_as_is_likely() {
    let scores = [0.3, -1.0, f32::NEG_INFINITY, 1.1];
    let choices = Categorical::new(&scores);
    const DRAWN: usize = 100_000;
    let (mut draws, mut counts) = (Draws::new(3), [0usize; 4]);
    (0..DRAWN).for_each(|_| counts[choices.sample(&mut draws)] += 1);
    let truth: f64 = scores.iter().map(|s| f64::from(*s).exp()).sum();
    for (count, score) in counts.iter().zip(scores) {
        let p = f64::from(score).exp() / truth;
        // Five standard deviations.
        let off = 5.0 * (DRAWN as f64 * p * (1.0 - p)).sqrt();
        assert!((*count as f64 - DRAWN as f64 * p).abs() <= off, "{count} of {DRAWN} for {p}");
    }
    let again: Vec<usize> = [Draws::new(9), Draws::new(9)].iter_mut().map(|draws| choices.sample(draws)).collect();
    assert_eq!(again[0], again[1]);
}

#[test]
fn what_is_never_chosen_counts_for_nothing() {
    let scores = [f32::NEG_INFINITY, 2.0, 2.0];
    let choices = Categorical::new(&scores);
    close(choices.entropy(), 2f64.ln(), 1e-12);
    assert_eq!((choices.probability(0), choices.most_likely()), (0.0, 1));
    let mut d = [0.0; 3];
    choices.add_log_prob_gradient(1, 1.0, &mut d);
    choices.add_entropy_gradient(1.0, &mut d);
    all_close(&d, &[0.0, 0.5, -0.5]);
    // One choice is certain, however large its score.
    for score in [f32::MAX, -3e38, 0.0] {
        assert_eq!((Categorical::new(&[score]).log_prob(0), Categorical::new(&[score]).entropy()), (0.0, 0.0));
    }
}

#[test]
fn actions_have_their_mean_and_deviation() {
    let (mean, log) = ([2.0, -1.0], [0.5f32.ln(), 3f32.ln()]);
    let (mut draws, mut action) = (Draws::new(5), [0.0; 2]);
    const DRAWN: usize = 50_000;
    let (mut sum, mut squares) = ([0.0; 2], [0.0; 2]);
    for _ in 0..DRAWN {
        Gaussian::new(&mean, &log).sample(&mut draws, &mut action);
        for k in 0..2 {
            let off = f64::from(action[k]) - f64::from(mean[k]);
            sum[k] += off;
            squares[k] += off * off;
        }
    }
    for (k, deviation) in [0.5, 3.0].into_iter().enumerate() {
        // Five standard deviations of each.
        assert!((sum[k] / DRAWN as f64).abs() < 5.0 * deviation / (DRAWN as f64).sqrt());
        assert!((squares[k] / DRAWN as f64 / (deviation * deviation) - 1.0).abs() < 5.0 * (2.0 / DRAWN as f64).sqrt());
    }
}

#[test]
fn what_is_seen_bit_by_bit_has_the_mean_and_deviation_of_all() {
    let x: Vec<f32> = (0..300).map(|i| 1e4 + ((i * 37) % 101) as f32 / 16.0).collect();
    let mut seen = Observations::new(3);
    assert_eq!((seen.mean(), seen.std(), seen.count()), (vec![0.0; 3], vec![1.0; 3], 0));
    for part in [0..3, 3..3, 3..150, 150..300] {
        seen.see(&x[part]).unwrap();
    }
    for k in 0..3 {
        let of_k: Vec<f64> = x.iter().skip(k).step_by(3).map(|x| f64::from(*x)).collect();
        let mean = of_k.iter().sum::<f64>() / 100.0;
        let truth = (of_k.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 100.0).sqrt();
        close(f64::from(seen.mean()[k]), mean, 1e-7);
        close(f64::from(seen.std()[k]), truth, 1e-6);
    }
    let before = seen.clone();
    let error = seen.see(&[1.0, 2.0]).unwrap_err();
    assert!(error.to_string().starts_with("expected observations of 3 numbers each, found 2"), "{error}");
    let error = seen.see(&[1.0, 2.0, 3.0, 4.0, f32::NAN, 6.0]).unwrap_err();
    assert!(error.to_string().starts_with("observation 1, feature 1: expected a finite number, found NaN"), "{error}");
    assert_eq!((seen.count(), seen.mean()), (before.count(), before.mean()));
}
