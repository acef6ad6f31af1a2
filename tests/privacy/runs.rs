//! Whole private runs: batches by chance, the same bits for any number of threads and after a checkpoint, and
//! what is told.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use nn_runtime::data::{DataError, SampleSource, digits};
use nn_runtime::prelude::*;
use nn_runtime::train::privacy::{Privacy, PrivacyStatement, epsilon};
use nn_tests::numbers::numbers;

use crate::{all, privacy};

network! {
    struct Mlp: [16] -> [4] { Dense(12) -> LayerNorm -> Relu -> Dropout(0.2) -> Dense(4) }
}

fn data(samples: usize) -> Dataset<Labels> {
    let labels = (0..samples).map(|i| (i * 7 % 4) as u32);
    Dataset::classes((numbers(1, samples * 16, 1.0), 16), labels).unwrap()
}

fn trained(threads: usize, privacy: Privacy) -> (Vec<(String, Vec<f32>)>, Vec<f64>) {
    let mut model = Mlp::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)).threads(threads).private(privacy);
    let history = trainer.fit(&data(90), Fit::epochs(3).batch(20)).unwrap();
    drop(trainer);
    (all(&model), history.epochs.iter().map(|epoch| epoch.train.loss).collect())
}

#[test]
fn threads_change_no_bit_and_keys_all() {
    let one = trained(1, privacy(1.0, 0.5));
    for threads in [2, 3, 5] {
        assert_eq!(trained(threads, privacy(1.0, 0.5)), one);
    }
    assert_ne!(trained(1, privacy(1.0, 0.5).seed(6)).0, one.0);
    // What nobody has given is drawn anew.
    let fresh = || Privacy::new(1.0, 0.5).tell(|_| {});
    assert_ne!(trained(1, fresh()).0, trained(1, fresh()).0);
}

#[test]
fn batches_are_drawn_and_differ_in_size() {
    let (train, mut sizes, mut seen) = (data(100), Vec::new(), 0);
    let mut model = Mlp::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.01)).private(privacy(1.0, 0.5));
    for _ in 0..30 {
        let history = trainer.fit(&train, Fit::epochs(1).batch(10)).unwrap();
        sizes.push(history.epochs[0].train.samples);
        seen += history.epochs[0].train.samples;
    }
    // 300 steps of 10 samples on average.
    assert!((seen as f64 - 3000.0).abs() < 5.0 * (3000.0f64 * 0.9).sqrt(), "{seen}");
    assert!(sizes.iter().any(|size| *size != sizes[0]));
    assert_eq!(trainer.epsilon(1e-5), epsilon(1.0, 0.1, 300, 1e-5));
}

/// A batch may be empty: the step is noise.
#[test]
fn a_step_without_samples_is_a_step() {
    let mut losses = Vec::new();
    let mut trainer = Mlp::init(0).into_trainer(CrossEntropy::new(), Sgd::new(0.01)).private(privacy(1.0, 0.5));
    let look = |report: &nn_runtime::train::StepReport, _: &_| {
        losses.push(report.loss);
        ControlFlow::Continue(())
    };
    let history = trainer.fit(&data(10), Fit::epochs(4).batch(1).on_step(look)).unwrap();
    assert_eq!(losses.len(), 40);
    assert!(losses.contains(&0.0) && losses.iter().any(|&loss| loss > 0.0));
    assert!(history.epochs.iter().all(|epoch| epoch.train.loss.is_finite()));
}

/// Broken off after each batch, and gone on with from the file: the undisturbed run, to the bit.
#[test]
fn a_checkpoint_goes_on_with_the_same_noise() {
    let path = std::env::temp_dir().join(format!("private-{}.ckpt", std::process::id()));
    let (train, val) = (data(40), data(12));
    let fit = || Fit::epochs(2).batch(10).validate(&val).keep_best();
    let make = |threads: usize| {
        let trainer = Mlp::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-2)).threads(threads);
        trainer.ema(0.9).private(privacy(0.8, 0.5))
    };
    let mut undisturbed = make(2);
    let history = undisturbed.fit(&train, fit()).unwrap();
    for last in 1..8 {
        let mut broken = make(1);
        let mut count = 0;
        let stop = |_: &_, _: &_| {
            count += 1;
            if count == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        broken.fit(&train, fit().on_step(stop).checkpoint(Checkpoint::to(&path))).unwrap();
        let mut resumed = make(3);
        resumed.resume(&path).unwrap();
        assert_eq!(resumed.epsilon(1e-5), epsilon(0.8, 0.25, last, 1e-5));
        let again = resumed.fit(&train, fit()).unwrap();
        assert_eq!(again.best, history.best);
        assert_eq!(resumed.epsilon(1e-5), undisturbed.epsilon(1e-5));
        assert_eq!(all(resumed.model()), all(undisturbed.model()), "broken off after batch {last}");
        // Nor are numbers drawn a second time where another run follows.
        let (mut a, mut b) = (resumed, make(1));
        b.fit(&train, fit()).unwrap();
        a.fit(&train, Fit::epochs(1).batch(10)).unwrap();
        b.fit(&train, Fit::epochs(1).batch(10)).unwrap();
        assert_eq!(all(a.model()), all(b.model()));
    }
    let mut other = Mlp::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-2)).ema(0.9);
    let refused = other.resume(&path).unwrap_err().to_string();
    assert!(refused.contains("privacy: expected as in the file, noise 0.8, norm 0.5, key "), "{refused}");
    let mut other = other.private(privacy(0.8, 0.5).seed(9));
    let refused = other.resume(&path).unwrap_err().to_string();
    assert!(refused.contains("privacy: expected as in the file"), "{refused}");
    std::fs::remove_file(path).unwrap();
}

