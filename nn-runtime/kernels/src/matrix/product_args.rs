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
