use crate::data::{Dataset, Labels};
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// Sample `i` holds `i`; of the classes there are as many as said.
fn of_classes(counts: &[usize]) -> Dataset<Labels> {
    let labels: Vec<usize> = counts.iter().enumerate().flat_map(|(class, &n)| vec![class; n]).collect();
    let rows: Vec<[f32; 1]> = (0..labels.len()).map(|i| [i as f32]).collect();
    Dataset::classes(rows, labels).unwrap()
}

fn samples(part: &Dataset<Labels>) -> Vec<usize> {
    part.inputs()[0].as_slice().iter().map(|&v| v as usize).collect()
}

fn counts(part: &Dataset<Labels>, classes: usize) -> Vec<usize> {
    (0..classes)
        .map(|class| part.targets().as_slice().iter().filter(|&&label| label as usize == class).count())
        .collect()
}

#[test]
fn every_sample_is_validated_on_once_and_trained_on_otherwise() {
    for (n, k) in [(2, 2), (7, 3), (10, 5), (23, 4), (5, 5)] {
        let data = of_classes(&[n / 2, n - n / 2]);
        for folds in [data.k_fold(k, 3).unwrap(), data.stratified_k_fold(k, 3).unwrap()] {
            assert_eq!(folds.len(), k);
            let mut validated = Vec::new();
            for (train, validation) in folds {
                assert!(validation.len() == n / k || validation.len() == n.div_ceil(k));
                let mut all = [samples(&train), samples(&validation)].concat();
                all.sort_unstable();
                assert_eq!(all, (0..n).collect::<Vec<_>>());
                validated.extend(samples(&validation));
            }
            validated.sort_unstable();
            assert_eq!(validated, (0..n).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_seed_fixes_the_folds_and_another_changes_them() {
    let data = of_classes(&[40, 60]);
    let folds = |seed| data.k_fold(5, seed).unwrap().map(|(_, part)| samples(&part)).collect::<Vec<_>>();
    assert_eq!(folds(1), folds(1));
    assert_ne!(folds(1), folds(2));
    let stratified = |seed| data.split_stratified(0.3, seed).unwrap();
    assert_eq!(stratified(1), stratified(1));
    assert_ne!(stratified(1), stratified(2));
}

#[test]
fn every_class_has_its_share() {
    let all = [1, 7, 0, 30, 62];
    let data = of_classes(&all);
    for test in [0.0, 0.1, 0.25, 1.0 / 3.0, 0.5, 1.0] {
        let (train, tested) = data.split_stratified(test, 5).unwrap();
        assert_eq!(tested.len(), (data.len() as f64 * test).round() as usize);
        for (class, (&n, found)) in all.iter().zip(counts(&tested, 5)).enumerate() {
            assert!((found as f64 - n as f64 * test).abs() < 1.0, "{found} of {n} at {test}");
            assert_eq!(counts(&train, 5)[class], n - found);
        }
    }
    for (_, validation) in data.stratified_k_fold(4, 5).unwrap() {
        for (&n, found) in all.iter().zip(counts(&validation, 5)) {
            assert!(found == n / 4 || found == n.div_ceil(4), "{found} of {n}");
        }
    }
}

#[test]
fn senseless_folds_are_refused() {
    let data = of_classes(&[2, 1]);
    let fault = |k| data.k_fold(k, 0).unwrap_err().to_string();
    assert_eq!(
        fault(1),
        "k_fold: expected 2 folds or more, found 1\nhelp: `k_fold(5, seed)` validates on a fifth at a time"
    );
    assert_eq!(fault(4), "k_fold: expected at least 4 samples, one for each fold, found 3");
    let steps = Dataset::new(&[[0.0], [1.0]], Labels::per_step([0, 1, 1, 0], 2).unwrap()).unwrap();
    let fault = steps.split_stratified(0.5, 0).unwrap_err().to_string();
    assert_eq!(fault, "split_stratified: expected one label per sample, found 2 per sample");
    let fault = data.split_stratified(1.5, 0).unwrap_err().to_string();
    assert!(fault.starts_with("split_stratified: expected a fraction from 0 to 1, found 1.5\nhelp: "));
}
