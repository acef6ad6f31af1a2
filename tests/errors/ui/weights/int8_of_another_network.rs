//! A model in bytes of another network.

use nn_runtime::int8_model;
use nn_runtime::prelude::*;

network! {
    pub struct StMnist: [1, 28, 28] -> [36] { Flatten -> Dense(36) -> Softmax }
}

int8_model! {
    pub struct Small: StMnist = "../../../../examples/data/st-mnist.int8";
}

fn main() {}
