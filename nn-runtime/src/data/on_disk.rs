//! Samples in files, which may be larger than memory. In: rows of files; out: a source.

use super::{DataError, DataErrorKind, Labels, OneTarget, Rows, SampleSource, Values};
use core::marker::PhantomData;
use std::format;
use std::string::ToString;
use std::vec::Vec;

/// Samples whose inputs and targets are rows of files, for [`fit_source`](crate::train::Trainer::fit_source).
/// They are read when they are wanted: memory holds the batches alone, however long the files are, and what
/// has been read once the operating system keeps as long as it has room.
///
/// ```
/// use nn_runtime::data::{OnDisk, Rows};
/// use nn_runtime::prelude::*;
///
/// network! { struct Digits: [4] -> [2] { Dense(2) } }
///
/// # let folder = std::env::temp_dir().join(format!("on-disk-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let (images, labels) = (folder.join("images"), folder.join("labels"));
/// # let header = [0u8, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 4];
/// # std::fs::write(&images, [&header[..], &[255, 0, 0, 0, 0, 255, 0, 0]].concat())?;
/// # std::fs::write(&labels, [0u8, 0, 8, 1, 0, 0, 0, 2, 0, 1])?;
/// let train = OnDisk::classes(Rows::idx(images)?.scale(1.0 / 255.0), Rows::idx(labels)?)?;
/// let mut model = Digits::init(0);
/// let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(0.1));
/// let history = trainer.fit_source(&train, Fit::epochs(100))?;
/// assert!(history.last().unwrap().train.loss < 0.1);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OnDisk<T> {
    inputs: Vec<Rows>,
    targets: Rows,
    weights: Option<Rows>,
    kind: PhantomData<T>,
}

impl OnDisk<Labels> {
    /// Samples that belong to classes: each row of `labels` holds that of a sample, or those of its steps.
    ///
    /// # Errors
    /// Another number of rows.
    pub fn classes(input: Rows, labels: Rows) -> Result<Self, DataError> {
        Self::new(input, labels)
    }
}

impl OnDisk<Values> {
    /// Samples whose targets are numbers.
    ///
    /// # Errors
    /// Another number of rows.
    pub fn values(input: Rows, targets: Rows) -> Result<Self, DataError> {
        Self::new(input, targets)
    }
}

impl<T> OnDisk<T> {
    fn new(input: Rows, targets: Rows) -> Result<Self, DataError> {
        Self { inputs: Vec::new(), targets, weights: None, kind: PhantomData }.with_input(input)
    }

    /// How much each sample counts, or each of its steps, as with
    /// [`Dataset::with_weights`](super::Dataset::with_weights).
    ///
    /// # Errors
    /// Another number of rows.
    pub fn with_weights(mut self, weights: Rows) -> Result<Self, DataError> {
        if weights.len() != self.targets.len() {
            let expected = format!("{} rows, as many as targets", self.targets.len());
            return Err(DataError::new(DataErrorKind::Size, "weights", expected, weights.len().to_string()));
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// One more input per sample, for networks of several; inputs are counted in this order.
    ///
    /// # Errors
    /// Another number of rows.
    pub fn with_input(mut self, input: Rows) -> Result<Self, DataError> {
        if input.len() != self.targets.len() {
            let place = format!("input {}", self.inputs.len());
            let expected = format!("{} rows, as many as targets", self.targets.len());
            return Err(DataError::new(DataErrorKind::Size, place, expected, input.len().to_string()));
        }
        self.inputs.push(input);
        Ok(self)
    }

    fn read_inputs(&self, index: usize, x: &mut [&mut [f32]]) -> Result<(), DataError> {
        self.inputs.iter().zip(x).try_for_each(|(rows, x)| rows.read(index, x))
    }
}

macro_rules! source {
    ($targets:ty, $read:ident) => {
        impl SampleSource for OnDisk<$targets> {
            type Targets = $targets;

            fn len(&self) -> usize {
                self.targets.len()
            }

            fn widths(&self) -> Vec<usize> {
                self.inputs.iter().map(Rows::width).collect()
            }

            fn target_width(&self) -> usize {
                self.targets.width()
            }

            fn read(
                &self,
                index: usize,
                x: &mut [&mut [f32]],
                target: &mut [<$targets as OneTarget>::Item],
            ) -> Result<(), DataError> {
                self.read_inputs(index, x)?;
                self.targets.$read(index, target)
            }

            fn weights_width(&self) -> usize {
                self.weights.as_ref().map_or(0, Rows::width)
            }

            fn read_weights(&self, index: usize, weights: &mut [f32]) -> Result<(), DataError> {
                self.weights.as_ref().map_or(Ok(()), |rows| rows.read(index, weights))
            }
        }
    };
}
source!(Labels, read_classes);
source!(Values, read);
