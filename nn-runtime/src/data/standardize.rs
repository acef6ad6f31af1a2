//! Bringing every feature to mean 0 and standard deviation 1, by figures of the training part alone, and back
//! again. Which numbers are one feature follows from the shape of a sample: the places of a row, the features
//! of all steps, the channels.

mod scaling;

use super::{DataError, DataErrorKind, Dataset, OneTarget, Targets, Values};
#[cfg(doc)]
use crate::layers::Normalization;
use crate::model::Network;
use crate::shape::Shape;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use scaling::Scaling;

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
///
/// What is one feature, and what is none:
///
/// | made by | a feature is | left as they are |
/// |---|---|---|
/// | [`fit`](Self::fit) | a place of a row | masks: of several inputs those of nothing but 0 and 1 |
/// | [`fit_network`](Self::fit_network) | what its shape has features of | masks and token ids |
/// | [`fit_inputs`](Self::fit_inputs) | a place of a row | inputs that are not named |
/// | [`fit_shapes`](Self::fit_shapes) | what its shape has features of | inputs that are not named |
///
/// `[features]` has features, `[steps, features]` has them at every step, and `[channels, …]` has channels.
///
/// A data set does not know which of its numbers are ids: `fit_network` asks the network, and
/// `fit_inputs(&data, [0])` is told.
///
/// Windows of a signal share one mean and one deviation, and a single step can be scaled by them:
///
/// ```
/// use nn_runtime::Shape;
/// use nn_runtime::data::{Dataset, Standardize};
///
/// let windows = Dataset::values(&[[1.0, 2.0], [2.0, 3.0], [3.0, 1.0]], &[[0.0]; 3])?;
/// let standardize = Standardize::fit_shapes(&windows, [(0, Shape::of([2, 1]))])?;
/// let mut step = [2.0];
/// standardize.apply_to(0, &mut step)?;
/// assert_eq!(step, [0.0]);
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardize {
    inputs: Vec<Scaling>,
}

impl Standardize {
    /// The figures of `train`, in `f64`: every place of a row by itself. Of several inputs those that hold
    /// nothing but 0 and 1 are left as they are, because they are masks; `fit_inputs` scales them all the
    /// same. Samples without a weight are left out.
    ///
    /// # Errors
    /// No samples, or a number that is not finite.
    pub fn fit<T: Targets>(train: &Dataset<T>) -> Result<Self, DataError> {
        let rows = train.inputs().iter().map(|input| Some(Shape::of([input.width()])));
        Self::fitted(train, &without_masks(train, rows))
    }

    /// The figures of `train` for a network that reads it: the features of its sequences and the channels of
    /// its images, each over all steps or pixels. That is what a [`Normalization`] layer behind the input is
    /// given. Inputs of token ids are left as they are, and so are masks, as by [`fit`](Self::fit). Steps
    /// that a mask leaves out count like others.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and inputs that are not the network's.
    pub fn fit_network<N: Network>(train: &Dataset<impl Targets>) -> Result<Self, DataError> {
        let network = N::COMPILED;
        if network.inputs.len() != train.inputs().len() {
            let expected = format!("{}, as `{}` declares", inputs(network.inputs.len()), network.name);
            let fault = DataError::new(DataErrorKind::Size, "standardize", expected, train.inputs().len().to_string());
            return Err(fault.help("inputs are added by `Dataset::with_input`"));
        }
        let shapes = network.inputs.iter().zip(network.ids).map(|(shape, ids)| (ids == 0).then_some(*shape));
        Self::fitted(train, &without_masks(train, shapes))
    }

    /// The figures of the inputs named here, every place of a row by itself; the others are left as they are.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and an input that is not there.
    pub fn fit_inputs<T: Targets>(
        train: &Dataset<T>,
        inputs: impl IntoIterator<Item = usize>,
    ) -> Result<Self, DataError> {
        let row = |k: usize| train.inputs().get(k).map_or(1, Values::width);
        Self::fit_shapes(train, inputs.into_iter().map(|k| (k, Shape::of([row(k)]))))
    }

