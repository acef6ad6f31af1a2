//! Every loss, a file for each: values and gradients against PyTorch and against its formula, on every
//! instruction set; what targets are refused; and what counts as right.

mod binary_cross_entropy;
mod binary_focal;
mod cosine_similarity;
mod cross_entropy;
mod ctc;
mod element_weights;
mod focal;
mod gaussian_nll;
mod harness;
mod hinge;
mod huber;
mod kl_divergence;
mod left_out;
mod long_rows;
mod mae;
mod mse;
mod multi_resolution_stft;
mod nan;
mod of_many;
mod poisson;
mod quantile;
mod triplet;
mod weights;
