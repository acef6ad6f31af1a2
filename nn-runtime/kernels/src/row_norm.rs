//! NormRows normalised to mean 0 and deviation 1, or to mean square 1: layer, group, instance and RMS norm,
//! and their gradients. In: an `Isa`, the layout of rows and weights, whole batches. Out: filled slices. A
//! row's result depends on no other row: the means of sixteen rows are one vector, each in a SIMD lane of its
//! own.

mod backward_weight;
#[cfg(test)]
mod tests;

use super::elementwise::{Map, fill};
use super::reduce::{Terms, lane_sums};
use super::simd::{Isa, Kernel, LANES, Simd};

pub use backward_weight::{row_bias_backward, row_weight_backward};

/// The layout of rows and weights in a batch.
#[derive(Clone, Copy, Debug)]
pub struct NormRows {
    /// Numbers of a row: those normalised together.
    pub row: usize,
    /// Adjacent numbers with the same weight. It divides `row`.
    pub span: usize,
    /// How many weights there are; the rows of a batch cycle through them.
    pub weights: usize,
    /// Whether the mean is subtracted first.
    pub centred: bool,
    /// What is added to the variance.
    pub eps: f32,
}

impl NormRows {
    /// Panics where rows are no whole spans, weights no whole rows, or slices no whole rows of one number.
    #[track_caller]
    fn check(&self, lengths: &[usize]) {
        let NormRows { row, span, weights, .. } = *self;
        let whole = span > 0 && row > 0 && row.is_multiple_of(span) && weights.is_multiple_of(row / span);
        assert!(
            whole && weights > 0 && lengths.iter().all(|len| *len == lengths[0] && len.is_multiple_of(row)),
            "expected slices of whole rows, of whole spans and all weights, found {lengths:?} numbers for {self:?}"
        );
    }

    /// The first weight of a row.
    fn first(&self, row: usize) -> usize {
        row * (self.row / self.span) % self.weights
    }
}

/// x
struct RowValue;

impl Terms<1, 1> for RowValue {
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, x: [S::F; 1]) -> [S::F; 1] {
        x
    }
}

/// x − mean and (x − mean)².
struct RowDeviation(f32);

impl Terms<1, 2> for RowDeviation {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> [S::F; 2] {
        let x = s.sub(x, s.splat(self.0));
        [x, s.mul(x, x)]
    }
}

/// dy and dy·(x − mean), where dy may have a weight.
struct RowGradTerms(f32);

impl Terms<2, 2> for RowGradTerms {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> [S::F; 2] {
        [dy, s.mul(dy, s.sub(x, s.splat(self.0)))]
    }
}

impl Terms<3, 2> for RowGradTerms {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x, w]: [S::F; 3]) -> [S::F; 2] {
        Terms::<2, 2>::at(self, s, [s.mul(dy, w), x])
    }
}

/// max(((x − mean)·scale + centre)·w + b, floor), or without a weight max((x − mean)·scale + centre, floor).
struct ScaleRow {
    mean: f32,
    scale: f32,
    centre: f32,
    floor: f32,
}

impl ScaleRow {
    /// Before weights.
    #[inline(always)]
    fn normalised<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.fma(s.sub(x, s.splat(self.mean)), s.splat(self.scale), s.splat(self.centre))
    }
}

impl Map<1> for ScaleRow {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        // The floor is the first operand: where one is NaN, `max` returns the second.
        s.max(s.splat(self.floor), self.normalised(s, x))
    }
}

impl Map<2> for ScaleRow {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, w]: [S::F; 2]) -> S::F {
        s.max(s.splat(self.floor), s.mul(self.normalised(s, x), w))
    }
}

impl Map<3> for ScaleRow {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, w, b]: [S::F; 3]) -> S::F {
        s.max(s.splat(self.floor), s.fma(self.normalised(s, x), w, b))
    }
}

/// dx = scale·(dy·w) − shift − (x − mean)·slope.
struct RowInputGrad {
    mean: f32,
    scale: f32,
    shift: f32,
    slope: f32,
}

impl Map<2> for RowInputGrad {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        let rest = s.fma(s.sub(x, s.splat(self.mean)), s.splat(self.slope), s.splat(self.shift));
        s.sub(s.mul(dy, s.splat(self.scale)), rest)
    }
}

impl Map<3> for RowInputGrad {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x, w]: [S::F; 3]) -> S::F {
        Map::<2>::apply(self, s, [s.mul(dy, w), x])
    }
}

/// Lane i of the result is the sum of the lanes of vector i.
#[inline(always)]
fn sum_lanes<S: Simd>(s: S, mut rows: [S::F; LANES]) -> S::F {
    s.transpose(&mut rows);
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            rows[i] = s.add(rows[i], rows[i + half]);
        }
        half /= 2;
    }
    rows[0]
}

