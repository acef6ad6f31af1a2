//! ST's network for MNIST, of its model zoo: three blocks of convolutions, 36 classes, about 10,000
//! parameters.

use nn_runtime::prelude::*;

network! {
    /// 28×28 pixels, ten digits and 26 letters.
    #[budget(params <= 10_500, macs <= 1_200_000)]
    pub struct StMnist: [1, 28, 28] -> [36] {
        Conv2d(16, 3, stride = 2, padding = Same) -> BatchNorm -> Relu;
        DepthwiseConv2d(3, padding = Same) -> BatchNorm -> Relu;
        Conv2d(32, 3, padding = Same) -> BatchNorm -> Relu;
        DepthwiseConv2d(3, stride = 2, padding = Same) -> BatchNorm -> Relu;
        Conv2d(64, 1) -> BatchNorm -> Relu -> GlobalAvgPool -> head: Dense(36) -> Softmax
    }
}
