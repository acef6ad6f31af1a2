//! Bringing every feature to mean 0 and standard deviation 1, by figures of the training part alone.
//! In: the part to learn the figures from. Out: any dataset of the same widths, changed in place.
//! Never: a figure taken from a test part; a dataset half changed.

use super::{DataError, DataErrorKind, Dataset, Targets, Values};
use std::format;
use std::vec::Vec;

/// `(x - mean) / std` for every feature of every input: `mean` and `std` (over n, not n − 1) are those of the
/// dataset it was fitted to. A feature that is constant there keeps `std` 1, so it becomes 0 rather than NaN.
///
/// ```
/// use nn_runtime::data::{Dataset, Standardize};
///
/// let mut data = Dataset::values(&[[1.0, 50.0], [3.0, 50.0]], &[[0.0], [1.0]])?;
/// let standardize = Standardize::fit(&data)?;   // of the training part; then apply it to both parts
/// standardize.apply(&mut data)?;
/// assert_eq!(data.inputs()[0].as_slice(), [-1.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    features: Vec<Vec<Feature>>, // by input
}

/// Mean and standard deviation of one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Feature {
    mean: f64,
    std: f64,
}

impl Standardize {
    /// The figures of `train`, in `f64`.
    ///
    /// # Errors
    /// No samples, or a number that is not finite.
    pub fn fit<T: Targets>(train: &Dataset<T>) -> Result<Self, DataError> {
        if train.is_empty() {
            return Err(DataError::new(DataErrorKind::Size, "standardize", "at least one sample", "none"));
        }
        for (k, input) in train.inputs().iter().enumerate() {
            input.check_finite(format_args!("input {k}"))?;
        }
        let features = train.inputs().iter().map(fit).collect();
        Ok(Self { features })
    }

    /// Standardises the inputs of `dataset`; a second time would do it twice.
    ///
    /// # Errors
    /// Another number of inputs, or an input of another width, than it was fitted to; nothing is changed
    /// then.
    pub fn apply<T: Targets>(&self, dataset: &mut Dataset<T>) -> Result<(), DataError> {
        if dataset.inputs().len() != self.features.len() {
            let expected = format!("{} inputs, as it was fitted to", self.features.len());
            let found = format!("{}", dataset.inputs().len());
            return Err(DataError::new(DataErrorKind::Size, "standardize", expected, found));
        }
        for (k, input) in dataset.inputs().iter().enumerate() {
            self.check_width(k, input.width())?;
        }
        for k in 0..self.features.len() {
            self.apply_to(k, dataset.input_mut(k))?;
        }
        Ok(())
    }

    /// Standardises rows of input `k`, `[rows, width]`: a sample to predict from goes the way the training
    /// part went.
    ///
    /// # Errors
    /// A length that is no multiple of the width it was fitted to; nothing is changed then.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn apply_to(&self, k: usize, rows: &mut [f32]) -> Result<(), DataError> {
        let features = &self.features[k];
        if !rows.len().is_multiple_of(features.len()) {
            return self.check_width(k, rows.len());
        }
        for row in rows.chunks_exact_mut(features.len()) {
            for (value, feature) in row.iter_mut().zip(features) {
                *value = ((f64::from(*value) - feature.mean) / feature.std) as f32;
            }
        }
        Ok(())
    }

    /// The mean of every feature of input `k`: what a [`Normalization`](crate::layers::Normalization) layer
    /// is given.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn mean(&self, k: usize) -> Vec<f32> {
        self.features[k].iter().map(|feature| feature.mean as f32).collect()
    }

    /// The deviation of every feature of input `k`; 1 where it is constant.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn std(&self, k: usize) -> Vec<f32> {
        self.features[k].iter().map(|feature| feature.std as f32).collect()
    }

    fn check_width(&self, k: usize, found: usize) -> Result<(), DataError> {
        let width = self.features[k].len();
        if found == width {
            return Ok(());
        }
        let expected = format!("a width of {width}, as it was fitted to");
        Err(DataError::new(DataErrorKind::Size, format!("standardize, input {k}"), expected, format!("{found}")))
    }
}

fn fit(input: &Values) -> Vec<Feature> {
    (0..input.width()).map(|j| fit_feature(input, j)).collect()
}

