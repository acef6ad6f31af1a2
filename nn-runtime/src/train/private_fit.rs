//! A trainer that trains privately: what it is told, what it refuses, what it promises. In: settings; out: a
//! trainer, epsilon, a statement.

use core::ops::Range;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::batch_pass::{Batch, BatchInputs};
use super::judge::LossOfTargets;
use super::objective::Objective;
use super::privacy::{Privacy, PrivateRun};
use super::refusal::Refusal;
use super::step_result::StepResult;
use super::{Fit, TrainError, Trainer};
use crate::data::{Dataset, Targets};
use crate::graph::CompiledNetwork;
use crate::model::Network;
use crate::optim::Optimizer;
use crate::spec::Role;

impl<N: Network, L, O: Optimizer> Trainer<'_, N, L, O> {
    /// Trains with [differential privacy](super::privacy): each step of [`fit`](Trainer::fit) and
    /// [`fit_source`](Trainer::fit_source) takes every sample with a chance of [`Fit::batch`] in the number
    /// of samples, cuts the gradient of each to a norm, and adds noise. An epoch has as many steps as it
    /// would have without. Before the first step it is told what is promised, and what is not.
    ///
    /// The gradient of a sample is that of its own loss: with its weight, and the mean over its steps where
    /// the output has some. Optimisers, schedules, clipping, regularisers and averages follow, and cost no
    /// privacy. The bits are the same for any number of threads, and after [`resume`](Trainer::resume), which
    /// needs the same key.
    ///
    /// Refused when training begins: layers that look at whole batches or follow them with statistics, by
    /// name; [`accumulate`](Trainer::accumulate), as a batch of any size takes the memory of one sample;
    /// several ranks. [`step`](Trainer::step), [`step_with`](Trainer::step_with) and
    /// [`apply`](Trainer::apply) are refused, as their samples are not drawn by chance.
    pub fn private(mut self, privacy: Privacy) -> Self {
        self.checked = false;
        self.executor.update.privacy = Some(PrivateRun::new(privacy));
        self.executor.update.grads_given = true;
        self.executor.reset_layout();
        self
    }

    /// What all private steps of this trainer have given away, for this `delta`: 0 before the first one. See
    /// [`privacy::epsilon`](super::privacy::epsilon). What has been trained without privacy, before or in
    /// between, is not part of it.
    ///
    /// # Panics
    /// `delta` is not between 0 and 1.
    pub fn epsilon(&self, delta: f64) -> f64 {
        assert!(delta > 0.0 && delta < 1.0, "expected a delta between 0 and 1, found {delta}");
        self.executor.update.privacy.as_ref().map_or(0.0, |run| run.epsilon(delta))
    }

    /// What is wrong with private training of this network by this trainer, if anything.
    pub(super) fn check_private(&self) -> Result<(), String> {
        let Some(run) = &self.executor.update.privacy else { return Ok(()) };
        run.check()?;
        if let Some(name) = mixes_samples(N::COMPILED, "") {
            return Err(format!(
                "`{name}`: expected a layer that sees one sample at a time, as private training needs, found one that looks at \
                 whole batches or keeps statistics of them\nhelp: `GroupNorm`, `LayerNorm` or `RmsNorm` in place of a \
                 `BatchNorm`; or `frozen`"
            ));
        }
        if self.executor.update.accumulate > 1 {
            return Err(format!(
                "expected 1 batch for each private step, found {}\nhelp: a larger `Fit::batch`: it takes no more memory",
                self.executor.update.accumulate
            ));
        }
        if self.executor.world.is_some() {
            return Err(
                "expected a trainer that trains alone, as private training does, found one that is distributed\n\
                        help: leave out `.distributed(..)` or `.private(..)`"
                    .into(),
            );
        }
        Ok(())
    }

    /// Refuses a step on samples that were not drawn by chance.
    pub(super) fn refuse_private(&self) -> Result<(), TrainError> {
        match self.executor.update.privacy {
            None => Ok(()),
            Some(_) => Err(TrainError::setting(
                "expected samples that are drawn by chance, as private training needs, found given ones\nhelp: `trainer.fit(..)`, \
                 or `fit_source` for samples that are read or computed",
            )),
        }
    }

    /// Takes a private step on a batch that was drawn by chance; `fit` is its seed, the expected size of a
    /// batch, and how many samples there are. Of an empty batch the loss is 0.
    pub(super) fn one_private<T: Targets>(
        &mut self,
        x: BatchInputs,
        answers: &Dataset<T>,
        samples: Range<usize>,
        fit: (u64, usize, usize),
    ) -> Result<StepResult, Refusal>
    where
        L: Objective<T>,
    {
        let judge = LossOfTargets { loss: &self.loss, targets: answers.targets() };
        let weights = answers.weights();
        if self.counted.find(answers, &x) {
            let (x, judge, samples) = self.counted.batch(answers, x, &judge);
            let given = Batch { samples, x, first: 0, skipped: 0, judge: &judge, weights };
            return self.executor.train_private(&mut self.model, &mut self.optimizer, fit, &given);
        }
        let given = Batch { samples: samples.end, x, first: 0, skipped: samples.start, judge: &judge, weights };
        self.executor.train_private(&mut self.model, &mut self.optimizer, fit, &given)
    }

    /// Tells what is promised of a run before its first step, where it is private.
    ///
    /// # Errors
    /// Batches of more samples than there are.
    pub(super) fn tell_private<T: Targets>(
        &self,
        fit: &Fit<'_, T, N>,
        samples: usize,
        steps: u64,
    ) -> Result<(), TrainError> {
        let Some(run) = &self.executor.update.privacy else { return Ok(()) };
        if fit.batch > samples {
            return Err(TrainError::setting(format!(
                "expected batches of at most the {samples} samples that private training draws from, found {}\nhelp: `.batch({})`",
                fit.batch,
                samples.div_ceil(10)
            )));
        }
        let mut not_covered = Vec::from([
            String::from("what is shown of the training samples: losses and accuracies of epochs, logs, progress"),
            String::from("settings that were chosen by looking at these samples in other runs"),
            String::from("what else was made of them: scaling, class names, a vocabulary, a model begun with"),
            String::from("several samples of one person or thing: epsilon is for one sample"),
            String::from("whoever knows the key that noise is drawn by"),
        ]);
        if fit.validate.is_some() {
            not_covered.push("the validation samples".into());
        }
        if fit.watches() {
            not_covered.push("which epoch is kept, and when it ends, by what is monitored".into());
        }
        let rate = fit.batch as f64 / samples as f64;
        run.tell(N::COMPILED.name, (samples, rate), steps, not_covered);
        Ok(())
    }
}

/// The first layer that looks at whole batches, or keeps a statistic of them, by its name.
fn mixes_samples(map: &CompiledNetwork, within: &str) -> Option<String> {
    map.nodes.iter().filter(|node| !node.frozen).find_map(|node| {
        let name = format!("{within}{}", node.name);
        if let Some(network) = node.network {
            return mixes_samples(network(), &format!("{name}."));
        }
        let follows = node.spec.params.list().iter().any(|param| param.role == Role::RunningStat);
        (follows || node.spec.depends_on_batch_anywhere()).then_some(name)
    })
}
