//! Scores instead of probabilities: the same answers, and more exact ones.

use nn_runtime::losses::Link;
use nn_runtime::train::metrics::{
    Accuracy, AveragePrecision, ConfusionMatrix, F1, LogLoss, MeanAbsoluteError, Metric, MetricOn, MetricRows, RocAuc,
};
use nn_tests::numbers::numbers;

const ROWS: usize = 41;

fn one<T, M: MetricOn<T, Value = f64>>(mut metric: M, y: &[f32], width: usize, targets: &[T], link: Link) -> f64 {
    metric.update(&MetricRows { y, width, targets, weight: 1.0, link });
    metric.value()
}

fn softmax(scores: &[f32], width: usize) -> Vec<f32> {
    let row = |row: &[f32]| {
        let e: Vec<f64> = row.iter().map(|&x| f64::from(x).exp()).collect();
        let sum: f64 = e.iter().sum();
        e.into_iter().map(move |e| (e / sum) as f32)
    };
    scores.chunks(width).flat_map(row).collect()
}

#[test]
fn scores_of_classes_are_as_their_probabilities() {
    for width in [2, 3, 7] {
        let scores = numbers(1, ROWS * width, 3.0);
        let probabilities = softmax(&scores, width);
        let labels: Vec<u32> = numbers(2, ROWS, 1.0).iter().map(|x| ((x + 1.0) * 0.5 * width as f32) as u32).collect();
        let one_hot: Vec<f32> = labels
            .iter()
            .flat_map(|&label| (0..width).map(move |k| if k == label as usize { 1.0 } else { 0.0 }))
            .collect();
        macro_rules! same {
            ($($metric:expr),*) => {$(
                let truth = one($metric, &probabilities, width, &labels, Link::Identity);
                let found = one($metric, &scores, width, &labels, Link::Softmax);
                assert!((found - truth).abs() < 1e-6, "{}: {found}, {truth}", stringify!($metric));
                let found = one($metric, &scores, width, &one_hot, Link::Softmax);
                assert!((found - truth).abs() < 1e-6, "{} of distributions: {found}, {truth}", stringify!($metric));
            )*};
        }
        same!(Accuracy::new(), F1::macro_avg(), RocAuc::new(), AveragePrecision::new(), LogLoss::new());
    }
}

#[test]
fn scores_of_yes_and_no_are_as_their_probabilities() {
    for width in [1, 3] {
        let scores = numbers(3, ROWS * width, 3.0);
        let probabilities: Vec<f32> = scores.iter().map(|&z| (1.0 / (1.0 + f64::from(-z).exp())) as f32).collect();
        let values: Vec<f32> = numbers(4, ROWS * width, 1.0).iter().map(|&x| f32::from(u8::from(x > 0.2))).collect();
        macro_rules! same {
            ($($metric:expr),*) => {$(
                let truth = one($metric, &probabilities, width, &values, Link::Identity);
                let found = one($metric, &scores, width, &values, Link::Sigmoid);
                assert!((found - truth).abs() < 1e-6, "{}: {found}, {truth}", stringify!($metric));
            )*};
        }
        same!(
            Accuracy::new(),
            Accuracy::new().threshold(0.8),
            F1::macro_avg().threshold(0.3),
            RocAuc::new(),
            AveragePrecision::new(),
            LogLoss::new(),
            MeanAbsoluteError::new()
        );
    }
}

/// Where probabilities are 0 and 1, scores still tell.
#[test]
fn sure_scores_are_ranked_and_lose_exactly() {
    let scores = [200.0, 0.0, 300.0, 0.0, 0.0, 100.0];
    let area = |labels: &[u32]| one(RocAuc::new(), &scores, 2, labels, Link::Softmax);
    // Softmax rounds the second class to 0 in the first two rows.
    assert_eq!((area(&[1, 0, 1]), area(&[0, 1, 1])), (1.0, 0.5));
    let loss = one(LogLoss::new(), &scores, 2, &[1, 0, 1], Link::Softmax);
    assert!((loss - 200.0 / 3.0).abs() < 1e-12);
    let loss = one(LogLoss::new(), &[200.0, -300.0], 1, &[0.0, 1.0], Link::Sigmoid);
    assert!((loss - 250.0).abs() < 1e-12);
    assert_eq!(one(Accuracy::new(), &[1e-30, -1e-30], 1, &[1.0, 0.0], Link::Sigmoid), 1.0);
}

/// A number that is none answers nothing.
#[test]
fn nan_is_no_answer() {
    let y = [f32::NAN, 0.5, 0.2, 0.8];
    assert_eq!(one(Accuracy::new(), &y, 2, &[1, 1], Link::Softmax), 0.5);
    assert_eq!(one(Accuracy::new(), &y, 1, &[1.0, 0.0, 0.0, 1.0], Link::Sigmoid), 0.25);
    assert!(one(RocAuc::new(), &y, 1, &[1.0, 0.0, 0.0, 1.0], Link::Identity).is_nan());
    assert!(one(LogLoss::new(), &y, 2, &[1, 1], Link::Softmax).is_nan());
    assert!(one(LogLoss::new(), &[-0.1, 1.1], 2, &[1], Link::Identity).is_nan(), "no probabilities");
    let mut matrix = ConfusionMatrix::new();
    matrix.update(&MetricRows { y: &y, width: 2, targets: &[0, 1], weight: 1.0, link: Link::Softmax });
    assert_eq!(matrix.rows(), [[0.0, 0.0], [0.0, 1.0]]);
    assert_eq!(matrix.to_string(), "actual 0 1\n     0 0 0\n     1 0 1");
    assert!(Accuracy::new().value().is_nan(), "no rows");
    assert!(F1::macro_avg().value().is_nan(), "no rows");
}
