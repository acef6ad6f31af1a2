//! The trainer: a model, a loss and an optimiser, and the loop over them. In: data sets; out: a trained
//! model, a history. Data is checked before the model is touched; what diverges is undone.

use core::ops::Range;

use super::batch_pass::{Batch, BatchInputs};
use super::checks::{check_data, inputs, learns};
use super::counted_samples::CountedSamples;
use super::executor::Executor;
#[cfg(feature = "std")]
use super::fit_state::Resumed;
use super::footprint::MAX_SLOTS;
use super::judge::LossOfTargets;
use super::objective::Objective;
use super::refusal::Refusal;
use super::step_result::StepResult;
use super::trained_model::TrainedModel;
use super::{TrainError, TrainerIn};
use crate::data::{Dataset, Targets};
use crate::gradient::PackedGradients;
use crate::losses::Fits;
use crate::model::{Model, Network};
use crate::optim::Optimizer;
use crate::storage::{LengthError, Storage};
use alloc::string::String;
use nn_kernels::simd::Isa;

/// Trains a model by gradient descent.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Line: [1] -> [1] { Dense(1) }
/// }
/// let mut model = Line::init(0);
/// let data = Dataset::values((&[0.0, 1.0, 2.0, 3.0][..], 1), (&[1.0, 3.0, 5.0, 7.0][..], 1)).unwrap();
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let history = trainer.fit(&data, Fit::epochs(200).batch(4)).unwrap();
/// assert!(history.last().unwrap().train.loss < 1e-4);
/// ```
pub struct Trainer<'m, N, L, O> {
    pub(super) model: TrainedModel<'m, N>,
    pub(super) loss: L,
    pub(super) optimizer: O,
    pub(super) executor: Executor,
    /// What a setting was refused for, told when training begins.
    pub(super) fault: Option<String>,
    /// Whether the settings have been checked as they are.
    pub(super) checked: bool,
    /// Whether there is something to train.
    pub(super) learns: bool,
    /// Whether all of it is frozen for a while.
    pub(super) rests: bool,
    /// The run that a file was read of, until `fit` goes on with it.
    #[cfg(feature = "std")]
    pub(super) resumed: Option<Resumed>,
    /// Where gradients that are given are laid out.
    pub(super) packed: Option<PackedGradients>,
    /// The samples of a batch that have a weight, where some have none.
    pub(super) counted: CountedSamples,
}

// That the loss fits is asked where a trainer is made and nowhere else, so that it is told once.
impl<'m, N: Network, L, O: Optimizer> Trainer<'m, N, L, O> {
    /// A trainer with fresh optimiser state. A loss that does not fit what the network ends in does not
    /// compile.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new(model: &'m mut Model<N>, loss: L, optimizer: O) -> Self
    where
        L: Fits<N::Head>,
    {
        Self::new_on(model, loss, optimizer, Isa::detect())
    }

    /// [`new`](Trainer::new) with an instruction set of choice.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new_on(model: &'m mut Model<N>, loss: L, optimizer: O, isa: Isa) -> Self
    where
        L: Fits<N::Head>,
    {
        Self::of(TrainedModel::Borrowed(model), loss, optimizer, isa)
    }

