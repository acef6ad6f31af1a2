//! How much each sample, or each of its steps, counts in a loss; a mask of lengths is weights of 0 and 1.
//! Given for each sample, each step or each class; they go where their samples go.

use super::{DataError, DataErrorKind, Dataset, Labels, OneTarget, Samples, Targets, Values};
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

impl<T: Targets> Dataset<T> {
    /// Weights in the loss: one for each sample, or one for each step of each sample where the output is
    /// `[steps, …]`. Weights there were before are forgotten.
    ///
    /// The loss of a batch is `Σ weight · loss / Σ weight` over its rows, and so is that of an evaluation:
    /// with weights of 0 and 1 the mean over what is not masked. PyTorch's weighted mean is the same; Keras's
    /// `sample_weight` divides by the number of rows instead. Of several outputs each is weighted on its own,
    /// so weights per step want as many steps in every output.
    ///
    /// A sample whose weights are all 0 is left out wholly, as if it were not there: its inputs and targets
    /// may be NaN or no ids, it is in no statistic of a batch, and draws no noise. Where training is
    /// [`stateful`](crate::train::Trainer::stateful) it must hold numbers, as its state goes on; so must
    /// a step of weight 0 of a sample that counts, as other steps may look at it.
    ///
    /// ```
    /// use nn_runtime::data::Dataset;
    ///
    /// // Two samples of three steps: the second one ends after its first.
    /// let data = Dataset::values(&[[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], &[[2.0, 3.0, 4.0], [5.0, 0.0, 0.0]])?
    ///     .with_weights(&[[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])?;
    /// assert_eq!(data.weights().unwrap().sample(1), [1.0, 0.0, 0.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// Weights that are no [`Samples`], of another number of samples than there are targets, negative,
    /// infinite or NaN, or all 0.
    pub fn with_weights(mut self, weights: impl Samples) -> Result<Self, DataError> {
        let weights = weights.into_values()?;
        if weights.len() != self.len() {
            let expected = format!("{} samples, as many as targets", self.len());
            return Err(DataError::new(DataErrorKind::Size, "weights", expected, weights.len().to_string()));
        }
        check_weights(&weights)?;
        if !weights.is_empty() && weights.as_slice().iter().all(|&weight| weight == 0.0) {
            let fault = DataError::new(DataErrorKind::Number, "weights", "at least one above 0", "only 0");
            return Err(fault.help("a weight of 0 leaves a sample or step out, 1 counts it like any other"));
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// Whether any row of a sample has a weight.
    pub(crate) fn counts(&self, sample: usize) -> bool {
        self.weights.as_ref().is_none_or(|weights| weights.sample(sample).iter().any(|&weight| weight != 0.0))
    }

    /// Whether every sample does.
    pub(crate) fn all_count(&self) -> bool {
        self.weights.is_none() || (0..self.len()).all(|sample| self.counts(sample))
    }

    /// The samples that have a weight, where some have none.
    pub(crate) fn counted(&self) -> Option<Self> {
        if self.all_count() {
            return None;
        }
        let counted: Vec<usize> = (0..self.len()).filter(|&sample| self.counts(sample)).collect();
        Some(self.select(&counted))
    }

    /// The weights, `[samples, 1]` or `[samples, steps]`; without any every row counts the same.
    #[must_use]
    pub fn weights(&self) -> Option<&Values> {
        self.weights.as_ref()
    }
}

/// Whether these are weights.
///
/// # Errors
/// The first that is negative, infinite or NaN.
pub(crate) fn check_weights(weights: &Values) -> Result<(), DataError> {
    let width = weights.width();
    let Some(at) = weights.as_slice().iter().position(|&weight| !is_weight(weight)) else { return Ok(()) };
    let place = format!("sample {}, weight {}", at / width, at % width);
    let found = weights.as_slice()[at].to_string();
    Err(DataError::new(DataErrorKind::Number, place, "a finite number of at least 0", found))
}

impl Dataset<Labels> {
    /// Multiplies the weight of each label by that of its class: `classes[label]`. Keras's `class_weight`,
    /// and PyTorch's `CrossEntropyLoss(weight=…)` of labels, which divides by the sum of weights as it is
    /// done here. (Where targets are distributions PyTorch divides by the number of rows, and weighs each
    /// class's part of a row.)
    ///
    /// ```
    /// use nn_runtime::data::Dataset;
    ///
    /// let rare = Dataset::classes((vec![0.0; 4], 1), [0, 0, 0, 1])?;
    /// let classes = rare.balanced_weights(2)?;
    /// assert_eq!(classes, [4.0 / 6.0, 2.0]);
    /// let rare = rare.class_weights(&classes)?;
    /// assert_eq!(rare.weights().unwrap().sample(3), [2.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// A label without a weight, and as [`with_weights`](Dataset::with_weights).
    pub fn class_weights(self, classes: &[f32]) -> Result<Self, DataError> {
        self.check_classes(classes.len())?;
        if let Some(class) = classes.iter().position(|&weight| !is_weight(weight)) {
            let found = classes[class].to_string();
            return Err(DataError::new(
                DataErrorKind::Number,
                format!("class {class}, weight"),
                "a finite number of at least 0",
                found,
            ));
        }
        let width = self.targets().width();
        let labels = self.targets().as_slice().iter().enumerate();
        // What has no weight has perhaps no class either.
        let weight = |row: usize, label: u32| match self.row_weight(row) {
            0.0 => 0.0,
            weight => weight * classes[label as usize],
        };
        let weights: Vec<f32> = labels.map(|(row, &label)| weight(row, label)).collect();
        self.with_weights((weights, width))
    }

    /// What makes all classes count the same: `n / (k · count)`, with `n` the labels, `count` those of the
    /// class and `k` the classes there are any of; a class without labels gets 1. Labels of weight 0 are not
    /// counted. Scikit-learn's `compute_class_weight("balanced")`.
    ///
    /// # Errors
    /// The first label that is not below `classes`.
    pub fn balanced_weights(&self, classes: usize) -> Result<Vec<f32>, DataError> {
        self.check_classes(classes)?;
        let mut counts = vec![0u64; classes];
        for (row, &label) in self.targets().as_slice().iter().enumerate() {
            if self.row_weight(row) > 0.0 {
                counts[label as usize] += 1;
            }
        }
        let all: u64 = counts.iter().sum();
        let present = counts.iter().filter(|&&count| count > 0).count();
        let weight = |&count: &u64| match count {
            0 => 1.0,
            count => (all as f64 / (present as f64 * count as f64)) as f32,
        };
        Ok(counts.iter().map(weight).collect())
    }

    /// Whether every label has its class, and every label its weight.
    fn check_classes(&self, classes: usize) -> Result<(), DataError> {
        let labels = self.targets().width();
        if let Some(found) = self.weights.as_ref().map(Values::width).filter(|&found| found != 1 && found != labels) {
            let expected = format!("1 per sample, or {labels}, as many as labels");
            return Err(DataError::new(DataErrorKind::Size, "weights", expected, found.to_string()));
        }
        // What has no weight needs no class.
        let mut labels = self.targets().as_slice().iter().enumerate();
        match labels.find(|(row, label)| **label as usize >= classes && self.row_weight(*row) != 0.0) {
            None => Ok(()),
            Some((row, _)) => {
                Err(self.targets().no_class(row, classes).help("give as many weights as there are classes"))
            }
        }
    }

    /// The weight of label number `row` so far.
    fn row_weight(&self, row: usize) -> f32 {
        let labels = self.targets().width();
        self.weights.as_ref().map_or(1.0, |weights| weights.as_slice()[row * weights.width() / labels])
    }
}

fn is_weight(weight: f32) -> bool {
    weight >= 0.0 && weight.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(result: Result<T, DataError>) -> String {
        result.err().expect("a fault").to_string()
    }

    fn steps() -> Dataset<Labels> {
        let labels = Labels::per_step([0, 1, 1, 2, 1, 1], 2).unwrap();
        Dataset::new(&[[0.0], [1.0], [2.0]], labels).unwrap()
    }

    #[test]
    fn weights_go_where_their_samples_go() {
        let data = steps().with_weights(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
        let mut batch = data.select(&[2, 0, 2]);
        assert_eq!(batch.weights().unwrap().as_slice(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
        let memory = batch.weights().unwrap().as_slice().as_ptr();
        data.select_into(&[1], &mut batch);
        assert_eq!(batch, data.select(&[1]));
        assert_eq!((batch.weights().unwrap().as_slice(), batch.targets().sample(0)), (&[3.0, 4.0][..], &[1, 2][..]));
        assert_eq!(batch.weights().unwrap().as_slice().as_ptr(), memory, "nothing is allocated");
        let (train, test) = data.split_every(3).unwrap();
        assert_eq!(test.weights().unwrap().as_slice(), [5.0, 6.0]);
        assert_eq!(train.weights().unwrap().len(), 2);
        // A batch made from another dataset takes over what this one has.
        steps().select_into(&[0], &mut batch);
        assert_eq!(batch.weights(), None);
        data.select_into(&[0], &mut batch);
        assert_eq!(batch.weights().unwrap().as_slice(), [1.0, 2.0]);
    }

    #[test]
    fn weights_that_cannot_be_are_named() {
        let fault = |weights: &[[f32; 2]]| message(steps().with_weights(weights));
        assert_eq!(
            fault(&[[1.0, 1.0], [1.0, -0.5], [1.0, 1.0]]),
            "sample 1, weight 1: expected a finite number of at least 0, found -0.5"
        );
        assert!(fault(&[[1.0, 1.0], [1.0, 1.0], [f32::NAN, 1.0]]).starts_with("sample 2, weight 0: "));
        assert!(fault(&[[f32::INFINITY, 1.0], [1.0, 1.0], [1.0, 1.0]]).ends_with("found inf"));
        assert_eq!(fault(&[[1.0, 1.0]]), "weights: expected 3 samples, as many as targets, found 1");
        assert!(fault(&[[0.0; 2]; 3]).starts_with("weights: expected at least one above 0, found only 0\nhelp: "));
    }

    #[test]
    fn classes_multiply_what_is_there() {
        let classes = [10.0, 1.0, 0.5];
        let all = |data: &Dataset<Labels>| data.weights().unwrap().as_slice().to_vec();
        assert_eq!(all(&steps().class_weights(&classes).unwrap()), [10.0, 1.0, 1.0, 0.5, 1.0, 1.0]);
        let weighted = steps().with_weights(&[[1.0], [2.0], [0.0]]).unwrap();
        assert_eq!(all(&weighted.class_weights(&classes).unwrap()), [10.0, 1.0, 2.0, 1.0, 0.0, 0.0]);

        assert_eq!(
            message(steps().class_weights(&[1.0, 1.0])),
            "sample 1, label 1: expected a class below 2, found 2\nhelp: give as many weights as there are classes"
        );
        assert_eq!(
            message(steps().class_weights(&[1.0, f32::NAN, 1.0])),
            "class 1, weight: expected a finite number of at least 0, found NaN"
        );
        let other = steps().with_weights(&[[1.0; 3]; 3]).unwrap();
        assert_eq!(
            message(other.class_weights(&classes)),
            "weights: expected 1 per sample, or 2, as many as labels, found 3"
        );
    }

    #[test]
    fn balanced_classes_weigh_the_same() {
        let classes = steps().balanced_weights(4).unwrap();
        assert_eq!(classes, [2.0, 0.5, 2.0, 1.0]);
        let masked = steps().with_weights(&[[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).unwrap();
        assert_eq!(masked.balanced_weights(3).unwrap(), [2.5, 0.625, 1.0]);
        let balanced = steps().class_weights(&classes[..3]).unwrap();
        let mut sums = [0.0; 3];
        for (&label, weight) in balanced.targets().as_slice().iter().zip(balanced.weights().unwrap().as_slice()) {
            sums[label as usize] += weight;
        }
        assert_eq!(sums, [2.0; 3]);
        assert!(message(steps().balanced_weights(2)).starts_with("sample 1, label 1: expected a class below 2"));
    }
}
