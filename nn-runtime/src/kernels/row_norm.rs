//! Rows brought to mean 0 and deviation 1, or to mean square 1: layer, group, instance and RMS normalisation and their pullbacks. In:
//! an `Isa`, how rows and weights lie, whole batches as slices; out: filled slices. A row's result depends on no other row.

use core::ops::Range;

use super::lanes::{Each, Terms, add, fill, sums};
use super::simd::{Isa, Kernel, Simd};

/// How rows and weights lie in a batch.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Numbers that are normalised together.
    pub row: usize,
    /// Numbers next to each other that share a weight. It divides `row`.
    pub span: usize,
    /// How many weights there are; the rows of a batch go over them again and again.
    pub weights: usize,
    /// Whether the mean is taken away first.
    pub centred: bool,
    /// What is added to the variance.
    pub eps: f32,
}

impl Rows {
    /// The first weight of a row.
    fn first(&self, row: usize) -> usize {
        row * (self.row / self.span) % self.weights
    }
}

/// What normalises a row: its mean (0 where that stays) and 1 / deviation.
#[derive(Clone, Copy)]
struct Moments {
    mean: f32,
    scale: f32,
}

struct Plain;

impl Terms<1, 1> for Plain {
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, x: [S::F; 1]) -> [S::F; 1] {
        x
    }
}

/// (x − mean)².
struct Square(f32);

impl Terms<1, 1> for Square {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> [S::F; 1] {
        let x = s.sub(x, s.splat(self.0));
        [s.mul(x, x)]
    }
}

/// dy and dy·(x − mean), of one weight or of one each.
struct Pulls(f32);

impl Terms<2, 2> for Pulls {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> [S::F; 2] {
        [dy, s.mul(dy, s.sub(x, s.splat(self.0)))]
    }
}

impl Terms<3, 2> for Pulls {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x, w]: [S::F; 3]) -> [S::F; 2] {
        Terms::<2, 2>::at(self, s, [s.mul(dy, w), x])
    }
}

/// max((x − mean)·scale·w + b, floor).
struct Scaled {
    mean: f32,
    scale: f32,
    shift: f32,
    floor: f32,
}

impl Each<1> for Scaled {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        let y = s.fma(s.sub(x, s.splat(self.mean)), s.splat(self.scale), s.splat(self.shift));
        // The floor stands first: where y is NaN, `max` gives the second.
        s.max(s.splat(self.floor), y)
    }
}

impl Each<2> for Scaled {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x, w]: [S::F; 2]) -> S::F {
        let x = s.mul(s.sub(x, s.splat(self.mean)), s.splat(self.scale));
        s.max(s.splat(self.floor), s.mul(x, w))
    }
}

impl Each<3> for Scaled {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x, w, b]: [S::F; 3]) -> S::F {
        let x = s.mul(s.sub(x, s.splat(self.mean)), s.splat(self.scale));
        s.max(s.splat(self.floor), s.fma(x, w, b))
    }
}

/// dx = scale·(dy·w) − shift − (x − mean)·slope.
struct Pulled {
    mean: f32,
    scale: f32,
    shift: f32,
    slope: f32,
}

impl Each<2> for Pulled {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        let rest = s.fma(s.sub(x, s.splat(self.mean)), s.splat(self.slope), s.splat(self.shift));
        s.sub(s.mul(dy, s.splat(self.scale)), rest)
    }
}

impl Each<3> for Pulled {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x, w]: [S::F; 3]) -> S::F {
        Each::<2>::at(self, s, [s.mul(dy, w), x])
    }
}

/// dy·(x − mean)·scale.
struct Weighs(Moments);

impl Each<2> for Weighs {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        s.mul(dy, s.mul(s.sub(x, s.splat(self.0.mean)), s.splat(self.0.scale)))
    }
}

#[inline(always)]
fn moments<S: Simd>(s: S, rows: &Rows, x: &[f32]) -> Moments {
    let n = x.len() as f64;
    let mean = if rows.centred { (sums(s, &Plain, [x])[0] / n) as f32 } else { 0.0 };
    let var = sums(s, &Square(mean), [x])[0] / n + f64::from(rows.eps);
    Moments { mean, scale: (1.0 / libm::sqrt(var)) as f32 }
}

struct Forward<'a> {
    rows: Rows,
    x: &'a [f32],
    weight: Option<&'a [f32]>,
    bias: Option<&'a [f32]>,
    floor: f32,
    y: &'a mut [f32],
    saved: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { rows, x, weight, bias, floor, y, saved } = self;
        for (r, (x, y)) in x.chunks_exact(rows.row).zip(y.chunks_exact_mut(rows.row)).enumerate() {
            let Moments { mean, scale } = moments(s, &rows, x);
            if let Some([to_mean, to_scale]) = saved.as_chunks_mut().0.get_mut(r) {
                (*to_mean, *to_scale) = (mean, scale);
            }
            let first = rows.first(r);
            let scaled = Scaled { mean, scale, shift: 0.0, floor };
            match (weight, bias) {
                (None, _) => fill(s, &scaled, [x], y),
                (Some(w), None) if rows.span == 1 => fill(s, &scaled, [x, &w[first..]], y),
                (Some(w), Some(b)) if rows.span == 1 => fill(s, &scaled, [x, &w[first..], &b[first..]], y),
                (Some(w), _) => {
                    for (i, (x, y)) in x.chunks_exact(rows.span).zip(y.chunks_exact_mut(rows.span)).enumerate() {
                        let shift = bias.map_or(0.0, |b| b[first + i]);
                        fill(s, &Scaled { mean, scale: scale * w[first + i], shift, floor }, [x], y);
                    }
                }
            }
        }
    }
}

