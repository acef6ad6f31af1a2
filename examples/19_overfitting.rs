//! A network that has seen 200 digits knows these by heart and others worse, and what helps: dropout, an L2
//! penalty, stopping early, samples that are changed each time, more samples. Here it is the last two.
//!
//! ```text
//! cargo run --release --example 19_overfitting
//! ```

use std::error::Error;

use nn_runtime::data::{augment, digits};
use nn_runtime::prelude::*;

network! {
    /// It has more parameters than there are pixels to learn from.
    pub struct Plain: [784] -> [10] { hidden: Dense(256) -> Relu -> Dense(128) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// The same with noise.
    pub struct Dropping: [784] -> [10] {
        Dropout(0.2) -> hidden: Dense(256) -> Relu -> Dropout(0.5) -> Dense(128) -> Relu -> Dropout(0.5) -> Dense(10) -> Softmax
    }
}

/// Trains a fresh network and prints how well it knows the digits it has seen, and others. Returns the
/// latter.
fn judge<N>(cure: &str, train: &Dataset<Labels>, fit: Fit<Labels, N>, penalty: f64) -> Result<f64, Box<dyn Error>>
where
    N: Network,
    CrossEntropy: Fits<N::Head>,
{
    let mut model = N::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    for part in ["hidden", "dense_1"] {
        trainer = trainer.regularize(part, Regularizer::L2(penalty));
    }
    trainer.fit(train, fit.batch(16).seed(1))?;
    let (seen, unseen) = (trainer.evaluate(train)?, trainer.evaluate(&digits::draw(2_000, 3))?);
    let right = unseen.accuracy.expect("classes are right or wrong");
    let of_seen = 100.0 * seen.accuracy.expect("classes are right or wrong");
    println!("{cure:24} {of_seen:5.1} %  {:5.1} %  {:6.3}  {:6.3}", 100.0 * right, seen.loss, unseen.loss);
    Ok(right)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (few, held_back) = (digits::draw(200, 1), digits::draw(200, 2));
    println!("{:24} seen     unseen   loss    of unseen", "200 digits");
    const EPOCHS: usize = 60;
    let plain = judge::<Plain>("nothing", &few, Fit::epochs(EPOCHS), 0.0)?;
    judge::<Dropping>("dropout", &few, Fit::epochs(EPOCHS), 0.0)?;
    judge::<Plain>("an L2 penalty", &few, Fit::epochs(EPOCHS), 3e-3)?;
    let early = Fit::epochs(EPOCHS).validate(&held_back).early_stopping(EarlyStopping::patience(5)).keep_best();
    judge::<Plain>("stopping early", &few, early, 0.0)?;
    let (moved, turned) = (augment::shift([1, 28, 28], 2), augment::rotate([1, 28, 28], 12.0));
    let changed = Fit::epochs(EPOCHS).augment(moved.clone()).augment(turned.clone());
    let cured = judge::<Plain>("moved and turned", &few, changed, 0.0)?;
    let changed = Fit::epochs(EPOCHS).augment(moved).augment(turned);
    judge::<Dropping>("moved, turned, dropout", &few, changed, 0.0)?;
    judge::<Plain>("2,000 digits instead", &digits::draw(2_000, 1), Fit::epochs(10), 0.0)?;
    if cured > plain { Ok(()) } else { Err("expected changed samples to help".into()) }
}
