//! Every layer: values and gradients against PyTorch and against its formula, and what its rule refuses.

mod activation;
mod dense;
mod dropout;
mod harness;
mod moves;
mod probe;
mod softmax;
