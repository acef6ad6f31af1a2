//! Rows of weight 0 under every loss: whatever their targets and outputs are, everything is as without them.
//! In: networks whose values run over on those rows, targets that no loss takes; out: nothing, or what a row
//! that is left out has changed.

use nn_runtime::Isa;
use nn_runtime::data::{Samples, Targets};
use nn_runtime::losses::{
    BinaryCrossEntropy, BinaryFocal, CosineSimilarity, CrossEntropy, Ctc, ElementWeights, Focal, GaussianNll, Hinge,
    Huber, KlDivergence, Mae, Mse, MultiResolutionStft, Poisson, Quantile, Triplet,
};
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;
use nn_tests::numbers::numbers;

network! { struct Six: [4] -> [6] { wide: Dense(6) } }
network! { struct Images: [1, 2, 2] -> [6] { wide: Conv2d(6, 2) -> Flatten } }
network! { struct Signal: [4] -> [40] { wide: Dense(40) } }
network! { struct Steps: [4] -> [4, 6] { wide: Dense(24) -> Reshape([4, 6]) } }
network! { struct Own: [4] -> [6] { wide: Dense(6) -> Softplus } }

loss! {
    pub relative(y, t) = square(y - t) / (0.5 + abs(t));
    pub share(y, t) = sum(square(y - t)) / (sum(square(t)) + 1.0)
}

const SAMPLES: usize = 35;

/// Every third sample, whole blocks of 16 among them.
fn counts(sample: usize) -> bool {
    sample % 3 != 1 && sample != 0 && !(16..32).contains(&sample)
}

/// Inputs whose outputs overflow where a sample does not count.
fn inputs() -> Values {
    let mut x = numbers(1, SAMPLES * 4, 1.0);
    for sample in (0..SAMPLES).filter(|sample| !counts(*sample)) {
        x[sample * 4..][..4].fill(3e38);
    }
    (x, 4).into_values().unwrap()
}

/// Targets of this many numbers a sample, as `draw` makes them of numbers from 0 to 1; `odd` where a sample
/// does not count.
fn values(width: usize, odd: f32, draw: impl Fn(f32) -> f32) -> Values {
    let mut t: Vec<f32> = numbers(2, SAMPLES * width, 1.0).into_iter().map(|t| draw(t.abs())).collect();
    for sample in (0..SAMPLES).filter(|sample| !counts(*sample)) {
        t[sample * width..][..width].fill(odd);
    }
    (t, width).into_values().unwrap()
}

fn parameters<N: Network>(model: &Model<N>) -> Vec<f32> {
    model.tensors().iter().flat_map(|tensor| model.get(&tensor.name).unwrap()).collect()
}

/// Losses, and parameters after steps, with the rows and without.
fn check<N: Network, T: Targets, L>(what: &str, loss: impl Fn() -> L, targets: T)
where
    L: Fits<N::Head> + Objective<T>,
{
    let weights: Vec<f32> = (0..SAMPLES).map(|i| if counts(i) { 0.25 + (i % 4) as f32 } else { 0.0 }).collect();
    let data = Dataset::new(inputs(), targets).unwrap().with_weights((weights, 1)).unwrap();
    let rest = data.select(&(0..SAMPLES).filter(|i| counts(*i)).collect::<Vec<_>>());
    for isa in Isa::available() {
        for set in 0..4 {
            let run = |data: &Dataset<T>| {
                let mut model = N::init(3);
                // 3e38 times the sum of a row of weights is infinite.
                let wide = model.get("wide.weight").unwrap();
                model.set("wide.weight", &wide.iter().map(|w| 0.5 + w.abs()).collect::<Vec<_>>()).unwrap();
                let trainer = Trainer::new_on(&mut model, loss(), Adam::new(0.01), isa);
                let mut trainer = match set {
                    0 => trainer,
                    1 => trainer.threads(2).ema(0.5),
                    2 => trainer.clip(Clip::GlobalNorm(0.1)),
                    _ => trainer.accumulate(2).clip(Clip::Norm(0.1)),
                };
                let found = trainer.evaluate(data).unwrap_or_else(|fault| panic!("{what}, {set}: {fault}")).loss;
                let mut losses = vec![found];
                for _ in 0..4 {
                    losses.push(trainer.step(data).unwrap_or_else(|fault| panic!("{what}, {set}: {fault}")));
                }
                let average = parameters(&trainer.ema_model());
                losses.into_iter().chain(average.into_iter().chain(parameters(&model)).map(f64::from)).collect()
            };
            let (with, without): (Vec<f64>, Vec<f64>) = (run(&data), run(&rest));
            let off = with.iter().zip(&without).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
            let most = off.fold(0.0, |most: f64, off| if off.is_nan() { f64::INFINITY } else { most.max(off) });
            assert!(most <= 3e-6, "{what} {}, {set}: {most:.1e} off", isa.name());
        }
    }
}

