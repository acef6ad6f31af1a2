//! Where the samples of a run come from: memory, or a source that is read meanwhile. In: indices; out:
//! batches, checked where nobody has before.

use std::format;
use std::string::String;
use std::vec::Vec;

use nn_kernels::fingerprint;

use super::grouped_order::GroupedOrder;
use super::sample_order::SampleOrder;
use crate::data::{DataError, DataErrorKind, Dataset, OneTarget, SampleSource, Targets, Values, check_weights};

/// What a run trains on.
pub(super) trait Feed<T: Targets>: Sync {
    fn len(&self) -> usize;

    /// All samples, where they are in memory; they have been checked then.
    fn dataset(&self) -> Option<&Dataset<T>>;

    /// Whether samples count differently.
    fn weighs(&self) -> bool;

    /// The order of an epoch, keyed by a seed and its number.
    fn order(&self, key: Option<(u64, u64)>) -> SampleOrder;

    /// What the order depends on beside its key, where a run that goes on needs the same.
    fn groups(&self) -> Option<String> {
        None
    }

    /// A batch without samples.
    ///
    /// # Errors
    /// Samples without numbers.
    fn batch(&self) -> Result<Dataset<T>, DataError>;

    /// Makes `batch` the samples at `indices`.
    ///
    /// # Errors
    /// What keeps a sample from being read.
    fn load(&self, indices: &[usize], batch: &mut Dataset<T>) -> Result<(), DataError>;
}

impl<T: Targets> Feed<T> for Dataset<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn dataset(&self) -> Option<&Dataset<T>> {
        Some(self)
    }

    fn weighs(&self) -> bool {
        self.weights().is_some()
    }

    fn order(&self, key: Option<(u64, u64)>) -> SampleOrder {
        SampleOrder::listed(self.len(), key)
    }

    fn batch(&self) -> Result<Dataset<T>, DataError> {
        Ok(self.select(&[]))
    }

    fn load(&self, indices: &[usize], batch: &mut Dataset<T>) -> Result<(), DataError> {
        self.select_into(indices, batch);
        Ok(())
    }
}

/// A source as a feed.
pub(super) struct Sourced<'a, S>(pub(super) &'a S);

impl<S: SampleSource> Feed<S::Targets> for Sourced<'_, S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn dataset(&self) -> Option<&Dataset<S::Targets>> {
        None
    }

    fn weighs(&self) -> bool {
        self.0.weights_width() > 0
    }

    fn order(&self, key: Option<(u64, u64)>) -> SampleOrder {
        match (self.0.groups(), key) {
            (groups, Some(key)) if !groups.is_empty() => {
                SampleOrder::Grouped(GroupedOrder::new(&groups, self.0.mixed_groups(), key))
            }
            (_, key) => SampleOrder::computed(self.0.len(), key),
        }
    }

    fn groups(&self) -> Option<String> {
        let groups = self.0.groups();
        let words = groups.iter().map(|&len| len as u32);
        let text = || {
            let all = fingerprint::of_words(words) as u32;
            format!("{} of samples ({all:08x}), {} shuffled as one", groups.len(), self.0.mixed_groups())
        };
        (!groups.is_empty()).then(text)
    }

    fn batch(&self) -> Result<Dataset<S::Targets>, DataError> {
        let widths = self.0.widths();
        let width = self.0.target_width();
        if widths.is_empty() || widths.contains(&0) || width == 0 {
            let found = format!("inputs of {widths:?}, targets of {width}");
            return Err(DataError::new(
                DataErrorKind::Size,
                "source",
                "inputs and targets of at least 1 number",
                found,
            ));
        }
        let mut inputs = widths.into_iter().map(|width| Values::new(Vec::new(), width));
        let first = inputs.next().expect("there is an input")?;
        let batch = Dataset::new(first, S::Targets::zeros(0, width))?;
        let batch = inputs.try_fold(batch, |batch, input| batch.with_input(input?))?;
        match self.0.weights_width() {
            0 => Ok(batch),
            width => batch.with_weights((Vec::new(), width)),
        }
    }

    fn load(&self, indices: &[usize], batch: &mut Dataset<S::Targets>) -> Result<(), DataError> {
        batch.resize(indices.len(), self.0.target_width());
        for (i, &index) in indices.iter().enumerate() {
            let read = batch.write(i, |x, target| self.0.read(index, x, target));
            let read = read.and_then(|()| match batch.weights_mut(i) {
                Some(weights) => self.0.read_weights(index, weights),
                None => Ok(()),
            });
            read.map_err(|fault| fault.of_sample(index))?;
        }
        let fault = |batch: &Dataset<S::Targets>| {
            batch.weights().and_then(|weights| check_weights(weights).err()).or_else(|| batch.check().err())
        };
        match fault_of_sample(batch, indices, fault) {
            Some((fault, Some(index))) => Err(fault.of_sample(index)),
            Some((fault, None)) => Err(fault),
            None => Ok(()),
        }
    }
}

/// What is wrong with a batch, and with which sample, told as if it were alone.
pub(super) fn fault_of_sample<T: Targets, E>(
    batch: &Dataset<T>,
    indices: &[usize],
    fault: impl Fn(&Dataset<T>) -> Option<E>,
) -> Option<(E, Option<usize>)> {
    let whole = fault(batch)?;
    let mut one = batch.select(&[]);
    for (i, index) in indices.iter().enumerate() {
        batch.select_into(&[i], &mut one);
        if let Some(alone) = fault(&one) {
            return Some((alone, Some(*index)));
        }
    }
    Some((whole, None))
}
