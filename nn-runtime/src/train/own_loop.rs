//! A trainer in a loop of one's own: steps by an objective on the outputs of a whole batch, steps by
//! gradients from elsewhere, and predictions in between. In: slices; out: a changed model and a loss, or a
//! refusal with nothing changed.

use alloc::format;

use super::checks::{all_rest, nothing_learns};
use super::executor::Executor;
use super::grad_source::GivenGrads;
use super::refusal::Refusal;
use super::tensor_names::{find, learnt};
use super::{TrainError, Trainer};
use crate::finite::first_not_finite;
use crate::gradient::{Gradients, PackedGradients};
use crate::input::{InputError, checked_samples};
use crate::model::{Network, TrainedSoFar};
use crate::optim::Optimizer;
use crate::predictor::predict_into;
use nn_kernels::aligned_buffer::AlignedBuffer;

impl<'m, N: Network, L, O: Optimizer> Trainer<'m, N, L, O> {
    /// Takes one step by an objective of one's own, in one pass forward and one back. `x` holds one slice for
    /// each input, `[samples, …]`. `objective` is shown one slice for each output, `[samples, …]` as the
    /// network declares it, and one of zeros for each output's gradient, in which it writes the derivatives
    /// of what it returns: what is to become smaller, of the whole batch, such as a mean over its samples.
    ///
    /// Everything else is as with [`step`](Trainer::step): threads, clipping, schedule, regularisers,
    /// accumulation (each batch counts as many times as it has samples), training noise, and the same bits
    /// for any number of threads; what it returns is the objective's value and what regularisers add. After
    /// the first step of this size it allocates nothing. The trainer's loss has no part in it; where a
    /// trainer needs none, `()` is one: `Trainer::new(&mut model, (), Adam::new(1e-3))`.
    ///
    /// The workspace of all samples is there at once, where [`step`](Trainer::step) may go through a batch in
    /// groups of samples.
    ///
    /// A policy gradient, `-mean advantage · ln p(action)` (Williams, "Simple statistical gradient-following
    /// algorithms", 1992), where a loss weighs each sample by any number, also below 0:
    ///
    /// ```
    /// use nn_runtime::losses::LossOn;
    /// use nn_runtime::prelude::*;
    /// use nn_runtime::Isa;
    ///
    /// network! { struct Policy: [2] -> [3] { Dense(8) -> Tanh -> Dense(3) } }
    ///
    /// let mut policy = Policy::init(0);
    /// let mut trainer = Trainer::new(&mut policy, (), Adam::new(1e-2));
    /// let (seen, actions, advantages) = ([0.1, 0.2, -0.3, 0.4], [2, 0], [1.5, -0.5]);
    /// let (isa, cross_entropy) = (Isa::detect(), CrossEntropy::new());
    /// let loss = trainer.step_with(&[&seen], |y, dy| {
    ///     let mut loss = 0.0;
    ///     for (i, (y, dy)) in y[0].chunks(3).zip(dy[0].chunks_mut(3)).enumerate() {
    ///         let weight = advantages[i] / 2.0;
    ///         loss += f64::from(weight) * cross_entropy.gradient(isa, 3, y, &actions[i..=i], weight, dy);
    ///     }
    ///     loss
    /// });
    /// assert!(loss.unwrap() > 0.0);
    /// ```
    ///
    /// # Errors
    /// Slices that are not whole samples of the network's inputs, or none; a number that is not finite; a
    /// token id that the network has no row for; a network with nothing to train; settings out of range. A
    /// value, a gradient or a new parameter that is not finite ([`TrainError::NotFinite`]). Nothing has
    /// changed then.
    pub fn step_with(
        &mut self,
        x: &[&[f32]],
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
    ) -> Result<f64, TrainError> {
        self.check_learns()?;
        #[cfg(feature = "std")]
        self.refuse_private()?;
        let samples = checked_samples(N::COMPILED, x).map_err(|error| TrainError::mismatch(format!("{error}")))?;
        if samples == 0 {
            return Err(TrainError::mismatch(
                "expected at least 1 sample, found none\nhelp: leave the step out where there is nothing to learn from",
            ));
        }
        for (k, (x, shape)) in x.iter().zip(N::COMPILED.inputs).enumerate() {
            if let Some(at) = first_not_finite(x) {
                return Err(TrainError::mismatch(format!(
                    "sample {}, input {k}, element {}: expected a finite number, found {}\nhelp: leave the sample out, or give a \
                     number in its place",
                    at / shape.len(),
                    at % shape.len(),
                    x[at]
                )));
            }
        }
        self.check_window(samples)?;
        self.executor.reserve_whole::<N>(samples, &self.optimizer);
        let result = self.executor.train_with(&mut self.model, &mut self.optimizer, (samples, x), objective);
        result.map_err(|refusal| self.refused(refusal))
    }

