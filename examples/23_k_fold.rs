//! Which setting is the best, asked of 342 penguins by five folds: each of them is predicted once, by a model
//! that has not seen it. How heavy a penguin is follows from its bill and its flippers; the data as in
//! `18_table`.
//!
//! ```text
//! cargo run --release --example 23_k_fold
//! ```

use std::error::Error;

use nn_runtime::data::{Csv, Missing, StandardizeTargets};
use nn_runtime::prelude::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins.csv");
const FOLDS: usize = 5;

network! {
    /// Three measures of a penguin, and its mass.
    pub struct Mass: [3] -> [1] { scale: Normalization -> Dense(32) -> Relu -> Dense(1) }
}

/// Root mean squared error, in grams, on samples that it does not learn from.
fn error_of(decay: f64, train: &Dataset<Values>, test: &Dataset<Values>, seed: u64) -> Result<f64, Box<dyn Error>> {
    // Every figure is that of the training part: what is held back stays unseen.
    let masses = StandardizeTargets::fit(train)?;
    let mut standardized = train.clone();
    masses.apply(&mut standardized)?;
    let mut model = Mass::init(seed);
    model.normalize("scale", &standardized)?;
    let mut trainer = Trainer::new(&mut model, Mse::new(), AdamW::new(1e-2).weight_decay(decay));
    trainer.fit(&standardized, Fit::epochs(60).batch(32).seed(seed))?;

    let mut answers = model.predictor(64).predict_all(test)?;
    masses.undo_to(answers.as_mut_slice())?;
    let pairs = answers.as_slice().iter().zip(test.targets().as_slice());
    let squares: f64 = pairs.map(|(answer, mass)| f64::from(answer - mass).powi(2)).sum();
    Ok((squares / test.len() as f64).sqrt())
}

fn main() -> Result<(), Box<dyn Error>> {
    let penguins = Csv::open(FILE)?
        .features(["bill_length_mm", "bill_depth_mm", "flipper_length_mm"])
        .missing(Missing::Drop)
        .values(["body_mass_g"])?;
    println!("{} penguins, {FOLDS} folds", penguins.len());

    let mut best = (f64::INFINITY, 0.0);
    for decay in [0.0, 0.1, 1.0, 10.0] {
        // The same folds for every setting, so that nothing but the setting differs.
        let errors = penguins.k_fold(FOLDS, 1)?.enumerate();
        let errors = errors.map(|(fold, (train, test))| error_of(decay, &train, &test, fold as u64));
        let errors = errors.collect::<Result<Vec<f64>, _>>()?;
        let mean = errors.iter().sum::<f64>() / FOLDS as f64;
        let spread = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / (FOLDS - 1) as f64;
        println!("weight decay {decay:4}: {mean:.0} g off, ± {:.0} from fold to fold", spread.sqrt());
        if mean < best.0 {
            best = (mean, decay);
        }
    }
    println!("the best is a weight decay of {}, {:.0} g off", best.1, best.0);
    if best.0 < 380.0 { Ok(()) } else { Err("expected less than 380 g".into()) }
}
