//! Digits learnt so that the model gives little away of any single one, with three amounts of noise: what is
//! promised, what it costs in accuracy, and what is not covered.
//!
//! ```text
//! cargo run --release --example 20_private
//! ```

use std::error::Error;

use nn_runtime::data::digits;
use nn_runtime::prelude::*;
use nn_runtime::train::privacy::{Privacy, noise_multiplier};

network! {
    /// `GroupNorm` in place of `BatchNorm`, which mixes samples; few parameters, as noise is on each.
    pub struct Digits: [1, 28, 28] -> [10] {
        Conv2d(8, 5, stride = 2) -> GroupNorm(4) -> Tanh -> MaxPool2d(2);
        Flatten -> Dense(32) -> Tanh -> Dense(10) -> Softmax
    }
}

const SAMPLES: usize = 6_000;
const BATCH: usize = 300;
const EPOCHS: usize = 12;
const DELTA: f64 = 1e-5;

fn main() -> Result<(), Box<dyn Error>> {
    let (train, test) = (digits::draw(SAMPLES, 1), digits::draw(1_000, 2));
    let (rate, steps) = (BATCH as f64 / SAMPLES as f64, (SAMPLES / BATCH * EPOCHS) as u64);
    let mut accuracies = Vec::new();
    for target in [None, Some(8.0), Some(2.0), Some(0.5)] {
        let mut model = Digits::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(3e-3));
        if let Some(epsilon) = target {
            let noise = noise_multiplier(epsilon, rate, steps, DELTA);
            let privacy = Privacy::new(noise, 1.0).delta(DELTA);
            // Once is enough for what is not covered. For real data leave out `seed`: who knows it knows the
            // noise.
            let privacy = match accuracies.len() {
                1 => privacy.tell(|statement| println!("{statement}\n")),
                _ => privacy.tell(|_| {}),
            };
            trainer = trainer.private(privacy.seed(7));
        }
        trainer.fit(&train, Fit::epochs(EPOCHS).batch(BATCH))?;
        let accuracy = trainer.evaluate(&test)?.accuracy.expect("classes are right or wrong");
        let promise = match target {
            None => "no noise, nothing promised".into(),
            Some(_) => format!("epsilon {:.2} for delta {DELTA:e}", trainer.epsilon(DELTA)),
        };
        println!("{promise:32} {:.1} % of unseen digits", 100.0 * accuracy);
        accuracies.push(accuracy);
    }
    if accuracies[1] > 0.8 { Ok(()) } else { Err("expected digits to be learnt privately".into()) }
}