    /// Takes one step by gradients that were computed elsewhere, as [`Model::gradients`] gives them: by name,
    /// in standard layout. Clipping, schedule and regularisers are as in [`step`](Trainer::step); with
    /// accumulation each counts as one sample. After the first call it allocates nothing.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
    ///
    /// let mut model = Line::init(0);
    /// let gradients = model.gradients(&[&[3.0]], &[&[2.0]]).unwrap();
    /// Trainer::new(&mut model, (), Sgd::new(0.5)).apply(&gradients).unwrap();
    /// assert_eq!(model.get("line.weight").unwrap(), [-3.0]);
    /// ```
    ///
    /// # Errors
    /// Not the parameters that training changes, or another number of elements of one; otherwise as
    /// [`step_with`](Trainer::step_with).
    ///
    /// [`Model::gradients`]: crate::Model::gradients
    pub fn apply(&mut self, gradients: &Gradients) -> Result<(), TrainError> {
        self.check_learns()?;
        #[cfg(feature = "std")]
        self.refuse_private()?;
        let packed = self.packed.get_or_insert_with(PackedGradients::new::<N>);
        let block = packed.pack::<N>(gradients).map_err(TrainError::Mismatch)?;
        self.executor.reserve::<N>(1, &self.optimizer);
        let result = self.executor.apply(&mut self.model, &mut self.optimizer, block);
        result.map_err(|refusal| self.refused(refusal))
    }

    /// What the model as trained so far predicts, `[samples, …]` row-major: one slice for each input and each
    /// output. After the first call it allocates nothing, however many samples there are.
    ///
    /// # Errors
    /// As [`Predictor::predict_into`](crate::Predictor::predict_into).
    pub fn predict_into(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), InputError> {
        self.executor.reserve::<N>(1, &self.optimizer);
        self.executor.predict::<N>(&self.model.params, x, y)
    }

    /// Leaves some tensors as they are from the next step on, until [`unfreeze`](Trainer::unfreeze):
    /// PyTorch's `requires_grad_(False)`. `name` is a tensor, as `encoder.dense_1.weight`, or a layer or
    /// network, as `encoder`: then it is all its learnt tensors. What the optimiser remembers of them stays,
    /// and they have no part in norms. Noise and running statistics stay as they are in training; a network
    /// that is `frozen` in its declaration runs as it predicts, and costs less. Gradients that wait for more
    /// batches are dropped.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [2] -> [1] { encoder: Dense(4) -> Tanh -> head: Dense(1) } }
    ///
    /// let mut model = Net::init(0);
    /// let begun = model.clone();
    /// let data = Dataset::values(&[[1.0, 2.0]], &[[3.0]]).unwrap();
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2));
    /// trainer.freeze("encoder").unwrap();
    /// trainer.step(&data).unwrap();
    /// assert_eq!(trainer.model().get("encoder.weight"), begun.get("encoder.weight"));
    /// assert_ne!(trainer.model().get("head.weight"), begun.get("head.weight"));
    /// trainer.unfreeze("encoder").unwrap();
    /// ```
    ///
    /// # Errors
    /// [`TrainError::Setting`]: no learnt tensor of this name, nor within it.
    pub fn freeze(&mut self, name: &str) -> Result<(), TrainError> {
        let tensors = find(N::COMPILED, "freeze", name).map_err(TrainError::Setting)?;
        self.executor.update.groups.freeze(&tensors);
        self.groups_changed();
        Ok(())
    }

    /// Trains again what [`freeze`](Trainer::freeze) has frozen; what is frozen in the declaration stays so.
    ///
    /// # Errors
    /// As there.
    pub fn unfreeze(&mut self, name: &str) -> Result<(), TrainError> {
        let tensors = find(N::COMPILED, "unfreeze", name).map_err(TrainError::Setting)?;
        self.executor.update.groups.unfreeze(&tensors);
        self.groups_changed();
        Ok(())
    }

    fn groups_changed(&mut self) {
        self.rests = self.executor.update.groups.frozen() == learnt(N::COMPILED).len();
        self.executor.update.drop_accumulated();
        self.executor.update.params_changed();
        self.executor.reset_layout();
    }

    /// Whether the settings are in range, and there is anything to train.
    pub(super) fn check_learns(&mut self) -> Result<(), TrainError> {
        match self.learns {
            true if self.rests => Err(all_rest::<N>()),
            true => self.check_once(),
            false => Err(nothing_learns::<N>()),
        }
    }
}

impl Executor {
    /// Takes the step of gradients that were computed elsewhere, laid out as parameters are.
    ///
    /// # Errors
    /// A gradient or a new parameter is not finite; all is as before.
    pub(super) fn apply_by(
        &mut self,
        (params, run): (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut (impl Optimizer + ?Sized),
        grads: &[f32],
    ) -> Result<(), Refusal> {
        let source = GivenGrads { isa: self.isa, first: 0, grads };
        let workers = self.workers.all().among(self.world.as_ref());
        self.update.take_batch(self.isa, workers, params, optimizer, 1.0, &source)?;
        run.batches += 1;
        Ok(())
    }

    /// Predicts, in the memory of one worker; see [`predict_into`].
    pub(super) fn predict<N: Network>(
        &mut self,
        params: &[f32],
        x: &[&[f32]],
        y: &mut [&mut [f32]],
    ) -> Result<(), InputError> {
        predict_into::<N>(params, self.isa, self.per_shard, None, &mut self.workers.scratch[0].layers, x, y)
    }
}
