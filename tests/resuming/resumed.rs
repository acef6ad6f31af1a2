//! A run that ends at any batch and goes on from a file, against the one that was never broken off.

use std::ops::ControlFlow;
use std::time::Duration;

use nn_runtime::prelude::*;
use nn_runtime::train::{Ended, Every, StopHandle, TrainError};

use crate::{Cnn, Folder, Mlp, bits, data, losses};

/// A trainer with everything that remembers something.
fn trainer<N: Network, O: Optimizer>(
    model: &mut Model<N>,
    optimizer: O,
    threads: usize,
) -> Trainer<'_, N, CrossEntropy, O>
where
    CrossEntropy: Fits<N::Head>,
{
    let schedule = Warmup::new(3).then(ReduceOnPlateau::new().factor(0.5).patience(0));
    Trainer::new(model, CrossEntropy::new(), optimizer).schedule(schedule).ema(0.9).accumulate(2).threads(threads)
}

const EPOCHS: usize = 3;
const STEPS: usize = 5;

/// Breaks a run off after each of its batches, and goes on.
fn at_every_batch<N: Network, O: Optimizer>(optimizer: impl Fn() -> O, keep_best: bool)
where
    CrossEntropy: Fits<N::Head> + LossOn<[u32]>,
{
    let (train, validation) = (data(1, 70), data(2, 30));
    let folder = Folder::new();
    let path = folder.file("run.ckpt");
    let fit = || {
        let fit =
            Fit::epochs(EPOCHS).batch(15).seed(7).validate(&validation).metrics((F1::macro_avg(), LogLoss::new()));
        let fit = fit.early_stopping(EarlyStopping::patience(20).monitor("val_f1"));
        if keep_best { fit.keep_best() } else { fit }
    };
    let mut model = N::init(3);
    let mut undisturbed = trainer(&mut model, optimizer(), 2);
    let history = undisturbed.fit(&train, fit()).unwrap();
    let truth = (bits(&undisturbed, &folder), losses(&history), history.best);

    for last in 1..EPOCHS * STEPS {
        let mut model = N::init(3);
        let mut broken = trainer(&mut model, optimizer(), 1 + last % 3);
        let mut count = 0;
        let stop = |_: &_, _: &_| {
            count += 1;
            if count == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let checkpoint = Checkpoint::to(&path).every(Duration::from_secs(3600));
        let history = broken.fit(&train, fit().on_step(stop).checkpoint(checkpoint)).unwrap();
        assert_eq!((history.ended, history.epochs.len()), (Ended::Stopped, last / STEPS), "{last}");
        drop(broken);

        let mut model = N::init(99);
        let mut resumed = trainer(&mut model, optimizer(), 1 + (last + 1) % 3);
        resumed.resume(&path).unwrap();
        let history = resumed.fit(&train, fit()).unwrap();
        let found = (bits(&resumed, &folder), losses(&history), history.best);
        assert!(found == truth, "{}: broken off after batch {last}", std::any::type_name::<N>());
    }
}

#[test]
fn whole_batches_and_noise() {
    at_every_batch::<Cnn, _>(|| Adam::new(1e-2), false);
}

#[test]
fn shared_among_threads() {
    at_every_batch::<Mlp, _>(|| RmsProp::new(1e-2).momentum(0.5), true);
}

#[test]
fn every_optimiser() {
    at_every_batch::<Mlp, _>(|| Sgd::new(0.1).momentum(0.9), false);
    at_every_batch::<Mlp, _>(|| Adagrad::new(1e-2), false);
    at_every_batch::<Cnn, _>(|| Muon::new(1e-2, AdamW::new(1e-3)), false);
    at_every_batch::<Cnn, _>(|| Lion::new(1e-3), true);
}

/// Files are written as often as they should be, the last ones are kept, and each of them goes on alike.
#[test]
fn the_last_files_are_kept() {
    let train = data(1, 70);
    let folder = Folder::new();
    let path = folder.file("run.ckpt");
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let checkpoint = Checkpoint::to(&path).every(Every::Steps(2)).keep(3);
    let history = trainer.fit(&train, Fit::epochs(2).batch(15).checkpoint(checkpoint)).unwrap();
    let truth = (bits(&trainer, &folder), losses(&history));
    let mut names: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["bits", "run.ckpt", "run.ckpt.1", "run.ckpt.2"]);
    let mut steps = Vec::new();
    for name in &names[1..] {
        let mut model = Mlp::init(9);
        let mut resumed = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
        resumed.resume(folder.file(name.to_str().unwrap())).unwrap();
        steps.push(resumed.steps());
        let history = resumed.fit(&train, Fit::epochs(2).batch(15)).unwrap();
        assert!((bits(&resumed, &folder), losses(&history)) == truth, "{name:?}");
    }
    assert_eq!(steps, [10, 10, 8], "after two steps each, and at the end");
    // The parameters are weights as any others.
    let weights = Model::<Mlp>::load(&path).unwrap();
    assert_eq!(weights.get("head.weight").unwrap(), model.get("head.weight").unwrap());
}

