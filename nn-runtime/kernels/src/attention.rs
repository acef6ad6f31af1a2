//! Scaled dot products of the heads of some samples: queries against keys, a softmax over the keys, a mean of values.
//! Comes in: rows of queries, keys and values, some distance apart; goes out: context rows and the weights, or gradients.
//! The lanes are queries, so that no sum runs across lanes, and every sum is one chain in the order of keys, queries or features.
//! Never a number read or written outside the slices, whose lengths are checked first.

mod backward;
mod products;
#[cfg(test)]
mod tests;

pub use backward::backward;

use core::f32::consts::LOG2_E;

use super::math;
use super::simd::{Isa, Kernel, LANES, Simd};
use products::{Sums, sums, transpose};

/// Queries worked on at a time.
const BLOCK: usize = 2 * LANES;

/// The numbers of the lanes.
const LANE: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// One head of one sample; all of a batch are alike.
#[derive(Clone, Copy, Debug)]
pub struct Head {
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
    pub const fn weights(&self) -> usize {
        self.keys.saturating_mul(self.queries.next_multiple_of(LANES))
    }

    /// Numbers of scratch for [`attend`].
    pub const fn scratch(&self) -> usize {
        self.width * BLOCK
    }

    /// Numbers of scratch for [`pull`].
    pub const fn backward_scratch(&self) -> usize {
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
}

/// The heads of some samples.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// What each of them is.
    pub head: Head,
    /// How many a sample has.
    pub count: usize,
    /// How many samples.
    pub samples: usize,
}

impl Heads {
    /// Each head: its sample, and its number among all.
    fn each(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.samples).flat_map(move |sample| (0..self.count).map(move |head| (sample, head)))
    }

    /// Panics where the queries, keys and values of all heads do not lie within so many numbers.
    #[track_caller]
    fn check(&self, rows: [usize; 3], lay: [Lay; 3]) {
        let Head { queries, keys, .. } = self.head;
        for ((len, lay), count) in rows.into_iter().zip(lay).zip([queries, keys, keys]) {
            self.check_rows(count, lay, len);
        }
    }

    /// Panics where `count` rows of each head do not lie within `len` numbers.
    #[track_caller]
    fn check_rows(&self, count: usize, lay: Lay, len: usize) {
        let row = self.count * self.head.width;
        let before = (self.samples - 1).checked_mul(lay.sample);
        let last = before.zip((count - 1).checked_mul(lay.stride)).and_then(|(a, b)| a.checked_add(b));
        assert!(
            row <= lay.stride
                && last.is_some_and(|last| last.checked_add(lay.offset + row).is_some_and(|end| end <= len)),
            "expected {count} rows of {row} numbers within {len} for {} samples, found {lay:?}",
            self.samples
        );
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

/// Where the rows of the heads lie in a slice: those of one side by side with those of the next.
#[derive(Clone, Copy, Debug)]
pub struct Lay {
    /// Where the first row of the first head begins.
    pub offset: usize,
    /// From one row to the next.
    pub stride: usize,
    /// From one sample to the next.
    pub sample: usize,
}

impl Lay {
    /// Where row `row` of a head begins.
    #[inline(always)]
    fn at(&self, width: usize, (sample, head): (usize, usize), row: usize) -> usize {
        self.offset + sample * self.sample + head * width + row * self.stride
    }
}

/// Rows to read.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Where they lie.
    pub all: &'a [f32],
    /// How they lie there.
    pub lay: Lay,
}

/// `weights[i, j] = softmax_j(q[i] · k[j] / √width)` and `context[i] = Σ_j weights[i, j] · v[j]`, for each head.
///
/// Key j of a sample takes no part where its `mask[j]` is 0; a query that sees no key has the weights 0. A context is one chain of `fma`
/// from key 0 on. `weights` has room for [`Head::weights`] of every head, or of one that the next overwrites.
///
/// # Panics
/// Rows that do not lie within their slice; another number of weights; less scratch than [`Head::scratch`]; a mask of another length than
/// the keys of all samples; no samples, heads, queries, keys or width.
pub fn attend(
    isa: Isa,
    heads: Heads,
    qkv: [Rows; 3],
    mask: Option<&[f32]>,
    weights: &mut [f32],
    scratch: &mut [f32],
    (context, lay): (&mut [f32], Lay),
) {
    let Heads { head, count, samples } = heads;
    heads.check(qkv.map(|rows| rows.all.len()), qkv.map(|rows| rows.lay));
    heads.check_rows(head.queries, lay, context.len());
    let kept = weights.len() == samples * count * head.weights();
    assert!(kept || weights.len() == head.weights(), "expected weights for every query and key of all heads or one");
    assert!(mask.is_none_or(|mask| mask.len() == samples * head.keys), "expected a mask for every key");
    isa.run(Attend { heads, qkv, mask, weights, turned: &mut scratch[..head.scratch()], context, lay });
}

struct Attend<'a> {
    heads: Heads,
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
        let Attend { heads, qkv: [q, k, v], mask, weights, turned, context, lay } = self;
        let head = heads.head;
        let (keys, width, scale) = (head.keys, head.width, head.scale(s));
        let kept = if weights.len() == head.weights() { 0 } else { head.weights() };
        for (number, at) in heads.each().enumerate() {
            let weights = &mut weights[number * kept..][..head.weights()];
            let mask = mask.map(|mask| &mask[at.0 * keys..][..keys]);
            for first in (0..head.queries).step_by(BLOCK) {
                let block = head.block(first);
                let Block { count, wide, seen, .. } = block;
                let weights = &mut weights[first * keys..][..keys * wide];
                transpose(s, &q.all[q.lay.at(width, at, first)..], q.lay.stride, [count, width], turned);
                let scores = Sums {
                    a: k.all.as_ptr().wrapping_add(k.lay.at(width, at, 0)),
                    row: k.lay.stride,
                    step: 1,
                    b: turned.as_ptr(),
                    b_step: wide,
                    c: weights.as_mut_ptr(),
                    c_row: wide,
                    depth: width,
                    add: false,
                };
                // SAFETY: `attend` has checked that `seen` keys of each head lie in their slice and as many rows of `wide` in the weights;
                // `transpose` has filled `width` rows of `wide`.
                unsafe { sums(s, scores, seen, wide) };
                match wide {
                    LANES => soften::<S, 1>(s, block, scale, mask, weights),
                    _ => soften::<S, 2>(s, block, scale, mask, weights),
                }
                let contexts = Sums {
                    a: weights.as_ptr(),
                    row: 1,
                    step: wide,
                    b: v.all.as_ptr().wrapping_add(v.lay.at(width, at, 0)),
                    b_step: v.lay.stride,
                    c: context.as_mut_ptr().wrapping_add(lay.at(width, at, first)),
                    c_row: lay.stride,
                    depth: seen,
                    add: false,
                };
                // SAFETY: `count` is at most `wide`; `attend` has checked that the values and the context rows of these queries lie in
                // their slices.
                unsafe { sums(s, contexts, count, width) };
            }
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
