//! Linear regression by gradient descent: `y = W·x + b`, mean squared error, 1,000 steps from zeros.
//!
//! ```text
//! cargo run --release --example 01_linear_regression
//! ```

use nn_runtime::prelude::*;

network! {
    /// One weight for each of the two numbers of a sample, and a bias.
    pub struct Line: [2] -> [1] {
        line: Dense(1, init = Zeros)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]];
    let y = [[1.0], [2.0], [3.0], [4.0]];
    let data = Dataset::values(&x, &y)?;

    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.01));
    for step in 1..=1_000 {
        let loss = trainer.step(&data)?;
        if step % 100 == 0 {
            let w = trainer.model().get("line.weight")?;
            let b = trainer.model().get("line.bias")?;
            println!("step {step:4}: loss {loss:.6}, W = [{:.4}, {:.4}], b = {:.4}", w[0], w[1], b[0]);
        }
    }

    let [prediction] = *model.predictor(1).predict(&[5.0, 6.0]);
    println!("prediction for [5, 6]: {prediction:.4}");
    Ok(())
}
