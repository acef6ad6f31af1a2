//! Every layer: values and gradients against PyTorch and against its formula, and what its rule refuses.

mod activation;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod dropout2d;
mod frame2d;
mod glu;
mod harness;
mod joins;
mod moves;
mod normalization;
mod norms;
mod permute;
mod pool;
mod ports;
mod prelu;
mod probe;
mod softmax;
mod split;
mod upsample;
mod windows;
