//! The networks of the table, from a few dozen parameters to some ten thousand.

use nn_runtime::prelude::*;

#[path = "../../mnist/src/network.rs"]
mod st_mnist;
#[allow(unused_imports, reason = "one network is in each program")]
pub use st_mnist::StMnist;

network! {
    /// A controller.
    pub struct Control: [10] -> [4] { Dense(16) -> Tanh -> Dense(4) }
}
network! {
    /// Digits by a perceptron.
    pub struct Mlp: [784] -> [10] { Dense(12) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// Digits by LeNet-5's layers.
    pub struct LeNet: [1, 28, 28] -> [10] {
        Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2) -> Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> Dense(10) -> Softmax
    }
}
network! {
    /// A small image classifier with statistics.
    pub struct Cnn: [3, 16, 16] -> [10] {
        Conv2d(8, 3, padding = Same, bias = false) -> BatchNorm -> Relu -> MaxPool2d(2);
        Conv2d(16, 3, padding = Same, bias = false) -> BatchNorm -> Relu -> GlobalAvgPool -> Dense(10) -> Softmax
    }
}
network! {
    /// Windows of a sensor.
    pub struct Sequence: [32, 3] -> [5] { Gru(16, last = true) -> Dense(5) -> Softmax }
}
