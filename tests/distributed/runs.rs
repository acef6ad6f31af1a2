//! Runs that are broken off, go on, or never begin. In: worlds of threads; out: nothing, or a panic.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nn_runtime::data::digits;
use nn_runtime::distributed::{CommunicationError, Communicator, LocalCommunicator, SharedParts};
use nn_runtime::prelude::*;
use nn_runtime::train::{Every, StopHandle, TrainError};
use nn_tests::numbers::{assert_near, numbers, wide};

use crate::{Cnn, Mlp, bits, fit, world};

/// A path of this test's own, without a file.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("distributed-{name}-{}.ckpt", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// A trainer of the perceptron with everything that a checkpoint must keep.
fn remembering(model: &mut Model<Mlp>, rank: impl Communicator + 'static) -> Trainer<'_, Mlp, CrossEntropy, Adam> {
    let trainer = Trainer::new(model, CrossEntropy::new(), Adam::new(1e-3)).ema(0.9).accumulate(2);
    trainer.schedule(Cosine::new(9)).threads(1).distributed(rank).unwrap()
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let data = digits::draw(300, 1);
    let undisturbed = world(1, |rank| {
        let mut model = Mlp::init(3);
        remembering(&mut model, rank).fit(&data, fit(3)).unwrap();
        bits(&model)
    });
    let path = path("resumed");
    for (before, after) in [(1, 3), (4, 2), (2, 1)] {
        world(before, |rank| {
            let mut model = Mlp::init(3);
            let mut step = 0;
            // Broken off in the middle of the second epoch, by one rank for all.
            let stopping = rank.rank() + 1 == before;
            let fit = fit(3).checkpoint(Checkpoint::to(&path).every(Every::Steps(2))).on_step(move |_, _| {
                step += 1;
                match stopping && step == 7 {
                    true => std::ops::ControlFlow::Break(()),
                    false => std::ops::ControlFlow::Continue(()),
                }
            });
            let history = remembering(&mut model, rank).fit(&data, fit).unwrap();
            assert_eq!(history.epochs.len(), 1);
        });
        let resumed = world(after, |rank| {
            let mut model = Mlp::init(0);
            let mut trainer = remembering(&mut model, rank);
            trainer.resume(&path).unwrap();
            assert_eq!(trainer.fit(&data, fit(3)).unwrap().epochs.len(), 3);
            drop(trainer);
            bits(&model)
        });
        assert!(resumed.iter().all(|model| *model == undisturbed[0]), "from {before} to {after} ranks");
    }
    std::fs::remove_file(&path).unwrap();
}

/// A rank that ends after so many exchanges, in the middle of one: it has sent nothing.
struct Dying {
    rank: LocalCommunicator,
    left: AtomicUsize,
    /// Whether it has memory together with others.
    shares: bool,
}

impl Communicator for Dying {
    fn rank(&self) -> usize {
        self.rank.rank()
    }
    fn size(&self) -> usize {
        self.rank.size()
    }
    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        match self.left.fetch_sub(1, Ordering::Relaxed) {
            0 => std::panic::resume_unwind(Box::new("killed")),
            _ => self.rank.exchange(send, receive),
        }
    }
    fn shared(&self, len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        if self.shares { self.rank.shared(len) } else { Ok(None) }
    }
}

