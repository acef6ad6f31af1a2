//! Backward through attention: from the gradients of contexts to those of queries, keys and values, which
//! they overwrite. In: rows, the weights that forward saved, gradients. Out: gradients where the rows were.

use super::left_out::{all_finite, product_without_zeros};
use super::products::{AttentionProduct, product, transpose};
use super::{AttentionHeads, BLOCK, QueryBlock, RowLayout, StridedRows};
use crate::elementwise::{Map, fill};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Overwrites queries, keys and values in `qkv` with their gradients, given that of the context and all
/// weights of [`attend`](super::attend).
///
/// # Panics
/// As [`attend`](super::attend), with
/// [`AttentionHead::backward_scratch`](super::AttentionHead::backward_scratch).
pub fn backward(
    isa: Isa,
    heads: AttentionHeads,
    (qkv, layout): (&mut [f32], [RowLayout; 3]),
    weights: &[f32],
    dcontext: StridedRows,
    scratch: &mut [f32],
) {
    let head = heads.head;
    heads.check([qkv.len(); 3], layout);
    heads.check_rows(head.queries, dcontext.layout, dcontext.all.len());
    assert_eq!(Some(weights.len()), heads.weights(), "expected weights for every query and key of all heads");
    let (transposed, rest) = scratch.split_at_mut(head.scratch());
    let (slopes, rest) = rest.split_at_mut(head.keys * BLOCK);
    let (dk, rest) = rest.split_at_mut(head.keys * head.width);
    let dv = &mut rest[..head.keys * head.width];
    isa.run(AttentionBackward { heads, qkv, layout, weights, dcontext, transposed, slopes, dk, dv });
}

struct AttentionBackward<'a> {
    heads: AttentionHeads,
    qkv: &'a mut [f32],
    layout: [RowLayout; 3],
    weights: &'a [f32],
    dcontext: StridedRows<'a>,
    transposed: &'a mut [f32],
    /// The gradients of the scores of a block.
    slopes: &'a mut [f32],
    dk: &'a mut [f32],
    dv: &'a mut [f32],
}

impl Kernel for AttentionBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for (number, at) in self.heads.each().enumerate() {
            self.head(s, number, at);
        }
    }
}

