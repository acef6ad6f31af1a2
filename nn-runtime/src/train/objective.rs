//! What is minimised: one loss on one output, or a tuple of losses on several. In: the outputs of a batch, a stretch of the targets
//! and of the weights; out: sums over rows, and their gradients. It divides by nothing and knows no network and no loss by name.

use std::format;
use std::ops::Range;
use std::string::String;

use crate::data::{OneTarget, Targets, Values};
use crate::losses::LossOn;
use crate::{Isa, MAX_OUTPUTS, Shape};

/// The samples of a batch, as a loss sees them: their place in the data set, their weights there, and the outputs.
pub struct Answers<'a> {
    pub(crate) isa: Isa,
    /// Where the batch lies among the targets and weights.
    pub(crate) samples: Range<usize>,
    /// Of the whole data set; none are all 1.
    pub(crate) weights: Option<&'a Values>,
    /// Of one sample of each output.
    pub(crate) shapes: &'a [Shape],
    /// `[samples, …]`; what is past the last output is empty.
    pub(crate) y: [&'a [f32]; MAX_OUTPUTS],
}

/// What the rows of a batch come to. Tallies of several batches add up.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Tally {
    /// Of each output: Σ weight · loss over rows.
    pub(crate) loss: [f64; MAX_OUTPUTS],
    /// Of each output: Σ weight over rows.
    pub(crate) weight: [f64; MAX_OUTPUTS],
    /// Rows answered rightly, by the first loss that tells right from wrong.
    pub(crate) hits: Option<usize>,
    /// Rows that loss has seen: those with a weight above 0.
    pub(crate) rows: usize,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, other: &Tally) {
        for k in 0..MAX_OUTPUTS {
            self.loss[k] += other.loss[k];
            self.weight[k] += other.weight[k];
        }
        self.hits = match (self.hits, other.hits) {
            (Some(hits), Some(more)) => Some(hits + more),
            (hits, more) => hits.or(more),
        };
        self.rows += other.rows;
    }

    /// The weighted mean of each output's loss, added up; 0 where no row counts.
    #[inline]
    pub(crate) fn mean(&self) -> f64 {
        let means = self.loss.iter().zip(&self.weight).map(|(loss, weight)| match *weight > 0.0 {
            true => loss / weight,
            false => 0.0,
        });
        means.sum()
    }

    /// Whether every loss is a number.
    #[inline]
    pub(crate) fn is_finite(&self) -> bool {
        self.loss.iter().sum::<f64>().is_finite()
    }

    /// The share of rows answered rightly.
    pub(crate) fn accuracy(&self) -> Option<f64> {
        self.hits.map(|hits| hits as f64 / self.rows as f64)
    }
}

/// A loss for all outputs of a network: a loss, or a tuple of losses in the order of the outputs, whose sum is minimised.
pub trait Objective<T: Targets>: Sync {
    /// Which outputs the losses want as scores (logits), one bit each.
    #[doc(hidden)]
    fn logits(&self) -> u8;
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
        answers: &Answers,
        targets: &T,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut Tally,
    );
    /// What the rows come to.
    #[doc(hidden)]
    fn value(&self, answers: &Answers, targets: &T, sums: &mut Tally);
}

/// The rows of a sample of this shape, and the numbers of a row.
#[inline]
fn rows(shape: &Shape) -> (usize, usize) {
    match shape.as_slice() {
        [rows @ .., width] => (rows.iter().product(), *width),
        [] => (1, 1),
    }
}

/// Where a row stands in a data set, in words.
fn place(row: usize, rows: usize) -> String {
    match rows {
        1 => format!("sample {row}"),
        _ => format!("sample {}, step {}", row / rows, row % rows),
    }
}

/// The weights of the rows of some samples of one output.
#[derive(Clone)]
struct Rows<'a> {
    samples: Range<usize>,
    /// Rows of a sample.
    rows: usize,
    weights: Option<&'a Values>,
    /// A run of rows ends with its sample.
    whole: bool,
}

impl Rows<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.samples.len() * self.rows
    }

    /// Weights stand for one row each, or for all rows of a sample.
    #[inline]
    fn weight(&self, row: usize) -> f32 {
        let row = self.samples.start * self.rows + row;
        self.weights.map_or(1.0, |weights| weights.as_slice()[row * weights.width() / self.rows])
    }

    /// Rows in a row of equal weight above 0, with that weight, and between them those of weight 0.
    fn runs(&self) -> impl Iterator<Item = (Range<usize>, f32)> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let from = at;
            if from == self.len() {
                return None;
            }
            let limit = if self.whole { from + self.rows } else { self.len() };
            let weight = self.weight(from);
            at = match self.weights {
                None => limit,
                Some(_) => (from..limit).find(|&row| self.weight(row) != weight).unwrap_or(limit),
            };
            Some((from..at, weight))
        })
    }

    /// Σ weight: of rows, or of samples where a loss takes them whole.
    #[inline]
    fn sum(&self) -> f64 {
        let each = |run: Range<usize>| if self.whole { 1.0 } else { run.len() as f64 };
        match self.weights {
            None => (if self.whole { self.samples.len() } else { self.len() }) as f64,
            Some(_) => self.runs().map(|(run, weight)| f64::from(weight) * each(run)).sum(),
        }
    }
}