#[test]
fn of_every_loss_on_values() {
    for odd in [f32::NAN, f32::INFINITY, 3e38, -7.5] {
        let (any, half) = (|| values(6, odd, |t| 4.0 * t - 2.0), || values(6, odd, |t| 0.5 * t));
        check::<Six, _, _>("Mse", Mse::new, any());
        check::<Images, _, _>("Mse of images", Mse::new, any());
        check::<Six, _, _>("Mse, half", Mse::half, any());
        check::<Six, _, _>("Mae", Mae::new, any());
        check::<Six, _, _>("Huber", Huber::new, any());
        check::<Six, _, _>("Quantile", || Quantile::new(0.9), any());
        check::<Six, _, _>("BinaryCrossEntropy", BinaryCrossEntropy::new, half());
        check::<Six, _, _>("pos_weight", || BinaryCrossEntropy::new().pos_weight(3.0), half());
        check::<Six, _, _>("BinaryFocal", BinaryFocal::new, values(6, odd, |t| f32::from(t > 0.5)));
        check::<Six, _, _>("Hinge", Hinge::new, values(6, odd, |t| if t > 0.5 { 1.0 } else { -1.0 }));
        check::<Six, _, _>("Hinge, squared", Hinge::squared, values(6, odd, |t| if t > 0.5 { 1.0 } else { -1.0 }));
        check::<Six, _, _>("Poisson", Poisson::new, half());
        check::<Own, _, _>("Poisson of rates", || Poisson::new().log_input(false), half());
        check::<Six, _, _>("CosineSimilarity", CosineSimilarity::new, any());
        check::<Own, _, _>("GaussianNll", GaussianNll::new, values(3, odd, |t| 4.0 * t - 2.0));
        check::<Six, _, _>("Triplet", || Triplet::new().swap(true), values(1, odd, |t| t));
        check::<Six, _, _>("ElementWeights", || ElementWeights::new(Mse::new()), values(12, odd, |t| t));
        check::<Six, _, _>("a formula", Relative::new, any());
        check::<Six, _, _>("a formula of sums", Share::new, any());
        let stft = || MultiResolutionStft::new().resolutions(&[[8, 2, 8]]);
        check::<Signal, _, _>("MultiResolutionStft", stft, values(40, odd, |t| t));
    }
}

#[test]
fn of_every_loss_on_classes() {
    for odd in [6, 255, u32::MAX] {
        let label = |i: usize| if counts(i) { (i * 7 % 6) as u32 } else { odd };
        let labels = || Labels::new((0..SAMPLES).map(label)).unwrap();
        check::<Six, _, _>("CrossEntropy", CrossEntropy::new, labels());
        check::<Six, _, _>("smoothed", || CrossEntropy::new().label_smoothing(0.2), labels());
        check::<Six, _, _>("Focal", Focal::new, labels());
        let read = || Labels::per_step((0..2 * SAMPLES).map(|i| if counts(i / 2) { 1 + i as u32 % 4 } else { odd }), 2);
        check::<Steps, _, _>("Ctc", Ctc::new, read().unwrap());
    }
    for odd in [f32::NAN, -1.0, 3e38] {
        let mut shares = values(6, odd, |t| 0.1 + t);
        let counted = (0..SAMPLES).filter(|i| counts(*i));
        for i in counted {
            let row = &mut shares.as_mut_slice()[i * 6..][..6];
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|t| *t /= sum);
        }
        check::<Six, _, _>("CrossEntropy of distributions", CrossEntropy::new, shares.clone());
        check::<Six, _, _>("KlDivergence", KlDivergence::new, shares);
    }
}
