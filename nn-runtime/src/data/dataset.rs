//! Samples in memory: one or more inputs each, their targets, and how much each counts. Comes from anything
//! that is [`Samples`]; gives rows by index, batches and parts. Inputs and targets are always of the same
//! length.

use super::{Class, DataError, DataErrorKind, Labels, OneTarget, Samples, Targets, Values};
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

mod batch;

/// Samples with their targets: [`Labels`] or [`Values`].
///
/// ```
/// use nn_runtime::data::Dataset;
///
/// let line = Dataset::values(&[[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]], &[[1.0], [2.0], [3.0]])?;
/// assert_eq!(line.input(0, 2), [3.0, 4.0]);
///
/// let pixels = vec![0.0; 3 * 784];
/// let digits = Dataset::classes((pixels, 784), [7, 2, 1])?;
/// let (train, test) = digits.split(1.0 / 3.0, 0)?;
/// assert_eq!((train.len(), test.len()), (2, 1));
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Dataset<T> {
    inputs: Vec<Values>, // at least one, all as long as `targets`
    targets: T,
    pub(super) weights: Option<Values>, // as long too
}

impl Dataset<Labels> {
    /// Samples that belong to classes.
    ///
    /// # Errors
    /// An input that is no [`Samples`] of width 1 or more, a label that is negative or beyond 32 bits,
    /// lengths that disagree.
    pub fn classes(input: impl Samples, labels: impl IntoIterator<Item: Class>) -> Result<Self, DataError> {
        Self::new(input, Labels::new(labels)?)
    }
}

impl Dataset<Values> {
    /// Samples whose targets are numbers: measurements, or the probabilities of classes.
    ///
    /// # Errors
    /// An input or targets that are no [`Samples`] of width 1 or more, lengths that disagree.
    pub fn values(input: impl Samples, targets: impl Samples) -> Result<Self, DataError> {
        Self::new(input, targets.into_values()?)
    }

    /// Samples to learn a series from, which has one row for each time: every `steps` rows in a row, in the
    /// order of time, `[steps, width]`, and as targets the `ahead` rows that come next, `[ahead, width]`.
    ///
    /// ```
    /// use nn_runtime::data::Dataset;
    ///
    /// let series = Dataset::forecast((&[1.0, 2.0, 3.0, 4.0, 5.0][..], 1), 3, 1)?;
    /// assert_eq!((series.input(0, 0), series.targets().sample(0)), (&[1.0, 2.0, 3.0][..], &[4.0][..]));
    /// assert_eq!((series.input(0, 1), series.targets().sample(1)), (&[2.0, 3.0, 4.0][..], &[5.0][..]));
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// Samples next to each other share rows: the part to test with is what comes last
    /// ([`select`](Dataset::select)), as a random [`split`](Dataset::split) would show in training what is
    /// tested.
    ///
    /// # Errors
    /// No steps, nothing ahead, a series of fewer rows than both, or one that is no [`Samples`].
    pub fn forecast(series: impl Samples, steps: usize, ahead: usize) -> Result<Self, DataError> {
        let series = series.into_values()?;
        let all = steps.checked_add(ahead).filter(|_| steps > 0 && ahead > 0);
        let Some(all) = all else {
            let found = format!("{steps} steps, {ahead} ahead");
            return Err(DataError::new(DataErrorKind::Setting, "forecast", "at least 1 step and 1 ahead", found));
        };
        let windows = series.windows(all, 1)?;
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for i in 0..windows.len() {
            let (past, next) = windows.sample(i).split_at(steps * series.width());
            inputs.extend_from_slice(past);
            targets.extend_from_slice(next);
        }
        Self::values((inputs, steps * series.width()), (targets, ahead * series.width()))
    }
}

impl<T: OneTarget> Dataset<T> {
    /// The targets, to be changed in place: labels, or numbers, those of the first sample first.
    #[must_use]
    pub fn targets_mut(&mut self) -> &mut [T::Item] {
        self.targets.as_mut_slice()
    }
}