    /// A trainer for batches of up to this many samples in memory of the caller's, that needs no allocator:
    /// see [`TrainerIn::new_in`].
    ///
    /// # Errors
    /// There is too little memory, or `batch` is 0.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new_in<S: Storage>(
        memory: &'m mut [f32],
        batch: usize,
        model: &'m mut Model<N, S>,
        loss: L,
        optimizer: O,
    ) -> Result<TrainerIn<'m, N, L, O>, LengthError>
    where
        L: Fits<N::Head>,
    {
        TrainerIn::new_in(memory, batch, model, loss, optimizer)
    }

    pub(super) fn of(model: TrainedModel<'m, N>, loss: L, optimizer: O, isa: Isa) -> Self {
        assert!(optimizer.slots() <= MAX_SLOTS, "expected an optimiser with at most 4 floats of state per parameter");
        let executor = Executor::new::<N>(&optimizer, isa);
        Trainer {
            model,
            loss,
            optimizer,
            executor,
            fault: None,
            checked: false,
            learns: learns::<N>(),
            rests: false,
            #[cfg(feature = "std")]
            resumed: None,
            packed: None,
            counted: CountedSamples::default(),
        }
    }

    /// The model, as trained so far.
    pub fn model(&self) -> &Model<N> {
        &self.model
    }

    /// The model, as trained so far; a copy of it, where the trainer has only borrowed it.
    pub fn into_model(self) -> Model<N> {
        match self.model {
            TrainedModel::Own(model) => model,
            TrainedModel::Borrowed(model) => model.clone(),
        }
    }

    /// The optimiser, to change its own rate between steps. A schedule starts from that rate and leaves it as
    /// it is.
    pub fn optimizer(&mut self) -> &mut O {
        self.checked = false;
        &mut self.optimizer
    }

    /// Takes one step on all samples of `batch` and returns their mean loss before it, weighted if they are;
    /// where all weights are 0 it does nothing and returns 0. What `fit` does for each batch; after the first
    /// step of this size it allocates nothing. With [`accumulate`](Trainer::accumulate) it is every so many
    /// calls that change the parameters.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit); a loss, a gradient or a new parameter that is infinite or NaN. Nothing has
    /// changed then: neither parameters, nor statistics, nor what optimiser and trainer remember.
    pub fn step<T: Targets>(&mut self, batch: &Dataset<T>) -> Result<f64, TrainError>
    where
        L: Objective<T>,
    {
        self.check_trains(batch)?;
        #[cfg(feature = "std")]
        self.refuse_private()?;
        self.check_window(batch.len())?;
        self.executor.reserve::<N>(batch.len(), &self.optimizer);
        let x = inputs(batch);
        let result = self.one(BatchInputs::Slices(&x[..batch.inputs().len()]), batch, 0..batch.len(), 0);
        result.map(|result| result.loss()).map_err(|refusal| self.refused(refusal))
    }

    /// What a single step is refused with.
    pub(super) fn refused(&self, refusal: Refusal) -> TrainError {
        #[cfg(feature = "std")]
        if let Some(error) = self.lost(&super::History::default()) {
            return error;
        }
        TrainError::NotFinite { step: self.executor.update.state.steps + 1, found: refusal.named(N::COMPILED) }
    }

    /// Takes a batch, of which `answers` holds the targets and weights: from the start of `samples` on, and
    /// the batch has as many as its end says.
    pub(super) fn one<T: Targets>(
        &mut self,
        x: BatchInputs,
        answers: &Dataset<T>,
        samples: Range<usize>,
        seed: u64,
    ) -> Result<StepResult, Refusal>
    where
        L: Objective<T>,
    {
        let judge = LossOfTargets { loss: &self.loss, targets: answers.targets() };
        let weights = answers.weights();
        if !self.runs_every_sample() && self.counted.find(answers, &x) {
            let (x, judge, samples) = self.counted.batch(answers, x, &judge);
            let given = Batch { samples, x, first: 0, skipped: 0, judge: &judge, weights };
            return self.executor.train(&mut self.model, &mut self.optimizer, seed, &given);
        }
        let given = Batch { samples: samples.end, x, first: 0, skipped: samples.start, judge: &judge, weights };
        self.executor.train(&mut self.model, &mut self.optimizer, seed, &given)
    }

    /// Whether samples without a weight are run too, as their state goes on.
    pub(super) fn runs_every_sample(&self) -> bool {
        self.executor.update.state.carried.is_some()
    }

    /// Whether the settings are in range, and the data is what the network and the loss take.
    pub(super) fn check<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        self.check_once()?;
        check_data::<N, T>(&self.loss, data, self.runs_every_sample())
    }

    /// Whether the settings are in range, where they have not been looked at as they are.
    pub(super) fn check_once(&mut self) -> Result<(), TrainError> {
        if !self.checked {
            self.optimizer.check().map_err(TrainError::setting)?;
            self.check_settings().map_err(TrainError::setting)?;
            self.checked = true;
        }
        Ok(())
    }

    /// As [`check`](Trainer::check), and whether there is anything to train.
    pub(super) fn check_trains<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        self.check_learns()?;
        check_data::<N, T>(&self.loss, data, self.runs_every_sample())
    }
}

impl<N: Network> Model<N> {
    /// A trainer that owns the model, to be stored where one that borrows it cannot; otherwise
    /// [`Trainer::new`].
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [4] -> [2] { Dense(8) -> Tanh -> Dense(2) } }
    ///
    /// struct Agent {
    ///     policy: Trainer<'static, Net, (), Adam>,
    /// }
    /// let mut agent = Agent { policy: Net::init(0).into_trainer((), Adam::new(1e-3)) };
    /// let mut scores = [0.0; 2];
    /// agent.policy.predict_into(&[&[0.1, 0.2, 0.3, 0.4]], &mut [&mut scores]).unwrap();
    /// let learnt = agent.policy.into_model();
    /// ```
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn into_trainer<L: Fits<N::Head>, O: Optimizer>(self, loss: L, optimizer: O) -> Trainer<'static, N, L, O> {
        Trainer::of(TrainedModel::Own(self), loss, optimizer, Isa::detect())
    }
}
