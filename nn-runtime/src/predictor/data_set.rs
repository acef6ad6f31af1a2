//! Predictions of whole data sets, and classes instead of numbers. In: a data set or a sample; out: values or
//! labels.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::Predictor;
use crate::data::{Dataset, Samples, Targets, Values};
use crate::input::{InputError, InputErrorKind};
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::{AsModel, Network, Ports};
use crate::shape::Shape;

impl<M: AsModel> Predictor<M> {
    /// Predicts for all samples of a data set, whatever its targets: `[samples, …]`, flattened. The network
    /// has one output; for several there is [`predict_into`](Predictor::predict_into).
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Sum: [2] -> [1] { Dense(1, bias = false, init = Constant(1.0)) } }
    ///
    /// let data = Dataset::values(&[[1.0, 2.0], [3.0, 4.0]], &[[0.0], [0.0]]).unwrap();
    /// let model = Sum::init(0);
    /// let predictions = model.predictor(256).predict_all(&data).unwrap();
    /// assert_eq!(predictions.as_slice(), [3.0, 7.0]);
    /// ```
    ///
    /// # Errors
    /// The data has another number of inputs, or of another width, than the network; a token id that it has
    /// no row for; a network of several outputs.
    pub fn predict_all<T: Targets>(&mut self, data: &Dataset<T>) -> Result<Values, InputError> {
        let output = one_output::<M::Network>()?;
        if data.inputs().len() != M::Network::COMPILED.inputs.len() {
            return Err(InputError::new(
                InputErrorKind::Count,
                format!(
                    "expected {} inputs per sample, as `{}` declares, found {}\nhelp: make a data set with these inputs",
                    M::Network::COMPILED.inputs.len(),
                    M::Network::COMPILED.name,
                    data.inputs().len()
                ),
            ));
        }
        for (k, (values, shape)) in data.inputs().iter().zip(M::Network::COMPILED.inputs).enumerate() {
            if values.width() != shape.len() {
                return Err(InputError::new(
                    InputErrorKind::Shape,
                    format!(
                        "expected {} numbers per sample for input {k}, which is {shape}, found {}\nhelp: change the data, or the \
                         declaration",
                        shape.len(),
                        values.width()
                    ),
                ));
            }
        }
        let mut x = [&[][..]; MAX_INPUTS];
        for (x, values) in x.iter_mut().zip(data.inputs()) {
            *x = values.as_slice();
        }
        let mut y = vec![0.0; data.len() * output.len()];
        if !data.is_empty() {
            self.predict_into(&x[..data.inputs().len()], &mut [&mut y])?;
        }
        (y, output.len()).into_values().map_err(|error| InputError::new(InputErrorKind::Shape, format!("{error}")))
    }

    /// The likeliest class of each sample, or of each step where the output is `[steps, classes]`: where the
    /// highest number of a row stands, of equal ones the first. NaN is lower than any number.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Same: [3] -> [3] { Softmax } }
    ///
    /// let data = Dataset::classes(&[[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]], [0, 0]).unwrap();
    /// let model = Same::init(0);
    /// assert_eq!(model.predictor(256).classes(&data).unwrap(), [2, 1]);
    /// assert_eq!(model.predictor(1).class(&[1.0, 0.0, 2.0]), 2);
    /// ```
    ///
    /// # Errors
    /// As [`predict_all`](Predictor::predict_all); rows of a single number, which tell no classes apart.
    pub fn classes<T: Targets>(&mut self, data: &Dataset<T>) -> Result<Vec<u32>, InputError> {
        let width = one_output::<M::Network>()?.as_slice().last().copied().unwrap_or(1);
        if width == 1 {
            return Err(InputError::new(
                InputErrorKind::Shape,
                "expected rows of 2 classes or more, found 1 number a row\nhelp: compare what `predict_all` gives with \
                 a threshold: 0.5 for a probability, 0 for a score",
            ));
        }
        let all = self.predict_all(data)?;
        Ok(all.as_slice().chunks_exact(width).map(|row| highest(row) as u32).collect())
    }

    /// The likeliest class of one sample: where the highest number of the first output stands, of equal ones
    /// the first. NaN is lower than any number. Of an output of steps it is the place among all its numbers:
    /// [`classes`](Predictor::classes) is by step.
    pub fn class<'s>(&'s mut self, input: <M::Network as Network>::Input<'_>) -> usize {
        let mut y = [&[][..]; MAX_OUTPUTS];
        let output: <M::Network as Network>::Output<'s> = self.predict(input);
        output.to_slices(&mut y);
        highest(y[0])
    }
}

fn highest(row: &[f32]) -> usize {
    let higher = |a: f32, b: f32| a > b || b.is_nan() && !a.is_nan();
    row.iter().enumerate().fold(0, |best, (i, &y)| if higher(y, row[best]) { i } else { best })
}

fn one_output<N: Network>() -> Result<&'static Shape, InputError> {
    match N::COMPILED.outputs {
        [output] => Ok(output),
        several => Err(InputError::new(
            InputErrorKind::Count,
            format!("expected a network of one output, found {}\nhelp: use `predict_into`", several.len()),
        )),
    }
}
