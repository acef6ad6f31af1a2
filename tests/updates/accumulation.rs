//! Gradients in chunks, by tensors and accumulated over batches, and the average of what they lead to.

use nn_runtime::Isa;
use nn_runtime::data::Values;
use nn_runtime::optim::Optimizer;
use nn_runtime::prelude::*;
use nn_runtime::train::schedule::Schedule;
use nn_tests::numbers::{NEAR, assert_near, distance, numbers};

use super::{Deep, Line, Small, data, learnt, params};

/// Whether gradients are taken in chunks, tensor by tensor or all at once: the same bits, for every layer and
/// seed.
#[test]
fn chunks_tensors_and_the_whole_gradient_give_the_same_bits() {
    let data = data(40, 70, 3);
    for isa in Isa::available() {
        let run = |clip: Option<Clip>| {
            let mut model = Deep::init(3);
            let mut trainer = Trainer::new_on(&mut model, Mse::new(), AdamW::new(1e-2), isa);
            trainer = trainer.ema(0.9).regularize("hidden", Regularizer::L1L2(1e-4, 1e-3));
            if let Some(clip) = clip {
                trainer = trainer.clip(clip);
            }
            let history = trainer.fit(&data, Fit::epochs(3).batch(16)).unwrap();
            (params(&trainer.ema_model()), history.last().unwrap().train, params(&model))
        };
        let chunks = run(None);
        for clip in [Clip::Value(1e30), Clip::Norm(1e30), Clip::GlobalNorm(1e30)] {
            assert_eq!(chunks, run(Some(clip)), "{} {clip:?}", isa.name());
        }
        assert_ne!(chunks, run(Some(Clip::GlobalNorm(1e-2))), "a limit that is reached shows");
    }
}

/// Several small batches are one large one, a short one at the end of an epoch included, for every optimiser.
#[test]
fn accumulated_batches_are_one_large_batch() {
    let data = data(27, 5, 2);
    fn run<O: Optimizer>(data: &Dataset<Values>, optimizer: O, batch: usize, batches: usize) -> (Vec<f32>, f64) {
        let mut model = Small::init(4);
        let mut trainer = Trainer::new(&mut model, Mse::new(), optimizer).accumulate(batches);
        trainer = trainer
            .clip(Clip::GlobalNorm(0.5))
            .regularize("hidden", Regularizer::L2(1e-2))
            .schedule(Exponential::new(0.9));
        let history = trainer.fit(data, Fit::epochs(3).batch(batch)).unwrap();
        // 27 samples in steps of 12, 12 and 3.
        assert_eq!(trainer.learning_rate(), Exponential::new(0.9).rate(trainer.optimizer().learning_rate(), 9));
        (params(&model), history.last().unwrap().train.loss)
    }
    fn check<O: Optimizer + Copy>(data: &Dataset<Values>, optimizer: O) {
        let (large, loss) = run(data, optimizer, 12, 1);
        let (small, small_loss) = run(data, optimizer, 4, 3);
        let large: Vec<f64> = large.iter().map(|&p| f64::from(p)).collect();
        assert!(distance(&small, &large) < NEAR, "{}", distance(&small, &large));
        assert!((loss - small_loss).abs() < 1e-5 * loss, "{loss} {small_loss}");
    }
    check(&data, Sgd::new(0.1).momentum(0.9));
    check(&data, AdamW::new(0.01));
    check(&data, Lamb::new(0.01));
    check(&data, Muon::new(0.02, AdamW::new(0.01)));
}

/// Weights of samples count in the mean of the batches as they do in a single one.
#[test]
fn accumulation_weighs_batches_by_their_samples() {
    let weights = numbers(7, 12, 1.0).iter().map(|w| w.abs()).collect::<Vec<f32>>();
    let data = data(12, 5, 2).with_weights((&weights[..], 1)).unwrap();
    let run = |batch: usize, batches: usize| {
        let mut model = Small::init(4);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.5)).accumulate(batches);
        trainer.fit(&data, Fit::epochs(4).batch(batch)).unwrap();
        params(&model)
    };
    let large: Vec<f64> = run(12, 1).iter().map(|&p| f64::from(p)).collect();
    assert!(distance(&run(2, 6), &large) < NEAR);
}

/// Batches of one step draw noise of their own: the loss changes though no parameter has.
#[test]
fn every_accumulated_batch_has_its_own_noise() {
    let data = data(8, 70, 3);
    let mut model = Deep::init(1);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).accumulate(3);
    assert_ne!(trainer.step(&data).unwrap(), trainer.step(&data).unwrap());
}

#[test]
fn single_steps_are_accumulated_too() {
    let data = data(4, 3, 2);
    let mut model = Line::init(1);
    let start = params(&model);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).accumulate(2);
    trainer.step(&data).unwrap();
    assert_eq!(params(trainer.model()), start);
    trainer.step(&data).unwrap();
    assert_ne!(params(trainer.model()), start);
}

#[test]
fn the_average_follows_its_formula() {
    let data = data(40, 70, 3);
    for isa in Isa::available() {
        for whole in [false, true] {
            let mut model = Deep::init(3);
            let mut trainer = Trainer::new_on(&mut model, Mse::new(), Adam::new(1e-2), isa).ema(0.8);
            if whole {
                trainer = trainer.clip(Clip::GlobalNorm(1.0));
            }
            assert_eq!(params(&trainer.ema_model()), params(&Deep::init(3)), "before the first step");
            let mut truth: Vec<Vec<f64>> = Vec::new();
            for step in 0..12 {
                trainer.step(&data).unwrap();
                let now: Vec<Vec<f64>> =
                    learnt(trainer.model()).iter().map(|(_, p)| p.iter().map(|&p| f64::from(p)).collect()).collect();
                if step == 0 {
                    truth = now;
                } else {
                    for (mean, now) in truth.iter_mut().flatten().zip(now.iter().flatten()) {
                        *mean = 0.8 * *mean + 0.2 * now;
                    }
                }
            }
            let averaged = trainer.ema_model();
            for ((name, found), truth) in learnt(&averaged).iter().zip(&truth) {
                assert_near(found, truth, &format!("{} {name}", isa.name()));
            }
            let running = |model: &Model<Deep>| model.get("norm.running_mean").unwrap();
            assert_eq!(running(&averaged), running(trainer.model()));
            assert_ne!(params(&averaged), params(trainer.model()));
        }
    }
}
