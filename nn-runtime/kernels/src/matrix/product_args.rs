//! What a product is computed from: samples, weights in panels, a bias and a floor, and where its outputs go.
//! It computes nothing.

use super::Panels;

/// The arguments of [`product`](super::product), within a kernel. The lengths must be those that it asks for.
pub(crate) struct Product<'a> {
    pub p: Panels,
    pub batch: usize,
    pub x: &'a [f32],
    pub w: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub floor: f32,
    pub y: &'a mut [f32],
}

/// Inputs up to which an output is one chain.
pub(crate) const LONG_CHAIN: usize = 4096;

/// Inputs of a chain where there are more, so that equal terms lose less than 1e-6.
pub(super) const CHAIN: usize = 32;

/// Inputs whose chains are added as they are, before what rounding loses is kept: fewer would cost more than
/// 1 % of a training step.
pub(super) const CHAIN_GROUP: usize = 8 * CHAIN;
