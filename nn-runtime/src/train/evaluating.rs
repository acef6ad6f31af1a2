//! How a model does on samples, as it predicts. In: a data set; out: the loss, metrics, or the loss of each
//! sample. Nothing is changed.

use std::array;
use std::vec::Vec;

use super::batch_outputs::BatchOutputs;
use super::batch_pass::{Batch, BatchInputs};
use super::checks::{check_fits, has_weight, inputs, no_weight};
use super::epoch_sums::EpochSums;
use super::feed::{Feed, fault_of_sample};
use super::judge::LossOfTargets;
use super::loss_sums::LossSums;
use super::metrics::{Judged, Metrics};
use super::objective::Objective;
use super::step_result::StepResult;
use super::{Evaluation, History, TrainError, Trainer};
use crate::MAX_OUTPUTS;
use crate::data::{DataError, DataErrorKind, Dataset, Targets};
use crate::graph::MAX_INPUTS;
use crate::model::Network;
use crate::optim::Optimizer;

/// Samples that are evaluated at once.
const BATCH: usize = 256;

/// Looks at the outputs of a batch, as the loss reads them.
pub(super) type See<'a, L> = dyn FnMut(&L, &BatchOutputs) + 'a;

/// … and at the targets that they are of.
pub(super) type SeeTargets<'a, T> = dyn FnMut(&BatchOutputs, &T) + 'a;

