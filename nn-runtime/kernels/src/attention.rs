//! Scaled dot-product attention of the heads of a batch: queries times keys, softmax over keys, mean of
//! values. In: rows of queries, keys and values at any stride. Out: context rows and weights, or gradients.
//! SIMD lanes are queries, so no sum crosses lanes; every sum is one chain in the order of keys, queries or
//! features. Lengths are checked first; nothing outside the slices is touched.

mod backward;
mod left_out;
mod products;
#[cfg(test)]
mod tests;

pub use backward::backward;

use core::f32::consts::LOG2_E;

use super::math;
use super::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};
use left_out::{all_finite, product_without_zeros};
use products::{AttentionProduct, product, transpose};

/// Queries computed at a time.
const BLOCK: usize = 2 * LANES;

/// The size of a head of a sample: all of a batch are alike.
#[derive(Clone, Copy, Debug)]
pub struct AttentionHead {
    /// StridedRows of queries.
    pub queries: usize,
    /// StridedRows of keys, and of values.
    pub keys: usize,
    /// Numbers of a row.
    pub width: usize,
    /// Query i attends to the keys 0 to i only.
    pub causal: bool,
}

impl AttentionHead {
    /// Numbers of the weights: blocks of queries, each `[keys, 32]`, the last one 16 or 32 wide.
    pub const fn weights(&self) -> usize {
        self.keys.saturating_mul(self.queries.div_ceil(LANES)).saturating_mul(LANES)
    }

    /// Numbers of scratch for [`attend`].
    pub const fn scratch(&self) -> usize {
        self.width.saturating_mul(BLOCK)
    }

    /// Numbers of scratch for [`backward`].
    pub const fn backward_scratch(&self) -> usize {
        let blocks = self.width.saturating_add(self.keys).saturating_mul(BLOCK);
        blocks.saturating_add(self.keys.saturating_mul(self.width).saturating_mul(2))
    }

    /// What the scores are multiplied by: 1 / √width.
    #[inline(always)]
    fn scale<S: Simd>(&self, s: S) -> S::F {
        s.div(s.splat(1.0), s.sqrt(s.splat(self.width as f32)))
    }

    /// The block of queries that starts with query `first`.
    fn block(&self, first: usize) -> QueryBlock {
        let count = BLOCK.min(self.queries - first);
        let seen = if self.causal { self.keys.min(first + count) } else { self.keys };
        QueryBlock { first, count, wide: count.next_multiple_of(LANES), seen, causal: self.causal }
    }
}

/// The heads of a batch.
#[derive(Clone, Copy, Debug)]
pub struct AttentionHeads {
    /// The size of each.
    pub head: AttentionHead,
    /// AttentionHeads of a sample.
    pub count: usize,
    /// Samples.
    pub samples: usize,
    /// Whether a mask leaves out keys.
    pub masked: bool,
}

impl AttentionHeads {
    /// Each head: its sample, and its index within the sample.
    fn each(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.samples).flat_map(move |sample| (0..self.count).map(move |head| (sample, head)))
    }

    /// Panics if the queries, keys and values of all heads do not lie within slices of `rows` numbers.
    #[track_caller]
    fn check(&self, rows: [usize; 3], layout: [RowLayout; 3]) {
        let AttentionHead { queries, keys, width, .. } = self.head;
        let none = [self.samples, self.count, queries, keys, width].contains(&0);
        assert!(!none, "expected samples, heads, queries, keys and a width of at least 1, found {self:?}");
        for ((len, layout), count) in rows.into_iter().zip(layout).zip([queries, keys, keys]) {
            self.check_rows(count, layout, len);
        }
    }

    /// Panics if `count` rows of each head do not lie within `len` numbers.
    #[track_caller]
    fn check_rows(&self, count: usize, layout: RowLayout, len: usize) {
        let row = self.count.checked_mul(self.head.width);
        let before = (self.samples - 1).checked_mul(layout.sample);
        let last = before.zip((count - 1).checked_mul(layout.stride)).and_then(|(a, b)| a.checked_add(b));
        let first = row.and_then(|row| row.checked_add(layout.offset));
        let end = last.zip(first).and_then(|(last, first)| last.checked_add(first));
        assert!(
            row.is_some_and(|row| row <= layout.stride) && end.is_some_and(|end| end <= len),
            "expected {count} rows of {} heads of {} numbers within {len} for {} samples, found {layout:?}",
            self.count,
            self.head.width,
            self.samples
        );
    }

    /// Numbers of the weights of all heads.
    fn weights(&self) -> Option<usize> {
        self.samples.checked_mul(self.count)?.checked_mul(self.head.weights())
    }
}

