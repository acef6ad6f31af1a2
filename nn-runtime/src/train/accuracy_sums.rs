//! What a training run is judged by beside its loss. In: how many of some rows are answered rightly; out:
//! their share of all.

/// Counts of answers, by the first loss that tells right from wrong.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct AccuracySums {
    /// Rows answered rightly; none where no loss has told.
    pub(crate) correct: Option<usize>,
    /// Rows that loss has seen: those with a weight above 0.
    pub(crate) rows: usize,
}

impl AccuracySums {
    #[inline]
    pub(crate) fn add(&mut self, other: &AccuracySums) {
        self.correct = match (self.correct, other.correct) {
            (Some(correct), Some(more)) => Some(correct + more),
            (correct, more) => correct.or(more),
        };
        self.rows += other.rows;
    }

    /// The share of rows answered rightly.
    pub(crate) fn accuracy(&self) -> Option<f64> {
        self.correct.map(|correct| correct as f64 / self.rows as f64)
    }
}
