//! The outputs of a batch as an objective sees them, and how much each of their rows counts. In: outputs, and
//! the weights of a data set; out: runs of rows that count alike. The last axis of an output is a row's
//! width, all others count rows.

use core::ops::Range;

use super::Values;
use crate::{Isa, MAX_OUTPUTS, Shape};

/// The samples of a batch, as a loss sees them: their place in the data set, their weights there, and the
/// outputs.
pub struct BatchOutputs<'a> {
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

/// The rows of a sample of this shape, and the numbers of a row.
#[inline]
pub(super) fn rows_and_width(shape: &Shape) -> (usize, usize) {
    match shape.as_slice() {
        [rows @ .., width] => (rows.iter().product(), *width),
        [] => (1, 1),
    }
}

/// The weights of the rows of some samples of one output.
#[derive(Clone)]
pub(super) struct RowWeights<'a> {
    pub(super) samples: Range<usize>,
    /// Rows of a sample.
    pub(super) rows: usize,
    pub(super) weights: Option<&'a Values>,
    /// A run of rows ends with its sample.
    pub(super) whole: bool,
}

impl RowWeights<'_> {
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
    pub(super) fn runs(&self) -> impl Iterator<Item = (Range<usize>, f32)> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let run = self.run_from(at)?;
            at = run.0.end;
            Some(run)
        })
    }

    /// The run that begins at this row. In a debug build never inlined, so that another crate's does not slow
    /// it down.
    #[cfg_attr(not(debug_assertions), inline)]
    fn run_from(&self, from: usize) -> Option<(Range<usize>, f32)> {
        if from == self.len() {
            return None;
        }
        let limit = if self.whole { from + self.rows } else { self.len() };
        Some(match self.weights {
            None => (from..limit, 1.0),
            Some(_) => self.weighted_run(from, limit),
        })
    }

    /// As far as rows count alike.
    #[inline(never)]
    fn weighted_run(&self, from: usize, limit: usize) -> (Range<usize>, f32) {
        let weight = self.weight(from);
        (from..(from..limit).find(|&row| self.weight(row) != weight).unwrap_or(limit), weight)
    }

    /// Σ weight: of rows, or of samples where a loss takes them whole.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn sum(&self) -> f64 {
        let each = |run: Range<usize>| if self.whole { 1.0 } else { run.len() as f64 };
        match self.weights {
            None => (if self.whole { self.samples.len() } else { self.len() }) as f64,
            Some(_) => self.runs().map(|(run, weight)| f64::from(weight) * each(run)).sum(),
        }
    }
}
