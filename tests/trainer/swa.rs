//! Stochastic weight averaging and the statistics that go with it, against PyTorch's `swa_utils`, and over a
//! checkpoint.

use nn_runtime::prelude::*;
use nn_runtime::train::update_statistics;
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, wide};

network! {
    struct Net: [3] -> [2] { a: Dense(5) -> norm: BatchNorm -> Tanh -> b: Dense(2) }
}
network! {
    struct Cumulative: [3] -> [2] { a: Dense(5) -> norm: BatchNorm(cumulative = true) -> Tanh -> b: Dense(2) }
}

/// PyTorch's names of a `Sequential`.
fn here(name: &str) -> String {
    let name = name.replace("num_batches_tracked", "batches");
    let names = [("0.", "a."), ("1.", "norm."), ("3.", "b.")];
    let (from, to) = names.into_iter().find(|(from, _)| name.starts_with(from)).unwrap();
    name.replacen(from, to, 1)
}

fn begun<N: Network>(case: &Case) -> (Model<N>, Dataset<Values>) {
    let mut model = N::init(0);
    case.params.iter().for_each(|(name, values)| model.set(&here(name), &values.narrow()).unwrap());
    let data = Dataset::values((case.inputs[0].narrow(), 3), (case.inputs[1].narrow(), 2)).unwrap();
    (model, data)
}

fn is_pytorchs<N: Network>(case: &Case)
where
    Mse: Fits<N::Head>,
{
    let (epochs, after) = (case.number("epochs") as usize, case.number("after") as usize);
    for threads in [1, 2] {
        let (mut model, data) = begun::<N>(case);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.2).momentum(0.5)).swa(after).threads(threads);
        // In two calls: epochs go on counting.
        for epochs in [1, epochs - 1] {
            trainer.fit(&data, Fit::epochs(epochs).batch(4).shuffle(false)).unwrap();
        }
        let before = trainer.model().clone();
        if threads == 1 {
            let (mut model, data) = begun::<N>(case);
            let mut own = Trainer::new(&mut model, Mse::new(), Sgd::new(0.2).momentum(0.5)).swa(after);
            for _ in 0..epochs {
                for first in (0..12).step_by(4) {
                    own.step(&data.select(&[first, first + 1, first + 2, first + 3])).unwrap();
                }
                own.swa_epoch();
            }
            let (own, of_fit) = (own.ema_model(), trainer.ema_model());
            assert_near(&own.get("a.weight").unwrap(), &wide(&of_fit.get("a.weight").unwrap()), &"a loop of one's own");
        }
        let average = trainer.swa_model(&data, case.number("batch") as usize).unwrap();
        for (name, truth) in &case.dparams {
            assert_near(&average.get(&here(name)).unwrap(), &truth.data, &format!("{}: {name}", case.name));
        }
        assert_eq!(trainer.model().get("a.weight").unwrap(), before.get("a.weight").unwrap());
    }
}

#[test]
fn averages_and_statistics_are_pytorchs() {
    for case in load("swa") {
        match case.number("cumulative") as usize {
            0 => is_pytorchs::<Net>(&case),
            _ => is_pytorchs::<Cumulative>(&case),
        }
    }
}

/// A run that was broken off has the average of the one that was not.
#[test]
fn a_checkpoint_keeps_the_average() {
    let case = &load("swa")[0];
    let file = std::env::temp_dir().join(format!("swa-{}.ckpt", std::process::id()));
    let run = |epochs: usize, resume: bool| {
        let (mut model, data) = begun::<Net>(case);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.2)).swa(2);
        if resume {
            trainer.resume(&file).unwrap();
        }
        trainer.fit(&data, Fit::epochs(epochs).batch(4).checkpoint(Checkpoint::to(&file))).unwrap();
        trainer.swa_model(&data, 12).unwrap()
    };
    let truth = run(6, false);
    run(4, false);
    let found = run(6, true);
    for name in ["a.weight", "b.bias", "norm.running_mean"] {
        assert_eq!(found.get(name).unwrap(), truth.get(name).unwrap(), "{name}");
    }
    let (mut model, _) = begun::<Net>(case);
    let other = Trainer::new(&mut model, Mse::new(), Sgd::new(0.2)).swa(3).resume(&file).unwrap_err().to_string();
    assert!(other.contains("ema") && other.contains("epochs after 2"), "{other}");
    std::fs::remove_file(&file).unwrap();
}

network! { struct Plain: [3] -> [2] { Dense(2) } }
network! { struct Rests: [3] -> [5] { frozen inner: Inner -> BatchNorm } }
network! { struct Inner: [3] -> [5] { Dense(5) -> BatchNorm } }

#[test]
fn statistics_alone_are_found_anew() {
    let data = Dataset::values((numbers(1, 30, 3.0), 3), (numbers(2, 20, 1.0), 2)).unwrap();
    let mut plain = Plain::init(1);
    let before = plain.to_bytes();
    update_statistics(&mut plain, &data, 0).unwrap();
    assert_eq!(plain.to_bytes(), before, "there are none");

    let mut model = Rests::init(1);
    let before = model.clone();
    update_statistics(&mut model, &data, 4).unwrap();
    for name in ["inner.dense_1.weight", "inner.batch_norm_1.running_mean", "inner.batch_norm_1.running_var"] {
        assert_eq!(model.get(name).unwrap(), before.get(name).unwrap(), "{name}");
    }
    assert_ne!(model.get("batch_norm_1.running_mean").unwrap(), before.get("batch_norm_1.running_mean").unwrap());

    let (mut net, begun) = (Net::init(1), Net::init(1).to_bytes());
    let told = update_statistics(&mut net, &data, 0).unwrap_err().to_string();
    assert!(told.contains("expected samples to find statistics on, found a batch of none"), "{told}");
    let far = Dataset::values(
        ((0..12).map(|i| if i < 6 { 1e30 } else { -1e30 }).collect::<Vec<f32>>(), 3),
        (vec![0.0; 8], 2),
    )
    .unwrap();
    assert!(update_statistics(&mut net, &far, 4).is_err());
    assert_eq!(net.to_bytes(), begun, "a refused update changes nothing");
}
