//! Running statistics of a layer that is used in several places follow one use after the other, wherever the
//! layer lies and whatever a trainer is set to. In: networks, batches; out: nothing, or a statistic that is
//! not that of a plain loop.

use nn_runtime::prelude::*;
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
