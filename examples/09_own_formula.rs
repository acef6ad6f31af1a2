//! An activation and a loss of one's own, each written as its formula: the macro differentiates it, makes
//! vector code of it, and tests it (`cargo test --example 09_own_formula`). A network of waves continues a
//! rhythm beyond its data, where one of `Tanh` fails.
//!
//! ```text
//! cargo run --release --example 09_own_formula
//! ```

use nn_runtime::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

activation! {
    /// "Snake", a wave along a slope (Ziyin, Hartwig & Ueda, 2020); how long the wave is, is learnt.
    pub snake(x; learn pitch = 1.0) = x + square(sin(pitch * x)) / pitch
}

loss! {
    /// Squared near 0 and absolute further out, so that outliers do not dominate.
    pub log_cosh(y, t; width = 0.1) where width > 0.0 = width * ln(cosh((y - t) / width))
}

network! {
    /// Of snakes.
    pub struct Waves: [1] -> [1] { Dense(24) -> Snake -> Dense(24) -> Snake -> Dense(1) }
}

network! {
    /// The same, of the usual bends.
    pub struct Bends: [1] -> [1] { Dense(24) -> Tanh -> Dense(24) -> Tanh -> Dense(1) }
}

/// A rhythm on a slope.
fn truth(time: f32) -> f32 {
    0.12 * time + 0.5 * (1.7 * time).sin()
}

/// Measurements of it between two times, of which one in ten is wrong.
fn measured(times: std::ops::Range<f32>, wrong: bool) -> Result<Dataset<Values>, Box<dyn std::error::Error>> {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..600 {
        let time = rng.random_range(times.clone());
        x.push([time]);
        y.push([truth(time) + if wrong && rng.random_bool(0.1) { rng.random_range(-3.0f32..3.0) } else { 0.0 }]);
    }
    Ok(Dataset::values(x, y)?)
}

fn learn<N: Network>() -> Result<(Model<N>, [f64; 2]), Box<dyn std::error::Error>>
where
    LogCosh: Fits<N::Head>,
    Mse: Fits<N::Head>,
{
    let mut model = N::init(0);
    let (train, within, beyond) =
        (measured(-8.0..8.0, true)?, measured(-8.0..8.0, false)?, measured(8.0..12.0, false)?);
    let epochs = 300;
    let steps = (epochs * train.len().div_ceil(32)) as u64;
    let mut trainer = Trainer::new(&mut model, LogCosh::new(), Adam::new(1e-2)).schedule(Cosine::new(steps));
    trainer.fit(&train, Fit::epochs(epochs))?;
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.0));
    let errors = [trainer.evaluate(&within)?.loss.sqrt(), trainer.evaluate(&beyond)?.loss.sqrt()];
    Ok((model, errors))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (model, [within, beyond]) = learn::<Waves>()?;
    println!("Snake: off by {within:.3} where it has measured, by {beyond:.3} further on");
    println!(
        "       the waves' pitches, learnt: {:?} and {:?}",
        model.get("snake_1.pitch")?,
        model.get("snake_2.pitch")?
    );
    let (_, [within, beyond]) = learn::<Bends>()?;
    println!("Tanh:  off by {within:.3} where it has measured, by {beyond:.3} further on");
    Ok(())
}
