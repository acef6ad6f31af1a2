//! What a trainer does beside loss and optimiser: clipping, accumulation, schedules, averages, regularisers.
//! In: settings, one call each; out: the trainer. What is wrong with a setting is told when training begins,
//! never before.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZero;

use super::ema::Averaged;
use super::schedule::Schedule;
use super::tensor_names::{find, learnt};
use super::{Clip, Regularizer, Trainer};
use crate::model::Model;
use crate::model::Network;
use crate::optim::Optimizer;

/// More would only wait for each other.
const MAX_THREADS: usize = 256;

/// | setting | default | PyTorch | Keras |
/// |---|---|---|---|
/// | `threads` | by operations | all cores | all cores |
/// | `clip` | none | `clip_grad_norm_`, … | `clipvalue`, `clipnorm`, `global_clipnorm` |
/// | `accumulate` | 1 batch | calls of `backward` | `gradient_accumulation_steps` |
/// | `schedule`, `starting_at` | the optimiser's rate | `lr_scheduler` | `learning_rate` |
/// | `ema` | none | `AveragedModel` with `get_ema_multi_avg_fn` | `use_ema`, `ema_momentum=0.99` |
/// | [`swa`](Trainer::swa) | none | `swa_utils.AveragedModel` | – |
/// | `regularize` | none | – | `kernel_regularizer` |
/// | `rate_factor` | 1 | `lr` of a parameter group | – |
/// | [`stateful`](Trainer::stateful) | no | `h.detach()` | `stateful=True` |
/// | `private` | no | Opacus's `make_private` | – |
/// | [`freeze`](Trainer::freeze) | nothing | `requires_grad_(False)` | `trainable = False` |
impl<N: Network, L, O: Optimizer> Trainer<'_, N, L, O> {
    /// How many threads train: each takes its share of every batch's samples, and then its share of the
    /// parameters. The same bits come out for any number. Without it, as many as the operations of a step
    /// keep busy, by a count made when the network was compiled; a small network never leaves its thread. A
    /// network with `BatchNorm`, which looks at whole batches, or with layers that share parameters runs on
    /// one thread, and its parameters only are dealt out.
    ///
    /// Threads live as long as the trainer, wait awake for some 50 µs and then sleep.
    pub fn threads(mut self, threads: usize) -> Self {
        self.checked = false;
        match NonZero::new(threads) {
            Some(number) if threads <= MAX_THREADS => self.executor.threads = Some(number),
            _ => {
                let fault = format!(
                    "expected 1 to {MAX_THREADS} threads, found {threads}\nhelp: as many as the machine has cores, or leave `.threads` out"
                );
                self.fault = self.fault.or(Some(fault));
            }
        }
        self.executor.reset_layout();
        self
    }

    /// Limits the gradients of every step; see [`Clip`]. A second call replaces the first.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.checked = false;
        self.executor.update.clip = Some(clip);
        self.executor.reset_layout();
        self
    }

    /// Makes one step of so many batches: it takes the gradient of their common mean loss, as one batch of
    /// all their samples would have, in the memory of a single one. Layers that look at a whole batch, such
    /// as `BatchNorm`, still see one batch at a time, and their running statistics follow every one.
    ///
    /// What is left at the end of an epoch of `fit` makes a step of its own; what [`step`](Trainer::step) has
    /// gathered before is dropped. Means are by the samples' weights: a short batch counts less (Keras counts
    /// all batches alike). Needs the whole gradient at once, as much memory as the parameters.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
    ///
    /// let data = Dataset::values(&[[1.0], [3.0]], &[[2.0], [4.0]]).unwrap();
    /// let (mut small, mut large) = (Line::init(0), Line::init(0));
    /// let mut trainer = Trainer::new(&mut small, Mse::new(), Sgd::new(0.25)).accumulate(2);
    /// trainer.fit(&data, Fit::epochs(1).batch(1)).unwrap();
    /// Trainer::new(&mut large, Mse::new(), Sgd::new(0.25)).fit(&data, Fit::epochs(1).batch(2)).unwrap();
    /// assert_eq!(small.get("line.weight"), large.get("line.weight"));
    /// ```
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.checked = false;
        self.executor.update.accumulate = batches;
        self.executor.update.drop_accumulated();
        self.executor.reset_layout();
        self
    }

    /// Changes the rate with the steps; see [`schedule`](super::schedule). The optimiser's own rate is what
    /// the schedule starts from.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { Dense(1) } }
    ///
    /// let mut model = Line::init(0);
    /// let schedule = Warmup::new(10).start(0.0).then(Cosine::new(90));
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(0.5)).schedule(schedule);
    /// let data = Dataset::values(&[[1.0]], &[[2.0]]).unwrap();
    /// for _ in 0..5 {
    ///     trainer.step(&data).unwrap();
    /// }
    /// assert_eq!(trainer.learning_rate(), 0.25);
    /// ```
    pub fn schedule(mut self, schedule: impl Schedule + 'static) -> Self {
        self.checked = false;
        self.executor.update.state.schedule = Box::new(schedule);
        self
    }

    /// Makes the schedule go on after so many steps, as when a training that was stopped goes on with a model
    /// from a file: a file holds parameters, and a new trainer counts from 0. [`steps`](Trainer::steps) tells
    /// the number to keep.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { Dense(1) } }
    ///
    /// let mut model = Line::init(0);
    /// let schedule = Warmup::new(10).start(0.0).then(Cosine::new(90));
    /// let trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).schedule(schedule);
    /// let trainer = trainer.starting_at(10);
    /// assert_eq!((trainer.steps(), trainer.learning_rate()), (10, 1e-2));
    /// ```
    pub fn starting_at(mut self, steps: u64) -> Self {
        self.executor.update.state.before = steps;
        self
    }

    /// How many steps the schedule has seen: those of this trainer, and those it [started
    /// at](Trainer::starting_at).
    pub fn steps(&self) -> u64 {
        self.executor.update.state.scheduled_steps()
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        let state = &self.executor.update.state;
        state.schedule.rate(self.optimizer.learning_rate(), state.scheduled_steps())
    }

    /// Keeps a moving average of the learnt parameters, for [`ema_model`](Trainer::ema_model): the parameters
    /// after the next step, and after every other `average = decay · average + (1 - decay) · parameters`. As
    /// it begins with real parameters, it needs no correction.
    ///
    /// It sees parameters alone: a step that is refused, because its loss, a gradient or a parameter would be
    /// NaN or infinite, leaves it as it is. How large a loss is, and whether it is below 0, does not matter
    /// to it, nor what samples weigh.
    ///
    /// It is PyTorch's `AveragedModel` with `get_ema_multi_avg_fn(0.999)`, Keras's `use_ema=True,
    /// ema_momentum=0.99`. Polyak & Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
    ///
    /// let mut model = Line::init(0);
    /// let data = Dataset::values(&[[1.0]], &[[1.0]]).unwrap();
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.125)).ema(0.5);
    /// trainer.step(&data).unwrap(); // to 0.25
    /// trainer.step(&data).unwrap(); // to 0.375
    /// assert_eq!(trainer.ema_model().get("line.weight").unwrap(), [0.3125]);
    /// assert_eq!(model.get("line.weight").unwrap(), [0.375]);
    /// ```
    pub fn ema(mut self, decay: f64) -> Self {
        self.checked = false;
        self.executor.update.keep_ema(Averaged::Steps(decay));
        self
    }

    /// A copy of the model with the [`ema`](Trainer::ema), or [`swa`](Trainer::swa), of its learnt
    /// parameters; running statistics are the model's own. Before the first step, and where no average is
    /// kept, it is the model as it is.
    pub fn ema_model(&self) -> Model<N> {
        let mut model = self.model.clone();
        self.executor.update.copy_ema(&mut model.params);
        model
    }

    /// A copy of the model as it is to be used: with [`ScheduleFree`](crate::optim::ScheduleFree) the average
    /// of its steps, otherwise the model as it is. Where several ranks train together all of them ask for it;
    /// where some are lost, it is the model as it is, and the next step tells of them.
    pub fn final_model(&self) -> Model<N> {
        let mut model = self.model.clone();
        let update = &self.executor.update;
        let spans = update.shares.spans();
        let whole = match &self.executor.world {
            Some(world) if spans.len() > 1 => match update.state.of_all_ranks(world, spans) {
                Ok(whole) => Some(whole),
                Err(_) => return model,
            },
            _ => None,
        };
        let slots = &whole.as_ref().unwrap_or(&update.state).slots;
        for tensor in learnt(N::COMPILED) {
            let range = tensor.offset..tensor.offset + tensor.len;
            let slots: Vec<&[f32]> = slots.iter().map(|slot| &slot[range.clone()]).collect();
            self.optimizer.settle(&mut model.params[range], &slots);
            model.params[tensor.fixed.clone()].copy_from_slice(&self.model.params[tensor.fixed]);
        }
        model
    }

    /// Adds the size of parameters to the loss; see [`Regularizer`]. `name` is a tensor, as `hidden.weight`,
    /// or a layer or network, as `hidden`: then it is on all its learnt tensors of two axes or more, so on
    /// weights but not on biases and scales, as Keras's `kernel_regularizer`. Penalties on the same tensor
    /// add up. The reported losses contain them, as in Keras.
    pub fn regularize(mut self, name: &str, regularizer: Regularizer) -> Self {
        self.checked = false;
        match regularizer.place(N::COMPILED, name) {
            Ok(placed) => self.executor.update.regularizers.extend(placed),
            Err(fault) => self.fault = self.fault.or(Some(fault)),
        }
        self
    }

    /// Multiplies the learning rate of some tensors, whatever the schedule makes of it, as PyTorch's
    /// parameter groups do with a rate of their own. `name` is a tensor, as `head.weight`, or a layer or
    /// network, as `head`: then it is all its learnt tensors. A later call replaces the factor of tensors
    /// that both name.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
    ///
    /// let mut model = Line::init(0);
    /// let data = Dataset::values(&[[1.0]], &[[1.0]]).unwrap();
    /// let trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.25));
    /// trainer.rate_factor("line.bias", 0.5).step(&data).unwrap();
    /// assert_eq!((model.get("line.weight").unwrap()[0], model.get("line.bias").unwrap()[0]), (0.5, 0.25));
    /// ```
    pub fn rate_factor(mut self, name: &str, factor: f64) -> Self {
        self.checked = false;
        let found = match factor >= 0.0 && factor.is_finite() {
            true => find(N::COMPILED, "rate_factor", name),
            false => Err(format!(
                "expected a factor of at least 0 for the learning rate of `{name}`, found {factor}\nhelp: `.rate_factor(\"{name}\", 0.1)`"
            )),
        };
        match found {
            Ok(tensors) => self.executor.update.groups.set_factor(&tensors, factor),
            Err(fault) => self.fault = self.fault.or(Some(fault)),
        }
        self.executor.reset_layout();
        self
    }

    /// What is wrong with these settings, if anything.
    pub(super) fn check_settings(&self) -> Result<(), String> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let update = &self.executor.update;
        if self.optimizer.slots() != update.state.slots.len() {
            return Err(format!(
                "expected an optimiser that remembers {} numbers of each parameter, as the one the trainer began with, found {}\nhelp: make a \
                 new `Trainer`",
                update.state.slots.len(),
                self.optimizer.slots()
            ));
        }
        self.check_stateful()?;
        if update.accumulate == 0 {
            return Err("expected at least 1 batch for each step, found 0\nhelp: `.accumulate(4)`".into());
        }
        if let Some(clip) = update.clip {
            clip.check()?;
        }
        if let Some(ema) = &update.state.ema
            && let Averaged::Steps(decay) = ema.of
            && !(0.0..1.0).contains(&decay)
        {
            return Err(format!(
                "expected a decay of the average from 0 up to but without 1, found {decay}\nhelp: `.ema(0.999)`"
            ));
        }
        if update.state.schedule.momentum_at(0).is_some() && self.optimizer.momentum_setting().is_none() {
            return Err(format!(
                "expected an optimiser with a momentum that the schedule can change, found `{}`\nhelp: `Sgd::new(0.1).momentum(0.9)`, or an \
                 optimiser with betas",
                self.optimizer.settings()
            ));
        }
        #[cfg(feature = "std")]
        self.check_private()?;
        update.state.schedule.check()
    }
}
