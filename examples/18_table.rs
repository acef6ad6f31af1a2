//! A table from end to end: words as numbers, missing fields, cross-validation, a scaler that travels with
//! the weights, and predictions by name. The table is of 344 penguins: Horst, Hill & Gorman,
//! "palmerpenguins", 2020 (CC0), after Gorman, Williams & Fraser, 2014.
//!
//! ```text
//! cargo run --release --example 18_table
//! ```

use std::error::Error;

use nn_runtime::data::{Csv, Missing};
use nn_runtime::prelude::*;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins.csv");
const SEXES: [&str; 2] = ["female", "male"];

network! {
    /// Four measures and the sex of a penguin, and which species it is of.
    pub struct Penguin: [6] -> [3] { scale: Normalization -> Dense(16) -> Relu -> Dense(3) -> Softmax }
}

/// Learns until what is held back is no longer judged better, and keeps the best.
fn learn(train: &Dataset<Labels>, seed: u64) -> Result<Model<Penguin>, Box<dyn Error>> {
    let (train, held_back) = train.split_stratified(0.2, seed)?;
    let mut model = Penguin::init(seed);
    model.normalize("scale", &train)?;
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), AdamW::new(1e-2));
    let patience = EarlyStopping::patience(20);
    trainer.fit(&train, Fit::epochs(300).batch(16).validate(&held_back).early_stopping(patience).keep_best())?;
    Ok(model)
}

fn main() -> Result<(), Box<dyn Error>> {
    let species = Csv::open(FILE)?.distinct("species")?;
    let penguins = Csv::open(FILE)?
        .features(["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"])
        .one_hot("sex", &SEXES)
        .missing(Missing::Drop)
        .named_classes("species", &species)?;
    println!("{} penguins without missing fields", penguins.len());

    let mut scores = Vec::new();
    for (fold, (train, test)) in penguins.stratified_k_fold(5, 1)?.enumerate() {
        let mut model = learn(&train, fold as u64)?;
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), AdamW::new(1e-2));
        let (_, (accuracy, f1)) = trainer.evaluate_with(&test, (Accuracy::new(), F1::macro_avg()))?;
        println!("fold {fold}: {:.1} % of {} right, F1 {f1:.3}", 100.0 * accuracy, test.len());
        scores.push(accuracy);
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    println!("right on unseen penguins: {:.1} %", 100.0 * mean);

    let model = learn(&penguins, 9)?;
    let seen = [46.5, 17.9, 192.0, 3500.0, 1.0, 0.0];
    println!("{seen:?} is a {}", species[model.predictor(1).class(&seen)]);
    if mean < 0.95 { Err("expected 95 % to be right".into()) } else { Ok(()) }
}
