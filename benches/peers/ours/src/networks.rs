//! The networks of the table, as a user would write them.

use nn_runtime::prelude::*;

network! {
    /// 2 → 1.
    pub struct Linreg: [2] -> [1] { Dense(1) }
}
network! {
    /// 784-10-10-10.
    pub struct Mlp10: [784] -> [10] { Dense(10) -> Relu -> Dense(10) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// 784-128-10.
    pub struct Mnist128: [784] -> [10] { Dense(128) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// 784-1024-1024-10.
    pub struct MlpWide: [784] -> [10] { Dense(1024) -> Relu -> Dense(1024) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// 4-32-32-2.
    pub struct Tiny: [4] -> [2] { Dense(32) -> Tanh -> Dense(32) -> Tanh -> Dense(2) }
}
network! {
    /// A robot's policy: 48-256-128-64-12.
    pub struct Policy: [48] -> [12] { Dense(256) -> Elu -> Dense(128) -> Elu -> Dense(64) -> Elu -> Dense(12) }
}
network! {
    /// The first network of SimpleChains.jl's README: 24-8-2.
    pub struct Sc24: [24] -> [2] { Dense(8) -> Tanh -> Dropout(0.2) -> Dense(2, bias = false) }
}
network! {
    /// The second one: 4-32-16-4.
    pub struct Sc4: [4] -> [4] { Dense(32) -> Tanh -> Dense(16) -> Tanh -> Dense(4) }
}
network! {
    /// conv32 pool conv64 pool dense64 dense10.
    pub struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(32, 3) -> Relu -> MaxPool2d(2) -> Conv2d(64, 3) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> Dense(10) -> Softmax
    }
}
network! {
    /// conv6 5×5 pool conv16 5×5 pool 120-84-10, on images of 28 × 28 without a frame.
    pub struct Lenet5: [1, 28, 28] -> [10] {
        Conv2d(6, 5) -> Relu -> MaxPool2d(2) -> Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(120) -> Relu -> Dense(84) -> Relu -> Dense(10) -> Softmax
    }
}
network! {
    /// 64 steps of 1 feature, 32 units, dense 1 per step.
    pub struct Lstm1: [64, 1] -> [64, 1] { Lstm(32) -> DensePerStep(1) }
}
network! {
    /// One pre-norm encoder block over 32 × 64, mean over the steps, dense 10.
    pub struct Tfm: [32, 64] -> [10] {
        let x = input;
        let a = x -> LayerNorm -> MultiHeadAttention(4);
        let h = (x, a) -> Sum;
        let f = h -> LayerNorm -> DensePerStep(256) -> Gelu -> DensePerStep(64);
        (h, f) -> Sum -> GlobalAvgPool -> Dense(10) -> Softmax
    }
}
