//! Reads digits with weights that are a part of the program: no file, no path, no error when it runs.
//!
//! ```text
//! cargo run --release --example 14_embedded
//! cargo run --release --example 14_embedded -- --train
//! ```
//!
//! `--train` goes on learning and writes the file anew; the next build compares it with the network and takes
//! it in. Change a layer, and the build says what the file has instead.

use nn_runtime::data::digits;
use nn_runtime::prelude::*;

network! {
    /// Reads a handwritten digit.
    #[weights("examples/data/digits.safetensors")]
    pub struct Digits: [1, 28, 28] -> [10] {
        Flatten -> hidden: Dense(12) -> Relu -> head: Dense(10) -> Softmax
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut model = Digits::embedded();
    let test = digits::draw(2000, 2);
    if std::env::args().any(|flag| flag == "--train") {
        let train = digits::draw(20_000, 1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
        println!("{}", trainer.fit(&train, Fit::epochs(10).batch(32).validate(&test))?);
        model.save(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.safetensors"))?;
    }
    let mut predictor = model.predictor(1);
    let mut right = 0;
    for i in 0..test.len() {
        let image: &[f32; 784] = test.input(0, i).try_into()?;
        let probabilities = predictor.predict(image);
        let best = (0..10).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        right += usize::from(best == Some(test.targets().sample(i)[0] as usize));
    }
    println!("{right} of {} digits are read rightly", test.len());
    Ok(())
}
