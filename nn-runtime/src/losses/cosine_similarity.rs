//! `CosineSimilarity`: whether two rows point the same way, whatever their lengths.

use crate::text::String;

use super::elementwise::fault;
use super::{Loss, LossOn, TargetValue};
use nn_kernels::reduce::LongSum;
use nn_kernels::simd::{Isa, Kernel, LANES, Simd};

/// What the square of a length is taken for where it is 0, so that nothing is divided by 0.
const LEAST: f32 = 1e-12;

/// `1 - cos(y, t)` of a row, with `cos(y, t) = Σ y · t / (|y| · |t|)`, and then the mean over rows.
///
/// Targets: `f32`, as many as a row has numbers, at least 2. A row of zeros has no direction, its cosine is
/// 0; rows of any other length have theirs, and no loss is below 0 or above 2. (PyTorch adds 1e-12 to the
/// squares of lengths, so that rows much shorter than 1e-6 lose their direction there.)
///
/// | | here | PyTorch | Keras |
/// |---|---|---|---|
/// | the loss of a row | `1 - cos` | `CosineEmbeddingLoss` with targets 1: `1 - cos` | `CosineSimilarity`: `-cos` |
///
/// Fits a network that ends in anything but a single number.
///
/// ```
/// use nn_runtime::losses::{CosineSimilarity, LossOn};
/// use nn_runtime::Isa;
///
/// let (y, target) = ([3.0, 0.0, 0.0, 2.0], [1.0, 0.0, 0.0, -1.0]);
/// let loss = CosineSimilarity::new().value(Isa::detect(), 2, &y, &target[..]);
/// assert_eq!(loss, 0.0 + 2.0);
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct CosineSimilarity;

impl CosineSimilarity {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        CosineSimilarity
    }
}

/// `dy` is as long as `y` with `GRADIENT`, and empty without.
struct CosineRows<'a, const GRADIENT: bool> {
    width: usize,
    y: &'a [f32],
    target: &'a [f32],
    scale: f32,
    dy: &'a mut [f32],
}

impl<const GRADIENT: bool> Kernel for CosineRows<'_, GRADIENT> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let CosineRows { width, y, target, scale, dy } = self;
        let mut total = 0.0;
        for (row, (y, t)) in y.chunks_exact(width).zip(target.chunks_exact(width)).enumerate() {
            let dy = if GRADIENT { &mut dy[row * width..][..width] } else { &mut [] };
            total += f64::from(one::<S, GRADIENT>(s, y, t, scale, dy));
        }
        total
    }
}

/// A power of 2 that brings the largest of these numbers to between 1 and 4, or as near as a factor of 2^126
/// does; 1 for rows of zeros and for what is not finite.
#[inline(always)]
fn factor<S: Simd>(s: S, full: &[[f32; LANES]], last: S::F) -> f32 {
    let mut most = s.abs(last);
    for x in full {
        most = s.max(most, s.abs(s.load(x)));
    }
    let largest = s.largest(most);
    let exponent = (largest.to_bits() >> 23) as i32 - 127;
    // Both 2^126 and 2^-126 are normal numbers; numbers below those have the exponent -127.
    let exponent = if exponent == 128 || largest == 0.0 { 0 } else { exponent.clamp(-126, 126) };
    f32::from_bits(((127 - exponent) as u32) << 23)
}

