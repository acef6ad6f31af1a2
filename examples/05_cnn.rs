//! A small convolutional network reads handwritten digits.
//!
//! ```text
//! cargo run --release --example 05_cnn
//! cargo run --release --example 05_cnn -- --data ../mnist --epochs 5
//! cargo run --release --example 05_cnn -- --checkpoint run --resume # goes on where it was
//! cargo run --release --example 05_cnn -- --log run.jsonl --plots plots
//! ```
//!
//! Ctrl-C ends training with what was learnt.

mod common;

use nn_runtime::prelude::*;

network! {
    /// Two convolutions, each followed by a pool, and a dense layer to tell what was seen.
    pub struct Cnn: [1, 28, 28] -> [10] {
        conv1: Conv2d(32, 3) -> Relu -> MaxPool2d(2);
        conv2: Conv2d(64, 3) -> Relu -> MaxPool2d(2) -> [64, 5, 5];
        Flatten -> hidden: Dense(64) -> Relu;
        head: Dense(10) -> Softmax
    }
}

fn main() -> std::process::ExitCode {
    common::report(common::run::<Cnn>())
}
