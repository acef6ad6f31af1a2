//! The samples of a batch that count, where some have no weight: those are left out wholly, so that nothing
//! of them, not even NaN, comes into a statistic or a gradient. In: a batch, its targets and weights; out:
//! the same without them. Targets stay where they are.

use alloc::vec::Vec;
use core::ops::Range;

use super::Values;
use super::batch_outputs::BatchOutputs;
use super::batch_pass::BatchInputs;
use super::judge::Judge;
use super::loss_sums::LossSums;
use crate::data::{Dataset, Targets};
use crate::{MAX_OUTPUTS, Shape};

/// The samples that count.
#[derive(Default)]
pub(super) struct CountedSamples {
    /// Their places in the batch.
    places: Vec<usize>,
    /// Where their inputs are, where those of the batch are all over a data set.
    indices: Vec<usize>,
}

impl CountedSamples {
    /// Finds them; false where all samples count, or none: then there is nothing to leave out.
    pub(super) fn find<T: Targets>(&mut self, answers: &Dataset<T>, x: &BatchInputs) -> bool {
        if answers.all_count() {
            return false;
        }
        self.places.clear();
        self.places.extend((0..answers.len()).filter(|&sample| answers.counts(sample)));
        if let BatchInputs::Indexed(_, indices) = x {
            self.indices.clear();
            self.indices.extend(self.places.iter().map(|&place| indices[place]));
        }
        !self.places.is_empty()
    }

    /// The inputs of these samples, what judges their outputs, and how many they are. What is weighed is
    /// there from the first sample of a batch on.
    pub(super) fn batch<'a, T: Targets, J>(
        &'a self,
        answers: &'a Dataset<T>,
        x: BatchInputs<'a>,
        judge: &'a J,
    ) -> (BatchInputs<'a>, CountedJudge<'a, J>, usize) {
        let x = match x {
            BatchInputs::Indexed(values, _) => BatchInputs::Indexed(values, &self.indices),
            BatchInputs::Slices(_) | BatchInputs::Part(..) => BatchInputs::Indexed(answers.inputs(), &self.places),
        };
        (x, CountedJudge { judge, places: &self.places }, self.places.len())
    }
}

/// A judge of all samples, asked about those alone that count.
pub(super) struct CountedJudge<'a, J> {
    judge: &'a J,
    places: &'a [usize],
}

impl<J> CountedJudge<'_, J> {
    /// These of the samples that count, in runs that lie side by side in the batch as well: their places
    /// among those asked for, and in the batch.
    fn runs(&self, samples: Range<usize>) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let places = &self.places[samples];
        let mut from = 0;
        core::iter::from_fn(move || {
            let first = *places.get(from)?;
            let len = places[from..].iter().zip(first..).take_while(|(place, next)| **place == *next).count();
            let run = (from..from + len, first..first + len);
            from += len;
            Some(run)
        })
    }
}

/// What lies of a run in each output.
fn of_run<'a>(shapes: &[Shape], y: &[&'a [f32]; MAX_OUTPUTS], run: &Range<usize>) -> [&'a [f32]; MAX_OUTPUTS] {
    let mut part = [&[][..]; MAX_OUTPUTS];
    for ((part, y), shape) in part.iter_mut().zip(y).zip(shapes) {
        *part = &y[run.start * shape.len()..run.end * shape.len()];
    }
    part
}

impl<J: Judge> Judge for CountedJudge<'_, J> {
    fn logits(&self) -> u8 {
        self.judge.logits()
    }

    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS] {
        let mut all = [0.0; MAX_OUTPUTS];
        for (_, samples) in self.runs(samples) {
            let of_run = self.judge.weight(samples, shapes, weights);
            all.iter_mut().zip(of_run).for_each(|(all, weight)| *all += weight);
        }
        all
    }

    fn gradient(
        &self,
        outputs: &BatchOutputs,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut LossSums,
    ) {
        *sums = LossSums::default();
        for (run, samples) in self.runs(outputs.samples.clone()) {
            let mut grads: [&mut [f32]; MAX_OUTPUTS] = Default::default();
            for ((grad, dy), shape) in grads.iter_mut().zip(&mut *dy).zip(outputs.shapes) {
                *grad = &mut dy[run.start * shape.len()..run.end * shape.len()];
            }
            let (y, mut of) = (of_run(outputs.shapes, &outputs.y, &run), LossSums::default());
            self.judge.gradient(&BatchOutputs { samples, y, ..*outputs }, scale, &mut grads, &mut of);
            sums.add(&of);
        }
    }

    fn value(&self, outputs: &BatchOutputs, sums: &mut LossSums) {
        *sums = LossSums::default();
        for (run, samples) in self.runs(outputs.samples.clone()) {
            let (y, mut of) = (of_run(outputs.shapes, &outputs.y, &run), LossSums::default());
            self.judge.value(&BatchOutputs { samples, y, ..*outputs }, &mut of);
            sums.add(&of);
        }
    }
}
