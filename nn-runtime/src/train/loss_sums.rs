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

    /// Of [`to_bytes`](LossSums::to_bytes).
    pub(crate) const BYTES: usize = 8 * (2 * MAX_OUTPUTS + 3);

    /// All of it, as it is sent to other ranks.
    pub(crate) fn to_bytes(self) -> [u8; LossSums::BYTES] {
        let AccuracySums { correct, rows } = self.accuracy;
        let counts = [u64::from(correct.is_some()), correct.unwrap_or(0) as u64, rows as u64];
        let sums = self.loss.iter().chain(&self.weight).map(|sum| sum.to_bits());
        let mut bytes = [0; LossSums::BYTES];
        for (to, number) in bytes.as_chunks_mut().0.iter_mut().zip(sums.chain(counts)) {
            *to = number.to_le_bytes();
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; LossSums::BYTES]) -> LossSums {
        let mut numbers = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        let mut next = move || numbers.next().unwrap_or(0);
        let loss = core::array::from_fn(|_| f64::from_bits(next()));
        let weight = core::array::from_fn(|_| f64::from_bits(next()));
        let [told, correct, rows] = core::array::from_fn(|_| next() as usize);
        LossSums { loss, weight, accuracy: AccuracySums { correct: (told != 0).then_some(correct), rows } }
    }

    /// Whether every loss is a number.
    #[inline]
    pub(crate) fn is_finite(&self) -> bool {
        self.loss.iter().sum::<f64>().is_finite()
    }
}
