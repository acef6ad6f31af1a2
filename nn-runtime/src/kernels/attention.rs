//! Scaled dot products of one head of one sample: queries against keys, a softmax over the keys, a mean of values.
//! Comes in: rows of queries, keys and values, some distance apart; goes out: context rows and the weights, or gradients.
//! The lanes are queries, so that no sum runs across lanes, and every sum is one chain in the order of keys, queries or features.
//! Never a number read or written outside the slices, whose lengths are checked first.

mod products;
#[cfg(test)]
mod tests;

use core::f32::consts::LOG2_E;

use super::lanes::{Each, fill};
use super::math;
use super::simd::{Isa, Kernel, LANES, Simd};
use products::{Sums, sums, turn};

/// Queries worked on at a time.
const BLOCK: usize = 2 * LANES;

/// The numbers of the lanes.
const LANE: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// One head of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Rows that ask.
    pub queries: usize,
    /// Rows that are asked.
    pub keys: usize,
    /// Numbers of a row.
    pub width: usize,
    /// Query i sees the keys 0 to i alone.
    pub causal: bool,
}

impl Head {
    /// Numbers of the weights: blocks of queries, each `[keys, 32]`, the last one 16 or 32 wide.
    pub(crate) const fn weights(&self) -> usize {
        self.keys.saturating_mul(self.queries.next_multiple_of(LANES))
    }

    /// Numbers of scratch for [`attend`].
    pub(crate) const fn scratch(&self) -> usize {
        self.width * BLOCK
    }

    /// Numbers of scratch for [`pull`].
    pub(crate) const fn pull_scratch(&self) -> usize {
        (self.width + self.keys) * BLOCK + 2 * self.keys * self.width
    }

    /// What the scores are multiplied by: 1 / √width.
    #[inline(always)]
    fn scale<S: Simd>(&self, s: S) -> S::F {
        s.div(s.splat(1.0), s.sqrt(s.splat(self.width as f32)))
    }

    /// A block of queries: how many there are, how wide it is, and how many keys any of them sees.
    fn block(&self, first: usize) -> Block {
        let count = BLOCK.min(self.queries - first);
        let seen = if self.causal { self.keys.min(first + count) } else { self.keys };
        Block { first, count, wide: count.next_multiple_of(LANES), seen, causal: self.causal }
    }

    fn check(&self, rows: [usize; 3], lay: [Lay; 3]) {
        for ((len, lay), count) in rows.into_iter().zip(lay).zip([self.queries, self.keys, self.keys]) {
            lay.check(count, self.width, len);
        }
    }
}

/// Some queries.
#[derive(Clone, Copy)]
struct Block {
    first: usize,
    count: usize,
    wide: usize,
    seen: usize,
    causal: bool,
}

/// Where the rows of a head lie in a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lay {
    /// Where the first one begins.
    pub offset: usize,
    /// From one to the next.
    pub stride: usize,
}

impl Lay {
    /// Panics where `count` rows of `width` do not lie within `len` numbers.
    #[track_caller]
    fn check(&self, count: usize, width: usize, len: usize) {
        let last = (count - 1).checked_mul(self.stride).and_then(|at| at.checked_add(self.offset + width));
        assert!(
            width <= self.stride && last.is_some_and(|last| last <= len),
            "expected {count} rows of {width} numbers within {len}, found {self:?}"
        );
    }
}

/// Rows to read.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub all: &'a [f32],
    pub lay: Lay,
}

impl Rows<'_> {
    fn at(&self, row: usize) -> *const f32 {
        self.all.as_ptr().wrapping_add(self.lay.offset + row * self.lay.stride)
    }
}

/// `weights[i, j] = softmax_j(q[i] · k[j] / √width)` and `context[i] = Σ_j weights[i, j] · v[j]`, for one head.
///
/// Key j takes no part where `mask[j]` is 0; a query that sees no key has the weights 0. A context is one chain of `fma` from key 0 on.
///
/// # Panics
/// Rows that do not lie within their slice; another number of weights than [`Head::weights`]; less scratch than [`Head::scratch`];
/// a mask of another length than `keys`; no queries, keys or width.
pub(crate) fn attend(
    isa: Isa,
    head: Head,
    qkv: [Rows; 3],
    mask: Option<&[f32]>,
    weights: &mut [f32],
    scratch: &mut [f32],
    (context, lay): (&mut [f32], Lay),
) {
    head.check(qkv.map(|rows| rows.all.len()), qkv.map(|rows| rows.lay));
    lay.check(head.queries, head.width, context.len());
    assert_eq!(weights.len(), head.weights(), "expected weights for every query and key");
    assert!(mask.is_none_or(|mask| mask.len() == head.keys), "expected a mask for every key");
    isa.run(Attend { head, qkv, mask, weights, turned: &mut scratch[..head.scratch()], context, lay });
}

