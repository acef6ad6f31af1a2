//! Forward through a matrix within one vector, of a few samples with few inputs: what the tiles of any matrix
//! have to find out takes longer than these sums. In: samples and weights. Out: the same bits as from
//! `product`.

use super::product_args::Product;
use crate::simd::{Kernel, LANES, Simd};

/// Multiply-adds of a vector for which this is worth its while: tiles share what they load among samples.
const MOST: usize = 48;

/// Lengths have been checked by [`product`](super::product()).
pub(super) struct FewProducts<'a>(pub Product<'a>);

impl FewProducts<'_> {
    pub fn takes(product: &Product) -> bool {
        let p = &product.p;
        !cfg!(feature = "small")
            && !p.transposed
            && p.cols <= LANES
            && p.chains() == 1
            && product.batch.saturating_mul(p.rows) <= MOST
    }
}

impl Kernel for FewProducts<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Product { p, batch, x, w, bias, floor, y } = self.0;
        let (rows, floor) = (w.as_chunks::<LANES>().0, s.splat(floor));
        // Adding −0 changes no sum, not even −0.
        let bias = bias.map_or(s.splat(-0.0), |bias| s.load_part(bias));
        let (mut x, mut y) = (x, y);
        for _ in 0..batch {
            let (Some(inputs), Some(outputs)) = (x.split_off(..p.rows), y.split_off_mut(..p.cols)) else { return };
            let mut sum = s.splat(0.0);
            for (x, row) in inputs.iter().zip(rows) {
                sum = s.fma(s.splat(*x), s.load(row), sum);
            }
            // The floor first: where the other is NaN, `max` gives the second.
            s.store_part(s.max(floor, s.add(sum, bias)), outputs);
        }
    }
}
