//! What an optimiser remembers is held once in the world, and survives everything that moves it from rank to
//! rank. In: worlds of threads; out: nothing, or a panic.

use std::path::PathBuf;

use nn_runtime::data::digits;
use nn_runtime::distributed::LocalCommunicator;
use nn_runtime::prelude::*;
use nn_runtime::train::Every;

use crate::{Mlp, bits, fit, world};

fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("shares-{name}-{}.ckpt", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// What each number of ranks makes of it, all alike.
fn alike(each: impl Fn(LocalCommunicator) -> Vec<Vec<u32>> + Sync) {
    let alone = world(1, &each);
    for ranks in [2, 3, 8] {
        assert!(world(ranks, &each).into_iter().all(|model| model == alone[0]), "{ranks} ranks");
    }
}

#[test]
fn what_is_frozen_is_remembered_wherever_it_goes() {
    let data = digits::draw(128, 1);
    alike(|rank| {
        let mut model = Mlp::init(3);
        let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3)).threads(1);
        let mut trainer = trainer.ema(0.9).rate_factor("dense_2", 0.5).distributed(rank).unwrap();
        let steps = |trainer: &mut Trainer<Mlp, CrossEntropy, Adam>| {
            (0..2).for_each(|_| assert!(trainer.step(&data).is_ok()));
        };
        steps(&mut trainer);
        // Others than before have what is left.
        trainer.freeze("dense_1").unwrap();
        steps(&mut trainer);
        trainer.unfreeze("dense_1").unwrap();
        trainer.freeze("dense_3").unwrap();
        steps(&mut trainer);
        trainer.unfreeze("dense_3").unwrap();
        steps(&mut trainer);
        let mut all = bits(&trainer.ema_model());
        drop(trainer);
        all.extend(bits(&model));
        all
    });
}

#[test]
fn gradients_from_elsewhere_are_shared_out() {
    let data = digits::draw(32, 1);
    let (x, y): (Vec<f32>, Vec<u32>) = (data.inputs()[0].as_slice().to_vec(), data.targets().as_slice().to_vec());
    alike(|rank| {
        let mut model = Mlp::init(3);
        let trainer = Trainer::new(&mut model, (), Lamb::new(1e-3)).threads(1).accumulate(2);
        let mut trainer = trainer.clip(Clip::GlobalNorm(0.1)).distributed(rank).unwrap();
        for _ in 0..4 {
            let model = trainer.model();
            let scores: Vec<f32> = y.iter().flat_map(|y| (0..10).map(move |i| f32::from(u8::from(i == *y)))).collect();
            let gradients = model.gradients(&[&x], &[&scores]).unwrap();
            trainer.apply(&gradients).unwrap();
        }
        drop(trainer);
        bits(&model)
    });
}

#[test]
fn one_file_has_what_all_remember() {
    let data = digits::draw(128, 1);
    let path = path("own-loop");
    let undisturbed = world(1, |rank| {
        let mut model = Mlp::init(3);
        let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
        let mut trainer = trainer.accumulate(2).distributed(rank).unwrap();
        (0..5).for_each(|_| assert!(trainer.step(&data).is_ok()));
        drop(trainer);
        bits(&model)
    });
    for (before, after) in [(4, 3), (3, 1), (1, 2)] {
        world(before, |rank| {
            let mut model = Mlp::init(3);
            let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
            let mut trainer = trainer.accumulate(2).distributed(rank).unwrap();
            (0..3).for_each(|_| assert!(trainer.step(&data).is_ok()));
            trainer.save_checkpoint(&path).unwrap();
        });
        let resumed = world(after, |rank| {
            let mut model = Mlp::init(0);
            let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
            let mut trainer = trainer.accumulate(2).distributed(rank).unwrap();
            trainer.resume(&path).unwrap();
            (0..2).for_each(|_| assert!(trainer.step(&data).is_ok()));
            drop(trainer);
            bits(&model)
        });
        assert!(resumed.iter().all(|model| *model == undisturbed[0]), "from {before} to {after} ranks");
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn the_best_epoch_is_written_whole() {
    let data = digits::draw(200, 1);
    let path = path("best");
    let run = |rank: LocalCommunicator, epochs: usize, resume: bool| {
        let mut model = Mlp::init(3);
        let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(3e-2));
        let mut trainer = trainer.distributed(rank).unwrap();
        if resume {
            trainer.resume(&path).unwrap();
        }
        let stopping = EarlyStopping::patience(9);
        let fit = fit(epochs).validate(&data).early_stopping(stopping).keep_best();
        let fit = fit.checkpoint(Checkpoint::to(&path).every(Every::Time(std::time::Duration::ZERO)));
        trainer.fit(&data, fit).unwrap();
        trainer.step(&data).unwrap();
        drop(trainer);
        bits(&model)
    };
    let undisturbed = world(1, |rank| run(rank, 4, false));
    world(3, |rank| run(rank, 2, false));
    let resumed = world(2, |rank| run(rank, 4, true));
    assert!(resumed.iter().all(|model| *model == undisturbed[0]));
    std::fs::remove_file(&path).unwrap();
}