/// What is wrong with the targets and weights of output `j`.
fn fault<T: OneTarget, L: LossOn<[T::Item]>>(
    loss: &L,
    shape: &Shape,
    targets: &T,
    weights: Option<&Values>,
) -> Option<String> {
    let (rows, width) = rows(shape);
    let per = targets.width();
    if let Some(found) = weights.map(Values::width).filter(|&found| found != 1 && (found != rows || L::WHOLE)) {
        let steps = if L::WHOLE || rows == 1 { String::new() } else { format!(", or {rows}, one for each step") };
        return Some(format!(
            "expected 1 weight per sample{steps}, as the output is {shape}, found {found}\nhelp: change the width given to `with_weights`"
        ));
    }
    if L::WHOLE {
        let mut samples = targets.as_slice().chunks(per).enumerate();
        return samples.find_map(|(sample, target)| {
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
    let (row, fault) = loss.fault(width, targets.as_slice(), targets.len() * rows)?;
    Some(format!("{}: {fault}", place(row, rows)))
}

/// Adds output `j` to the tally, and writes its gradient where one is asked for.
fn tally<T: OneTarget, L: LossOn<[T::Item]>>(
    (loss, targets, j): (&L, &T, usize),
    answers: &Answers,
    mut asked: Option<(f64, &mut [f32])>,
    tally: &mut Tally,
) {
    let Answers { isa, samples, weights, shapes, y } = answers;
    let (rows, width) = rows(&shapes[j]);
    let rows = Rows { samples: samples.clone(), rows, weights: *weights, whole: L::WHOLE };
    let per = targets.width();
    let target = &targets.as_slice()[samples.start * per..samples.end * per];
    let counts = tally.hits.is_none();
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
        let sum = match &mut asked {
            Some((scale, dy)) => {
                loss.gradient(*isa, width, y, target, (f64::from(weight) * *scale) as f32, &mut dy[span])
            }
            None => loss.value(*isa, width, y, target),
        };
        tally.loss[j] += f64::from(weight) * sum;
        if let (true, Some(hits)) = (counts, loss.correct(width, y, target)) {
            tally.hits = Some(tally.hits.unwrap_or(0) + hits);
            tally.rows += if L::WHOLE { 1 } else { run.len() };
        }
    }
    tally.weight[j] = rows.sum();
}

impl<T: OneTarget, L: LossOn<[T::Item]>> Objective<T> for L {
    fn logits(&self) -> u8 {
        u8::from(L::LOGITS)
    }

    fn fault(&self, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String> {
        fault(self, &shapes[0], targets, weights)
    }

    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS] {
        let mut all = [0.0; MAX_OUTPUTS];
        all[0] = Rows { samples, rows: rows(&shapes[0]).0, weights, whole: L::WHOLE }.sum();
        all
    }

    fn gradient(
        &self,
        answers: &Answers,
        targets: &T,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut Tally,
    ) {
        *sums = Tally::default();
        tally((self, targets, 0), answers, Some((scale[0], &mut *dy[0])), sums);
    }

    fn value(&self, answers: &Answers, targets: &T, sums: &mut Tally) {
        *sums = Tally::default();
        tally((self, targets, 0), answers, None, sums);
    }
}

macro_rules! several {
    ($($loss:ident $target:ident $i:tt),*) => {
        impl<$($target: OneTarget, $loss: LossOn<[$target::Item]>),*> Objective<($($target,)*)> for ($($loss,)*) {
            fn logits(&self) -> u8 {
                0 $(| (u8::from($loss::LOGITS) << $i))*
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
                $(all[$i] = Rows { samples: samples.clone(), rows: rows(&shapes[$i]).0, weights, whole: $loss::WHOLE }.sum();)*
                all
            }

            fn gradient(
                &self,
                answers: &Answers,
                targets: &($($target,)*),
                scale: [f64; MAX_OUTPUTS],
                dy: &mut [&mut [f32]; MAX_OUTPUTS],
                sums: &mut Tally,
            ) {
                *sums = Tally::default();
                $(tally((&self.$i, &targets.$i, $i), answers, Some((scale[$i], &mut *dy[$i])), sums);)*
            }

            fn value(&self, answers: &Answers, targets: &($($target,)*), sums: &mut Tally) {
                *sums = Tally::default();
                $(tally((&self.$i, &targets.$i, $i), answers, None, sums);)*
            }
        }
    };
}
several!(A S 0, B T 1);
several!(A S 0, B T 1, C U 2);
several!(A S 0, B T 1, C U 2, D V 3);
