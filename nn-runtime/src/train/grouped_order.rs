//! An order of samples that lie in groups, each of which is read as a whole. In: the lengths of groups, and a
//! key; out: the index at every place. No list of samples is kept, one of groups is.

use std::vec::Vec;

use super::permutation::Permutation;
use crate::random::Random;

/// Groups in an order by chance, and the samples of so many groups at once in another.
pub(super) struct GroupedOrder {
    key: (u64, u64),
    /// Where each group begins among all samples, in the order of this epoch.
    begins: Vec<usize>,
    /// Up to which place each goes, in this order.
    ends: Vec<usize>,
    mixed: usize,
    pub(super) shown: usize,
}

/// Tells the order of groups from that of samples.
const GROUPS: u64 = 0x6772_6f75;

impl GroupedOrder {
    pub(super) fn new(groups: &[usize], mixed: usize, key: (u64, u64)) -> GroupedOrder {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        Random::keyed(key.0, &[GROUPS, key.1]).shuffle(&mut order);
        let sums = |lens: &mut dyn Iterator<Item = usize>| {
            let mut sum = 0;
            lens.map(|len| {
                sum += len;
                sum
            })
            .collect::<Vec<_>>()
        };
        let of_file = sums(&mut groups.iter().copied());
        let begins = order.iter().map(|&group| of_file[group] - groups[group]).collect();
        let ends = sums(&mut order.iter().map(|&group| groups[group]));
        let shown = ends.last().copied().unwrap_or(0);
        GroupedOrder { key, begins, ends, mixed: mixed.max(1), shown }
    }

    /// Adds the indices of places, which are below `shown`.
    pub(super) fn indices(&self, places: impl Iterator<Item = usize>, indices: &mut Vec<usize>) {
        let mut known = None::<(usize, usize, usize, Permutation)>;
        for place in places {
            let (from, permutation) = match &known {
                Some((from, to, _, permutation)) if (*from..*to).contains(&place) => (*from, permutation),
                _ => {
                    let window = self.group(place) / self.mixed;
                    let first = window * self.mixed;
                    let from = if first == 0 { 0 } else { self.ends[first - 1] };
                    let to = self.ends[(first + self.mixed).min(self.ends.len()) - 1];
                    let permutation = Permutation::of(to - from, &[self.key.1, window as u64], self.key.0);
                    let (from, .., permutation) = known.insert((from, to, window, permutation));
                    (*from, &*permutation)
                }
            };
            let place = from + permutation.index(place - from);
            let group = self.group(place);
            let begin = if group == 0 { 0 } else { self.ends[group - 1] };
            indices.push(self.begins[group] + place - begin);
        }
    }

    /// In which group, counted in this order, a place lies.
    fn group(&self, place: usize) -> usize {
        self.ends.partition_point(|&end| end <= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn all(groups: &[usize], mixed: usize, seed: u64) -> Vec<usize> {
        let order = GroupedOrder::new(groups, mixed, (seed, 1));
        let mut all = Vec::new();
        // In batches of 7, as they are asked for.
        let places: Vec<usize> = (0..order.shown).collect();
        places.chunks(7).for_each(|places| order.indices(places.iter().copied(), &mut all));
        all
    }

    /// Which group each sample of an order lies in.
    fn of_groups(groups: &[usize], order: &[usize]) -> Vec<usize> {
        let group = |index: &usize| {
            let mut end = 0;
            groups.iter().position(|len| {
                end += len;
                *index < end
            })
        };
        order.iter().map(|index| group(index).unwrap()).collect()
    }

    #[test]
    fn every_sample_comes_once_and_a_group_or_so_many_in_a_row() {
        for groups in [vec![5], vec![1, 1, 1], vec![10, 3, 25, 1, 8], vec![1000, 999, 7]] {
            for mixed in [1, 2, 3, 10] {
                let order = all(&groups, mixed, 3);
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..groups.iter().sum()), "{groups:?} {mixed}");
                // Between the first and the last sample of a group are those of at most so many groups.
                let of = of_groups(&groups, &order);
                for group in 0..groups.len() {
                    let first = of.iter().position(|&other| other == group).unwrap();
                    let last = of.iter().rposition(|&other| other == group).unwrap();
                    let mut between = of[first..=last].to_vec();
                    between.sort_unstable();
                    between.dedup();
                    assert!(between.len() <= mixed, "{groups:?} {mixed}");
                }
            }
        }
    }

    #[test]
    fn every_order_of_groups_and_of_their_samples_is_as_likely() {
        // Groups of 3, 1 and 2 samples: each sample at each place of its group, each group at each turn.
        let (groups, draws) = ([3, 1, 2], 30_000u64);
        let mut turns = [[0u32; 3]; 3];
        let mut inside = [[0u32; 3]; 3];
        let mut pairs = 0;
        for seed in 0..draws {
            let order = all(&groups, 1, seed);
            let mut of = of_groups(&groups, &order);
            let at = of.iter().position(|&group| group == 0).unwrap();
            order[at..at + 3].iter().enumerate().for_each(|(place, &index)| inside[place][index] += 1);
            of.dedup();
            of.iter().enumerate().for_each(|(turn, &group)| turns[turn][group] += 1);
            // Whether the one order says something about the other.
            pairs += u32::from(of[0] == 0 && order[at] == 0);
        }
        let near = |count: u32, of: f64| {
            let expected = draws as f64 / of;
            (f64::from(count) - expected).abs() < 5.0 * expected.sqrt()
        };
        assert!(turns.as_flattened().iter().all(|&count| near(count, 3.0)), "{turns:?}");
        assert!(inside.as_flattened().iter().all(|&count| near(count, 3.0)), "{inside:?}");
        assert!(near(pairs, 9.0), "{pairs}");
    }

    #[test]
    fn seeds_and_epochs_differ() {
        let groups = [20, 30, 10];
        assert_eq!(all(&groups, 1, 4), all(&groups, 1, 4));
        assert_ne!(all(&groups, 1, 4), all(&groups, 1, 5));
        assert_ne!(all(&groups, 1, 4), all(&groups, 2, 4));
        let mut other = Vec::new();
        GroupedOrder::new(&groups, 1, (4, 2)).indices(0..60, &mut other);
        assert_ne!(all(&groups, 1, 4), other);
    }
}
