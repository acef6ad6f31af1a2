//! The kinds of layers, one concept a file. In: what a declaration says in brackets; out: a `rule` for rustc and a `Layer` for
//! the passes. A layer may know kernels and its own facts, never another layer, the graph, or a thread.

mod activation;
mod axis;
mod concat;
mod conv;
mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod dense;
mod dense_per_step;
mod depthwise_conv2d;
mod dropout;
mod dropout2d;
mod flatten;
mod frame2d;
mod image;
mod permute;
mod product;
mod reshape;
mod separable_conv2d;
mod softmax;
mod split;
mod sum;
mod upsample;
mod window;

pub use activation::{Elu, Gelu, HardSigmoid, HardSwish, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh};
pub use concat::Concat;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dense_per_step::DensePerStep;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use dropout::Dropout;
pub use dropout2d::Dropout2d;
pub use flatten::Flatten;
pub use frame2d::{Crop2d, ZeroPad2d};
pub use permute::Permute;
pub use product::Product;
pub use reshape::Reshape;
pub use separable_conv2d::SeparableConv2d;
pub use softmax::{LogSoftmax, Softmax};
pub use split::Split;
pub use sum::Sum;
pub use upsample::{Upsample, UpsampleMode};
pub use window::Padding;
