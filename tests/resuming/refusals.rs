//! Files that do not fit: what is in the file, what is now, and nothing changed.

use nn_runtime::prelude::*;
use nn_runtime::train::{Every, TrainError};

use crate::{Cnn, Folder, Mlp, bits, data};

/// A file of a run of `Mlp` in the middle of its second epoch.
fn written(folder: &Folder) -> std::path::PathBuf {
    let path = folder.file("run.ckpt");
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let checkpoint = Checkpoint::to(&path).every(Every::Steps(1000));
    let mut steps = 0;
    let stop = |_: &_, _: &_| {
        steps += 1;
        if steps == 7 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    trainer.fit(&data(1, 70), Fit::epochs(3).batch(15).on_step(stop).checkpoint(checkpoint)).unwrap();
    path
}

fn told(error: TrainError, parts: &[&str]) {
    let text = error.to_string();
    assert!(matches!(error, TrainError::Checkpoint { .. }), "{text}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert!(text.contains("\nhelp: "), "{text}");
}

#[test]
fn other_trainers_are_refused() {
    let folder = Folder::new();
    let path = written(&folder);
    macro_rules! refused {
        (|$model:ident| $trainer:expr, $($part:literal),*) => {{
            let mut model = Mlp::init(5);
            let $model = &mut model;
            let mut trainer = $trainer;
            let before = bits(&trainer, &folder);
            told(trainer.resume(&path).unwrap_err(), &[$($part),*]);
            assert!(bits(&trainer, &folder) == before, "nothing has changed");
        }};
    }
    refused!(
        |model| Trainer::new(model, CrossEntropy::new(), Adam::new(1e-3)),
        "optimizer: expected as in the file, Adam { learning_rate: 0.01,",
        "found Adam { learning_rate: 0.001,"
    );
    refused!(
        |model| Trainer::new(model, CrossEntropy::new(), Sgd::new(1e-2)).clip(Clip::Value(1.0)).ema(0.9),
        "found Sgd {",
        "clip: expected as in the file, none, found Value(1.0)",
        "ema: expected as in the file, none, found 0.9"
    );
    refused!(
        |model| Trainer::new(model, CrossEntropy::new().label_smoothing(0.1), Adam::new(1e-2)).accumulate(2),
        "loss: expected as in the file, CrossEntropy",
        "accumulate: expected as in the file, 1, found 2"
    );
    refused!(
        |model| Trainer::new(model, CrossEntropy::new(), Adam::new(1e-2))
            .schedule(Cosine::new(100))
            .regularize("head", Regularizer::L2(0.1)),
        "schedule: expected as in the file, ConstantRate, found Cosine",
        "regularizers: expected as in the file, none, found"
    );
}

#[test]
fn other_networks_are_refused() {
    let folder = Folder::new();
    let path = written(&folder);
    let mut model = Cnn::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    told(trainer.resume(&path).unwrap_err(), &["network: expected `Cnn`, found `Mlp`"]);

    mod other {
        use nn_runtime::prelude::*;
        network! { pub struct Mlp: [64] -> [5] { hidden: Dense(24) -> LayerNorm -> Tanh -> Dropout(0.2) -> head: Dense(5) } }
    }
    let mut model = other::Mlp::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    told(trainer.resume(&path).unwrap_err(), &["network: expected `Mlp`, found `Mlp` of another declaration"]);

    let weights = folder.file("weights");
    Mlp::init(1).save(&weights).unwrap();
    let mut model = Mlp::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    told(trainer.resume(&weights).unwrap_err(), &["expected a checkpoint, found weights alone"]);
}

#[test]
fn other_runs_are_refused_until_they_fit() {
    let folder = Folder::new();
    let path = written(&folder);
    let (train, fewer) = (data(1, 70), data(1, 60));
    let mut model = Mlp::init(5);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    trainer.resume(&path).unwrap();
    let before = bits(&trainer, &folder);
    let other = Fit::epochs(3).batch(16).seed(1).shuffle(false).keep_best();
    told(
        trainer.fit(&train, other).unwrap_err(),
        &[
            "batch: expected as in the file, 15, found 16",
            "seed: expected as in the file, 0, found 1",
            "shuffle: expected as in the file, true, found false",
            "keep best: expected as in the file, false, found true",
        ],
    );
    told(
        trainer.fit(&fewer, Fit::epochs(3).batch(15).validate(&train)).unwrap_err(),
        &[
            "training samples: expected as in the file, 70, found 60",
            "validation samples: expected as in the file, 0, found 70",
        ],
    );
    assert!(bits(&trainer, &folder) == before, "nothing has changed");
    assert_eq!(trainer.fit(&train, Fit::epochs(3).batch(15)).unwrap().epochs.len(), 3);
}
