//! What a turn does with our networks: epochs, steps, predictions. In: a network type and data; out: a
//! [`Run`]. Models are leaked, because a trainer borrows its model and a turn has one of its own: turns are
//! few, models small.

use std::time::Duration;

use nn_runtime::data::Targets;
use nn_runtime::losses::Fits;
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;
use nn_runtime::{Model, Predictor};
use peer::{Data, Done, Run, Workload};

struct Epochs<N: 'static, L, O, T> {
    set: Dataset<T>,
    batch: usize,
    loss: L,
    optimizer: O,
    trainer: Option<Trainer<'static, N, L, O>>,
    last: f64,
}

/// Whole epochs of `Trainer::fit`.
pub fn fit<N, L, O, T>(workload: Workload, set: Dataset<T>, loss: L, optimizer: O) -> Box<dyn Run>
where
    N: Network + 'static,
    L: Fits<N::Head> + Objective<T> + Clone + 'static,
    O: Optimizer + Clone + 'static,
    T: Targets + 'static,
{
    Box::new(Epochs {
        set,
        batch: workload.batch,
        loss,
        optimizer,
        trainer: None::<Trainer<'static, N, L, O>>,
        last: f64::NAN,
    })
}

impl<N, L, O, T> Run for Epochs<N, L, O, T>
where
    N: Network + 'static,
    L: Fits<N::Head> + Objective<T> + Clone,
    O: Optimizer + Clone,
    T: Targets,
{
    fn fresh(&mut self) {
        let model = Box::leak(Box::new(Model::<N>::init(0)));
        self.trainer = Some(Trainer::new(model, self.loss.clone(), self.optimizer.clone()));
    }

    fn step(&mut self) {
        self.steps(1);
    }

    fn steps(&mut self, steps: usize) -> Done {
        let per_epoch = self.set.len().div_ceil(self.batch);
        let epochs = steps.div_ceil(per_epoch);
        let trainer = self.trainer.as_mut().expect("a turn that has begun");
        let history = trainer.fit(&self.set, Fit::epochs(epochs).batch(self.batch)).expect("data that can be learnt");
        self.last = history.last().map_or(f64::NAN, |epoch| epoch.train.loss);
        Done { steps: epochs * per_epoch, time: history.epochs.iter().map(|epoch| epoch.time).sum::<Duration>() }
    }

    fn loss(&mut self) -> Option<f64> {
        Some(self.last)
    }
}

struct Steps<N: 'static, L, O, T> {
    batches: Vec<Dataset<T>>,
    next: usize,
    loss: L,
    optimizer: O,
    trainer: Option<Trainer<'static, N, L, O>>,
    last: f64,
}

/// Single steps of `Trainer::step`.
pub fn step<N, L, O, T>(workload: Workload, data: &Data, set: &Dataset<T>, loss: L, optimizer: O) -> Box<dyn Run>
where
    N: Network + 'static,
    L: Fits<N::Head> + Objective<T> + Clone + 'static,
    O: Optimizer + Clone + 'static,
    T: Targets + 'static,
{
    let batches = data.batches(&workload).into_iter().map(|samples| set.select(&samples.collect::<Vec<_>>())).collect();
    Box::new(Steps { batches, next: 0, loss, optimizer, trainer: None::<Trainer<'static, N, L, O>>, last: f64::NAN })
}

impl<N, L, O, T> Run for Steps<N, L, O, T>
where
    N: Network + 'static,
    L: Fits<N::Head> + Objective<T> + Clone,
    O: Optimizer + Clone,
    T: Targets,
{
    fn fresh(&mut self) {
        let model = Box::leak(Box::new(Model::<N>::init(0)));
        self.trainer = Some(Trainer::new(model, self.loss.clone(), self.optimizer.clone()));
    }

    fn step(&mut self) {
        let trainer = self.trainer.as_mut().expect("a turn that has begun");
        self.last = trainer.step(&self.batches[self.next]).expect("data that can be learnt");
        self.next = (self.next + 1) % self.batches.len();
    }

    fn loss(&mut self) -> Option<f64> {
        Some(self.last)
    }
}

struct Predict<N: 'static> {
    predictor: Predictor<&'static Model<N>>,
    data: Data,
    batches: Vec<std::ops::Range<usize>>,
    next: usize,
    y: Vec<f32>,
}

/// Predictions for one batch after the other.
pub fn predict<N: Network + 'static>(workload: Workload, data: &Data) -> Box<dyn Run> {
    let model: &'static Model<N> = Box::leak(Box::new(Model::init(0)));
    let outputs = if workload.net.classes() { 10 } else { data.target_width };
    Box::new(Predict {
        predictor: model.predictor(workload.batch),
        batches: data.batches(&workload),
        data: data.clone(),
        next: 0,
        y: vec![0.0; workload.batch * outputs],
    })
}

impl<N: Network> Run for Predict<N> {
    fn step(&mut self) {
        let x = self.data.inputs(&self.batches[self.next]);
        self.predictor.predict_into(&[x], &mut [&mut self.y]).expect("whole samples");
        std::hint::black_box(&self.y);
        self.next = (self.next + 1) % self.batches.len();
    }
}
