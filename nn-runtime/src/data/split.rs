//! Cutting a dataset into a part to train on and a part to test with; every sample is in one of the two.

use super::{DataError, DataErrorKind, Dataset, Targets};
use crate::random::Random;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

impl<T: Targets> Dataset<T> {
    /// `(train, test)`: a random `test` fraction of the samples, rounded to whole ones, and the rest, both in
    /// random order. The same seed gives the same parts.
    ///
    /// # Errors
    /// A fraction that is not from 0 to 1, or more samples than memory.
    pub fn split(&self, test: f64, seed: u64) -> Result<(Self, Self), DataError> {
        if !(0.0..=1.0).contains(&test) {
            let help = "`split(0.2, seed)` makes a fifth of the samples the test part";
            let fault = DataError::new(DataErrorKind::Setting, "split", "a fraction from 0 to 1", test.to_string());
            return Err(fault.help(help));
        }
        let tested = libm::round(self.len() as f64 * test) as usize;
        let order = Random::keyed(seed, &[self.len() as u64]).permutation(self.len());
        let (test, train) = order.split_at(tested.min(self.len()));
        Ok((self.try_select(train)?, self.try_select(test)?))
    }

    /// `(train, test)`: of every `n` samples in a row the last is for the test (`index % n == n - 1`), in the
    /// order they have.
    ///
    /// # Errors
    /// An `n` below 2, which would leave nothing to train on, or more samples than memory.
    pub fn split_every(&self, n: usize) -> Result<(Self, Self), DataError> {
        if n < 2 {
            let help = "`split_every(5)` makes every fifth sample a test sample";
            let fault = DataError::new(DataErrorKind::Setting, "split_every", "2 or more", format!("{n}"));
            return Err(fault.help(help));
        }
        let (test, train): (Vec<_>, Vec<_>) = (0..self.len()).partition(|i| i % n == n - 1);
        Ok((self.try_select(&train)?, self.try_select(&test)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{Dataset, Labels};
    use alloc::string::ToString;
    use alloc::vec::Vec;

    /// Sample `i` holds `i`, and so does its label.
    fn counted(n: u32) -> Dataset<Labels> {
        let rows: Vec<[f32; 1]> = (0..n).map(|i| [i as f32]).collect();
        Dataset::classes(rows, 0..n).unwrap()
    }

    fn labels(part: &Dataset<Labels>) -> Vec<u32> {
        let labels = part.targets().as_slice().to_vec();
        let inputs: Vec<u32> = part.inputs()[0].as_slice().iter().map(|&v| v as u32).collect();
        assert_eq!(inputs, labels, "an input left its target");
        labels
    }

    #[test]
    fn parts_are_disjoint_and_complete() {
        for n in [0, 1, 2, 5, 17, 100] {
            let dataset = counted(n);
            for fraction in [0.0, 0.2, 0.25, 0.5, 0.9, 1.0] {
                for (train, test) in
                    [dataset.split(fraction, u64::from(n)).unwrap(), dataset.split_every(2 + n as usize % 4).unwrap()]
                {
                    let mut all = [labels(&train), labels(&test)].concat();
                    all.sort_unstable();
                    assert_eq!(all, (0..n).collect::<Vec<_>>());
                }
                let (_, test) = dataset.split(fraction, 1).unwrap();
                assert_eq!(test.len(), (f64::from(n) * fraction).round() as usize);
            }
        }
    }

    #[test]
    fn a_seed_fixes_the_parts_and_another_changes_them() {
        let dataset = counted(100);
        let [a, b, c] = [7, 7, 8].map(|seed| dataset.split(0.2, seed).unwrap());
        assert_eq!(a, b);
        assert_ne!(a, c);
        let shuffled = labels(&a.0);
        assert!(!shuffled.is_sorted());
    }

    #[test]
    fn every_fifth_is_index_modulo_five_is_four() {
        let (train, test) = counted(12).split_every(5).unwrap();
        assert_eq!(labels(&test), [4, 9]);
        assert_eq!(labels(&train), [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]);
    }

    #[test]
    fn senseless_cuts_are_refused() {
        for fraction in [-0.1, 1.5, f64::NAN] {
            let fault = counted(4).split(fraction, 0).unwrap_err().to_string();
            assert!(fault.starts_with("split: expected a fraction from 0 to 1, found "));
            assert!(fault.contains("\nhelp: `split(0.2, seed)`"));
        }
        for n in [0, 1] {
            let fault = counted(4).split_every(n).unwrap_err().to_string();
            assert!(fault.starts_with("split_every: expected 2 or more, found "));
        }
    }
}
