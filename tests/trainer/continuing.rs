//! What goes on from call to call and from trainer to trainer: the order of samples, dropout, schedules.

use nn_runtime::prelude::*;

use super::params;

network! { struct One: [1] -> [1] { w: Dense(1, bias = false, init = Zeros) } }
network! { struct Dropped: [1000] -> [1] { Dropout(0.5) -> out: Dense(1, bias = false, init = Zeros) } }
network! { struct Noisy: [6] -> [3] { Dense(16) -> BatchNorm -> Relu -> Dropout(0.3) -> Dense(3) } }
network! { struct Line: [1] -> [1] { line: Dense(1) } }

fn numbers() -> Dataset<Values> {
    Dataset::values((vec![1.0; 10], 1), ((0..10).map(|i| i as f32).collect::<Vec<_>>(), 1)).unwrap()
}

fn noisy() -> Dataset<Values> {
    let x: Vec<f32> = (0..37 * 6).map(|i| (i * 29 % 83) as f32 / 41.0 - 1.0).collect();
    let y: Vec<f32> = (0..37 * 3).map(|i| (i * 31 % 71) as f32 / 35.0 - 1.0).collect();
    Dataset::values((x, 6), (y, 3)).unwrap()
}

/// A step is `w = (w + t) / 2`, so that an epoch comes to a number that tells its order.
#[test]
fn every_epoch_has_an_order_of_its_own() {
    for anew in [false, true] {
        let mut model = One::init(0);
        let (mut w, mut orders) = (0.0, Vec::new());
        let mut trainer = Trainer::new(&mut model, Mse::half(), Sgd::new(0.5));
        for _ in 0..3 {
            if anew {
                trainer = Trainer::new(&mut model, Mse::half(), Sgd::new(0.5));
            }
            trainer.fit(&numbers(), Fit::epochs(1).batch(1)).unwrap();
            let now = trainer.model().get("w.weight").unwrap()[0];
            orders.push(now - w / 1024.0);
            w = now;
        }
        assert!(orders[0] != orders[1] && orders[1] != orders[2] && orders[0] != orders[2], "{orders:?}");
    }
}

/// Epochs in one call, in many, or in groups; with everything that a trainer carries on.
#[test]
fn split_epochs_are_the_same_run() {
    let data = noisy();
    let run = |parts: &[usize]| {
        let mut model = Noisy::init(1);
        let trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).ema(0.9).accumulate(2);
        let schedule = Warmup::new(5).then(ReduceOnPlateau::new().patience(0).threshold(0.5));
        let mut trainer = trainer.schedule(schedule);
        let mut losses = Vec::new();
        for &epochs in parts {
            let history = trainer.fit(&data, Fit::epochs(epochs).batch(8).seed(3).validate(&data)).unwrap();
            losses.extend(history.epochs.iter().map(|epoch| (epoch.train.loss, epoch.validation.unwrap().loss)));
        }
        let ema = params(&trainer.ema_model());
        (trainer.learning_rate(), trainer.steps(), ema, params(&model), losses)
    };
    let whole = run(&[6]);
    assert_eq!(whole, run(&[1; 6]));
    assert_eq!(whole, run(&[2, 1, 3]));
}

#[test]
fn a_new_trainer_drops_other_units() {
    let data = Dataset::values((vec![1.0; 1000], 1000), &[[1.0]]).unwrap();
    let mut model = Dropped::init(0);
    for _ in 0..20 {
        Trainer::new(&mut model, Mse::new(), Sgd::new(1e-3)).step(&data).unwrap();
    }
    // One in a million units would be dropped 20 times.
    assert_eq!(model.get("out.weight").unwrap().iter().filter(|w| **w == 0.0).count(), 0);
    // A copy goes on as the model does.
    let step = |model: &mut Model<Dropped>| {
        Trainer::new(model, Mse::new(), Sgd::new(1e-3)).step(&data).unwrap();
        params(model)
    };
    let mut copy = model.clone();
    assert_eq!(step(&mut model), step(&mut copy));
}

#[test]
fn what_is_refused_does_not_count() {
    let data = noisy();
    let mut bad = data.clone();
    bad.input_mut(0)[0] = 3e38;
    let run = |with: bool| {
        let mut model = Noisy::init(1);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2));
        for _ in 0..5 {
            trainer.step(&data).unwrap();
            if with {
                trainer.step(&bad).unwrap_err();
            }
        }
        params(&model)
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn a_schedule_goes_on_from_a_file() {
    let data = Dataset::values(&[[1.0], [2.0]], &[[2.0], [5.0]]).unwrap();
    let schedule = || Warmup::new(10).start(0.0).then(Cosine::new(90));
    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).schedule(schedule());
    for _ in 0..10 {
        trainer.step(&data).unwrap();
    }
    let (steps, rate) = (trainer.steps(), trainer.learning_rate());
    assert_eq!((steps, rate), (10, 1e-2));
    let file = std::env::temp_dir().join(format!("nn-continuing-{}.safetensors", std::process::id()));
    model.save(&file).unwrap();
    let mut model = Model::<Line>::load(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).schedule(schedule());
    assert_eq!(trainer.learning_rate(), 0.0, "a new trainer begins anew");
    let mut trainer = trainer.starting_at(steps);
    assert_eq!(trainer.learning_rate(), rate);
    trainer.step(&data).unwrap();
    assert_eq!((trainer.steps(), trainer.learning_rate()), (11, Cosine::new(90).rate(1e-2, 1)));
}

use nn_runtime::train::schedule::Schedule;
