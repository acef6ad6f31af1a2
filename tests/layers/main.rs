//! Every layer: values and gradients against PyTorch and against its formula, and what its rule refuses.

mod activation;
mod conv;
mod dense;
mod dropout;
mod dropout2d;
mod frame2d;
mod harness;
mod joins;
mod moves;
mod permute;
mod ports;
mod probe;
mod softmax;
mod split;
mod upsample;
mod windows;