/// Queries computed together.
#[derive(Clone, Copy)]
struct QueryBlock {
    first: usize,
    count: usize,
    /// The count rounded up to whole vectors: the length of a row of weights.
    wide: usize,
    /// How many keys the last query, and so any of them, attends to.
    seen: usize,
    causal: bool,
}

/// Where the rows of heads lie in a slice: row r of all heads of a sample side by side.
#[derive(Clone, Copy, Debug)]
pub struct RowLayout {
    /// Where the first row of the first head begins.
    pub offset: usize,
    /// From one row to the next.
    pub stride: usize,
    /// From one sample to the next.
    pub sample: usize,
}

impl RowLayout {
    /// Where row `row` of head `head` of sample `sample` begins.
    #[inline(always)]
    fn at(&self, width: usize, (sample, head): (usize, usize), row: usize) -> usize {
        self.offset + sample * self.sample + head * width + row * self.stride
    }
}

/// The rows of all heads, to be read.
#[derive(Clone, Copy)]
pub struct StridedRows<'a> {
    /// The numbers.
    pub all: &'a [f32],
    /// Where rows lie among them.
    pub layout: RowLayout,
}

/// `weights[i, j] = softmax_j(q[i] · k[j] / √width)` and `context[i] = Σ_j weights[i, j] · v[j]`, for each
/// head.
///
/// Key j of a sample is left out where its `mask[j]` is 0, whatever numbers it and its value are; a query
/// without any key has the weights 0. A context is one chain of `fma` from key 0 on. `weights` has
/// [`AttentionHead::weights`] numbers for every head, or for one head, which the next overwrites.
///
/// # Panics
/// StridedRows that do not lie within their slice; another number of weights; less scratch than
/// [`AttentionHead::scratch`]; a mask of another length than the keys of all samples; no samples, heads,
/// queries, keys or width.
pub fn attend(
    isa: Isa,
    heads: AttentionHeads,
    qkv: [StridedRows; 3],
    mask: Option<&[f32]>,
    weights: &mut [f32],
    scratch: &mut [f32],
    (context, layout): (&mut [f32], RowLayout),
) {
    let AttentionHeads { head, samples, .. } = heads;
    heads.check(qkv.map(|rows| rows.all.len()), qkv.map(|rows| rows.layout));
    heads.check_rows(head.queries, layout, context.len());
    let all = heads.weights() == Some(weights.len());
    assert!(all || weights.len() == head.weights(), "expected weights for every query and key of all heads or one");
    assert!(
        mask.is_none_or(|mask| samples.checked_mul(head.keys) == Some(mask.len())),
        "expected a mask for every key"
    );
    isa.run(Attend { heads, qkv, mask, weights, transposed: &mut scratch[..head.scratch()], context, layout });
}

struct Attend<'a> {
    heads: AttentionHeads,
    qkv: [StridedRows<'a>; 3],
    mask: Option<&'a [f32]>,
    weights: &'a mut [f32],
    transposed: &'a mut [f32],
    context: &'a mut [f32],
    layout: RowLayout,
}