impl<T: Targets> Dataset<T> {
    /// Samples with targets of any kind.
    ///
    /// # Errors
    /// An input that is no [`Samples`] of width 1 or more, lengths that disagree.
    pub fn new(input: impl Samples, targets: T) -> Result<Self, DataError> {
        let input = input.into_values()?;
        targets.check_len(input.len())?;
        Self { inputs: Vec::new(), targets, weights: None }.with_input(input)
    }

    /// One more input per sample, for networks of several; inputs are counted in this order.
    ///
    /// # Errors
    /// An input that is no [`Samples`] of width 1 or more, or of another number of samples than there are
    /// targets.
    pub fn with_input(mut self, input: impl Samples) -> Result<Self, DataError> {
        let input = input.into_values()?;
        if input.len() != self.len() {
            let place = format!("input {}", self.inputs.len());
            let expected = format!("{} samples, as many as targets", self.len());
            return Err(DataError::new(DataErrorKind::Size, place, expected, input.len().to_string()));
        }
        self.inputs.push(input);
        Ok(self)
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The inputs, each `[samples, width]`; at least one.
    #[must_use]
    pub fn inputs(&self) -> &[Values] {
        &self.inputs
    }

    /// Input `k` of sample `i`, `[width]`.
    ///
    /// # Panics
    /// If `k >= self.inputs().len()` or `i >= self.len()`.
    #[must_use]
    pub fn input(&self, k: usize, i: usize) -> &[f32] {
        self.inputs[k].sample(i)
    }

    /// Input `k` of every sample, to be changed in place, `[samples, width]`.
    ///
    /// # Panics
    /// If `k >= self.inputs().len()`.
    #[must_use]
    pub fn input_mut(&mut self, k: usize) -> &mut [f32] {
        self.inputs[k].as_mut_slice()
    }

    /// The targets.
    #[must_use]
    pub fn targets(&self) -> &T {
        &self.targets
    }

    /// The same samples with other targets: labels as values, values scaled.
    ///
    /// ```
    /// use nn_runtime::data::Dataset;
    ///
    /// let data = Dataset::classes(&[[0.5], [1.5]], [2, 0])?;
    /// let probabilities = data.targets().one_hot(3)?;
    /// let data = data.with_targets(probabilities)?;
    /// assert_eq!(data.targets().sample(0), [0.0, 0.0, 1.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// Not as many targets as samples.
    pub fn with_targets<U: Targets>(self, targets: U) -> Result<Dataset<U>, DataError> {
        targets.check_len(self.len())?;
        Ok(Dataset { inputs: self.inputs, targets, weights: self.weights })
    }

    /// The samples of this dataset and then those of another. Where only one of them has weights, samples of
    /// the other weigh 1.
    ///
    /// ```
    /// use nn_runtime::data::Dataset;
    ///
    /// let morning = Dataset::values(&[[1.0], [2.0]], &[[2.0], [4.0]])?;
    /// let evening = Dataset::values(&[[3.0]], &[[6.0]])?;
    /// assert_eq!(morning.concat(&evening)?.targets().as_slice(), [2.0, 4.0, 6.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// Another number of inputs, or inputs, targets or weights of another width.
    pub fn concat(&self, other: &Self) -> Result<Self, DataError> {
        if self.inputs.len() != other.inputs.len() {
            let expected = format!("a dataset of as many inputs, {}", self.inputs.len());
            return Err(DataError::new(DataErrorKind::Size, "concat", expected, other.inputs.len().to_string()));
        }
        let inputs = self.inputs.iter().zip(&other.inputs).enumerate();
        let inputs = inputs.map(|(k, (own, more))| own.concat(more, || format!("concat, input {k}")));
        let inputs = inputs.collect::<Result<_, _>>()?;
        let mut targets = self.targets.clone();
        targets.append(&other.targets)?;
        let ones = |data: &Self, width| Values::new(vec![1.0; data.len() * width], width);
        let weights = match (&self.weights, &other.weights) {
            (None, None) => None,
            (Some(own), None) => Some(own.concat(&ones(other, own.width())?, || "concat, weights".into())?),
            (None, Some(more)) => Some(ones(self, more.width())?.concat(more, || "concat, weights".into())?),
            (Some(own), Some(more)) => Some(own.concat(more, || "concat, weights".into())?),
        };
        Ok(Self { inputs, targets, weights })
    }

    /// The samples at `indices`, in that order; an index may come more than once.
    ///
    /// # Panics
    /// If an index is not below `self.len()`.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let inputs = vec![Values::none(); self.inputs.len()];
        let mut selected = Self { inputs, targets: self.targets.clone(), weights: None };
        self.select_into(indices, &mut selected);
        selected
    }

