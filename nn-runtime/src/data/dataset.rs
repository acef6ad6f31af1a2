//! Samples in memory: one or more inputs each, their targets, and how much each counts. Comes from anything
//! that is [`Samples`]; gives rows by index, batches and parts. Inputs and targets are always of the same
//! length.

use super::{Class, DataError, DataErrorKind, Labels, Samples, Targets, Values};
use core::fmt;
use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

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

    /// The targets, to be changed in place.
    pub(super) fn targets_mut(&mut self) -> &mut T {
        &mut self.targets
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

    /// Whether every number can be trained on. Targets of weight 0 are not: nothing is learnt from them,
    /// whatever they are.
    ///
    /// # Errors
    /// The first NaN or infinity; names the sample, the input (or `target`) and the element.
    pub fn check(&self) -> Result<(), DataError> {
        for (k, input) in self.inputs.iter().enumerate() {
            input.check_finite(format_args!("input {k}"))?;
        }
        self.targets.check_finite(self.weights.as_ref())
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
mod tests {
    use super::*;
    use ndarray::{Array0, Array2, Array3, Array4, Axis, Slice, array};

    fn message<T>(result: Result<T, DataError>) -> String {
        result.err().expect("a fault").to_string()
    }

    #[test]
    fn every_source_gives_the_same_rows() {
        let expected = Dataset::values(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &[[1.0]; 3]).unwrap();
        let y = || (vec![1.0; 3], 1);
        let flat = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let array = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let columns = array![[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]];
        for dataset in [
            Dataset::values((&flat[..], 2), y()),
            Dataset::values((flat.to_vec(), 2), array![1.0, 1.0, 1.0]),
            Dataset::values(vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], y()),
            Dataset::values(&array, y()),
            Dataset::values(array.view(), y()),
            Dataset::values(columns.t(), y()),
            Dataset::values(array.clone().into_dyn(), y()),
            Dataset::values(array.insert_axis(Axis(1)), y()),
        ] {
            assert_eq!(dataset.unwrap(), expected);
        }
        assert_eq!(expected.inputs()[0].width(), 2);
        assert_eq!(expected.input(0, 1), [3.0, 4.0]);
        assert_eq!(expected.targets().sample(2), [1.0]);
    }

    #[test]
    fn an_array_of_any_layout_is_read_in_logical_order() {
        let images = Array4::from_shape_fn((5, 2, 3, 4), |(n, c, h, w)| (n * 1000 + c * 100 + h * 10 + w) as f32);
        let mut strided = images.view();
        strided.slice_axis_inplace(Axis(0), Slice::from(..).step_by(2));
        strided.invert_axis(Axis(2));
        let dataset = Dataset::classes(strided, [0, 1, 2]).unwrap();
        assert_eq!(dataset.inputs()[0].width(), 24);
        assert_eq!(dataset.input(0, 1)[..5], [2020.0, 2021.0, 2022.0, 2023.0, 2010.0]);
        assert_eq!(dataset.input(0, 2)[23], 4103.0);
    }

    #[test]
    fn labels_come_from_any_integers() {
        let x = || (vec![0.0; 3], 1);
        let expected = Dataset::classes(x(), [4, 0, 9]).unwrap();
        assert_eq!(Dataset::classes(x(), [4u8, 0, 9]).unwrap(), expected);
        assert_eq!(Dataset::classes(x(), vec![4usize, 0, 9]).unwrap(), expected);
        assert_eq!(Dataset::classes(x(), [4i64, 0, 9].iter()).unwrap(), expected);
        assert_eq!(Dataset::classes(x(), &array![4u32, 0, 9]).unwrap(), expected);
        assert_eq!(Dataset::classes(x(), array![4u64, 0, 9].view()).unwrap(), expected);
        assert_eq!(expected.targets().as_slice(), [4, 0, 9]);
        assert_eq!(
            message(Dataset::classes(x(), [4, -1, 9])),
            "sample 1, label: expected a class from 0 to 4294967295, found -1"
        );
        assert_eq!(
            message(Dataset::classes(x(), [4, 1, u64::MAX])),
            "sample 2, label: expected a class from 0 to 4294967295, found 18446744073709551615"
        );
    }

    #[test]
    fn lengths_that_disagree_are_told_in_numbers() {
        let four = &[[0.0; 2]; 4];
        assert_eq!(
            message(Dataset::classes(four, [0, 1, 2])),
            "targets: expected 4 samples, as many as inputs, found 3"
        );
        assert_eq!(
            message(Dataset::values(four, four).unwrap().with_input(&[[0.0]; 5])),
            "input 1: expected 4 samples, as many as targets, found 5"
        );
        assert_eq!(
            message(Dataset::values((vec![0.0; 7], 2), four)),
            "samples: expected a multiple of the width 2, found 7 numbers"
        );
        for zero in [
            Dataset::values((vec![], 0), four),
            Dataset::values(&[[]; 4], four),
            Dataset::values(Array2::zeros((4, 0)), four),
        ] {
            assert!(message(zero).starts_with("samples: expected a width of at least 1, found "));
        }
        assert_eq!(
            message(Dataset::values(Array0::zeros(()), four)),
            "samples: expected an array whose first axis counts the samples, found an array of no axes"
        );
    }

    #[test]
    fn no_samples_are_a_dataset_of_length_zero() {
        let none = Dataset::classes(Array3::zeros((0, 28, 28)), Vec::<u32>::new()).unwrap();
        assert!(none.is_empty());
        assert_eq!(none.inputs()[0].width(), 784);
        assert!(none.check().is_ok());
    }

    #[test]
    fn a_batch_is_gathered_into_memory_that_is_kept() {
        let rows: Vec<[f32; 3]> = (0..10).map(|i| [i as f32, 0.5, -(i as f32)]).collect();
        let more: Vec<[f32; 1]> = (0..10).map(|i| [i as f32 * 10.0]).collect();
        let dataset = Dataset::classes(rows, 0..10).unwrap().with_input(more).unwrap();
        let mut batch = dataset.select(&[7, 7, 1, 0]);
        assert_eq!(batch.targets().as_slice(), [7, 7, 1, 0]);
        assert_eq!(batch.inputs()[1].as_slice(), [70.0, 70.0, 10.0, 0.0]);
        assert_eq!(batch.input(0, 1), [7.0, 0.5, -7.0]);
        let memory = |batch: &Dataset<Labels>| {
            let inputs = batch.inputs();
            (inputs[0].as_slice().as_ptr(), inputs[1].as_slice().as_ptr(), batch.targets().as_slice().as_ptr())
        };
        let before = memory(&batch);
        for indices in [&[3, 2, 9, 4][..], &[5], &[]] {
            dataset.select_into(indices, &mut batch);
            assert_eq!(batch, dataset.select(indices));
            assert_eq!(batch.len(), indices.len());
            assert_eq!(memory(&batch), before);
        }
    }

    #[test]
    fn the_first_number_that_is_none_is_named() {
        let mut dataset =
            Dataset::values(&[[1.0, 2.0]; 4], &[[0.0, 0.0, 0.0]; 4]).unwrap().with_input(&[[1.0]; 4]).unwrap();
        assert!(dataset.check().is_ok());
        dataset.targets.as_mut_slice()[11] = f32::NEG_INFINITY;
        assert_eq!(message(dataset.check()), "sample 3, target, element 2: expected a finite number, found -inf");
        dataset.input_mut(1)[2] = f32::INFINITY;
        assert_eq!(message(dataset.check()), "sample 2, input 1, element 0: expected a finite number, found inf");
        dataset.input_mut(0)[5] = f32::NAN;
        assert_eq!(message(dataset.check()), "sample 2, input 0, element 1: expected a finite number, found NaN");
    }

    #[test]
    fn a_label_out_of_range_is_named() {
        let labels = Labels::new([0, 9, 3, 10, 11]).unwrap();
        assert!(labels.check(12).is_ok());
        assert_eq!(message(labels.check(10)), "sample 3, label: expected a class below 10, found 10");
        assert!(message(labels.check(0)).starts_with("sample 0, label: "));
    }

    #[test]
    fn scaling_reaches_every_input_and_no_target() {
        let mut dataset = Dataset::values(&[[256.0, 64.0]], &[[256.0]]).unwrap().with_input(&[[-512.0]]).unwrap();
        dataset.scale(1.0 / 256.0);
        assert_eq!(dataset.input(0, 0), [1.0, 0.25]);
        assert_eq!(dataset.input(1, 0), [-2.0]);
        assert_eq!(dataset.targets().as_slice(), [256.0]);
    }

    #[test]
    fn several_outputs_have_several_targets() {
        let both = (Labels::new([0, 1, 2]).unwrap(), [[0.5], [1.5], [2.5]].into_values().unwrap());
        let dataset = Dataset::new(&[[0.0; 2]; 3], both.clone()).unwrap();
        let taken = dataset.select(&[2, 0]);
        assert_eq!((taken.targets().0.as_slice(), taken.targets().1.as_slice()), (&[2, 0][..], &[2.5, 0.5][..]));
        let short = (both.0.clone(), [[0.5]].into_values().unwrap());
        assert_eq!(
            message(Dataset::new(&[[0.0; 2]; 3], short)),
            "targets: expected 3 samples, as many as inputs, found 1"
        );
    }

    #[test]
    fn debug_shows_sizes_only() {
        let dataset = Dataset::classes((vec![0.0; 6], 2), [0, 1, 2]).unwrap();
        assert_eq!(format!("{dataset:?}"), "Dataset { samples: 3, inputs: [2] }");
        let weighted = dataset.with_weights(&[[1.0], [0.5], [2.0]]).unwrap();
        assert_eq!(format!("{weighted:?}"), "Dataset { samples: 3, inputs: [2], weights: 1 }");
    }
}
