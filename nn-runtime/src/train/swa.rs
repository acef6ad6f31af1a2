//! Stochastic weight averaging: the mean of the parameters after late epochs, and the statistics that go with
//! them. In: a trainer; out: an averaged model. The average lies where that of steps does.

use alloc::string::String;
use alloc::vec::Vec;

use super::ema::Averaged;
use super::trained_model::TrainedModel;
use super::{TrainError, Trainer};
use crate::data::{Dataset, Targets};
use crate::model::{Model, Network};
use crate::optim::{Optimizer, Sgd};
use crate::params;
use crate::spec::Role;
use nn_kernels::simd::Isa;

impl<N: Network, L, O: Optimizer> Trainer<'_, N, L, O> {
    /// Keeps the mean of the learnt parameters after each epoch of [`fit`](Trainer::fit) that follows the
    /// first `after`, for [`swa_model`](Trainer::swa_model): stochastic weight averaging. Epochs count from
    /// this call on, over several calls of `fit`, and go with a [checkpoint](super::Checkpoint). It takes the
    /// place of [`ema`](Trainer::ema), and costs nothing but a copy of the parameters and one pass over them
    /// an epoch.
    ///
    /// It is PyTorch's `AveragedModel`, updated once an epoch; a learning rate that stays high at the end
    /// goes with it, as PyTorch's `SWALR` makes it: [`ConstantRate`](super::schedule::ConstantRate), or
    /// [`StepDecay`](super::schedule::StepDecay) down to it. Izmailov et al., "Averaging Weights Leads to
    /// Wider Optima and Better Generalization", 2018.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
    ///
    /// let mut model = Line::init(0);
    /// let data = Dataset::values(&[[1.0]], &[[1.0]]).unwrap();
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.125)).swa(1);
    /// trainer.fit(&data, Fit::epochs(3)).unwrap(); // to 0.25, 0.375 and 0.4375
    /// let average = trainer.swa_model(&data, 1).unwrap();
    /// assert!((average.get("line.weight").unwrap()[0] - 0.5 * (0.375 + 0.4375)).abs() < 1e-6);
    /// ```
    pub fn swa(mut self, after: usize) -> Self {
        self.checked = false;
        self.executor.update.keep_ema(Averaged::Epochs(after as u64));
        self
    }

    /// Says that an epoch has passed, to a trainer that keeps a [`swa`](Trainer::swa), in a loop of one's
    /// own; [`fit`](Trainer::fit) says it itself.
    pub fn swa_epoch(&mut self) {
        self.executor.update.average_epoch(self.executor.isa, &self.model.params);
    }

    /// A copy of the model with the [`swa`](Trainer::swa), or [`ema`](Trainer::ema), of its learnt
    /// parameters, whose running statistics are [found anew](update_statistics) on these samples, in batches
    /// of so many, where it has some.
    ///
    /// # Errors
    /// As [`update_statistics`].
    pub fn swa_model<T: Targets>(&self, data: &Dataset<T>, batch: usize) -> Result<Model<N>, TrainError> {
        let mut model = self.ema_model();
        update_statistics(&mut model, data, batch)?;
        Ok(model)
    }
}

/// Finds the running statistics of a model anew: the means over the batches of these samples, each of which
/// counts alike, as does each use of a shared layer, in their order and with dropout on, as in training.
/// Samples without a weight are left out. Nothing else changes, and a network without statistics is left as
/// it is. It is PyTorch's `swa_utils.update_bn`: an average of parameters has other activations than each of
/// the models that it is an average of.
///
/// # Errors
/// Samples that the network does not take, or none; a batch of 0; statistics that are not finite. The model
/// is unchanged then.
pub fn update_statistics<N: Network, T: Targets>(
    model: &mut Model<N>,
    data: &Dataset<T>,
    batch: usize,
) -> Result<(), TrainError> {
    let statistics = params::tensors(N::COMPILED).into_iter();
    let statistics: Vec<_> = statistics.filter(|tensor| tensor.role == Role::RunningStat && !tensor.frozen).collect();
    if statistics.is_empty() {
        return Ok(());
    }
    if batch == 0 || data.is_empty() {
        let found = if batch == 0 { "a batch of none" } else { "none" };
        let text = String::from("expected samples to find statistics on, found ") + found;
        return Err(TrainError::mismatch(text + "\nhelp: `update_statistics(&mut model, &train, 32)`"));
    }
    let (params, run) = (model.params.clone(), model.run);
    // Batches are counted anew too, by layers that count them.
    for tensor in statistics.iter().filter(|tensor| tensor.name.ends_with("batches")) {
        model.params[tensor.offset..tensor.offset + tensor.len].fill(0.0);
    }
    // What has no weight is in no statistic.
    let counted = data.counted();
    let data = counted.as_ref().unwrap_or(data);
    // Steps that learn nothing: what is followed is the batch's alone.
    let mut trainer = Trainer::of(TrainedModel::Borrowed(model), (), Sgd::new(0.0), Isa::detect());
    let found = (0..data.len()).step_by(batch).enumerate().try_for_each(|(k, first)| {
        let samples = first..data.len().min(first + batch);
        let x: Vec<&[f32]> =
            data.inputs().iter().map(|x| &x.as_slice()[samples.start * x.width()..samples.end * x.width()]).collect();
        trainer.executor.earlier_batches = Some(k);
        trainer.step_with(&x, |_, dy| dy.iter_mut().map(|dy| dy.fill(0.0)).map(|()| 0.0).sum()).map(|_| ())
    });
    drop(trainer);
    model.run = run;
    if let Err(error) = found {
        model.params = params;
        return Err(error);
    }
    // Of what learns not a bit has changed.
    let kept: Vec<f32> = statistics.iter().flat_map(|t| model.params[t.offset..t.offset + t.len].to_vec()).collect();
    model.params = params;
    let mut kept = &kept[..];
    for tensor in &statistics {
        let (now, rest) = kept.split_at(tensor.len);
        model.params[tensor.offset..tensor.offset + tensor.len].copy_from_slice(now);
        kept = rest;
    }
    Ok(())
}