impl<N: Network, L, O: Optimizer> Trainer<'_, N, L, O> {
    /// How the model does on these samples, as it predicts: without dropout or other training noise.
    /// What regularisers add is part of the loss, as in Keras.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit); but there need be nothing to train, and a loss that is not finite is one.
    pub fn evaluate<T: Targets>(&mut self, data: &Dataset<T>) -> Result<Evaluation, TrainError>
    where
        L: Objective<T>,
    {
        self.check_weighed(data)?;
        let evaluation = self.evaluate_checked(data, None);
        self.lost(&History::default()).map_or(Ok(evaluation), Err)
    }

    /// [`evaluate`](Trainer::evaluate), and what one metric or a tuple of them come to, in their order, in
    /// the same pass. A metric on other targets than those of `data` does not compile. Of a network with
    /// several outputs, a tuple with metrics for each.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Sign: [1] -> [2] { Dense(2) } }
    ///
    /// let data = Dataset::classes(&[[-1.0], [1.0], [2.0]], [0, 1, 1]).unwrap();
    /// let mut model = Sign::init(0);
    /// model.set("dense_1.weight", &[-1.0, 1.0]).unwrap();
    /// let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    /// let metrics = (Accuracy::new(), F1::macro_avg());
    /// let (evaluation, (accuracy, f1)) = trainer.evaluate_with(&data, metrics).unwrap();
    /// assert_eq!((evaluation.samples, accuracy, f1), (3, 1.0, 1.0));
    /// ```
    ///
    /// # Errors
    /// As [`evaluate`](Trainer::evaluate); targets that do not fit a metric.
    pub fn evaluate_with<T: Targets, M: Metrics<T>>(
        &mut self,
        data: &Dataset<T>,
        mut metrics: M,
    ) -> Result<(Evaluation, M::Values), TrainError>
    where
        L: Objective<T>,
    {
        self.check_weighed(data)?;
        let judged = self.judged::<T>();
        self.check_metrics(&metrics, data)?;
        metrics.reset();
        let mut judge = |_: &L, outputs: &BatchOutputs| metrics.update(&judged, outputs, data.targets());
        let evaluation = self.evaluate_checked(data, Some(&mut judge));
        match self.lost(&History::default()) {
            Some(error) => Err(error),
            None => Ok((evaluation, metrics.values())),
        }
    }

    /// The loss of each sample, as the model predicts: the weighted mean over its steps, added up over
    /// outputs; without what regularisers add. A sample that has no weight has 0.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Same: [1] -> [1] { Dense(1, init = Constant(1.0)) } }
    ///
    /// let data = Dataset::values(&[[1.0], [2.0]], &[[1.0], [5.0]]).unwrap();
    /// let mut model = Same::init(0);
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    /// assert_eq!(trainer.losses(&data).unwrap(), [0.0, 9.0]);
    /// ```
    ///
    /// # Errors
    /// As [`evaluate`](Trainer::evaluate).
    pub fn losses<T: Targets>(&mut self, data: &Dataset<T>) -> Result<Vec<f64>, TrainError>
    where
        L: Objective<T>,
    {
        self.check_weighed(data)?;
        let mut losses = Vec::with_capacity(data.len());
        let mut one_by_one = |loss: &L, all: &BatchOutputs| {
            for (i, sample) in all.samples.clone().enumerate() {
                let mut y = all.y;
                for (y, shape) in y.iter_mut().zip(all.shapes) {
                    *y = &y[i * shape.len()..(i + 1) * shape.len()];
                }
                let mut sums = LossSums::default();
                loss.value(&BatchOutputs { samples: sample..sample + 1, y, ..*all }, data.targets(), &mut sums);
                losses.push(sums.mean());
            }
        };
        self.evaluate_checked(data, Some(&mut one_by_one));
        self.lost(&History::default()).map_or(Ok(losses), Err)
    }

    /// What metrics see of this loss.
    pub(super) fn judged<T: Targets>(&self) -> Judged
    where
        L: Objective<T>,
    {
        Judged { links: self.loss.links(), output: 0 }
    }

    /// Whether the metrics fit the data.
    pub(super) fn check_metrics<T: Targets>(
        &self,
        metrics: &impl Metrics<T>,
        data: &Dataset<T>,
    ) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        match metrics.fault(&self.judged::<T>(), N::COMPILED.outputs, data.targets(), data.weights()) {
            Some(fault) => Err(TrainError::mismatch(fault)),
            None => Ok(()),
        }
    }

    /// Whether the data is what can be evaluated.
    fn check_weighed<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        self.check(data)?;
        match has_weight::<N, T>(&self.loss, data) {
            true => Ok(()),
            false => Err(no_weight()),
        }
    }

    /// The first sample of a source, which fits.
    ///
    /// # Errors
    /// It does not, or cannot be read, or there is none.
    pub(super) fn first_sample<T: Targets>(&mut self, source: &dyn Feed<T>) -> Result<Dataset<T>, TrainError>
    where
        L: Objective<T>,
    {
        let mut first = source.batch()?;
        let indices: &[usize] = if source.len() == 0 { &[] } else { &[0] };
        source.load(indices, &mut first)?;
        self.check(&first)?;
        Ok(first)
    }

    /// Evaluates samples, those of a source as they are read; `each` sees the outputs of each batch, and the
    /// targets that they are of.
    ///
    /// # Errors
    /// A sample cannot be read, or does not fit.
    pub(super) fn evaluate_feed<T: Targets>(
        &mut self,
        data: &dyn Feed<T>,
        mut each: Option<&mut SeeTargets<T>>,
    ) -> Result<Evaluation, DataError>
    where
        L: Objective<T>,
    {
        let mut sums = EpochSums::default();
        let mut add = |trainer: &mut Self, part: &Dataset<T>, sums: &mut EpochSums| match &mut each {
            Some(each) => {
                let mut see = |_: &L, outputs: &BatchOutputs| each(outputs, part.targets());
                trainer.evaluate_part(part, Some(&mut see), sums);
            }
            None => trainer.evaluate_part(part, None, sums),
        };
        if let Some(data) = data.dataset() {
            add(self, data, &mut sums);
            return Ok(sums.evaluation());
        }
        let mut part = data.batch()?;
        for from in (0..data.len()).step_by(BATCH) {
            let indices: Vec<usize> = (from..data.len().min(from + BATCH)).collect();
            data.load(&indices, &mut part)?;
            let fits = |part: &Dataset<T>| check_fits::<N, T>(&self.loss, part, false).err();
            if let Some((fault, index)) = fault_of_sample(&part, &indices, fits) {
                let place = index.map_or("source".into(), |index| std::format!("sample {index}"));
                let expected = "samples that the network and the loss take";
                return Err(DataError::new(DataErrorKind::Size, place, expected, fault.to_string()));
            }
            add(self, &part, &mut sums);
        }
        Ok(sums.evaluation())
    }

    /// Evaluates data that is known to fit; `each` sees the outputs of each batch. Where other ranks are
    /// lost, as far as it came: see [`lost`](Trainer::lost).
    pub(super) fn evaluate_checked<T: Targets>(&mut self, data: &Dataset<T>, each: Option<&mut See<L>>) -> Evaluation
    where
        L: Objective<T>,
    {
        let mut sums = EpochSums::default();
        self.evaluate_part(data, each, &mut sums);
        sums.evaluation()
    }

    /// As [`evaluate_checked`](Trainer::evaluate_checked), added to what others have come to.
    fn evaluate_part<T: Targets>(&mut self, data: &Dataset<T>, mut each: Option<&mut See<L>>, sums: &mut EpochSums)
    where
        L: Objective<T>,
    {
        // Of a source perhaps no sample of a part has a weight.
        if !(0..data.len()).any(|sample| data.counts(sample)) {
            return;
        }
        self.executor.reserve::<N>(BATCH.min(data.len()), &self.optimizer);
        let mut outputs: [Vec<f32>; MAX_OUTPUTS] = array::from_fn(|_| Vec::new());
        let regularization = self.executor.update.regularization(self.executor.isa, &self.model.params);
        let all = inputs(data);
        let stand_ins = stand_ins(data);
        let mut from = 0;
        while from < data.len() {
            let batch = BATCH.min(data.len() - from);
            let mut x = [&[][..]; MAX_INPUTS];
            for ((x, all), values) in x.iter_mut().zip(all).zip(data.inputs()) {
                *x = &all[from * values.width()..][..batch * values.width()];
            }
            let x = match &stand_ins[..] {
                [] => BatchInputs::Slices(&x[..data.inputs().len()]),
                samples => BatchInputs::Indexed(data.inputs(), &samples[from..from + batch]),
            };
            let judge = LossOfTargets { loss: &self.loss, targets: data.targets() };
            let given = Batch { samples: batch, x, first: from, skipped: 0, judge: &judge, weights: data.weights() };
            let Ok(batch_sums) = self.executor.evaluate::<N>(&self.model.params, &given) else { break };
            sums.add(&StepResult { sums: batch_sums, regularization }, batch);
            if let Some(each) = &mut each {
                if self.executor.copy_outputs(N::COMPILED, batch, &mut outputs).is_err() {
                    break;
                }
                let y = outputs.each_ref().map(|y| &y[..]);
                let (isa, shapes) = (self.executor.isa, N::COMPILED.outputs);
                let samples = from..from + batch;
                each(&self.loss, &BatchOutputs { isa, samples, weights: data.weights(), shapes, y });
            }
            from += batch;
        }
    }
}

/// The sample that each is evaluated by, where some have no weight, whatever they hold: one that counts, if
/// any does, as nobody asks what comes of it. None where all count.
fn stand_ins<T: Targets>(data: &Dataset<T>) -> Vec<usize> {
    let Some(some) = (0..data.len()).find(|&sample| data.counts(sample)).filter(|_| !data.all_count()) else {
        return Vec::new();
    };
    (0..data.len()).map(|sample| if data.counts(sample) { sample } else { some }).collect()
}