    /// The figures of the inputs named here, whose samples have these shapes: one for each place of
    /// `[features]`, each feature of `[steps, features]`, each channel of `[channels, …]`. The others are
    /// left as they are.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), an input that is not there, and a shape of other than its width.
    pub fn fit_shapes<T: Targets>(
        train: &Dataset<T>,
        shapes: impl IntoIterator<Item = (usize, Shape)>,
    ) -> Result<Self, DataError> {
        let mut all = vec![None; train.inputs().len()];
        let count = all.len();
        for (k, shape) in shapes {
            let Some(of) = all.get_mut(k) else {
                let expected = format!("an input below {count}");
                return Err(DataError::new(DataErrorKind::Setting, "standardize", expected, k.to_string()));
            };
            *of = Some(shape);
        }
        Self::fitted(train, &all)
    }

    /// The figures of inputs of these shapes; `None` is left as it is.
    fn fitted<T: Targets>(train: &Dataset<T>, shapes: &[Option<Shape>]) -> Result<Self, DataError> {
        let counted = train.counted();
        let train = counted.as_ref().unwrap_or(train);
        if train.is_empty() {
            return Err(DataError::new(DataErrorKind::Size, "standardize", "at least one sample", "none"));
        }
        let of = train.inputs().iter().zip(shapes).enumerate();
        let inputs = of.map(|(k, (input, shape))| match shape {
            Some(shape) => {
                input.check_finite(format_args!("input {k}"))?;
                Scaling::fit(input, *shape, || format!("standardize, input {k}"))
            }
            None => Ok(Scaling::left(input.width())),
        });
        Ok(Self { inputs: inputs.collect::<Result<_, _>>()? })
    }

    /// Standardises the inputs of `dataset`; a second time would do it twice.
    ///
    /// # Errors
    /// Another number of inputs, or an input of another width, than it was fitted to; nothing is changed
    /// then.
    pub fn apply<T: Targets>(&self, dataset: &mut Dataset<T>) -> Result<(), DataError> {
        self.change(dataset, Scaling::apply)
    }

    /// What [`apply`](Self::apply) has done undone, but for rounding.
    ///
    /// # Errors
    /// As there.
    pub fn undo<T: Targets>(&self, dataset: &mut Dataset<T>) -> Result<(), DataError> {
        self.change(dataset, Scaling::undo)
    }

    fn change<T: Targets>(&self, dataset: &mut Dataset<T>, by: fn(&Scaling, &mut [f32])) -> Result<(), DataError> {
        if dataset.inputs().len() != self.inputs.len() {
            let expected = format!("{}, as it was fitted to", inputs(self.inputs.len()));
            let found = dataset.inputs().len().to_string();
            return Err(DataError::new(DataErrorKind::Size, "standardize", expected, found));
        }
        for (k, (input, scaling)) in dataset.inputs().iter().zip(&self.inputs).enumerate() {
            scaling.check_width(input.width(), || format!("standardize, input {k}"))?;
        }
        for (k, scaling) in self.inputs.iter().enumerate() {
            by(scaling, dataset.input_mut(k));
        }
        Ok(())
    }

    /// Standardises rows of input `k`, `[rows, width]`: a sample to predict from goes the way the training
    /// part went. Where a sample is `[steps, features]` any number of steps will do.
    ///
    /// # Errors
    /// A length that is no multiple of the width it was fitted to, or of the features of a step; nothing is
    /// changed then.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn apply_to(&self, k: usize, rows: &mut [f32]) -> Result<(), DataError> {
        self.check_rows(k, rows.len())?;
        self.inputs[k].apply(rows);
        Ok(())
    }

    /// What [`apply_to`](Self::apply_to) has done undone, but for rounding.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn undo_to(&self, k: usize, rows: &mut [f32]) -> Result<(), DataError> {
        self.check_rows(k, rows.len())?;
        self.inputs[k].undo(rows);
        Ok(())
    }

    fn check_rows(&self, k: usize, found: usize) -> Result<(), DataError> {
        self.inputs[k].check_rows(found, || format!("standardize, input {k}")).map_err(|fault| {
            fault.help("one step of a sequence goes in where its shape is known: `fit_network` or `fit_shapes`")
        })
    }

    /// The mean of every feature of input `k`, rounded to 32 bits: what a [`Normalization`] layer is given; 0
    /// where it is left as it is.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn mean(&self, k: usize) -> Vec<f32> {
        self.inputs[k].mean()
    }

    /// The deviation of every feature of input `k`; 1 where it is constant or left as it is.
    ///
    /// # Panics
    /// If it was fitted to `k` inputs or fewer.
    pub fn std(&self, k: usize) -> Vec<f32> {
        self.inputs[k].std()
    }
}

