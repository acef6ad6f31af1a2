//! The classic: 784-128-10 learns to read handwritten digits, drawn ones or real ones.
//!
//! ```text
//! cargo run --release --example 04_mnist
//! cargo run --release --example 04_mnist -- --data ../mnist --save digits.safetensors
//! cargo run --release --example 04_mnist -- --checkpoint run --resume # goes on where it was
//! cargo run --release --example 04_mnist -- --log run.jsonl --plots plots
//! ```
//!
//! Ctrl-C ends training with what was learnt.

mod common;

use nn_runtime::prelude::*;

network! {
    /// One hidden layer of 128 units.
    pub struct Mnist: [1, 28, 28] -> [10] {
        Flatten;
        hidden: Dense(128) -> Relu;
        head: Dense(10) -> Softmax
    }
}

fn main() -> std::process::ExitCode {
    common::report(common::run::<Mnist>())
}
