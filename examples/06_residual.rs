//! A small residual network: a network is a layer, `* 3` repeats it with parameters of its own, and `let`
//! lets a value go two ways.
//!
//! ```text
//! cargo run --release --example 06_residual
//! cargo run --release --example 06_residual -- --data ../mnist
//! ```

mod common;

use nn_runtime::prelude::*;

const FILTERS: usize = 16;

network! {
    /// What two convolutions add to what comes in.
    pub struct Block: [FILTERS, 14, 14] -> [FILTERS, 14, 14] {
        let x = input;
        let y = x -> Conv2d(FILTERS, 3, padding = Same, bias = false) -> BatchNorm -> Relu
                  -> Conv2d(FILTERS, 3, padding = Same, bias = false) -> BatchNorm;
        (x, y) -> Sum -> Relu
    }
}

network! {
    /// Three such blocks between a first convolution and a mean over the image.
    pub struct Residual: [1, 28, 28] -> [10] {
        stem: Conv2d(FILTERS, 3, stride = 2, padding = Pad(1), bias = false) -> BatchNorm -> Relu;
        blocks: Block * 3;
        GlobalAvgPool;
        head: Dense(10) -> Softmax
    }
}

fn main() -> std::process::ExitCode {
    common::report(common::run::<Residual>())
}