#[test]
fn a_rank_that_ends_is_named_by_all_and_the_file_is_whole() {
    let data = digits::draw(300, 1);
    let undisturbed = world(2, |rank| {
        let mut model = Mlp::init(3);
        remembering(&mut model, rank).fit(&data, fit(3)).unwrap();
        bits(&model)
    });
    // Wherever it ends: in a loss, a gradient, an evaluation.
    let each = [(0, 21), (1, 33), (2, 14), (2, 40), (1, 27)];
    for ((dying, after), shares) in each.into_iter().flat_map(|each| [(each, false), (each, true)]) {
        let path = path(&format!("killed-{dying}-{after}"));
        let ends = thread::scope(|scope| {
            let start = |rank: LocalCommunicator| {
                let (path, data, me) = (&path, &data, rank.rank());
                scope.spawn(move || {
                    let mut model = Mlp::init(3);
                    let fit = fit(3).validate(data).checkpoint(Checkpoint::to(path).every(Every::Steps(1)));
                    let left = AtomicUsize::new(if me == dying { after } else { usize::MAX });
                    remembering(&mut model, Dying { rank, left, shares }).fit(data, fit)
                })
            };
            let ranks: Vec<_> = LocalCommunicator::world(3).into_iter().map(start).collect();
            ranks.into_iter().map(|rank| rank.join()).collect::<Vec<_>>()
        });
        for (rank, end) in ends.into_iter().enumerate() {
            match end {
                Err(_) => assert_eq!(rank, dying),
                Ok(Err(error @ TrainError::Distributed { .. })) => {
                    let text = error.to_string();
                    assert!(rank != dying && text.contains(&format!("rank {dying} has ended")), "{text}");
                }
                Ok(other) => panic!("rank {rank}: {other:?}"),
            }
        }
        let resumed = world(2, |rank| {
            let mut model = Mlp::init(0);
            let mut trainer = remembering(&mut model, rank);
            trainer.resume(&path).unwrap();
            trainer.fit(&data, fit(3).validate(&data)).unwrap();
            drop(trainer);
            bits(&model)
        });
        assert!(resumed.iter().all(|model| *model == undisturbed[0]), "rank {dying} after {after}");
        std::fs::remove_file(&path).unwrap();
    }
}

/// What each rank is told when rank 2 differs from the others.
fn told(each: impl Fn(LocalCommunicator, bool) -> Result<(), TrainError> + Sync) -> String {
    let all = world(3, |rank| {
        let odd = rank.rank() == 2;
        match each(rank, odd) {
            Err(TrainError::Setting(text)) => text,
            other => panic!("{other:?}"),
        }
    });
    assert!(all.iter().all(|text| *text == all[0]), "{all:?}");
    all.into_iter().next().unwrap()
}

#[test]
fn what_differs_is_told_by_rank_before_the_first_step() {
    let (data, other) = (digits::draw(100, 1), digits::draw(100, 2));
    let networks = told(|rank, odd| match odd {
        true => Trainer::new(&mut Cnn::init(0), CrossEntropy::new(), Sgd::new(0.1)).distributed(rank).map(|_| ()),
        false => Trainer::new(&mut Mlp::init(0), CrossEntropy::new(), Sgd::new(0.1)).distributed(rank).map(|_| ()),
    });
    assert!(
        networks.starts_with("rank 2: network: expected as on rank 0, Mlp, found Cnn\nrank 2: fingerprint"),
        "{networks}"
    );
    let settings = told(|rank, odd| {
        let rate = if odd { 0.2 } else { 0.1 };
        let batch = if odd { 16 } else { 32 };
        let data = if odd { &other } else { &data };
        let mut model = Mlp::init(u64::from(odd));
        let before = bits(&model);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(rate)).distributed(rank)?;
        let result = trainer.fit(data, Fit::epochs(1).batch(batch)).map(|_| ());
        drop(trainer);
        assert!(bits(&model) == before, "nothing has changed");
        result
    });
    for part in [
        "optimizer",
        "batch: expected as on rank 0, 32, found 16",
        "fingerprint of the parameters",
        "fingerprint of the training data",
    ] {
        assert!(settings.contains(&format!("rank 2: {part}")), "{settings}");
    }
    assert!(!settings.contains("rank 1") && !settings.contains("rank 2: seed"), "{settings}");
}

#[test]
fn one_rank_stops_all() {
    let data = digits::draw(100, 1);
    let steps = world(3, |rank| {
        let stop = StopHandle::new();
        if rank.rank() == 1 {
            stop.stop();
        }
        let mut model = Mlp::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).distributed(rank).unwrap();
        trainer.fit(&data, Fit::epochs(9).batch(10).stop_by(&stop)).unwrap();
        trainer.steps()
    });
    assert_eq!(steps, [1, 1, 1]);
}