struct Attend<'a> {
    head: Head,
    qkv: [Rows<'a>; 3],
    mask: Option<&'a [f32]>,
    weights: &'a mut [f32],
    turned: &'a mut [f32],
    context: &'a mut [f32],
    lay: Lay,
}

impl Kernel for Attend<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Attend { head, qkv: [q, k, v], mask, weights, turned, context, lay } = self;
        for first in (0..head.queries).step_by(BLOCK) {
            let block = head.block(first);
            let Block { count, wide, seen, .. } = block;
            let weights = &mut weights[first * head.keys..][..head.keys * wide];
            turn(s, &q.all[q.lay.offset + first * q.lay.stride..], q.lay.stride, [count, head.width], turned);
            let scores = Sums {
                a: k.at(0),
                row: k.lay.stride,
                step: 1,
                b: turned.as_ptr(),
                b_step: wide,
                c: weights.as_mut_ptr(),
                c_row: wide,
                depth: head.width,
                add: false,
            };
            // SAFETY: `attend` has checked that `seen` keys lie in their slice and as many rows of `wide` in the weights; `turn` has
            // filled `width` rows of `wide`.
            unsafe { sums(s, scores, seen, wide) };
            match wide {
                LANES => soften::<S, 1>(s, block, head.scale(s), mask, weights),
                _ => soften::<S, 2>(s, block, head.scale(s), mask, weights),
            }
            let contexts = Sums {
                a: weights.as_ptr(),
                row: 1,
                step: wide,
                b: v.at(0),
                b_step: v.lay.stride,
                c: context.as_mut_ptr().wrapping_add(lay.offset + first * lay.stride),
                c_row: lay.stride,
                depth: seen,
                add: false,
            };
            // SAFETY: `count` is at most `wide`; `attend` has checked that the values and the context rows of these queries lie in their slices.
            unsafe { sums(s, contexts, count, head.width) };
        }
    }
}

/// Which lanes from query `base` on may see `key`.
#[inline(always)]
fn sees<S: Simd>(s: S, base: usize, key: usize) -> S::M {
    s.lt_i(s.splat_i(key as i32 - base as i32 - 1), s.load_i(&LANE))
}

/// Weights of fewer powers of 2 are 0, so that none is denormal.
const LEAST: f32 = -100.0;
/// 2^−100: what is no larger is taken away, and from what counts that takes nothing.
const NOTHING: f32 = f32::from_bits((127 - 100) << 23);

/// Scores to weights, down the keys, which have `V` vectors each: the largest is taken off first, so that no exponential overflows.
#[inline(always)]
fn soften<S: Simd, const V: usize>(s: S, block: Block, scale: S::F, mask: Option<&[f32]>, weights: &mut [f32]) {
    let Block { first, seen, causal, .. } = block;
    let (none, zero, scale) = (s.splat(f32::NEG_INFINITY), s.splat(0.0), s.mul(scale, s.splat(LOG2_E)));
    let is_padding = |key: usize| mask.is_some_and(|mask| mask[key] == 0.0);
    let hides = |key: usize, v: usize| causal && key > first + v * LANES;
    let (rows, unseen) = weights.as_chunks_mut::<LANES>().0.as_chunks_mut::<V>().0.split_at_mut(seen);
    unseen.fill([[0.0; LANES]; V]);
    let mut most = [none; V];
    for (key, row) in rows.iter().enumerate() {
        if is_padding(key) {
            continue;
        }
        for (v, (most, x)) in most.iter_mut().zip(row).enumerate() {
            let x = s.load(x);
            let x = if hides(key, v) { s.select(sees(s, first + v * LANES, key), x, none) } else { x };
            *most = s.max(x, *most);
        }
    }
    let mut sums = [zero; V];
    for (key, row) in rows.iter_mut().enumerate() {
        if is_padding(key) {
            *row = [[0.0; LANES]; V];
            continue;
        }
        for (v, at) in row.iter_mut().enumerate() {
            // The limit stands first: where the other is NaN, `max` gives the second.
            let power = s.max(s.splat(LEAST), s.mul(s.sub(s.load(at), most[v]), scale));
            let (near_1, power) = math::exp_2_within(s, power);
            let e = s.fma(near_1, power, s.splat(-NOTHING));
            let e = if hides(key, v) { s.select(sees(s, first + v * LANES, key), e, zero) } else { e };
            s.store(e, at);
            sums[v] = s.add(sums[v], e);
        }
    }
    for sum in &mut sums {
        // Nothing to see: the weights are 0 already, and stay so.
        *sum = s.select(s.eq(*sum, zero), *sum, s.div(s.splat(1.0), *sum));
    }
    for row in rows {
        for (at, factor) in row.iter_mut().zip(sums) {
            s.store(s.mul(s.load(at), factor), at);
        }
    }
}