fn fit_feature(input: &Values, j: usize) -> Feature {
    let column = || input.as_slice()[j..].iter().step_by(input.width());
    let first = input.as_slice()[j];
    // Asked of the numbers themselves: a variance computed of equal numbers need not come out as 0.
    if column().all(|&value| value == first) {
        return Feature { mean: f64::from(first), std: 1.0 };
    }
    let n = input.len() as f64;
    let mean = column().map(|&value| f64::from(value)).sum::<f64>() / n;
    // The second pass keeps what one pass over squares would cancel away.
    let square = |&value: &f32| (f64::from(value) - mean) * (f64::from(value) - mean);
    let std = (column().map(square).sum::<f64>() / n).sqrt();
    Feature { mean, std }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::Random;
    use std::string::ToString;
    use std::vec;

    #[test]
    fn the_training_part_gets_mean_0_and_deviation_1() {
        let mut random = Random::new(5, 0);
        for (n, width) in [(2, 1), (3, 5), (101, 7), (1000, 2)] {
            let flat: Vec<f32> =
                (0..n * width).map(|i| 1e4 * (i % width) as f32 + (1.0 + (i % width) as f32) * random.bell()).collect();
            let mut data = Dataset::values((flat, width), (vec![3.0; n], 1)).unwrap();
            Standardize::fit(&data).unwrap().apply(&mut data).unwrap();
            for j in 0..width {
                let column: Vec<f64> = (0..n).map(|i| f64::from(data.input(0, i)[j])).collect();
                let mean = column.iter().sum::<f64>() / n as f64;
                let var = column.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
                assert!(mean.abs() < 1e-5 && (var - 1.0).abs() < 1e-5, "{mean} {var}");
            }
            assert!(data.targets().as_slice().iter().all(|&y| y == 3.0));
        }
    }

    #[test]
    fn a_constant_feature_becomes_zero_and_others_follow_the_training_part() {
        // 0.1 has no exact sum: a variance of the column would be tiny, not zero.
        let train: Vec<[f32; 2]> = (0..1000).map(|i| [0.1, i as f32]).collect();
        let mut train = Dataset::classes(train, vec![0; 1000]).unwrap();
        let mut test = Dataset::classes(&[[0.1, 0.0], [1.1, 999.0]], [0, 0]).unwrap();
        let standardize = Standardize::fit(&train).unwrap();
        standardize.apply(&mut train).unwrap();
        standardize.apply(&mut test).unwrap();
        assert!((0..1000).all(|i| train.input(0, i)[0] == 0.0));
        assert_eq!(test.input(0, 0), train.input(0, 0));
        assert_eq!(test.input(0, 1), [1.0, train.input(0, 999)[1]]);
    }

    #[test]
    fn several_inputs_and_single_rows() {
        let data = Dataset::values(&[[0.0], [2.0]], &[[0.0], [0.0]]).unwrap();
        let mut data = data.with_input(&[[5.0, 10.0], [7.0, 30.0]]).unwrap();
        let standardize = Standardize::fit(&data).unwrap();
        let mut row = [6.0, 30.0];
        standardize.apply_to(1, &mut row).unwrap();
        assert_eq!(row, [0.0, 1.0]);
        standardize.apply(&mut data).unwrap();
        assert_eq!(data.inputs()[0].as_slice(), [-1.0, 1.0]);
        assert_eq!(data.inputs()[1].as_slice(), [-1.0, -1.0, 1.0, 1.0]);
    }

    #[test]
    fn a_misfit_is_named_and_changes_nothing() {
        let fitted = Dataset::values(&[[0.0], [2.0]], &[[0.0]; 2]).unwrap();
        let fitted = fitted.with_input(&[[1.0, 2.0], [3.0, 4.0]]).unwrap();
        let standardize = Standardize::fit(&fitted).unwrap();

        let other = Dataset::values(&[[0.0], [2.0]], &[[0.0]; 2]).unwrap();
        let mut wide = other.clone().with_input(&[[1.0, 2.0, 3.0]; 2]).unwrap();
        let before = wide.clone();
        assert_eq!(
            standardize.apply(&mut wide).unwrap_err().to_string(),
            "standardize, input 1: expected a width of 2, as it was fitted to, found 3"
        );
        assert_eq!(wide, before);

        let mut fewer = other.clone();
        assert_eq!(
            standardize.apply(&mut fewer).unwrap_err().to_string(),
            "standardize: expected 2 inputs, as it was fitted to, found 1"
        );
        assert_eq!(fewer, other);
        assert!(standardize.apply_to(1, &mut [0.0; 3]).is_err());
    }

    #[test]
    fn nothing_is_fitted_to_nothing_nor_to_nan() {
        let none = Dataset::classes((vec![], 3), Vec::<u32>::new()).unwrap();
        assert_eq!(
            Standardize::fit(&none).unwrap_err().to_string(),
            "standardize: expected at least one sample, found none"
        );
        let nan = Dataset::classes(&[[1.0, f32::NAN]], [0]).unwrap();
        assert_eq!(
            Standardize::fit(&nan).unwrap_err().to_string(),
            "sample 0, input 0, element 1: expected a finite number, found NaN"
        );
    }
}
