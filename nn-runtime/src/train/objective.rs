//! What is minimised: one loss on one output, or a tuple of losses on several. In: the outputs of a batch, a
//! range of the targets and of the weights; out: sums over rows, and their gradients. It divides by nothing
//! and knows no network and no loss by name.

use core::ops::Range;

use super::batch_outputs::{BatchOutputs, RowWeights, rows_and_width};
use super::loss_sums::LossSums;
use super::output_loss::{OutputLoss, add_output};
use crate::data::{OneTarget, Targets, Values};
use crate::losses::{Link, Loss, LossOn};
use crate::text::{String, format};
use crate::{MAX_OUTPUTS, Shape};

/// A loss for all outputs of a network: a loss, or a tuple of losses in the order of the outputs, whose sum
/// is minimised.
///
/// Every [`LossOn`] is one; write a loss of one's own with [`loss!`](crate::loss), or by implementing
/// [`LossOn`]. The trait itself cannot be implemented outside this crate, as its methods name types that are
/// private.
pub trait Objective<T: Targets>: Loss {
    /// Which outputs the losses want as scores (logits), one bit each.
    #[doc(hidden)]
    fn logits(&self) -> u8;
    /// What makes predictions of each output as the losses read it; none where one reads samples whole.
    #[doc(hidden)]
    fn links(&self) -> [Option<Link>; MAX_OUTPUTS];
    /// What is wrong with a data set, if anything: where, and what to do.
    #[doc(hidden)]
    fn fault(&self, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String>;
    /// Σ weight over the rows of these samples, of each output: what the gradients of a step are divided by.
    #[doc(hidden)]
    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS];
    /// What the rows come to, and `dy = scale · d(Σ weight · loss)/dy`, with a scale for each output.
    #[doc(hidden)]
    fn gradient(
        &self,
        outputs: &BatchOutputs,
        targets: &T,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut LossSums,
    );
    /// What the rows come to.
    #[doc(hidden)]
    fn value(&self, outputs: &BatchOutputs, targets: &T, sums: &mut LossSums);
}

/// What makes predictions of what a loss reads row by row.
fn link<L: Loss>() -> Option<Link> {
    (!L::WHOLE).then_some(L::LINK)
}

/// Where a row stands in a data set, in words.
fn place(row: usize, rows: usize) -> String {
    match rows {
        1 => format!("sample {row}"),
        _ => format!("sample {}, step {}", row / rows, row % rows),
    }
}

/// What is wrong with the targets and weights of output `j`.
fn fault<T: OneTarget, L: LossOn<[T::Item]>>(
    loss: &L,
    shape: &Shape,
    targets: &T,
    weights: Option<&Values>,
) -> Option<String> {
    let (rows, width) = rows_and_width(shape);
    let per = targets.width();
    if let Some(found) = weights.map(Values::width).filter(|&found| found != 1 && (found != rows || L::WHOLE)) {
        let steps = if L::WHOLE || rows == 1 { String::new() } else { format!(", or {rows}, one for each step") };
        // Numbers that count one by one are rows of one number.
        let help = match T::WHAT {
            "targets" if found == rows * width && !L::WHOLE => format!(
                "end the network in `Reshape([{found}, 1])`: each number is a row then, with a weight of its own"
            ),
            _ => "change the width given to `with_weights`".into(),
        };
        return Some(format!(
            "expected 1 weight per sample{steps}, as the output is {shape}, found {found}\nhelp: {help}"
        ));
    }
    // What no row of a weight above 0 needs may be anything.
    let runs = RowWeights { samples: 0..targets.len(), rows, weights, whole: L::WHOLE };
    let mut runs = runs.runs().filter(|(_, weight)| *weight != 0.0);
    if L::WHOLE {
        return runs.find_map(|(run, _)| {
            let sample = run.start / rows;
            let target = &targets.as_slice()[sample * per..(sample + 1) * per];
            loss.fault(width, target, rows).map(|(_, fault)| format!("sample {sample}: {fault}"))
        });
    }
    if !per.is_multiple_of(rows) {
        let what = T::WHAT;
        let help = match what {
            "labels" => format!("`Labels::per_step(labels, {rows})`, or a network whose output is one row of scores"),
            _ => format!("give {} numbers per sample, or end the network in another shape", shape.len()),
        };
        return Some(format!(
            "expected {what} for each of the {rows} steps of the output, {shape}, found {per} per sample\nhelp: {help}"
        ));
    }
    if weights.is_none() {
        let (row, fault) = loss.fault(width, targets.as_slice(), targets.len() * rows)?;
        return Some(format!("{}: {fault}", place(row, rows)));
    }
    runs.find_map(|(run, _)| {
        let target = &targets.as_slice()[run.start * per / rows..run.end * per / rows];
        let (row, fault) = loss.fault(width, target, run.len())?;
        Some(format!("{}: {fault}", place(run.start + row, rows)))
    })
}

