//! One layer by hand: `y = tanh(W·x + b)` with given numbers, nothing learnt.
//!
//! ```text
//! cargo run --release --example 02_signal
//! ```

use nn_runtime::prelude::*;

network! {
    /// Two numbers in, two numbers out.
    pub struct Signal: [2] -> [2] {
        mix: Dense(2) -> Tanh
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut model = Signal::init(0);
    // Row by row, as it is written on paper: W[output][input].
    model.set("mix.weight", &[1.0, 2.0, 3.0, 4.0])?;
    model.set("mix.bias", &[5.0, 6.0])?;

    // W·x + b = [28, 59]: far out on both ends tanh is 1.
    let y = *model.predictor(1).predict(&[7.0, 8.0]);
    println!("tanh(W·[7, 8] + b)       = {y:?}");

    // Closer to zero it bends.
    let y = *model.predictor(1).predict(&[-5.0, 0.1]);
    println!("tanh(W·[-5, 0.1] + b)    = {y:?}");
    Ok(())
}
