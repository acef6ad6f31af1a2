//! Running statistics of a layer that is used in several places follow one use after the other, wherever the
//! layer lies and whatever a trainer is set to. In: networks, batches; out: nothing, or a statistic that is
//! not that of a plain loop.

use nn_runtime::prelude::*;
use nn_runtime::train::update_statistics;
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers};

const MOMENTUM: f32 = 0.6;

network! {
    struct Three: (a: [2], b: [2], c: [2]) -> [2] {
        let p = a -> norm: BatchNorm(momentum = MOMENTUM);
        let q = b -> share(norm);
        let r = c -> share(norm);
        (p, q, r) -> Sum
    }
}
network! { struct Scaled: [2] -> [2] { norm: BatchNorm(momentum = MOMENTUM, affine = false) } }
network! {
    /// Within a network that is used three times.
    struct Nested: (a: [2], b: [2], c: [2]) -> [2] {
        let p = a -> scaled: Scaled;
        let q = b -> share(scaled);
        let r = c -> share(scaled);
        (p, q, r) -> Sum -> Dense(2)
    }
}

fn check<N: Network>(prefix: &str, set: impl for<'m> Fn(Trainer<'m, N, Mse, Sgd>) -> Trainer<'m, N, Mse, Sgd>)
where
    Mse: Fits<N::Head>,
{
    let mut model = N::init(0);
    let mut trainer = set(Trainer::new(&mut model, Mse::new(), Sgd::new(0.01)));
    let (mut means, mut vars) = ([0.0f64; 2], [1.0f64; 2]);
    for (step, samples) in [40usize, 7, 2, 33].into_iter().enumerate() {
        let x = |input: u64| -> Vec<f32> {
            numbers(10 * step as u64 + input, 2 * samples, 1.0)
                .iter()
                .map(|x| x * (1.0 + input as f32) + step as f32)
                .collect()
        };
        let data = Dataset::values((x(1), 2), (numbers(9, 2 * samples, 1.0), 2)).unwrap();
        let data = data.with_input((x(2), 2)).unwrap().with_input((x(3), 2)).unwrap();
        trainer.step(&data).unwrap();
        for input in 1..=3 {
            let x = x(input);
            for c in 0..2 {
                let column: Vec<f64> = x.iter().skip(c).step_by(2).map(|x| f64::from(*x)).collect();
                let mean = column.iter().sum::<f64>() / samples as f64;
                let var = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (samples as f64 - 1.0);
                means[c] += f64::from(MOMENTUM) * (mean - means[c]);
                vars[c] += f64::from(MOMENTUM) * (var - vars[c]);
            }
        }
        let of = |name: &str| trainer.model().get(&format!("{prefix}.{name}")).unwrap();
        assert_near(&of("running_mean"), &means, &format!("{prefix}, step {step}: mean"));
        assert_near(&of("running_var"), &vars, &format!("{prefix}, step {step}: variance"));
    }
}

#[test]
fn each_use_follows_the_one_before() {
    fn all<N: Network>(prefix: &str)
    where
        Mse: Fits<N::Head>,
    {
        check::<N>(prefix, |t| t);
        check::<N>(prefix, |t| t.threads(3));
        check::<N>(prefix, |t| t.accumulate(2));
        check::<N>(prefix, |t| t.clip(Clip::GlobalNorm(1e-3)).ema(0.9));
        check::<N>(prefix, |t| t.accumulate(3).clip(Clip::Value(1e-3)).threads(2));
    }
    all::<Three>("norm");
    all::<Nested>("scaled.norm");
}

network! {
    struct Two: (a: [2], b: [2]) -> [2] {
        let p = a -> norm: BatchNorm(cumulative = true);
        let q = b -> share(norm);
        (p, q) -> Sum
    }
}
network! {
    struct TwoOfMomentum: (a: [2], b: [2]) -> [2] {
        let p = a -> norm: BatchNorm(momentum = 0.3);
        let q = b -> share(norm);
        (p, q) -> Sum
    }
}
network! {
    struct ThreeCumulative: (a: [2], b: [2], c: [2]) -> [2] {
        let p = a -> norm: BatchNorm(cumulative = true);
        let q = b -> share(norm);
        let r = c -> share(norm);
        (p, q, r) -> Sum
    }
}
network! {
    struct ThreeOfMomentum: (a: [2], b: [2], c: [2]) -> [2] {
        let p = a -> norm: BatchNorm(momentum = 0.3);
        let q = b -> share(norm);
        let r = c -> share(norm);
        (p, q, r) -> Sum
    }
}

/// The uses of some samples of a case, an input each.
fn uses(case: &Case, samples: std::ops::Range<usize>) -> Dataset<Values> {
    let (uses, x) = (case.number("uses") as usize, case.inputs[0].narrow());
    let of = |k: usize| -> (Vec<f32>, usize) {
        (samples.clone().flat_map(|i| x[2 * (i * uses + k)..][..2].to_vec()).collect(), 2)
    };
    let targets = (vec![0.0; 2 * samples.len()], 2);
    (1..uses).fold(Dataset::values(of(0), targets).unwrap(), |data, k| data.with_input(of(k)).unwrap())
}