#[inline(always)]
fn one<S: Simd, const GRADIENT: bool>(s: S, y: &[f32], t: &[f32], scale: f32, dy: &mut [f32]) -> f32 {
    let (y, y_tail) = y.as_chunks::<LANES>();
    let (t, t_tail) = t.as_chunks::<LANES>();
    let (dy, dy_tail) = dy.as_chunks_mut::<LANES>();
    let (y_last, t_last) = (s.load_part(y_tail), s.load_part(t_tail));
    // Both rows are brought to the size of 1 first, by powers of 2, so that no square overflows or vanishes.
    let (y_scale, t_scale) = (s.splat(factor(s, y, y_last)), s.splat(factor(s, t, t_last)));
    let (y_last, t_last) = (s.mul(y_last, y_scale), s.mul(t_last, t_scale));
    let mut yy = LongSum::new(s.mul(y_last, y_last));
    let mut tt = LongSum::new(s.mul(t_last, t_last));
    let mut yt = LongSum::new(s.mul(y_last, t_last));
    for (y, t) in y.iter().zip(t) {
        let (y, t) = (s.mul(s.load(y), y_scale), s.mul(s.load(t), t_scale));
        yy.fma(s, y, y);
        tt.fma(s, t, t);
        yt.fma(s, y, t);
    }
    let one = s.splat(1.0);
    let [yy, tt] = [yy, tt].map(|sum| sum.total(s)).map(|square| if square == 0.0 { LEAST } else { square });
    let [yy, tt] = [s.splat(yy), s.splat(tt)];
    let lengths = s.div(s.div(one, s.sqrt(yy)), s.sqrt(tt));
    // A rounded cosine may be a little beyond ±1, and its loss below 0 or above 2. The limits stand first:
    // NaN stays.
    let cosine = s.max(s.splat(-1.0), s.min(one, s.mul(s.splat(yt.total(s)), lengths)));
    if GRADIENT {
        // d cos / dy = t / (|y| · |t|) - cos · y / |y|², of the scaled rows.
        // The factor comes last: with those of very short rows the two parts could be ∞ - ∞.
        let of_t = s.mul(s.splat(-scale), lengths);
        let of_y = s.mul(s.splat(scale), s.div(cosine, yy));
        let slope = |y: S::F, t: S::F| s.mul(s.fma(t, of_t, s.mul(y, of_y)), y_scale);
        for ((y, t), dy) in y.iter().zip(t).zip(dy) {
            s.store(slope(s.mul(s.load(y), y_scale), s.mul(s.load(t), t_scale)), dy);
        }
        s.store_part(slope(y_last, t_last), dy_tail);
    }
    let mut loss = [0.0];
    s.store_part(s.sub(one, cosine), &mut loss);
    loss[0]
}

#[track_caller]
fn check(width: usize, y: &[f32], target: &[f32]) {
    assert!(width > 0 && y.len().is_multiple_of(width), "expected rows of {width} numbers, found {} numbers", y.len());
    assert_eq!(y.len(), target.len(), "expected as many targets as outputs");
}

impl Loss for CosineSimilarity {
    const LOGITS: bool = false;

    fn settings(&self) -> String {
        crate::text::format!("{self:?}")
    }
}

// What is not generic is compiled once, in this crate.

#[inline(never)]
fn gradient(isa: Isa, width: usize, y: &[f32], target: &[f32], scale: f32, dy: &mut [f32]) -> f64 {
    check(width, y, target);
    assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
    isa.run(CosineRows::<true> { width, y, target, scale, dy })
}

#[inline(never)]
fn value(isa: Isa, width: usize, y: &[f32], target: &[f32]) -> f64 {
    check(width, y, target);
    isa.run(CosineRows::<false> { width, y, target, scale: 0.0, dy: &mut [] })
}

#[inline(never)]
fn target_fault(width: usize, target: &[f32], rows: usize) -> Option<(usize, String)> {
    fault(width, target, rows, f32::is_finite, "finite targets")
}

impl<T: TargetValue> LossOn<[T]> for CosineSimilarity {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        gradient(isa, width, y, T::numbers(target), scale, dy)
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        value(isa, width, y, T::numbers(target))
    }

    fn fault(&self, width: usize, target: &[T], rows: usize) -> Option<(usize, String)> {
        if width < 2 {
            return Some((
                0,
                "expected rows of at least 2 numbers, found 1\nhelp: use `Mse` for single numbers".into(),
            ));
        }
        target_fault(width, T::numbers(target), rows)
    }

    fn correct(&self, _: usize, _: &[f32], _: &[T]) -> Option<usize> {
        None
    }
}
