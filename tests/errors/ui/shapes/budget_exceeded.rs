use nn_runtime::prelude::*;

network! {
    #[budget(params <= 50_000, macs <= 20 * 1_000, predict_bytes(batch = 8) <= 4 * 1024)]
    pub struct Net: [784] -> [10] { Dense(128) -> Relu -> head: Dense(10) -> Softmax }
}

network! {
    #[budget(params <= 200, flash <= 1_000)]
    pub struct Deep: [8] -> [8] { let x = Dense(8) -> Tanh; let y = x -> Net2 * 2; (x, y) -> Sum }
}

network! {
    #[budget(train_bytes(batch = 16) <= 128 * 1024)]
    pub struct Learns: [1, 28, 28] -> [10] { conv: Conv2d(4, 3) -> BatchNorm -> Relu -> Flatten -> Dense(10) }
}

network! { pub struct Net2: [8] -> [8] { Dense(8) -> Tanh } }

fn main() {}
