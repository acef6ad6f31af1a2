//! Cutting a dataset into folds, each to validate on once, and cuts that keep the shares of classes. In: a
//! dataset, a seed; out: pairs of a part to train on and a part to judge by.

use super::{DataError, DataErrorKind, Dataset, Labels, OneTarget, Targets};
use crate::random::Random;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

impl<T: Targets> Dataset<T> {
    /// `k` pairs `(train, validation)`: the samples in random order are cut into `k` parts, and each part is
    /// validated on once while the others are trained on. The first `len % k` parts have one sample more.
    /// Scikit-learn's `KFold(k, shuffle=True)`. Each pair is copied together when it is asked for.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { Dense(1) } }
    ///
    /// let data = Dataset::values(&[[0.0], [1.0], [2.0], [3.0]], &[[1.0], [3.0], [5.0], [7.0]])?;
    /// let mut losses = Vec::new();
    /// for (train, validation) in data.k_fold(4, 0)? {
    ///     let mut model = Line::init(0);
    ///     let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    ///     trainer.fit(&train, Fit::epochs(200))?;
    ///     losses.push(trainer.evaluate(&validation)?.loss);
    /// }
    /// assert!(losses.iter().sum::<f64>() / 4.0 < 0.1, "{losses:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than 2 folds, or fewer samples than folds.
    pub fn k_fold(&self, k: usize, seed: u64) -> Result<Folds<'_, T>, DataError> {
        self.check_folds("k_fold", k)?;
        let order = Random::keyed(seed, &[self.len() as u64]).permutation(self.len());
        let mut fold_of = vec![0; self.len()];
        let mut from = 0;
        for fold in 0..k {
            let len = self.len() / k + usize::from(fold < self.len() % k);
            order[from..from + len].iter().for_each(|&i| fold_of[i] = fold);
            from += len;
        }
        Ok(Folds { data: self, fold_of, k, next: 0 })
    }

    fn check_folds(&self, place: &str, k: usize) -> Result<(), DataError> {
        if k < 2 {
            let fault = DataError::new(DataErrorKind::Setting, place, "2 folds or more", k.to_string());
            return Err(fault.help(format!("`{place}(5, seed)` validates on a fifth at a time")));
        }
        if self.len() < k {
            let expected = format!("at least {k} samples, one for each fold");
            return Err(DataError::new(DataErrorKind::Size, place, expected, self.len().to_string()));
        }
        Ok(())
    }
}

/// Pairs of a part to train on and a part to validate on; see [`Dataset::k_fold`].
pub struct Folds<'a, T> {
    data: &'a Dataset<T>,
    fold_of: Vec<usize>,
    k: usize,
    next: usize,
}

impl<T> fmt::Debug for Folds<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folds").field("k", &self.k).field("next", &self.next).finish_non_exhaustive()
    }
}

impl<T: Targets> Iterator for Folds<'_, T> {
    type Item = (Dataset<T>, Dataset<T>);

    /// The next pair, both parts in the order of the dataset.
    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.k {
            return None;
        }
        let (validation, train): (Vec<_>, Vec<_>) = (0..self.data.len()).partition(|&i| self.fold_of[i] == self.next);
        self.next += 1;
        Some((self.data.select(&train), self.data.select(&validation)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.k - self.next, Some(self.k - self.next))
    }
}

impl<T: Targets> ExactSizeIterator for Folds<'_, T> {}

impl Dataset<Labels> {
    /// As [`split`](Dataset::split), but every class has its share in both parts, as far as whole samples go:
    /// what is left over goes to the classes that lost most by rounding, of equal ones to the first.
    /// Scikit-learn's `train_test_split(stratify=labels)`.
    ///
    /// ```
    /// use nn_runtime::data::{Dataset, Labels};
    ///
    /// let labels = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    /// let (train, test) = Dataset::classes((vec![0.0; 10], 1), labels)?.split_stratified(0.5, 7)?;
    /// let rare = |part: &Dataset<Labels>| part.targets().as_slice().iter().filter(|&&y| y == 1).count();
    /// assert_eq!((train.len(), rare(&train), rare(&test)), (5, 1, 1));
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`split`](Dataset::split), and labels per step, of which a sample has several.
    pub fn split_stratified(&self, test: f64, seed: u64) -> Result<(Self, Self), DataError> {
        if !(0.0..=1.0).contains(&test) {
            let help = "`split_stratified(0.2, seed)` makes a fifth of the samples of each class the test part";
            let found = test.to_string();
            let fault = DataError::new(DataErrorKind::Setting, "split_stratified", "a fraction from 0 to 1", found);
            return Err(fault.help(help));
        }
        let groups = self.by_class("split_stratified", seed)?;
        let mut taken: Vec<usize> =
            groups.iter().map(|group| libm::floor(group.len() as f64 * test) as usize).collect();
        let lost = |class: usize| groups[class].len() as f64 * test - libm::floor(groups[class].len() as f64 * test);
        let mut by_loss: Vec<usize> = (0..groups.len()).collect();
        by_loss.sort_by(|&a, &b| lost(b).total_cmp(&lost(a)));
        let wanted = libm::round(self.len() as f64 * test) as usize;
        let rest = wanted.saturating_sub(taken.iter().sum());
        by_loss.into_iter().take(rest).for_each(|class| taken[class] += 1);
        let (mut tested, mut trained) = (Vec::new(), Vec::new());
        for (group, taken) in groups.iter().zip(taken) {
            let (test, train) = group.split_at(taken.min(group.len()));
            tested.extend_from_slice(test);
            trained.extend_from_slice(train);
        }
        // Not class by class: whoever takes the first few takes some of each.
        let mut random = Random::keyed(seed, &[self.len() as u64, 1]);
        random.shuffle(&mut trained);
        random.shuffle(&mut tested);
        Ok((self.try_select(&trained)?, self.try_select(&tested)?))
    }

    /// As [`k_fold`](Dataset::k_fold), but every class is dealt out evenly: of each, folds differ by one
    /// sample at most, and so do folds as a whole. Scikit-learn's `StratifiedKFold(k, shuffle=True)`.
    ///
    /// # Errors
    /// As [`k_fold`](Dataset::k_fold), and labels per step, of which a sample has several.
    pub fn stratified_k_fold(&self, k: usize, seed: u64) -> Result<Folds<'_, Labels>, DataError> {
        self.check_folds("stratified_k_fold", k)?;
        let groups = self.by_class("stratified_k_fold", seed)?;
        let mut fold_of = vec![0; self.len()];
        // One after the other across classes, so that what is left over of each does not go to the same
        // folds.
        groups.concat().into_iter().enumerate().for_each(|(dealt, i)| fold_of[i] = dealt % k);
        Ok(Folds { data: self, fold_of, k, next: 0 })
    }

    /// The samples of each class there is, in random order.
    fn by_class(&self, place: &str, seed: u64) -> Result<Vec<Vec<usize>>, DataError> {
        let labels = self.targets();
        if labels.width() != 1 {
            let found = format!("{} per sample", labels.width());
            return Err(DataError::new(DataErrorKind::Setting, place, "one label per sample", found));
        }
        let mut order = Random::keyed(seed, &[self.len() as u64]).permutation(self.len());
        order.sort_by_key(|&i| labels.as_slice()[i]);
        Ok(order.chunk_by(|&a, &b| labels.as_slice()[a] == labels.as_slice()[b]).map(<[usize]>::to_vec).collect())
    }
}

#[cfg(test)]
mod tests;
