//! Two inputs: which of two handwritten digits is the larger one? Both go through the same encoder: `share`
//! uses a layer's parameters a second time.
//!
//! ```text
//! cargo run --release --example 07_two_inputs
//! ```

use nn_runtime::data::{Labels, digits};
use nn_runtime::prelude::*;

network! {
    /// What there is to know of one digit.
    pub struct Encoder: [784] -> [16] {
        Dense(64) -> Relu -> Dense(16) -> Relu
    }
}

network! {
    /// The chance that the right digit is larger than the left one.
    pub struct Larger: (left: [784], right: [784]) -> [1] {
        let a = left -> encoder: Encoder;
        let b = right -> share(encoder);
        (a, b) -> Concat -> Dense(32) -> Relu -> Dense(1) -> Sigmoid
    }
}

/// Pairs of neighbours in a set of digits, without those of the same digit.
fn pairs(digits: &Dataset<Labels>) -> Result<Dataset<Values>, Box<dyn std::error::Error>> {
    let (mut left, mut right, mut larger) = (Vec::new(), Vec::new(), Vec::new());
    let labels = digits.targets().as_slice();
    for i in 1..digits.len() {
        if labels[i - 1] != labels[i] {
            left.extend_from_slice(digits.input(0, i - 1));
            right.extend_from_slice(digits.input(0, i));
            larger.push(f32::from(u8::from(labels[i] > labels[i - 1])));
        }
    }
    Ok(Dataset::values((left, 784), (larger, 1))?.with_input((right, 784))?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let train = pairs(&digits::draw(8_000, 1))?;
    let test = pairs(&digits::draw(2_000, 2))?;

    let mut model = Larger::init(0);
    let mut trainer = Trainer::new(&mut model, BinaryCrossEntropy::new(), Adam::new(1e-3));
    println!("{}", trainer.fit(&train, Fit::epochs(8).validate(&test))?);

    let mut predictor = model.predictor(1);
    for i in 0..5 {
        let (left, right) = (test.input(0, i).try_into()?, test.input(1, i).try_into()?);
        let [chance] = *predictor.predict((left, right));
        let answer = if test.targets().sample(i)[0] == 1.0 { "is" } else { "is not" };
        println!("pair {i}: the right one {answer} larger, predicted {:.1} %", 100.0 * chance);
    }
    Ok(())
}