struct PullX<'a> {
    rows: Rows,
    x: &'a [f32],
    weight: Option<&'a [f32]>,
    dy: &'a [f32],
    saved: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for PullX<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PullX { rows, x, weight, dy, saved, dx } = self;
        let (row, span) = (rows.row, rows.span);
        let n = row as f64;
        let rows_of = x.chunks_exact(row).zip(dy.chunks_exact(row)).zip(dx.chunks_exact_mut(row));
        for (r, (((x, dy), dx), &[mean, scale])) in rows_of.zip(saved.as_chunks().0).enumerate() {
            let first = rows.first(r);
            // Σ dy·w and Σ dy·w·(x − mean).
            let mut total = [0.0; 2];
            match weight {
                None => total = sums(s, &Pulls(mean), [dy, x]),
                Some(w) if span == 1 => total = sums(s, &Pulls(mean), [dy, x, &w[first..]]),
                Some(w) => {
                    for (i, (x, dy)) in x.chunks_exact(span).zip(dy.chunks_exact(span)).enumerate() {
                        let [a, b] = sums(s, &Pulls(mean), [dy, x]);
                        let w = f64::from(w[first + i]);
                        total = [total[0] + w * a, total[1] + w * b];
                    }
                }
            }
            let wide = f64::from(scale);
            let shift = if rows.centred { (wide * total[0] / n) as f32 } else { 0.0 };
            let slope = (wide * wide * wide * total[1] / n) as f32;
            let pulled = Pulled { mean, scale, shift, slope };
            match weight {
                None => fill(s, &pulled, [dy, x], dx),
                Some(w) if span == 1 => fill(s, &pulled, [dy, x, &w[first..]], dx),
                Some(w) => {
                    let pieces = x.chunks_exact(span).zip(dy.chunks_exact(span)).zip(dx.chunks_exact_mut(span));
                    for (i, ((x, dy), dx)) in pieces.enumerate() {
                        fill(s, &Pulled { scale: scale * w[first + i], ..pulled }, [dy, x], dx);
                    }
                }
            }
        }
    }
}

/// The gradient of the weights, or of the biases where `saved` is missing.
struct PullW<'a> {
    rows: Rows,
    x: &'a [f32],
    dy: &'a [f32],
    saved: Option<&'a [f32]>,
    range: Range<usize>,
    to: &'a mut [f32],
}

/// dy alone, as a term of the biases.
impl Each<1> for Plain {
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, [dy]: [S::F; 1]) -> S::F {
        dy
    }
}

impl Kernel for PullW<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PullW { rows, x, dy, saved, range, to } = self;
        let (row, span) = (rows.row, rows.span);
        for (r, (x, dy)) in x.chunks_exact(row).zip(dy.chunks_exact(row)).enumerate() {
            let first = rows.first(r);
            // What of the asked range this row has weights for, counted from its own first.
            let from = first.clamp(range.start, range.end);
            let end = (first + row / span).clamp(from, range.end);
            if from == end {
                continue;
            }
            let to = &mut to[from - range.start..end - range.start];
            let of = (from - first) * span..(end - first) * span;
            let (x, dy) = (&x[of.clone()], &dy[of]);
            let known = saved.map(|saved| {
                let [mean, scale] = saved.as_chunks().0[r];
                Moments { mean, scale }
            });
            match known {
                None if span == 1 => add(s, &Plain, [dy], to),
                Some(known) if span == 1 => add(s, &Weighs(known), [dy, x], to),
                _ => {
                    for ((x, dy), to) in x.chunks_exact(span).zip(dy.chunks_exact(span)).zip(to) {
                        *to += match known {
                            None => sums(s, &Plain, [dy])[0] as f32,
                            Some(known) => (sums(s, &Pulls(known.mean), [dy, x])[1] * f64::from(known.scale)) as f32,
                        };
                    }
                }
            }
        }
    }
}

/// y = max((x − mean) / deviation · weight + bias, floor), row by row. `saved`, where it is not empty, takes two numbers a row.
pub fn row_norm(
    isa: Isa,
    rows: Rows,
    x: &[f32],
    [weight, bias]: [Option<&[f32]>; 2],
    floor: f32,
    y: &mut [f32],
    saved: &mut [f32],
) {
    isa.run(Forward { rows, x, weight, bias, floor, y, saved });
}

/// dx, with what [`row_norm`] saved.
pub fn pull_row_norm(
    isa: Isa,
    rows: Rows,
    x: &[f32],
    weight: Option<&[f32]>,
    dy: &[f32],
    saved: &[f32],
    dx: &mut [f32],
) {
    isa.run(PullX { rows, x, weight, dy, saved, dx });
}

/// Adds the gradient of a range of the weights, row after row, with what [`row_norm`] saved.
pub fn pull_row_weight(
    isa: Isa,
    rows: Rows,
    x: &[f32],
    dy: &[f32],
    saved: &[f32],
    range: Range<usize>,
    dw: &mut [f32],
) {
    isa.run(PullW { rows, x, dy, saved: Some(saved), range, to: dw });
}

/// Adds the gradient of a range of the biases, row after row.
pub fn pull_row_bias(isa: Isa, rows: Rows, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
    isa.run(PullW { rows, x: dy, dy, saved: None, range, to: db });
}