impl<T: OneTarget, L: LossOn<[T::Item]>> Objective<T> for L {
    fn logits(&self) -> u8 {
        u8::from(L::LOGITS)
    }

    fn links(&self) -> [Option<Link>; MAX_OUTPUTS] {
        let mut links = [None; MAX_OUTPUTS];
        links[0] = link::<L>();
        links
    }

    fn fault(&self, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String> {
        fault(self, &shapes[0], targets, weights)
    }

    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS] {
        let mut all = [0.0; MAX_OUTPUTS];
        all[0] = RowWeights { samples, rows: rows_and_width(&shapes[0]).0, weights, whole: L::WHOLE }.sum();
        all
    }

    fn gradient(
        &self,
        outputs: &BatchOutputs,
        targets: &T,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut LossSums,
    ) {
        *sums = LossSums::default();
        add_output::<_, _, true>(
            OutputLoss { loss: self, targets: targets.as_slice(), per: targets.width(), output: 0 },
            outputs,
            Some((scale[0], &mut *dy[0])),
            sums,
        );
    }

    fn value(&self, outputs: &BatchOutputs, targets: &T, sums: &mut LossSums) {
        *sums = LossSums::default();
        add_output::<_, _, true>(
            OutputLoss { loss: self, targets: targets.as_slice(), per: targets.width(), output: 0 },
            outputs,
            None,
            sums,
        );
    }
}

macro_rules! several {
    ($($loss:ident $target:ident $i:tt),*) => {
        impl<$($target: OneTarget, $loss: LossOn<[$target::Item]>),*> Objective<($($target,)*)> for ($($loss,)*) {
            fn logits(&self) -> u8 {
                0 $(| (u8::from($loss::LOGITS) << $i))*
            }

            fn links(&self) -> [Option<Link>; MAX_OUTPUTS] {
                let mut links = [None; MAX_OUTPUTS];
                $(links[$i] = link::<$loss>();)*
                links
            }

            fn fault(&self, shapes: &[Shape], targets: &($($target,)*), weights: Option<&Values>) -> Option<String> {
                $(
                    if let Some(fault) = fault(&self.$i, &shapes[$i], &targets.$i, weights) {
                        return Some(format!("output {}: {fault}", $i));
                    }
                )*
                None
            }

            fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS] {
                let mut all = [0.0; MAX_OUTPUTS];
                $(all[$i] = RowWeights { samples: samples.clone(), rows: rows_and_width(&shapes[$i]).0, weights, whole: $loss::WHOLE }.sum();)*
                all
            }

            fn gradient(
                &self,
                outputs: &BatchOutputs,
                targets: &($($target,)*),
                scale: [f64; MAX_OUTPUTS],
                dy: &mut [&mut [f32]; MAX_OUTPUTS],
                sums: &mut LossSums,
            ) {
                *sums = LossSums::default();
                $(add_output::<_, _, true>(OutputLoss { loss: &self.$i, targets: targets.$i.as_slice(), per: targets.$i.width(), output: $i }, outputs, Some((scale[$i], &mut *dy[$i])), sums);)*
            }

            fn value(&self, outputs: &BatchOutputs, targets: &($($target,)*), sums: &mut LossSums) {
                *sums = LossSums::default();
                $(add_output::<_, _, true>(OutputLoss { loss: &self.$i, targets: targets.$i.as_slice(), per: targets.$i.width(), output: $i }, outputs, None, sums);)*
            }
        }
    };
}
several!(A S 0, B T 1);
several!(A S 0, B T 1, C U 2);
several!(A S 0, B T 1, C U 2, D V 3);