/// [`Standardize`] for targets that are numbers: a network learns them at mean 0 and deviation 1, and what it
/// predicts is brought back.
///
/// ```
/// use nn_runtime::data::{Dataset, StandardizeTargets};
///
/// let mut train = Dataset::values(&[[0.0], [1.0]], &[[100.0], [300.0]])?;
/// let prices = StandardizeTargets::fit(&train)?;
/// prices.apply(&mut train)?;
/// assert_eq!(train.targets().as_slice(), [-1.0, 1.0]);
///
/// let mut predicted = [0.5];
/// prices.undo_to(&mut predicted)?;
/// assert_eq!(predicted, [250.0]);
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StandardizeTargets {
    scaling: Scaling,
}

impl StandardizeTargets {
    /// The figures of the targets of `train`, every place of a row by itself. Samples without a weight are
    /// left out.
    ///
    /// # Errors
    /// No samples, or a number that is not finite.
    pub fn fit(train: &Dataset<Values>) -> Result<Self, DataError> {
        let counted = train.counted();
        let train = counted.as_ref().unwrap_or(train);
        if train.is_empty() {
            return Err(DataError::new(DataErrorKind::Size, "standardize", "at least one sample", "none"));
        }
        let targets = train.targets();
        targets.check_finite("target")?;
        let scaling = Scaling::fit(targets, Shape::of([targets.width()]), || "standardize, targets".to_string())?;
        Ok(Self { scaling })
    }

    /// Standardises the targets of `dataset`; a second time would do it twice.
    ///
    /// # Errors
    /// Targets of another width than it was fitted to; nothing is changed then.
    pub fn apply(&self, dataset: &mut Dataset<Values>) -> Result<(), DataError> {
        self.scaling.check_width(OneTarget::width(dataset.targets()), || "standardize, targets".to_string())?;
        self.scaling.apply(dataset.targets_mut());
        Ok(())
    }

    /// Brings rows of predictions, `[rows, width]`, to the units of the targets it was fitted to.
    ///
    /// # Errors
    /// A length that is no multiple of their width; nothing is changed then.
    pub fn undo_to(&self, rows: &mut [f32]) -> Result<(), DataError> {
        self.scaling.check_rows(rows.len(), || "standardize, targets".to_string())?;
        self.scaling.undo(rows);
        Ok(())
    }

    /// The mean of every target.
    pub fn mean(&self) -> Vec<f32> {
        self.scaling.mean()
    }

    /// The deviation of every target; 1 where it is constant.
    pub fn std(&self) -> Vec<f32> {
        self.scaling.std()
    }
}

/// "1 input", "2 inputs".
fn inputs(count: usize) -> String {
    format!("{count} input{}", if count == 1 { "" } else { "s" })
}

/// The shapes of the inputs, less those of masks: of several inputs those that hold nothing but 0 and 1.
fn without_masks<T: Targets>(train: &Dataset<T>, shapes: impl Iterator<Item = Option<Shape>>) -> Vec<Option<Shape>> {
    let several = train.inputs().len() > 1;
    let counts = |input: &Values, at: usize| train.counts(at / input.width());
    let mask = |input: &Values| {
        let mut numbers = input.as_slice().iter().enumerate();
        several && numbers.all(|(at, &value)| value == 0.0 || value == 1.0 || !counts(input, at))
    };
    train.inputs().iter().zip(shapes).map(|(input, shape)| shape.filter(|_| !mask(input))).collect()
}

#[cfg(test)]
mod tests;