impl AttentionBackward<'_> {
    /// AttentionHead number `number` of all, which is `at` (sample, head).
    #[inline(always)]
    fn head<S: Simd>(&mut self, s: S, number: usize, at: (usize, usize)) {
        let AttentionBackward {
            heads: AttentionHeads { head, masked, .. },
            qkv,
            layout: [q, k, v],
            weights,
            dcontext,
            transposed,
            slopes,
            dk,
            dv,
        } = self;
        let (head, width, scale, leaves_out) = (*head, head.width, head.scale(s), head.causal || *masked);
        let weights = &weights[number * head.weights()..][..head.weights()];
        let finite = !leaves_out || {
            let rows = [(&*q, head.queries), (&*k, head.keys), (&*v, head.keys)];
            let rows =
                rows.into_iter().flat_map(|(layout, count)| (0..count).map(move |row| layout.at(width, at, row)));
            all_finite(s, rows.map(|at| &qkv[at..at + width]).chain([weights]))
        };
        for first in (0..head.queries).step_by(BLOCK) {
            let QueryBlock { count, wide, seen, .. } = head.block(first);
            if first == 0 {
                // Keys that no query of the first block attends to start at 0.
                dk[seen * width..].fill(0.0);
                dv[seen * width..].fill(0.0);
            }
            let weights = &weights[first * head.keys..][..head.keys * wide];
            let from = &dcontext.all[dcontext.layout.at(width, at, first)..];
            transpose(s, from, dcontext.layout.stride, [count, width], transposed);
            // Where numbers are not finite: 0 for queries whose output has no gradient, which are left out
            // then.
            let mut counts = [1.0; BLOCK];
            if !finite {
                for (i, counts) in counts[..count].iter_mut().enumerate() {
                    let row = &from[i * dcontext.layout.stride..][..width];
                    *counts = if row.iter().all(|x| *x == 0.0) { 0.0 } else { 1.0 };
                }
            }
            let all = qkv.as_mut_ptr();
            let [slopes_at, dk_at, dv_at] = [&mut **slopes, &mut **dk, &mut **dv].map(|to| to.as_mut_ptr());
            let of_weights = AttentionProduct {
                a: all.wrapping_add(v.at(width, at, 0)),
                row: v.stride,
                step: 1,
                b: transposed.as_ptr(),
                b_step: wide,
                c: slopes_at,
                c_row: wide,
                depth: width,
                add: false,
            };
            let of_values = AttentionProduct {
                a: weights.as_ptr(),
                row: wide,
                step: 1,
                b: from.as_ptr(),
                b_step: dcontext.layout.stride,
                c: dv_at,
                c_row: width,
                depth: count,
                add: first != 0,
            };
            // SAFETY: seen <= keys and count <= wide <= 32. `backward` has checked that the values of all
            // keys lie in `qkv` and the context gradients of all queries in `dcontext`. `slopes` has 32 ·
            // keys numbers, the block's weights keys · wide, `dv` keys · width and `transposed` 32 · width,
            // of which width · wide are filled.
            unsafe {
                product(s, of_weights, seen, wide);
                match finite {
                    true => product(s, of_values, seen, width),
                    false => product_without_zeros(s, of_values, seen, width, Some(&counts)),
                }
            }
            let (weights, gradients) = (&weights[..seen * wide], &mut slopes[..seen * wide]);
            match (wide, finite) {
                (LANES, true) => slope::<S, 1, false>(s, scale, &counts, weights, gradients),
                (_, true) => slope::<S, 2, false>(s, scale, &counts, weights, gradients),
                (LANES, false) => slope::<S, 1, true>(s, scale, &counts, weights, gradients),
                (_, false) => slope::<S, 2, true>(s, scale, &counts, weights, gradients),
            }
            let slopes_at = slopes.as_ptr();
            let of_keys = AttentionProduct {
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
            let of_queries = AttentionProduct {
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
            // SAFETY: both read `count` columns of `seen` rows of slopes, each `wide` apart. The first
            // reads `count` queries from `first` on and writes `seen` rows of `dk`; the second reads `seen`
            // keys and writes those `count` queries: first + count and `seen` are at most the rows that
            // `q`, `k` and `dk` hold. The first reads these queries for the last time before the second
            // overwrites them; both use pointers derived from one mutable borrow of `qkv`.
            unsafe {
                if finite {
                    product(s, of_keys, seen, width);
                    product(s, of_queries, count, width);
                } else {
                    product_without_zeros(s, of_keys, seen, width, Some(&counts));
                    product_without_zeros(s, of_queries, count, width, None);
                }
            }
        }
        for (layout, from) in [(k, dk), (v, dv)] {
            for (row, from) in from.chunks_exact(width).enumerate() {
                fill(s, &Identity, [from], &mut qkv[layout.at(width, at, row)..][..width]);
            }
        }
    }
}

/// A copy.
struct Identity;

impl Map<1> for Identity {
    #[inline(always)]
    fn apply<S: Simd>(&self, _: S, [x]: [S::F; 1]) -> S::F {
        x
    }
}

/// The gradients of a block's weights to those of its scores, down the keys, which have `V` vectors each:
/// `weight · (slope − Σ weight · slope) · scale`. With `LEAVE_OUT`, what has the weight 0 or belongs to a
/// query whose `counts` is 0 is 0, whatever else it is made of.
#[inline(always)]
fn slope<S: Simd, const V: usize, const LEAVE_OUT: bool>(
    s: S,
    scale: S::F,
    counts: &[f32; BLOCK],
    weights: &[f32],
    slopes: &mut [f32],
) {
    let zero = s.splat(0.0);
    let counts = counts.as_chunks::<LANES>().0;
    let pair = |weights: &[f32; LANES], slopes: &[f32; LANES], v: usize| {
        let (weight, slope) = (s.load(weights), s.load(slopes));
        if !LEAVE_OUT {
            return (weight, slope);
        }
        let out = s.or_m(s.eq(weight, zero), s.eq(s.load(&counts[v]), zero));
        (s.select(out, zero, weight), s.select(out, zero, slope))
    };
    let weights = weights.as_chunks::<LANES>().0.as_chunks::<V>().0;
    let slopes = slopes.as_chunks_mut::<LANES>().0.as_chunks_mut::<V>().0;
    let mut sums = [zero; V];
    for (weights, slopes) in weights.iter().zip(&*slopes) {
        for (v, sum) in sums.iter_mut().enumerate() {
            let (weight, slope) = pair(&weights[v], &slopes[v], v);
            *sum = s.fma(weight, slope, *sum);
        }
    }
    for (weights, slopes) in weights.iter().zip(slopes) {
        for (v, sum) in sums.into_iter().enumerate() {
            let (weight, slope) = pair(&weights[v], &slopes[v], v);
            s.store(s.mul(s.mul(weight, s.sub(slope, sum)), scale), &mut slopes[v]);
        }
    }
}