/// What was kept of an earlier epoch goes on with noise that has never been drawn.
#[test]
fn no_noise_is_drawn_twice_after_the_best_is_put_back() {
    let train = data(60);
    let mut trainer = Mlp::init(0).into_trainer(CrossEntropy::new(), Sgd::new(0.5)).private(privacy(30.0, 1.0));
    let history = trainer.fit(&train, Fit::epochs(6).batch(20).keep_best()).unwrap();
    assert!(history.best < Some(6), "noise alone makes it worse: {:?}", history.best);
    assert_eq!(trainer.epsilon(1e-5), epsilon(30.0, 20.0 / 60.0, 18, 1e-5));
    let kept = all(trainer.model());
    let mut first = None;
    let look = |_: &_, model: &Model<Mlp>| {
        first = Some(all(model));
        ControlFlow::Break(())
    };
    trainer.fit(&train, Fit::epochs(1).batch(20).on_step(look)).unwrap();
    // The step from there in the run before it, had its noise been drawn again.
    let mut again = Mlp::init(0).into_trainer(CrossEntropy::new(), Sgd::new(0.5)).private(privacy(30.0, 1.0));
    let (mut count, mut then) = (0, None);
    let best = history.best.unwrap() * 3;
    let look = |_: &_, model: &Model<Mlp>| {
        count += 1;
        if count == best {
            assert_eq!(all(model), kept);
        }
        if count == best + 1 {
            then = Some(all(model));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    again.fit(&train, Fit::epochs(6).batch(20).on_step(look)).unwrap();
    assert_ne!(first.unwrap(), then.unwrap());
}

/// Samples that are read, and changed, while the network learns.
#[test]
fn a_source_is_drawn_from_as_a_data_set_is() {
    struct Same(Dataset<Labels>);
    impl SampleSource for Same {
        type Targets = Labels;
        fn len(&self) -> usize {
            self.0.len()
        }
        fn widths(&self) -> Vec<usize> {
            vec![16]
        }
        fn target_width(&self) -> usize {
            1
        }
        fn read(&self, index: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
            x[0].copy_from_slice(self.0.input(0, index));
            target[0] = self.0.targets().as_slice()[index];
            Ok(())
        }
    }
    let make = || Mlp::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-2)).private(privacy(1.0, 0.5));
    let (mut memory, mut source, mut augmented) = (make(), make(), make());
    memory.fit(&data(70), Fit::epochs(3).batch(8)).unwrap();
    source.fit_source(&Same(data(70)), Fit::epochs(3).batch(8).loaders(2)).unwrap();
    augmented.fit(&data(70), Fit::epochs(3).batch(8).augment(|_, _| {})).unwrap();
    assert_eq!(all(memory.model()), all(source.model()));
    assert_eq!(all(memory.model()), all(augmented.model()));
}

#[test]
fn what_is_promised_is_told_before_the_first_step() {
    let told: Arc<Mutex<Vec<PrivacyStatement>>> = Arc::default();
    let (tell, steps) = (told.clone(), told.clone());
    let privacy =
        Privacy::new(1.1, 1.0).delta(1e-4).seed(1).tell(move |statement| tell.lock().unwrap().push(statement.clone()));
    let mut trainer = Mlp::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-2)).private(privacy);
    let look = |_: &_, _: &_| {
        assert_eq!(steps.lock().unwrap().len(), 1, "before the first step");
        ControlFlow::Continue(())
    };
    trainer.fit(&data(100), Fit::epochs(2).batch(10).on_step(look)).unwrap();
    assert_eq!(told.lock().unwrap()[0].epsilon, trainer.epsilon(1e-4));
    trainer.fit(&data(100), Fit::epochs(1).batch(10)).unwrap();
    let told = told.lock().unwrap();
    assert_eq!((told[0].steps, told[1].steps, told[0].spent), (20, 10, 0.0));
    assert_eq!((told[1].spent, told[1].epsilon), (told[0].epsilon, trainer.epsilon(1e-4)));
    let text = told[0].to_string();
    for part in [
        "private training of `Mlp`: epsilon ",
        "for delta 1e-4 by Rényi differential privacy",
        "not covered:",
        "20 steps",
        "100 samples",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// It learns all the same.
#[test]
fn digits_are_learnt_privately() {
    network! { struct Digits: [1, 28, 28] -> [10] { Flatten -> Dense(32) -> Tanh -> Dense(10) } }
    let (train, test) = digits::draw(1500, 1).split_every(5).unwrap();
    let mut model = Digits::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(5e-3)).private(privacy(1.0, 1.0));
    trainer.fit(&train, Fit::epochs(6).batch(120)).unwrap();
    let accuracy = trainer.evaluate(&test).unwrap().accuracy.unwrap();
    assert!(accuracy > 0.5 && trainer.epsilon(1e-4) < 10.0, "{accuracy}, epsilon {}", trainer.epsilon(1e-4));
}
