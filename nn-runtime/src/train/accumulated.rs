//! What a trainer in memory of the caller's does in more of it: gradients of several batches for one step,
//! and averages of the parameters. In: buffers, and batches; out: one step, an average. What is not called
//! takes no memory and is not in the program.

use core::marker::PhantomData;

use super::schedule::Schedule;
use super::scheduled_rate::ScheduledRate;
use super::step_error::StepError;
use super::tensor_parts::each_learnt_part;
use super::trainer_in::TrainerIn;
use super::waiting_grads::WaitingGrads;
use crate::losses::LossOn;
use crate::model::Network;
use crate::optim::Optimizer;
use crate::storage::LengthError;
use nn_kernels::optimizer::update_ema;

/// The gradients of several batches that make one step: what
/// [`TrainerIn::accumulate`](super::TrainerIn::accumulate) adds to.
pub struct Accumulated<'m, N> {
    pub(super) waiting: WaitingGrads<'m>,
    network: PhantomData<fn() -> N>,
}

impl<'m, N> Accumulated<'m, N> {
    /// Of no batch yet.
    pub(super) fn new(sums: &'m mut [f32]) -> Accumulated<'m, N> {
        let mut waiting = WaitingGrads { sums, weight: 0.0, largest: 0.0 };
        waiting.drop_all();
        Accumulated { waiting, network: PhantomData }
    }

    /// Drops what waits.
    pub fn clear(&mut self) {
        self.waiting.drop_all();
    }
}

impl<N: Network, L, O: Optimizer, S: Schedule> TrainerIn<'_, N, L, O, S> {
    /// Memory for the gradients of several batches that make one step, as many numbers as the parameters:
    /// `Net::PARAMS_LEN`, with arbitrary contents.
    ///
    /// # Errors
    /// There are fewer.
    pub fn accumulator<'h>(&self, grads: &'h mut [f32]) -> Result<Accumulated<'h, N>, LengthError> {
        let found = grads.len();
        let grads = grads.get_mut(..N::COMPILED.params_len);
        grads.map(Accumulated::new).ok_or_else(|| LengthError::model(N::COMPILED, found))
    }

    /// Adds the gradients of a batch to those that wait, and takes no step: what a batch of all samples at
    /// once would need is memory for the largest of them. Each counts as many times as it has rows. Returns
    /// the mean loss of the batch. The bits are those of `Trainer::accumulate`.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Line: [1] -> [1] { Dense(1, init = Zeros) } }
    ///
    /// let (mut params, mut memory) = ([0.0; Line::PARAMS_LEN], [0.0; Line::train_len(1, 0)]);
    /// let mut held = [0.0; Line::PARAMS_LEN];
    /// let mut model = Line::init_in(0, &mut params)?;
    /// let mut trainer = Trainer::new_in(&mut memory, 1, &mut model, Mse::new(), Sgd::new(0.25))?;
    /// let mut grads = trainer.accumulator(&mut held)?;
    /// trainer.accumulate(&[&[1.0]], &[2.0], &mut grads)?;
    /// trainer.accumulate(&[&[3.0]], &[4.0], &mut grads)?;
    /// trainer.step_accumulated(&mut grads)?; // as by both samples at once
    /// assert_eq!(trainer.steps(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](TrainerIn::step); what waits is as it was.
    pub fn accumulate<T: Sync>(
        &mut self,
        x: &[&[f32]],
        targets: &[T],
        grads: &mut Accumulated<N>,
    ) -> Result<f64, StepError>
    where
        L: LossOn<[T]>,
    {
        self.run_batch(x, targets, Some(&mut grads.waiting))
    }

    /// Takes the step of all batches whose gradients wait, if any do; none wait afterwards.
    ///
    /// # Errors
    /// A setting is out of range, or a new parameter would not be finite. Nothing has changed then.
    pub fn step_accumulated(&mut self, grads: &mut Accumulated<N>) -> Result<(), StepError> {
        self.check_settings()?;
        let scheduled = ScheduledRate::of_step(&self.schedule, &mut self.optimizer, self.engine.steps);
        let result = self.engine.take_waiting(N::COMPILED, self.params, scheduled.optimizer(), &mut grads.waiting);
        result.map_err(|refusal| StepError::refused(N::COMPILED, self.engine.steps + 1, refusal))
    }

    /// Moves an average of the parameters towards those of now: `average = decay · average + (1 − decay) ·
    /// parameters`, of what is learnt; all else is copied. To be called after each step, and after the first
    /// one with a `decay` of 0, which begins the average; the bits are those of `Trainer::ema`. What predicts
    /// with it is `ModelRef::<Net>::new(&average)?`.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Line: [1] -> [1] { Dense(1, init = Zeros) } }
    ///
    /// let (mut params, mut memory) = ([0.0; Line::PARAMS_LEN], [0.0; Line::train_len(1, 0)]);
    /// let mut average = [0.0; Line::PARAMS_LEN];
    /// let mut model = Line::init_in(0, &mut params)?;
    /// let mut trainer = Trainer::new_in(&mut memory, 1, &mut model, Mse::new(), Sgd::new(0.125))?;
    /// for decay in [0.0, 0.5] {
    ///     trainer.step(&[&[1.0]], &[1.0])?; // to 0.25, and to 0.375
    ///     trainer.average_into(&mut average, decay)?;
    /// }
    /// assert_eq!(average[0], 0.3125);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `average` does not have `Net::PARAMS_LEN` numbers.
    pub fn average_into(&self, average: &mut [f32], decay: f64) -> Result<(), LengthError> {
        if average.len() != self.params.len() {
            return Err(LengthError::model(N::COMPILED, average.len()));
        }
        let mut done = 0;
        each_learnt_part(N::COMPILED, |part| {
            average[done..part.start].copy_from_slice(&self.params[done..part.start]);
            done = part.end;
            match decay == 0.0 {
                true => average[part.clone()].copy_from_slice(&self.params[part]),
                false => update_ema(self.engine.isa, 1.0 - decay, &self.params[part.clone()], &mut average[part]),
            }
        });
        average[done..].copy_from_slice(&self.params[done..]);
        Ok(())
    }
}