#[inline(always)]
fn numbers<S: Simd>(s: S, x: S::F) -> [f32; LANES] {
    let mut to = [0.0; LANES];
    s.store(x, &mut to);
    to
}

/// What normalises a row: `(x − mean − rest) · scale`.
///
/// The mean is a number of `f32` and what that is off by: far from 0, rounding it would move every deviation.
#[derive(Clone, Copy, Default)]
struct RowMoments {
    mean: f32,
    rest: f32,
    scale: f32,
}

impl RowMoments {
    /// From what [`row_norm`] saved of a row.
    #[inline(always)]
    fn saved([mean, rest, scale]: [f32; SAVED_PER_ROW]) -> Self {
        RowMoments { mean, rest, scale }
    }
}

/// Numbers that [`row_norm`] saves of a row: its mean, what that is off by, and 1 / deviation.
pub const SAVED_PER_ROW: usize = 3;

/// The moments of up to sixteen rows; the mean is 0 if not centred.
#[inline(always)]
fn moments<S: Simd>(s: S, rows: &NormRows, x: &[f32]) -> [RowMoments; LANES] {
    let count = s.splat(rows.row as f32);
    let mut means = [0.0; LANES];
    if rows.centred {
        let mut sums = [s.splat(0.0); LANES];
        for (sum, x) in sums.iter_mut().zip(x.chunks_exact(rows.row)) {
            [*sum] = lane_sums(s, &RowValue, [x]);
        }
        means = numbers(s, s.div(sum_lanes(s, sums), count));
    }
    let mut sums = [[s.splat(0.0); LANES]; 2];
    for (i, (x, mean)) in x.chunks_exact(rows.row).zip(means).enumerate() {
        [sums[0][i], sums[1][i]] = lane_sums(s, &RowDeviation(mean), [x]);
    }
    let (mut rest, mut var) = (s.splat(0.0), s.div(sum_lanes(s, sums[1]), count));
    if rows.centred {
        rest = s.div(sum_lanes(s, sums[0]), count);
        // The first operand of `max` is 0: where the variance is NaN, it stays so.
        var = s.max(s.splat(0.0), s.fma(s.neg(rest), rest, var));
    }
    let scales = numbers(s, s.div(s.splat(1.0), s.sqrt(s.add(var, s.splat(rows.eps)))));
    let rests = numbers(s, rest);
    let mut all = [RowMoments::default(); LANES];
    for (i, moments) in all.iter_mut().enumerate() {
        *moments = RowMoments { mean: means[i], rest: rests[i], scale: scales[i] };
    }
    all
}

struct RowNorm<'a> {
    rows: NormRows,
    x: &'a [f32],
    weight: Option<&'a [f32]>,
    bias: Option<&'a [f32]>,
    floor: f32,
    y: &'a mut [f32],
    saved: &'a mut [f32],
}

impl Kernel for RowNorm<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RowNorm { rows, x, weight, bias, floor, y, saved } = self;
        let mut saved = saved.as_chunks_mut().0.iter_mut();
        let groups = x.chunks(LANES * rows.row).zip(y.chunks_mut(LANES * rows.row));
        for (group, (x, y)) in groups.enumerate() {
            let moments = moments(s, &rows, x);
            let rows_of = x.chunks_exact(rows.row).zip(y.chunks_exact_mut(rows.row));
            for (i, ((x, y), RowMoments { mean, rest, scale })) in rows_of.zip(moments).enumerate() {
                if let Some(to) = saved.next() {
                    *to = [mean, rest, scale];
                }
                let first = rows.first(group * LANES + i);
                let scaled = ScaleRow { mean, scale, centre: -rest * scale, floor };
                match (weight, bias) {
                    (None, _) => fill(s, &scaled, [x], y),
                    (Some(w), None) if rows.span == 1 => fill(s, &scaled, [x, &w[first..]], y),
                    (Some(w), Some(b)) if rows.span == 1 => fill(s, &scaled, [x, &w[first..], &b[first..]], y),
                    (Some(w), _) => {
                        for (i, (x, y)) in x.chunks_exact(rows.span).zip(y.chunks_exact_mut(rows.span)).enumerate() {
                            let (scale, shift) = (scale * w[first + i], bias.map_or(0.0, |b| b[first + i]));
                            fill(s, &ScaleRow { mean, scale, centre: shift - rest * scale, floor }, [x], y);
                        }
                    }
                }
            }
        }
    }
}

struct RowNormBackward<'a> {
    rows: NormRows,
    x: &'a [f32],
    weight: Option<&'a [f32]>,
    dy: &'a [f32],
    saved: &'a [f32],
    dx: &'a mut [f32],
}

