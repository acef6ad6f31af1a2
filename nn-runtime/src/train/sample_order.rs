//! In which order samples are trained on. In: a key; out: the index at every place, of a list, or computed
//! one by one where a list would not fit.

use std::vec::Vec;

use super::grouped_order::GroupedOrder;
use super::permutation::Permutation;
use super::privacy::PrivateDraws;
use crate::random::Random;

/// An order of `0..len`.
pub(super) enum SampleOrder {
    /// Written down: an index for each sample in memory.
    Listed(Vec<usize>),
    /// As they come.
    Straight(usize),
    Computed(Permutation),
    /// Group by group.
    Grouped(GroupedOrder),
    /// Batches of any size, every sample with the same chance.
    Drawn(DrawnBatches),
}

/// The batches of an epoch of private training.
pub(super) struct DrawnBatches {
    pub(super) draws: PrivateDraws,
    pub(super) samples: usize,
    /// The number of the epoch's first step among all private ones.
    pub(super) first: u64,
}

impl SampleOrder {
    /// All samples in the order of an epoch, shuffled where there is something to shuffle by.
    pub(super) fn listed(samples: usize, key: Option<(u64, u64)>) -> SampleOrder {
        let mut order: Vec<usize> = (0..samples).collect();
        if let Some((seed, epoch)) = key {
            Random::keyed(seed, &[epoch]).shuffle(&mut order);
        }
        SampleOrder::Listed(order)
    }

    /// … without memory for them.
    pub(super) fn computed(samples: usize, key: Option<(u64, u64)>) -> SampleOrder {
        match key {
            Some((seed, epoch)) => SampleOrder::Computed(Permutation::of(samples, &[epoch], seed)),
            None => SampleOrder::Straight(samples),
        }
    }

    /// Leaves out what comes after the first `samples`.
    pub(super) fn truncate(&mut self, samples: usize) {
        match self {
            SampleOrder::Listed(order) => order.truncate(samples),
            SampleOrder::Straight(len) => *len = samples.min(*len),
            SampleOrder::Computed(permutation) => permutation.shown = samples.min(permutation.shown),
            SampleOrder::Grouped(order) => order.shown = samples.min(order.shown),
            SampleOrder::Drawn(_) => {}
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            SampleOrder::Listed(order) => order.len(),
            SampleOrder::Straight(len) => *len,
            SampleOrder::Computed(permutation) => permutation.shown,
            SampleOrder::Grouped(order) => order.shown,
            SampleOrder::Drawn(drawn) => drawn.samples,
        }
    }

    /// The samples of batch `step`, counted from 0, into `indices`.
    pub(super) fn batch(&self, step: usize, batch: usize, indices: &mut Vec<usize>) {
        let places = step * batch..((step + 1) * batch).min(self.len());
        indices.clear();
        match self {
            SampleOrder::Listed(order) => indices.extend_from_slice(&order[places]),
            SampleOrder::Straight(_) => indices.extend(places),
            SampleOrder::Computed(permutation) => indices.extend(places.map(|place| permutation.index(place))),
            SampleOrder::Grouped(order) => order.indices(places, indices),
            SampleOrder::Drawn(DrawnBatches { draws, samples, first }) => {
                draws.samples(first.wrapping_add(step as u64), *samples, batch as f64 / *samples as f64, indices);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn all(samples: usize, seed: u64, epoch: u64) -> Vec<usize> {
        let order = SampleOrder::computed(samples, Some((seed, epoch)));
        let (mut all, mut batch) = (Vec::new(), Vec::new());
        for step in 0..samples.div_ceil(7) {
            order.batch(step, 7, &mut batch);
            all.extend_from_slice(&batch);
        }
        all
    }

    #[test]
    fn every_index_comes_once_whatever_the_length() {
        for samples in [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 4097, 100_000] {
            let mut order = all(samples, 3, 1);
            assert!(samples < 15 || !order.is_sorted());
            order.sort_unstable();
            assert!(order.into_iter().eq(0..samples), "{samples}");
        }
    }

    #[test]
    fn every_index_is_as_likely_everywhere_and_so_is_every_neighbour() {
        // Five samples are the hardest: halves of two bits, and walks.
        for samples in [5, 7, 20] {
            let draws = 20_000;
            let mut at = vec![0u32; samples * samples];
            let mut after = vec![0u32; samples * samples];
            for seed in 0..draws {
                let order = all(samples, seed, 2);
                order.iter().enumerate().for_each(|(place, index)| at[place * samples + index] += 1);
                order.windows(2).for_each(|pair| after[pair[0] * samples + pair[1]] += 1);
            }
            let expected = draws as f64 / samples as f64;
            // Five standard deviations.
            let bound = 5.0 * expected.sqrt();
            assert!(at.iter().all(|&count| (f64::from(count) - expected).abs() < bound), "{at:?}");
            let others = (0..samples * samples).filter(|i| i / samples != i % samples);
            assert!(others.clone().all(|i| (f64::from(after[i]) - expected).abs() < bound), "{after:?}");
        }
    }

    #[test]
    fn seeds_and_epochs_differ_and_a_large_set_takes_no_memory() {
        assert_eq!(all(50, 1, 1), all(50, 1, 1));
        assert_ne!(all(50, 1, 1), all(50, 2, 1));
        assert_ne!(all(50, 1, 1), all(50, 1, 2));
        let order = SampleOrder::computed(usize::MAX / 4, Some((0, 1)));
        let mut batch = Vec::new();
        order.batch(1 << 40, 32, &mut batch);
        assert!(batch.len() == 32 && batch.iter().all(|&index| index < usize::MAX / 4));
    }
}