#[test]
fn what_is_not_finite_is_refused_by_all() {
    let data = digits::draw(100, 1);
    let kept = world(3, |rank| {
        let mut model = Mlp::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(3e38)).distributed(rank).unwrap();
        (0..9).any(|_| {
            let before = bits(trainer.model());
            let refused = matches!(trainer.step(&data), Err(TrainError::NotFinite { .. }));
            refused && bits(trainer.model()) == before
        })
    });
    assert_eq!(kept, [true; 3]);
}

network! { struct Series: [5, 2] -> [5, 1] { Lstm(6) -> Gru(4) -> DensePerStep(1) } }

/// 70 sequences of four windows: window `k` of sequence `i` is sample `70 · k + i`.
fn series() -> Dataset<Values> {
    let (x, y) = (numbers(1, 4 * 70 * 10, 1.0), numbers(2, 4 * 70 * 5, 1.0));
    Dataset::values((x, 10), (y, 5)).unwrap()
}

fn stateful(model: &mut Model<Series>) -> Trainer<'_, Series, Mse, Adam> {
    Trainer::new(model, Mse::new(), Adam::new(1e-2)).stateful()
}

/// Each rank keeps the state of its samples: the same bits on any number of them, those of a trainer on its
/// own but for the order of sums, and not those of windows that know nothing of each other.
#[test]
fn windows_go_on_on_every_rank() {
    let data = series();
    let fit = || Fit::epochs(2).batch(70).shuffle(false);
    let on = |ranks: usize| {
        let all = world(ranks, |rank| {
            let mut model = Series::init(3);
            stateful(&mut model).threads(1).distributed(rank).unwrap().fit(&data, fit()).unwrap();
            model.to_bytes()
        });
        assert!(all.iter().all(|model| *model == all[0]), "{ranks} ranks");
        all.into_iter().next().unwrap()
    };
    let one = on(1);
    for ranks in [2, 3, 7] {
        assert_eq!(on(ranks), one, "{ranks} ranks");
    }
    let (mut alone, mut apart) = (Series::init(3), Series::init(3));
    stateful(&mut alone).fit(&data, fit()).unwrap();
    Trainer::new(&mut apart, Mse::new(), Adam::new(1e-2)).fit(&data, fit()).unwrap();
    let one = Model::<Series>::from_bytes(&one).unwrap();
    let weight = |model: &Model<Series>| model.get("lstm_1.weight_hh").unwrap();
    assert_near(&weight(&one), &wide(&weight(&alone)), &"on its own");
    let apart: f32 = weight(&one).iter().zip(weight(&apart)).map(|(a, b)| (a - b).abs()).sum();
    assert!(apart > 1e-3, "the state counts: {apart}");
}

#[test]
fn windows_go_on_behind_a_checkpoint_on_other_ranks() {
    let (data, path) = (series(), path("stateful"));
    let fit = || Fit::epochs(2).batch(70).shuffle(false);
    let undisturbed = world(1, |rank| {
        let mut model = Series::init(3);
        stateful(&mut model).distributed(rank).unwrap().fit(&data, fit()).unwrap();
        model.to_bytes()
    });
    for (before, after) in [(1, 3), (3, 2), (2, 1)] {
        world(before, |rank| {
            let (mut model, mut step) = (Series::init(3), 0);
            let fit = fit().checkpoint(Checkpoint::to(&path).every(Every::Steps(1))).on_step(move |_, _| {
                step += 1;
                if step == 6 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
            });
            stateful(&mut model).distributed(rank).unwrap().fit(&data, fit).unwrap();
        });
        let resumed = world(after, |rank| {
            let mut model = Series::init(0);
            let mut trainer = stateful(&mut model).distributed(rank).unwrap();
            trainer.resume(&path).unwrap();
            trainer.fit(&data, fit()).unwrap();
            drop(trainer);
            model.to_bytes()
        });
        assert!(resumed.iter().all(|model| *model == undisturbed[0]), "from {before} to {after} ranks");
    }
    std::fs::remove_file(&path).unwrap();
}
