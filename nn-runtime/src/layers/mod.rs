//! The kinds of layers, one concept a file. In: what a declaration says in brackets; out: a `rule` for rustc and a `Layer` for
//! the passes. A layer may know kernels and its own facts, never another layer, the graph, or a thread.

mod activation;
mod dense;
mod dense_per_step;
mod dropout;
mod flatten;
mod reshape;
mod softmax;

pub use activation::{Elu, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh};
pub use dense::Dense;
pub use dense_per_step::DensePerStep;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use reshape::Reshape;
pub use softmax::{LogSoftmax, Softmax};