/// More epochs than the file was written for, and none.
#[test]
fn a_run_that_ended_goes_on_with_more_epochs() {
    let train = data(1, 70);
    let folder = Folder::new();
    let path = folder.file("run.ckpt");
    let fit = |epochs| Fit::epochs(epochs).batch(15);
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let history = trainer.fit(&train, fit(4)).unwrap();
    let truth = (bits(&trainer, &folder), losses(&history));
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    trainer.fit(&train, fit(2).checkpoint(Checkpoint::to(&path))).unwrap();
    let mut model = Mlp::init(8);
    let mut resumed = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    resumed.resume(&path).unwrap();
    let error = resumed.fit(&train, fit(1)).unwrap_err().to_string();
    assert!(error.contains("epochs: expected at least the 2 of the file, found 1"), "{error}");
    let history = resumed.fit(&train, fit(4)).unwrap();
    assert!((bits(&resumed, &folder), losses(&history)) == truth);
    resumed.resume(&path).unwrap();
    assert_eq!(resumed.fit(&train, fit(2)).unwrap().epochs.len(), 2, "nothing is left to do");
}

#[test]
fn a_handle_stops_a_run_which_goes_on() {
    let train = data(1, 70);
    let folder = Folder::new();
    let path = folder.file("run.ckpt");
    let stop = StopHandle::new();
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let handler = stop.clone();
    let pull = |report: &nn_runtime::train::StepReport, _: &_| {
        if (report.epoch, report.step) == (2, 3) {
            handler.stop();
        }
        ControlFlow::Continue(())
    };
    let fit = || Fit::epochs(3).batch(15);
    let checkpoint = Checkpoint::to(&path).every(Every::Epochs(10));
    // A handler is asked before the step after it.
    let history = trainer.fit(&train, fit().on_step(pull).stop_by(&stop).checkpoint(checkpoint)).unwrap();
    assert_eq!((history.ended, history.epochs.len()), (Ended::Stopped, 1));
    assert!((8..=9).contains(&trainer.steps()), "{}", trainer.steps());
    trainer.resume(&path).unwrap();
    let history = trainer.fit(&train, fit()).unwrap();
    assert_eq!(history.epochs.len(), 3);
}

/// (1 + slots) · parameters + 4 kB.
#[test]
fn a_file_is_as_large_as_what_is_remembered() {
    network! { struct Wide: [64] -> [5] { hidden: Dense(512) -> Relu -> second: Dense(256) -> Relu -> head: Dense(5) } }
    let folder = Folder::new();
    let path = folder.file("run.ckpt");
    let mut model = Wide::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    let checkpoint = Checkpoint::to(&path);
    trainer.fit(&data(1, 70), Fit::epochs(3).validate(&data(2, 20)).checkpoint(checkpoint)).unwrap();
    let size = std::fs::metadata(&path).unwrap().len() as usize;
    let numbers = 3 * 4 * Wide::param_count();
    assert!(size <= numbers + 4096, "{} bytes beside the numbers", size - numbers);
}

/// A folder that is not there.
#[test]
fn what_cannot_be_written_is_told_and_what_was_learnt_stays() {
    let folder = Folder::new();
    let path = folder.file("missing").join("run.ckpt");
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let error = trainer.fit(&data(1, 70), Fit::epochs(3).batch(15).checkpoint(Checkpoint::to(&path))).unwrap_err();
    let text = error.to_string();
    let TrainError::Checkpoint { history, .. } = error else { panic!("{text}") };
    assert!(text.contains("cannot be written"), "{text}");
    assert_eq!((history.epochs.len(), trainer.steps()), (1, 5));
}