/// Overwrites queries, keys and values in `qkv` with their gradients, given that of the context and the weights of [`attend`].
///
/// # Panics
/// As [`attend`], with [`Head::pull_scratch`].
pub(crate) fn pull(
    isa: Isa,
    head: Head,
    (qkv, lay): (&mut [f32], [Lay; 3]),
    weights: &[f32],
    dcontext: Rows,
    scratch: &mut [f32],
) {
    head.check([qkv.len(); 3], lay);
    dcontext.lay.check(head.queries, head.width, dcontext.all.len());
    assert_eq!(weights.len(), head.weights(), "expected weights for every query and key");
    let (turned, rest) = scratch.split_at_mut(head.scratch());
    let (slopes, rest) = rest.split_at_mut(head.keys * BLOCK);
    let (dk, rest) = rest.split_at_mut(head.keys * head.width);
    let dv = &mut rest[..head.keys * head.width];
    isa.run(Pull { head, qkv, lay, weights, dcontext, turned, slopes, dk, dv });
}

struct Pull<'a> {
    head: Head,
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
    fn run<S: Simd>(self, s: S) {
        let Pull { head, qkv, lay, weights, dcontext, turned, slopes, dk, dv } = self;
        let (width, [q, k, v]) = (head.width, lay);
        for first in (0..head.queries).step_by(BLOCK) {
            let Block { count, wide, seen, .. } = head.block(first);
            if first == 0 {
                // Those that no query of the first block sees begin with nothing.
                dk[seen * width..].fill(0.0);
                dv[seen * width..].fill(0.0);
            }
            let weights = &weights[first * head.keys..][..head.keys * wide];
            let from = dcontext.lay.offset + first * dcontext.lay.stride;
            turn(s, &dcontext.all[from..], dcontext.lay.stride, [count, width], turned);
            let all = qkv.as_mut_ptr();
            let [slopes_at, dk_at, dv_at] = [&mut *slopes, &mut *dk, &mut *dv].map(|to| to.as_mut_ptr());
            let of_weights = Sums {
                a: all.wrapping_add(v.offset),
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
                b: dcontext.at(first),
                b_step: dcontext.lay.stride,
                c: dv_at,
                c_row: width,
                depth: count,
                add: first != 0,
            };
            // SAFETY: `pull` has checked that `seen` values lie in their slice, that the slopes have `seen` rows of `wide`, the weights too,
            // that the gradients of these queries' contexts lie in theirs, and that `dv` has a row for each key; `turn` has filled
            // `width` rows of `wide`.
            unsafe {
                sums(s, of_weights, seen, wide);
                sums(s, of_values, seen, width);
            }
            let (weights, gradients) = (&weights[..seen * wide], &mut slopes[..seen * wide]);
            match wide {
                LANES => slope::<S, 1>(s, head.scale(s), weights, gradients),
                _ => slope::<S, 2>(s, head.scale(s), weights, gradients),
            }
            let slopes_at = slopes.as_ptr();
            let of_keys = Sums {
                a: slopes_at,
                row: wide,
                step: 1,
                b: all.wrapping_add(q.offset + first * q.stride),
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
                b: all.wrapping_add(k.offset),
                b_step: k.stride,
                c: all.wrapping_add(q.offset + first * q.stride),
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
                fill(s, &Same, [from], &mut qkv[lay.offset + row * lay.stride..][..width]);
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