fn is_pytorchs<N: Network>(case: &Case, threads: usize)
where
    Mse: Fits<N::Head>,
{
    let (samples, batch) = (case.inputs[0].shape[0], case.number("batch") as usize);
    let mut model = N::init(0);
    if case.number("anew") != 0.0 {
        update_statistics(&mut model, &uses(case, 0..samples), batch).unwrap();
    } else {
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.0)).threads(threads);
        for first in (0..samples).step_by(batch) {
            trainer.step(&uses(case, first..samples.min(first + batch))).unwrap();
        }
    }
    for (name, truth) in &case.dparams {
        // Batches are counted where their number has a part.
        if let Ok(found) = model.get(&name.replace("num_batches_tracked", "batches")) {
            assert_near(&found, &truth.data, &format!("{}: {name}", case.name));
        } else {
            assert!(name.contains("tracked") && case.number("momentum") > 0.0, "{}: {name}", case.name);
        }
    }
}

#[test]
fn several_uses_of_a_batch_are_pytorchs() {
    for case in load("shared_statistics") {
        for threads in [1, 3] {
            match (case.number("uses") as usize, case.number("momentum") > 0.0) {
                (2, false) => is_pytorchs::<Two>(&case, threads),
                (2, true) => is_pytorchs::<TwoOfMomentum>(&case, threads),
                (_, false) => is_pytorchs::<ThreeCumulative>(&case, threads),
                (_, true) => is_pytorchs::<ThreeOfMomentum>(&case, threads),
            }
        }
    }
}

network! {
    /// A use within, of a layer that is used twice there, and three times without: six.
    struct Within: [2] -> [2] {
        let x = input -> norm: BatchNorm(cumulative = true, affine = false);
        let y = x -> Dense(2, init = Constant(0.5)) -> share(norm);
        (x, y) -> Sum
    }
}
network! {
    struct Deep: (a: [2], b: [2], c: [2]) -> [2] {
        let p = a -> within: Within;
        let q = b -> share(within);
        let r = c -> share(within);
        (p, q, r) -> Sum
    }
}
network! { struct Copies: (a: [2], b: [2]) -> [2] { let p = a -> within: Within * 2; let q = b -> share(within); (p, q) -> Sum } }

#[test]
fn uses_of_uses_count_alike() {
    // What the second use within sees is the mean of both features, which the first has made even.
    let (mut model, batches) = (Deep::init(0), [8usize, 5, 9]);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.0)).threads(2);
    let mut all = Vec::new();
    for (step, samples) in batches.into_iter().enumerate() {
        let x: Vec<Vec<f32>> = (0..3).map(|k| numbers(10 * step as u64 + k, 2 * samples, 2.0)).collect();
        let data = Dataset::values((&x[0][..], 2), (vec![0.0; 2 * samples], 2)).unwrap();
        let data = data.with_input((&x[1][..], 2)).unwrap().with_input((&x[2][..], 2)).unwrap();
        trainer.step(&data).unwrap();
        for x in &x {
            let wide = |c: usize| -> Vec<f64> { x.iter().skip(c).step_by(2).map(|x| f64::from(*x)).collect() };
            let [(mut left, first), (mut right, second)] = [0, 1].map(|c| even(&wide(c)));
            left.iter_mut().zip(&right).for_each(|(left, right)| *left = 0.5 * (*left + right));
            right.clone_from(&left);
            all.push([first, second]);
            all.push([even(&left).1, even(&right).1]);
        }
    }
    let mean = |c: usize| all.iter().map(|use_of| use_of[c].0).sum::<f64>() / all.len() as f64;
    let variance = |c: usize| all.iter().map(|use_of| use_of[c].1).sum::<f64>() / all.len() as f64;
    let found = |name: &str| trainer.model().get(&format!("within.norm.{name}")).unwrap();
    assert_eq!(found("batches"), [18.0]);
    assert_near(&found("running_mean"), &[mean(0), mean(1)], &"mean");
    assert_near(&found("running_var"), &[variance(0), variance(1)], &"variance");
    // Copies of a repeated network have statistics of their own.
    let mut model = Copies::init(0);
    let data = Dataset::values((numbers(1, 12, 1.0), 2), (vec![0.0; 12], 2)).unwrap();
    let data = data.with_input((numbers(2, 12, 3.0), 2)).unwrap();
    Trainer::new(&mut model, Mse::new(), Sgd::new(0.0)).step(&data).unwrap();
    for copy in ["0", "1"] {
        assert_eq!(model.get(&format!("within.{copy}.norm.batches")).unwrap(), [4.0]);
    }
}

/// Numbers with mean 0 and deviation 1, and the mean and unbiased variance they had.
fn even(x: &[f64]) -> (Vec<f64>, (f64, f64)) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let squares = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let deviation = (squares / n + 1e-5).sqrt();
    (x.iter().map(|x| (x - mean) / deviation).collect(), (mean, squares / (n - 1.0)))
}
