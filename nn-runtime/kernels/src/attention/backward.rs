//! The way back through the heads: from the gradients of contexts to those of queries, keys and values, which they overwrite.
//! Comes in: rows, the weights that were kept, gradients; goes out: gradients where the rows were.
//! Never a sum in another order than that of keys, queries or features.

use super::products::{Sums, sums, transpose};
use super::{BLOCK, Block, Heads, Lay, Rows};
use crate::lanes::{Each, fill};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Overwrites queries, keys and values in `qkv` with their gradients, given that of the context and all weights of [`attend`](super::attend).
///
/// # Panics
/// As [`attend`](super::attend), with [`Head::backward_scratch`](super::Head::backward_scratch).
pub fn backward(
    isa: Isa,
    heads: Heads,
    (qkv, lay): (&mut [f32], [Lay; 3]),
    weights: &[f32],
    dcontext: Rows,
    scratch: &mut [f32],
) {
    let Heads { head, count, samples } = heads;
    heads.check([qkv.len(); 3], lay);
    heads.check_rows(head.queries, dcontext.lay, dcontext.all.len());
    assert_eq!(
        weights.len(),
        samples * count * head.weights(),
        "expected weights for every query and key of all heads"
    );
    let (turned, rest) = scratch.split_at_mut(head.scratch());
    let (slopes, rest) = rest.split_at_mut(head.keys * BLOCK);
    let (dk, rest) = rest.split_at_mut(head.keys * head.width);
    let dv = &mut rest[..head.keys * head.width];
    isa.run(Pull { heads, qkv, lay, weights, dcontext, turned, slopes, dk, dv });
}

struct Pull<'a> {
    heads: Heads,
    qkv: &'a mut [f32],
    lay: [Lay; 3],
    weights: &'a [f32],
    dcontext: Rows<'a>,
    turned: &'a mut [f32],
    /// Of the scores of a block.
    slopes: &'a mut [f32],
    dk: &'a mut [f32],
    dv: &'a mut [f32],
}

impl Kernel for Pull<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for (number, at) in self.heads.each().enumerate() {
            self.head(s, number, at);
        }
    }
}

impl Pull<'_> {
    /// Head `number` of all, whose rows lie at `at`.
    #[inline(always)]
    fn head<S: Simd>(&mut self, s: S, number: usize, at: (usize, usize)) {
        let Pull { heads: Heads { head, .. }, qkv, lay: [q, k, v], weights, dcontext, turned, slopes, dk, dv } = self;
        let (head, width, scale) = (*head, head.width, head.scale(s));
        let weights = &weights[number * head.weights()..][..head.weights()];
        for first in (0..head.queries).step_by(BLOCK) {
            let Block { count, wide, seen, .. } = head.block(first);
            if first == 0 {
                // Those that no query of the first block sees begin with nothing.
                dk[seen * width..].fill(0.0);
                dv[seen * width..].fill(0.0);
            }
            let weights = &weights[first * head.keys..][..head.keys * wide];
            let from = &dcontext.all[dcontext.lay.at(width, at, first)..];
            transpose(s, from, dcontext.lay.stride, [count, width], turned);
            let all = qkv.as_mut_ptr();
            let [slopes_at, dk_at, dv_at] = [&mut **slopes, &mut **dk, &mut **dv].map(|to| to.as_mut_ptr());
            let of_weights = Sums {
                a: all.wrapping_add(v.at(width, at, 0)),
                row: v.stride,
                step: 1,
                b: turned.as_ptr(),
                b_step: wide,
                c: slopes_at,
                c_row: wide,
                depth: width,
                add: false,
            };
            let of_values = Sums {
                a: weights.as_ptr(),
                row: wide,
                step: 1,
                b: from.as_ptr(),
                b_step: dcontext.lay.stride,
                c: dv_at,
                c_row: width,
                depth: count,
                add: first != 0,
            };
            // SAFETY: `pull` has checked that `seen` values of each head lie in their slice, that the slopes have `seen` rows of `wide`, the
            // weights too, that the gradients of these queries' contexts lie in theirs, and that `dv` has a row for each key; `transpose` has
            // filled `width` rows of `wide`.
            unsafe {
                sums(s, of_weights, seen, wide);
                sums(s, of_values, seen, width);
            }
            let (weights, gradients) = (&weights[..seen * wide], &mut slopes[..seen * wide]);
            match wide {
                LANES => slope::<S, 1>(s, scale, weights, gradients),
                _ => slope::<S, 2>(s, scale, weights, gradients),
            }
            let slopes_at = slopes.as_ptr();
            let of_keys = Sums {
                a: slopes_at,
                row: wide,
                step: 1,
                b: all.wrapping_add(q.at(width, at, first)),
                b_step: q.stride,
                c: dk_at,
                c_row: width,
                depth: count,
                add: first != 0,
            };
            let of_queries = Sums {
                a: slopes_at,
                row: 1,
                step: wide,
                b: all.wrapping_add(k.at(width, at, 0)),
                b_step: k.stride,
                c: all.wrapping_add(q.at(width, at, first)),
                c_row: q.stride,
                depth: seen,
                add: false,
            };
            // SAFETY: as above, for keys and queries; these queries are read for the last time before they are overwritten, and all
            // addresses in `qkv` come of one pointer that nothing else is borrowed from meanwhile.
            unsafe {
                sums(s, of_keys, seen, width);
                sums(s, of_queries, count, width);
            }
        }
        for (lay, from) in [(k, dk), (v, dv)] {
            for (row, from) in from.chunks_exact(width).enumerate() {
                fill(s, &Same, [from], &mut qkv[lay.at(width, at, row)..][..width]);
            }
        }
    }
}

/// What is copied.
struct Same;

impl Each<1> for Same {
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, [x]: [S::F; 1]) -> S::F {
        x
    }
}

/// The gradients of a block's weights to those of its scores, down the keys, which have `V` vectors each:
/// `weight · (slope − Σ weight · slope) · scale`.
#[inline(always)]
fn slope<S: Simd, const V: usize>(s: S, scale: S::F, weights: &[f32], slopes: &mut [f32]) {
    let weights = weights.as_chunks::<LANES>().0.as_chunks::<V>().0;
    let slopes = slopes.as_chunks_mut::<LANES>().0.as_chunks_mut::<V>().0;
    let mut sums = [s.splat(0.0); V];
    for (weights, slopes) in weights.iter().zip(&*slopes) {
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = s.fma(s.load(&weights[v]), s.load(&slopes[v]), *sum);
        }
    }
    for (weights, slopes) in weights.iter().zip(slopes) {
        for (v, sum) in sums.into_iter().enumerate() {
            let slope = s.mul(s.load(&weights[v]), s.sub(s.load(&slopes[v]), sum));
            s.store(s.mul(slope, scale), &mut slopes[v]);
        }
    }
}
