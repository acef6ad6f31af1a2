//! Backward to a matrix of a few rows within one vector, from a few samples: what the tiles of any matrix
//! have to find out takes longer than these sums. In: samples and gradients of the outputs. Out: the same
//! bits as from `backward_weight`.

use super::Panels;
use crate::long_sums::{BLOCK, Sums};
use crate::simd::{Kernel, LANES, Simd};

/// The whole matrix, as it is stored.
pub(super) struct FewWeights<'a> {
    pub p: Panels,
    pub x: &'a [f32],
    pub dy: &'a [f32],
    pub dw: &'a mut [f32],
    pub sums: Sums,
}

impl FewWeights<'_> {
    /// Whether a matrix, as it is stored, is one of these.
    pub fn takes(p: Panels, batch: usize) -> bool {
        !cfg!(feature = "small") && p.rows <= 4 && p.cols <= LANES && batch <= BLOCK
    }

    #[inline(always)]
    fn rows<S: Simd, const R: usize>(self, s: S) {
        let FewWeights { p: Panels { cols, .. }, x, dy, dw, sums: Sums { overwrite, blocks } } = self;
        let mut sums = [s.splat(0.0); R];
        if !overwrite && !blocks {
            for (sum, dw) in sums.iter_mut().zip(dw.as_chunks().0) {
                *sum = s.load(dw);
            }
        }
        let mut rest = dy;
        for x in x.as_chunks::<R>().0 {
            let Some((dy, after)) = rest.split_at_checked(cols) else { break };
            rest = after;
            let dy = s.load_part(dy);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = s.fma(s.splat(*x), dy, *sum);
            }
        }
        for (sum, dw) in sums.into_iter().zip(dw.as_chunks_mut::<LANES>().0) {
            let sum = if blocks && !overwrite { s.add(s.load(dw), sum) } else { sum };
            // What lies beside the matrix stays 0, whatever the samples are.
            if overwrite {
                s.store(s.splat(0.0), dw);
            }
            s.store_part(sum, &mut dw[..cols]);
        }
    }
}

impl Kernel for FewWeights<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.p.rows {
            1 => self.rows::<S, 1>(s),
            2 => self.rows::<S, 2>(s),
            3 => self.rows::<S, 3>(s),
            _ => self.rows::<S, 4>(s),
        }
    }
}
