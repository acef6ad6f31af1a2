//! Epsilon by Rényi differential privacy, as the `RdpAccountant` of Google's `dp-accounting` and Opacus give
//! it (`tests/reference/make_privacy.py`); never less than by privacy loss distributions, which are tighter.

use nn_runtime::train::privacy::{epsilon, epsilon_of_runs, noise_multiplier};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    delta: f64,
    runs: Vec<Run>,
    epsilon: f64,
    opacus: f64,
    by_loss_distributions: f64,
}

#[derive(Deserialize)]
struct Run {
    noise: f64,
    rate: f64,
    steps: u64,
}

fn cases() -> Vec<Case> {
    let path = format!("{}/reference/{}.json", env!("CARGO_MANIFEST_DIR"), "privacy");
    let file: File = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file.cases
}

#[test]
fn epsilon_is_that_of_dp_accounting_and_of_opacus() {
    let cases = cases();
    assert_eq!(cases.len(), 13);
    for (i, case) in cases.iter().enumerate() {
        let found = of_trainer(case);
        assert!((found - case.opacus).abs() < 1e-6 * case.opacus, "{i}: {found}, Opacus {}", case.opacus);
        // In the last it adds up too much: see the script.
        let tolerance = if i < 12 { 1e-3 } else { 3e-3 };
        assert!(found < case.epsilon * (1.0 + 1e-9), "{i}: {found}, dp-accounting {}", case.epsilon);
        assert!(
            (found - case.epsilon).abs() < tolerance * case.epsilon,
            "{i}: {found}, dp-accounting {}",
            case.epsilon
        );
        assert!(found >= case.by_loss_distributions, "no less than the tightest bound there is");
    }
}

/// What the runs of a case, which may differ, come to together.
fn of_trainer(case: &Case) -> f64 {
    let runs: Vec<(f64, f64, u64)> = case.runs.iter().map(|run| (run.noise, run.rate, run.steps)).collect();
    match runs[..] {
        [(noise, rate, steps)] => epsilon(noise, rate, steps, case.delta),
        _ => epsilon_of_runs(&runs, case.delta),
    }
}

#[test]
fn noise_is_found_for_an_epsilon() {
    for case in cases() {
        let [Run { noise, rate, steps }] = case.runs[..] else { continue };
        let found = noise_multiplier(case.epsilon, rate, steps, case.delta);
        assert!(epsilon(found, rate, steps, case.delta) <= case.epsilon);
        assert!((found - noise).abs() < 3e-3 * noise.max(1.0), "{noise} {rate} {steps}: {found}");
    }
}

/// What a trainer tells of steps that were not all alike.
#[test]
fn different_steps_add_up() {
    use nn_runtime::prelude::*;
    network! { struct Line: [1] -> [1] { Dense(1) } }
    let cases = cases();
    let case = cases.iter().find(|case| case.runs.len() == 2).unwrap();
    let x = [[0.5]; 100];
    let data = Dataset::values(&x, &x).unwrap();
    let mut trainer =
        Line::init(0).into_trainer(Mse::new(), Sgd::new(1e-3)).private(crate::privacy(case.runs[0].noise, 1.0));
    assert_eq!(trainer.epsilon(case.delta), 0.0);
    for run in &case.runs {
        let batch = (run.rate * 100.0).round() as usize;
        let epochs = run.steps as usize / 100usize.div_ceil(batch);
        trainer.fit(&data, Fit::epochs(epochs).batch(batch)).unwrap();
    }
    let found = trainer.epsilon(case.delta);
    assert!((found - case.epsilon).abs() < 1e-3, "{found} {}", case.epsilon);
}