impl RowNormBackward<'_> {
    /// What forward saved of a row.
    #[inline(always)]
    fn moments(&self, row: usize) -> RowMoments {
        RowMoments::saved(self.saved.as_chunks().0[row])
    }

    /// Σ dy·w and Σ dy·w·(x − mean) of a row, lane by lane.
    #[inline(always)]
    fn sums<S: Simd>(&self, s: S, row: usize, x: &[f32], dy: &[f32]) -> [S::F; 2] {
        let (span, first, mean) = (self.rows.span, self.rows.first(row), self.moments(row).mean);
        match self.weight {
            None => lane_sums(s, &RowGradTerms(mean), [dy, x]),
            Some(w) if span == 1 => lane_sums(s, &RowGradTerms(mean), [dy, x, &w[first..]]),
            Some(w) => {
                let mut total = [s.splat(0.0); 2];
                for ((x, dy), w) in x.chunks_exact(span).zip(dy.chunks_exact(span)).zip(&w[first..]) {
                    let sums = lane_sums(s, &RowGradTerms(mean), [dy, x]);
                    for (total, sum) in total.iter_mut().zip(sums) {
                        *total = s.fma(s.splat(*w), sum, *total);
                    }
                }
                total
            }
        }
    }
}

impl Kernel for RowNormBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let NormRows { row, span, centred, .. } = self.rows;
        let dx = core::mem::take(&mut self.dx);
        let count = s.splat(row as f32);
        let groups = self.x.chunks(LANES * row).zip(self.dy.chunks(LANES * row)).zip(dx.chunks_mut(LANES * row));
        for (group, ((x, dy), dx)) in groups.enumerate() {
            let of = group * LANES;
            let mut sums = [[s.splat(0.0); LANES]; 2];
            let [mut scales, mut rests] = [[0.0; LANES]; 2];
            for (i, (x, dy)) in x.chunks_exact(row).zip(dy.chunks_exact(row)).enumerate() {
                [sums[0][i], sums[1][i]] = self.sums(s, of + i, x, dy);
                RowMoments { scale: scales[i], rest: rests[i], .. } = self.moments(of + i);
            }
            let (scale, rest) = (s.load(&scales), s.load(&rests));
            let part = s.div(scale, count);
            let [plain, along] = [sum_lanes(s, sums[0]), sum_lanes(s, sums[1])];
            // Σ dy·w·(x − mean − rest)
            let along = s.fma(s.neg(rest), plain, along);
            let slope = s.mul(scale, s.mul(scale, s.mul(part, along)));
            // Of scale·(dy·w) − shift − (x − mean − rest)·slope, what is the same for the whole row.
            let shifts = match centred {
                true => numbers(s, s.fma(s.neg(rest), slope, s.mul(part, plain))),
                false => [0.0; LANES],
            };
            let slopes = numbers(s, slope);
            let rows_of = x.chunks_exact(row).zip(dy.chunks_exact(row)).zip(dx.chunks_exact_mut(row));
            for (i, ((x, dy), dx)) in rows_of.enumerate() {
                let first = self.rows.first(of + i);
                let (mean, scale) = (self.moments(of + i).mean, scales[i]);
                let pulled = RowInputGrad { mean, scale, shift: shifts[i], slope: slopes[i] };
                match self.weight {
                    None => fill(s, &pulled, [dy, x], dx),
                    Some(w) if span == 1 => fill(s, &pulled, [dy, x, &w[first..]], dx),
                    Some(w) => {
                        let pieces = x.chunks_exact(span).zip(dy.chunks_exact(span)).zip(dx.chunks_exact_mut(span));
                        for (((x, dy), dx), w) in pieces.zip(&w[first..]) {
                            fill(s, &RowInputGrad { scale: scale * w, ..pulled }, [dy, x], dx);
                        }
                    }
                }
            }
        }
    }
}

/// y = max((x − mean) / deviation · weight + bias, floor), row by row. `saved`, unless empty, takes the mean
/// and 1 / deviation of each row.
///
/// # Panics
/// A row is no whole spans, the weights are no whole rows, or the slices no whole rows of one number.
pub fn row_norm(
    isa: Isa,
    rows: NormRows,
    x: &[f32],
    [weight, bias]: [Option<&[f32]>; 2],
    floor: f32,
    y: &mut [f32],
    saved: &mut [f32],
) {
    rows.check(&[x.len(), y.len()]);
    isa.run(RowNorm { rows, x, weight, bias, floor, y, saved });
}

/// The gradient of the input, with what [`row_norm`] saved.
///
/// # Panics
/// As [`row_norm`].
pub fn row_norm_backward(
    isa: Isa,
    rows: NormRows,
    x: &[f32],
    weight: Option<&[f32]>,
    dy: &[f32],
    saved: &[f32],
    dx: &mut [f32],
) {
    rows.check(&[x.len(), dy.len(), dx.len()]);
    isa.run(RowNormBackward { rows, x, weight, dy, saved, dx });
}
