//! A small perceptron, 784-10-10-10, reads handwritten digits.
//!
//! ```text
//! cargo run --release --example 03_mlp
//! cargo run --release --example 03_mlp -- --data ../mnist --epochs 10
//! ```

mod common;

use nn_runtime::prelude::*;

network! {
    /// Two hidden layers of ten units.
    pub struct Mlp: [1, 28, 28] -> [10] {
        Flatten -> Dense(10) -> Relu;
        Dense(10) -> Relu;
        head: Dense(10) -> Softmax
    }
}

fn main() -> std::process::ExitCode {
    common::report(common::run::<Mlp>())
}
