//! One loss on one output of a network. In: the outputs of some samples and all targets; out: what the rows
//! come to, their gradients, and how many are answered rightly.

use super::batch_outputs::{BatchOutputs, RowWeights, rows_and_width};
use super::loss_sums::LossSums;
use crate::losses::LossOn;

/// A loss, and what an output is to be.
pub(super) struct OutputLoss<'a, L, T> {
    pub(super) loss: &'a L,
    /// Of all samples.
    pub(super) targets: &'a [T],
    /// How many of them a sample has.
    pub(super) per: usize,
    /// Which output it is.
    pub(super) output: usize,
}

/// How many rows are answered rightly. What is not a number answers nothing: a row with NaN is wrong.
fn correct<T, L: LossOn<[T]>>(loss: &L, width: usize, y: &[f32], target: &[T], finite: bool) -> Option<usize> {
    if finite || L::WHOLE {
        let nan = !finite && y.iter().any(|y| y.is_nan());
        return loss.correct(width, y, target).map(|correct| if nan { 0 } else { correct });
    }
    let per = target.len() * width / y.len();
    let rows = y.chunks(width).zip(target.chunks(per));
    rows.map(|(y, target)| match y.iter().any(|y| y.is_nan()) {
        true => loss.correct(width, y, target).map(|_| 0),
        false => loss.correct(width, y, target),
    })
    .sum()
}

/// Adds output `j` to the sums, with how many of its rows are answered rightly where that `COUNTS`, and
/// writes its gradient where one is asked for.
pub(super) fn add_output<T, L: LossOn<[T]>, const COUNTS: bool>(
    of: OutputLoss<L, T>,
    outputs: &BatchOutputs,
    mut asked: Option<(f64, &mut [f32])>,
    sums: &mut LossSums,
) {
    let OutputLoss { loss, targets, per, output: j } = of;
    let BatchOutputs { isa, samples, weights, shapes, y } = outputs;
    let (rows, width) = rows_and_width(&shapes[j]);
    if weights.is_none() && !L::WHOLE {
        return add_all::<T, L, COUNTS>(of, outputs, (rows * samples.len(), width), asked, sums);
    }
    let rows = RowWeights { samples: samples.clone(), rows, weights: *weights, whole: L::WHOLE };
    let target = &targets[samples.start * per..samples.end * per];
    let counts = COUNTS && sums.accuracy.correct.is_none();
    for (run, weight) in rows.runs() {
        let span = run.start * width..run.end * width;
        if weight == 0.0 {
            // Whatever the output is there, NaN included, it has no part in anything.
            if let Some((_, dy)) = &mut asked {
                dy[span].fill(0.0);
            }
            continue;
        }
        let y = &y[j][span.clone()];
        let target = &target[run.start * per / rows.rows..run.end * per / rows.rows];
        let loss_sum = match &mut asked {
            Some((scale, dy)) => {
                loss.gradient(*isa, width, y, target, (f64::from(weight) * *scale) as f32, &mut dy[span])
            }
            #[cfg(feature = "alloc")]
            None => loss.value(*isa, width, y, target),
            // What does not allocate always asks.
            #[cfg(not(feature = "alloc"))]
            None => f64::NAN,
        };
        sums.loss[j] += f64::from(weight) * loss_sum;
        if let (true, Some(correct)) = (counts, correct(loss, width, y, target, loss_sum.is_finite())) {
            sums.accuracy.correct = Some(sums.accuracy.correct.unwrap_or(0) + correct);
            sums.accuracy.rows += if L::WHOLE { 1 } else { run.len() };
        }
    }
    sums.weight[j] = rows.sum();
}

/// The same where all rows weigh 1.
#[inline(always)]
fn add_all<T, L: LossOn<[T]>, const COUNTS: bool>(
    OutputLoss { loss, targets, per, output: j }: OutputLoss<L, T>,
    outputs: &BatchOutputs,
    (rows, width): (usize, usize),
    asked: Option<(f64, &mut [f32])>,
    sums: &mut LossSums,
) {
    let BatchOutputs { isa, samples, y, .. } = outputs;
    let (y, target) = (y[j], &targets[samples.start * per..samples.end * per]);
    let loss_sum = match asked {
        Some((scale, dy)) => loss.gradient(*isa, width, y, target, scale as f32, dy),
        None => loss.value(*isa, width, y, target),
    };
    sums.loss[j] += loss_sum;
    if COUNTS
        && sums.accuracy.correct.is_none()
        && let Some(correct) = correct(loss, width, y, target, loss_sum.is_finite())
    {
        sums.accuracy.correct = Some(correct);
        sums.accuracy.rows += rows;
    }
    sums.weight[j] = rows as f64;
}
