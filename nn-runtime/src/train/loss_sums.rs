//! Sums over the rows of a batch. In: what an objective has found for some rows; out: sums of several
//! batches, and means.

use super::accuracy_sums::AccuracySums;
use crate::MAX_OUTPUTS;

/// What the rows of a batch come to. The sums of several batches add up.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct LossSums {
    /// Of each output: Σ weight · loss over rows.
    pub(crate) loss: [f64; MAX_OUTPUTS],
    /// Of each output: Σ weight over rows.
    pub(crate) weight: [f64; MAX_OUTPUTS],
    pub(crate) accuracy: AccuracySums,
}

impl LossSums {
    #[inline]
    pub(crate) fn add(&mut self, other: &LossSums) {
        for k in 0..MAX_OUTPUTS {
            self.loss[k] += other.loss[k];
            self.weight[k] += other.weight[k];
        }
        self.accuracy.add(&other.accuracy);
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
}
