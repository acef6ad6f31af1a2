//! Samples by index, wherever they are: files larger than memory, a simulation, a data base. In: an index;
//! out: the numbers of that sample, written where they are wanted.

use super::{DataError, OneTarget};
use std::vec::Vec;

/// Samples that are read one by one while a network learns, by
/// [`fit_source`](crate::train::Trainer::fit_source): as PyTorch's `Dataset` with `__len__` and
/// `__getitem__`. [`OnDisk`](super::OnDisk) is one for files.
///
/// Other threads read the samples of the next batch while the network learns from this one. A sample must be
/// the same each time it is read; then a run gives the same bits whatever the number of threads.
///
/// ```
/// use nn_runtime::data::{DataError, SampleSource};
/// use nn_runtime::prelude::*;
///
/// /// Points of a wave, computed when they are asked for.
/// struct Wave;
///
/// impl SampleSource for Wave {
///     type Targets = Values;
///
///     fn len(&self) -> usize {
///         1_000
///     }
///
///     fn widths(&self) -> Vec<usize> {
///         vec![1]
///     }
///
///     fn target_width(&self) -> usize {
///         1
///     }
///
///     fn read(&self, i: usize, x: &mut [&mut [f32]], target: &mut [f32]) -> Result<(), DataError> {
///         x[0][0] = i as f32 / 500.0 - 1.0;
///         target[0] = (3.0 * x[0][0]).sin();
///         Ok(())
///     }
/// }
///
/// network! { struct Net: [1] -> [1] { Dense(16) -> Tanh -> Dense(1) } }
///
/// let mut model = Net::init(0);
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2));
/// let history = trainer.fit_source(&Wave, Fit::epochs(20)).unwrap();
/// assert!(history.last().unwrap().train.loss < 0.05);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of samples",
    note = "a source implements `nn_runtime::data::SampleSource`; a `Dataset` goes to `fit`"
)]
pub trait SampleSource: Sync {
    /// [`Labels`](super::Labels) or [`Values`](super::Values).
    type Targets: OneTarget;

    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers per sample of each input of the network, in their order.
    fn widths(&self) -> Vec<usize>;

    /// Labels or numbers per sample that the network should answer.
    fn target_width(&self) -> usize;

    /// Writes sample `index`, which is below `self.len()`: `x` has a slice for each input, as long as its
    /// [width](SampleSource::widths), and `target` is as long as
    /// [`target_width`](SampleSource::target_width). They hold numbers of other samples before.
    ///
    /// # Errors
    /// Whatever keeps the sample from being read: training stops, and tells it.
    fn read(
        &self,
        index: usize,
        x: &mut [&mut [f32]],
        target: &mut [<Self::Targets as OneTarget>::Item],
    ) -> Result<(), DataError>;

    /// Samples in each of the groups that are best read together, in their order; none, as by default, where
    /// any sample is read alone. [`fit_source`](crate::train::Trainer::fit_source) takes the groups in an
    /// order by chance, and the samples of each in another: the row groups of a file are each unpacked once
    /// an epoch. The same whenever it is asked.
    fn groups(&self) -> Vec<usize> {
        Vec::new()
    }

    /// How many [groups](SampleSource::groups) are shuffled as one, at least 1.
    fn mixed_groups(&self) -> usize {
        1
    }

    /// Weights per sample: 0 where all count alike; 1, or one for each step of the output, where
    /// [`read_weights`](SampleSource::read_weights) tells how much each counts.
    fn weights_width(&self) -> usize {
        0
    }

    /// Writes the weights of sample `index`, as many as [`weights_width`](SampleSource::weights_width) says:
    /// numbers of at least 0, as [`Dataset::with_weights`](super::Dataset::with_weights) takes them.
    ///
    /// # Errors
    /// As [`read`](SampleSource::read).
    fn read_weights(&self, index: usize, weights: &mut [f32]) -> Result<(), DataError> {
        let _ = (index, weights);
        Ok(())
    }
}

impl<S: SampleSource + ?Sized> SampleSource for &S {
    type Targets = S::Targets;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn widths(&self) -> Vec<usize> {
        (**self).widths()
    }

    fn target_width(&self) -> usize {
        (**self).target_width()
    }

    fn read(
        &self,
        index: usize,
        x: &mut [&mut [f32]],
        target: &mut [<Self::Targets as OneTarget>::Item],
    ) -> Result<(), DataError> {
        (**self).read(index, x, target)
    }

    fn groups(&self) -> Vec<usize> {
        (**self).groups()
    }

    fn mixed_groups(&self) -> usize {
        (**self).mixed_groups()
    }

    fn weights_width(&self) -> usize {
        (**self).weights_width()
    }

    fn read_weights(&self, index: usize, weights: &mut [f32]) -> Result<(), DataError> {
        (**self).read_weights(index, weights)
    }
}
