//! Each metric on 20 random sets with ties, classes that are not there and weights, fed in pieces.

use nn_runtime::losses::Link;
use nn_runtime::train::metrics::{
    Accuracy, AveragePrecision, ConfusionMatrix, ExplainedVariance, F1, LogLoss, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanIou, MetricOn, MetricRows, Precision, R2, Recall, RocAuc, RootMeanSquaredError,
    TopK,
};
use nn_tests::fixtures::{Case, load};

/// What a metric comes to on the rows of a case, fed `piece` at a time; a weight at a time where they differ.
fn fed<T: Copy, M: MetricOn<T>>(mut metric: M, case: &Case, targets: &[T], piece: usize) -> M::Value {
    let (rows, width) = (case.inputs[0].shape[0], case.inputs[0].shape[1]);
    let (y, weights) = (case.inputs[0].narrow(), case.inputs[2].narrow());
    let per = targets.len() / rows;
    let mut from = 0;
    while from < rows {
        let same = (from..rows).take_while(|&row| weights[row] == weights[from]).count().min(piece);
        let to = from + same;
        if weights[from] > 0.0 {
            let (y, targets) = (&y[from * width..to * width], &targets[from * per..to * per]);
            let weight = f64::from(weights[from]);
            metric.update(&MetricRows { y, width, targets, weight, link: Link::Identity });
        }
        from = to;
    }
    metric.value()
}

/// How many cases have an answer of scikit-learn, which all are near.
fn against_sklearn<T: Copy, M: MetricOn<T, Value = f64>>(
    kind: &str,
    metric: &M,
    setting: &str,
    targets: fn(&Case) -> Vec<T>,
) {
    let cases = load("metrics");
    let mut compared = 0;
    for case in cases.iter().filter(|case| case.name.starts_with(kind)) {
        let Some(truth) = case.settings.get(setting) else { continue };
        let Some(truth) = truth.as_f64() else {
            assert!(fed(metric.clone(), case, &targets(case), 3).is_nan() || setting.starts_with("top"));
            continue;
        };
        for piece in [1, 3, 1000] {
            let found = fed(metric.clone(), case, &targets(case), piece);
            let near = (found - truth).abs() <= 1e-6 * truth.abs().max(1.0);
            assert!(near, "{setting} of {}, {piece} rows at once: {found} instead of {truth}", case.name);
        }
        compared += 1;
    }
    assert!(compared >= 13, "{setting} of {kind}: {compared} cases");
}

fn labels(case: &Case) -> Vec<u32> {
    case.inputs[1].data.iter().map(|&label| label as u32).collect()
}

fn values(case: &Case) -> Vec<f32> {
    case.inputs[1].narrow()
}

macro_rules! on_classes {
    ($($test:ident: $metric:expr, $setting:literal;)*) => {$(
        #[test]
        fn $test() {
            against_sklearn("labels", &$metric, $setting, labels);
            against_sklearn("columns", &$metric, $setting, values);
        }
    )*};
}
on_classes! {
    accuracy: Accuracy::new(), "accuracy";
    precision_macro: Precision::macro_avg(), "precision_macro";
    precision_micro: Precision::micro_avg(), "precision_micro";
    precision_weighted: Precision::weighted_avg(), "precision_weighted";
    recall_macro: Recall::macro_avg(), "recall_macro";
    recall_micro: Recall::micro_avg(), "recall_micro";
    recall_weighted: Recall::weighted_avg(), "recall_weighted";
    f1_macro: F1::macro_avg(), "f1_macro";
    f1_micro: F1::micro_avg(), "f1_micro";
    f1_weighted: F1::weighted_avg(), "f1_weighted";
    mean_iou: MeanIou::new(), "mean_iou";
    roc_auc: RocAuc::new(), "roc_auc";
    average_precision: AveragePrecision::new(), "average_precision";
    log_loss: LogLoss::new(), "log_loss";
}

macro_rules! on_values {
    ($($test:ident: $metric:expr, $setting:literal;)*) => {$(
        #[test]
        fn $test() {
            against_sklearn("values", &$metric, $setting, values);
        }
    )*};
}
on_values! {
    mean_absolute_error: MeanAbsoluteError::new(), "mae";
    root_mean_squared_error: RootMeanSquaredError::new(), "rmse";
    r2: R2::new(), "r2";
    explained_variance: ExplainedVariance::new(), "explained_variance";
    mean_absolute_percentage_error: MeanAbsolutePercentageError::new(), "mape";
}

#[test]
fn top_k() {
    against_sklearn("labels", &TopK::new(1), "top_1", labels);
    against_sklearn("labels", &TopK::new(2), "top_2", labels);
}

#[test]
fn every_class_for_itself() {
    let cases = load("metrics");
    for case in cases.iter().filter(|case| case.name.starts_with("labels")) {
        let labels = labels(case);
        let near = |found: Vec<f64>, what: &str| {
            let truth = &case.params[what].data;
            assert_eq!(found.len(), truth.len(), "{what} of {}", case.name);
            let near = found.iter().zip(truth).all(|(found, truth)| (found - truth).abs() <= 1e-6);
            assert!(near, "{what} of {}: {found:?} instead of {truth:?}", case.name);
        };
        near(fed(Precision::per_class(), case, &labels, 3), "precision");
        near(fed(Recall::per_class(), case, &labels, 3), "recall");
        near(fed(F1::per_class(), case, &labels, 3), "f1");
        near(fed(ConfusionMatrix::new(), case, &labels, 3).rows().concat(), "confusion_matrix");
        for (class, truth) in case.params["f1"].data.iter().enumerate() {
            let found = fed(F1::of_class(class), case, &labels, 3);
            assert!((found - truth).abs() <= 1e-6, "{}", case.name);
        }
    }
    let yes_or_no = |case: &&Case| case.name.starts_with("columns") && case.params.contains_key("confusion_matrix");
    let mut compared = 0;
    for case in cases.iter().filter(yes_or_no) {
        let found = fed(ConfusionMatrix::new(), case, &values(case), 3).rows().concat();
        assert_eq!(found, case.params["confusion_matrix"].data, "{}", case.name);
        compared += 1;
    }
    assert!(compared > 3);
}