impl Kernel for Attend<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Attend { heads, qkv: [q, k, v], mask, weights, transposed, context, layout } = self;
        let head = heads.head;
        let (keys, width, scale) = (head.keys, head.width, head.scale(s));
        let per_head = if weights.len() == head.weights() { 0 } else { head.weights() };
        for (number, at) in heads.each().enumerate() {
            let weights = &mut weights[number * per_head..][..head.weights()];
            let mask = mask.map(|mask| &mask[at.0 * keys..][..keys]);
            let leaves_out = head.causal || mask.is_some();
            let finite =
                !leaves_out || all_finite(s, (0..keys).map(|key| &v.all[v.layout.at(width, at, key)..][..width]));
            for first in (0..head.queries).step_by(BLOCK) {
                let block = head.block(first);
                let QueryBlock { count, wide, seen, .. } = block;
                let weights = &mut weights[first * keys..][..keys * wide];
                transpose(s, &q.all[q.layout.at(width, at, first)..], q.layout.stride, [count, width], transposed);
                let scores = AttentionProduct {
                    a: k.all.as_ptr().wrapping_add(k.layout.at(width, at, 0)),
                    row: k.layout.stride,
                    step: 1,
                    b: transposed.as_ptr(),
                    b_step: wide,
                    c: weights.as_mut_ptr(),
                    c_row: wide,
                    depth: width,
                    add: false,
                };
                // SAFETY: `attend` has checked that all keys of each head, at least `seen`, lie in their
                // slice; the weights of the block have keys · wide >= seen · wide numbers, and `transposed`
                // has width · wide.
                unsafe { product(s, scores, seen, wide) };
                match wide {
                    LANES => block_softmax::<S, 1>(s, block, scale, mask, weights),
                    _ => block_softmax::<S, 2>(s, block, scale, mask, weights),
                }
                let contexts = AttentionProduct {
                    a: weights.as_ptr(),
                    row: 1,
                    step: wide,
                    b: v.all.as_ptr().wrapping_add(v.layout.at(width, at, 0)),
                    b_step: v.layout.stride,
                    c: context.as_mut_ptr().wrapping_add(layout.at(width, at, first)),
                    c_row: layout.stride,
                    depth: seen,
                    add: false,
                };
                // SAFETY: count <= wide and seen <= keys: below the keys · wide weights; `attend` has checked
                // that the values of all keys and the context rows of all queries lie in their slices.
                unsafe {
                    match finite {
                        true => product(s, contexts, count, width),
                        false => product_without_zeros(s, contexts, count, width, None),
                    }
                }
            }
        }
    }
}

/// The lanes of the queries from `base` on that may attend to `key`.
#[inline(always)]
fn attends<S: Simd>(s: S, base: usize, key: usize) -> S::M {
    s.lt_i(s.splat_i(key as i32 - base as i32 - 1), s.load_i(&LANE_INDEX))
}

/// Weights below 2^−100 of the largest are 0, so that none is denormal.
const LEAST: f32 = -100.0;
/// 2^−100: subtracting it makes those weights 0 and rounds away in all that matter.
const SMALLEST_WEIGHT: f32 = f32::from_bits((127 - 100) << 23);

/// Softmax of a block of scores, in place, down the keys, which have `V` vectors each. The maximum is
/// subtracted first.
#[inline(always)]
fn block_softmax<S: Simd, const V: usize>(
    s: S,
    block: QueryBlock,
    scale: S::F,
    mask: Option<&[f32]>,
    weights: &mut [f32],
) {
    let QueryBlock { first, seen, causal, .. } = block;
    let (none, zero, scale) = (s.splat(f32::NEG_INFINITY), s.splat(0.0), s.mul(scale, s.splat(LOG2_E)));
    let masked = |key: usize| mask.is_some_and(|mask| mask[key] == 0.0);
    let hides = |key: usize, v: usize| causal && key > first + v * LANES;
    let (rows, unseen) = weights.as_chunks_mut::<LANES>().0.as_chunks_mut::<V>().0.split_at_mut(seen);
    unseen.fill([[0.0; LANES]; V]);
    let mut most = [none; V];
    for (key, row) in rows.iter().enumerate() {
        if masked(key) {
            continue;
        }
        for (v, (most, x)) in most.iter_mut().zip(row).enumerate() {
            let x = s.load(x);
            let x = if hides(key, v) { s.select(attends(s, first + v * LANES, key), x, none) } else { x };
            *most = s.max(x, *most);
        }
    }
    let mut sums = [zero; V];
    for (key, row) in rows.iter_mut().enumerate() {
        if masked(key) {
            *row = [[0.0; LANES]; V];
            continue;
        }
        for (v, at) in row.iter_mut().enumerate() {
            // The limit is the first operand: where one is NaN, `max` returns the second.
            let power = s.max(s.splat(LEAST), s.mul(s.sub(s.load(at), most[v]), scale));
            let (near_1, power) = math::exp_2_within(s, power);
            let e = s.fma(near_1, power, s.splat(-SMALLEST_WEIGHT));
            let e = if hides(key, v) { s.select(attends(s, first + v * LANES, key), e, zero) } else { e };
            s.store(e, at);
            sums[v] = s.add(sums[v], e);
        }
    }
    for sum in &mut sums {
        // Without any key the weights are 0 already, and stay so.
        *sum = s.select(s.eq(*sum, zero), *sum, s.div(s.splat(1.0), *sum));
    }
    for row in rows {
        for (at, factor) in row.iter_mut().zip(sums) {
            s.store(s.mul(s.load(at), factor), at);
        }
    }
}