    /// As [`select`](Self::select); too little memory for the inputs is an error.
    pub(super) fn try_select(&self, indices: &[usize]) -> Result<Self, DataError> {
        let mut inputs = vec![Values::none(); self.inputs.len()];
        for (k, (input, into)) in self.inputs.iter().zip(&mut inputs).enumerate() {
            if !into.reserve(indices.len(), input.width()) {
                let found = format!("{} of {} numbers, and no memory for them", indices.len(), input.width());
                return Err(DataError::new(DataErrorKind::Memory, format!("input {k}"), "samples that fit", found));
            }
        }
        let mut selected = Self { inputs, targets: self.targets.clone(), weights: None };
        self.select_into(indices, &mut selected);
        Ok(selected)
    }

    /// As [`select`](Self::select), into the memory of `batch`: nothing is allocated once it has held as many
    /// samples.
    ///
    /// # Panics
    /// If an index is not below `self.len()`, or `batch` has another number of inputs (make it with
    /// `select`).
    pub fn select_into(&self, indices: &[usize], batch: &mut Self) {
        assert_eq!(self.inputs.len(), batch.inputs.len(), "number of inputs");
        for (input, into) in self.inputs.iter().zip(&mut batch.inputs) {
            input.gather(indices, into);
        }
        self.select_targets_into(indices, batch);
    }

    /// As [`select_into`](Self::select_into), but of the inputs nothing.
    pub(crate) fn select_targets_into(&self, indices: &[usize], batch: &mut Self) {
        self.targets.select_into(indices, &mut batch.targets);
        match &self.weights {
            Some(weights) => weights.gather(indices, batch.weights.get_or_insert_with(Values::none)),
            None => batch.weights = None,
        }
    }

    /// Multiplies every input by `by`: pixels from 0 to 255 want `scale(1.0 / 255.0)`.
    pub fn scale(&mut self, by: f32) {
        for value in self.inputs.iter_mut().flat_map(Values::as_mut_slice) {
            *value *= by;
        }
    }

    /// Whether every number can be trained on. Targets of weight 0 are not, nor inputs of samples without any
    /// weight: nothing is learnt from them, whatever they are.
    ///
    /// # Errors
    /// The first NaN or infinity; names the sample, the input (or `target`) and the element.
    pub fn check(&self) -> Result<(), DataError> {
        self.check_inputs(|sample| self.counts(sample))?;
        self.targets.check_finite(self.weights.as_ref())
    }

    /// Whether the inputs of these samples are numbers.
    pub(crate) fn check_inputs(&self, of: impl Fn(usize) -> bool) -> Result<(), DataError> {
        for (k, input) in self.inputs.iter().enumerate() {
            let Err(_) = input.check_finite("") else { continue };
            // Something is no number, which is seldom: look again, at what counts.
            let mut numbers = input.as_slice().iter().enumerate();
            if let Some((at, _)) = numbers.find(|(at, x)| !x.is_finite() && of(at / input.width())) {
                return Err(input.no_number(at, format_args!("input {k}")));
            }
        }
        Ok(())
    }
}

/// Sizes only: nobody reads six million pixels.
impl<T: Targets> fmt::Debug for Dataset<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = self.inputs.iter().map(Values::width).collect();
        let mut sizes = f.debug_struct("Dataset");
        sizes.field("samples", &self.len()).field("inputs", &widths);
        if let Some(weights) = &self.weights {
            sizes.field("weights", &weights.width());
        }
        sizes.finish()
    }
}

#[cfg(test)]
mod tests;
