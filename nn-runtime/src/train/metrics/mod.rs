//! What a model is judged by beside its loss. In: rows of outputs with their targets and weights, batch after
//! batch; out: numbers, at the end. A metric knows no network and no loss, and never changes what it judges.

mod accuracy;
mod average_precision;
mod class_counts;
mod column_sums;
mod confusion_matrix;
mod explained_variance;
mod f1;
mod log_loss;
mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod mean_iou;
mod precision;
mod r2;
mod ranking;
mod recall;
mod roc_auc;
mod root_mean_squared_error;
mod rows;
mod set;
mod top_k;

use std::string::String;
use std::vec::Vec;

use crate::losses::Link;

pub use accuracy::Accuracy;
pub use average_precision::AveragePrecision;
pub use confusion_matrix::ConfusionMatrix;
pub use explained_variance::ExplainedVariance;
pub use f1::F1;
pub use log_loss::LogLoss;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_absolute_percentage_error::MeanAbsolutePercentageError;
pub use mean_iou::MeanIou;
pub use precision::Precision;
pub use r2::R2;
pub use recall::Recall;
pub use roc_auc::RocAuc;
pub use root_mean_squared_error::RootMeanSquaredError;
pub use rows::MetricRows;
pub(super) use set::Judged;
pub use set::Metrics;
pub use top_k::TopK;

/// What is added up over rows, and what it comes to. On which targets it works [`MetricOn`] says.
///
/// Rows of weight 0 are not there: a metric never sees them, and a class that occurs in such rows alone
/// occurs nowhere. The others count as much as they weigh, as in scikit-learn's `sample_weight`.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows};
///
/// /// The largest error of all: what `max_error` is in scikit-learn.
/// #[derive(Clone, Default)]
/// struct MaxError(f64);
///
/// impl Metric for MaxError {
///     type Value = f64;
///     fn name(&self) -> String {
///         "max_error".into()
///     }
///     fn value(&self) -> f64 {
///         self.0
///     }
///     fn reset(&mut self) {
///         self.0 = 0.0;
///     }
/// }
///
/// impl MetricOn<f32> for MaxError {
///     fn update(&mut self, rows: &MetricRows<f32>) {
///         for (y, t) in rows.y.iter().zip(rows.targets) {
///             self.0 = self.0.max(f64::from((y - t).abs()));
///         }
///     }
/// }
///
/// network! { struct Same: [1] -> [1] { Dense(1, init = Constant(1.0)) } }
/// let data = Dataset::values(&[[1.0], [2.0]], &[[1.5], [5.0]]).unwrap();
/// let mut model = Same::init(0);
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let (_, most) = trainer.evaluate_with(&data, MaxError::default()).unwrap();
/// assert_eq!(most, 3.0);
/// ```
#[diagnostic::on_unimplemented(
    message = "expected a metric, found `{Self}`",
    label = "this is none",
    note = "metrics stand alone or in a tuple: `(Accuracy::new(), F1::macro_avg())`"
)]
pub trait Metric: Clone + Send {
    /// What it comes to: `f64`, a number for each class as `Vec<f64>`, or more.
    type Value: MetricValue;

    /// What it is called in a history and by `monitor`: lower case, as `f1`.
    fn name(&self) -> String;

    /// Whether less is better, as of errors: what `monitor` waits for.
    fn lower_is_better(&self) -> bool {
        false
    }

    /// What the rows since the beginning come to; NaN where that is not defined, as where there are none.
    fn value(&self) -> Self::Value;

    /// Forgets all rows.
    fn reset(&mut self);
}

/// A metric on targets of type `T`: `u32`, the class of each row, or `f32`, as many numbers as rows have.
#[diagnostic::on_unimplemented(
    message = "expected a metric on targets of type `{T}`, found `{Self}`",
    label = "it reads other targets",
    note = "labels, `u32`: `Accuracy`, `TopK`, `Precision`, `Recall`, `F1`, `ConfusionMatrix`, `RocAuc`, `AveragePrecision`, `LogLoss` or `MeanIou`",
    note = "values, `f32`: `MeanAbsoluteError`, `RootMeanSquaredError`, `R2`, `ExplainedVariance` or `MeanAbsolutePercentageError`; yes or no as 1 and 0: those of labels but `TopK`"
)]
pub trait MetricOn<T>: Metric {
    /// What is wrong with rows of this width, read as `link` says, and these targets, if anything: *expected,
    /// found*, and what to type. Asked before the first row.
    fn fault(&self, width: usize, link: Link, targets: &[T]) -> Option<String> {
        let _ = (width, link, targets);
        None
    }

    /// Some more rows, all of one weight. Batches come one after the other; how the rows of a set are cut
    /// into calls depends on their weights and on nothing else than the size of a batch.
    fn update(&mut self, rows: &MetricRows<T>);
}

/// What a metric comes to.
pub trait MetricValue {
    /// What the metric's name gets behind it in a history: nothing, or `_*` where there is a number for each
    /// class. None where a history has no use for it.
    const BEHIND: Option<&'static str>;

    /// As numbers for a history, each with what the metric's name gets behind it: nothing, or a class as
    /// `_2`.
    fn numbers(&self) -> Vec<(String, f64)>;
}

impl MetricValue for f64 {
    const BEHIND: Option<&'static str> = Some("");

    fn numbers(&self) -> Vec<(String, f64)> {
        [(String::new(), *self)].into()
    }
}

impl MetricValue for Vec<f64> {
    const BEHIND: Option<&'static str> = Some("_*");

    fn numbers(&self) -> Vec<(String, f64)> {
        self.iter().enumerate().map(|(class, number)| (std::format!("_{class}"), *number)).collect()
    }
}
