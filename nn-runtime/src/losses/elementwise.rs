//! What losses that compare number with number have in common. In: a formula, outputs and targets; out: the
//! sum over rows of the mean over a row's numbers, and the gradient.

use crate::text::{String, format};

use nn_kernels::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// A loss of one number. Implementors mark `both` `#[inline(always)]`.
pub trait Formula {
    /// The loss of each lane, and its derivative with respect to `y`; what is not used costs nothing.
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F);
}

/// Vectors added in `f32` before the sum goes on in `f64`: few enough that each lane rounds a few times only.
const BLOCK: usize = 16;

/// Targets looked at between two chances to stop.
const FAULT_BLOCK: usize = 64;

/// `dy` is as long as `y` with `GRADIENT`, and empty without.
struct Run<'a, L, const GRADIENT: bool> {
    loss: &'a L,
    y: &'a [f32],
    target: &'a [f32],
    scale: f32,
    dy: &'a mut [f32],
}

impl<L: Formula, const GRADIENT: bool> Kernel for Run<'_, L, GRADIENT> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let Run { loss, y, target, scale, dy } = self;
        let scale = s.splat(scale);
        let (y, y_tail) = y.as_chunks::<LANES>();
        let (t, t_tail) = target.as_chunks::<LANES>();
        let (dy, dy_tail) = dy.as_chunks_mut::<LANES>();

        let mut total = 0.0;
        for (block, (y, t)) in y.chunks(BLOCK).zip(t.chunks(BLOCK)).enumerate() {
            let mut sum = s.splat(0.0);
            for (i, (y, t)) in y.iter().zip(t).enumerate() {
                let (value, slope) = loss.both(s, s.load(y), s.load(t));
                sum = s.add(sum, value);
                if GRADIENT {
                    s.store(s.mul(slope, scale), &mut dy[block * BLOCK + i]);
                }
            }
            total += f64::from(s.sum(sum));
        }
        if !y_tail.is_empty() {
            let (value, slope) = loss.both(s, s.load_part(y_tail), s.load_part(t_tail));
            // Lanes past the end hold the loss of 0 against 0, which need not be 0.
            let filled = s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(y_tail.len() as i32));
            total += f64::from(s.sum(s.select(filled, value, s.splat(0.0))));
            if GRADIENT {
                s.store_part(s.mul(slope, scale), dy_tail);
            }
        }
        total
    }
}

#[track_caller]
fn check(width: usize, y: &[f32], target: &[f32]) {
    assert!(width > 0 && y.len().is_multiple_of(width), "expected rows of {width} numbers, found {} numbers", y.len());
    assert_eq!(y.len(), target.len(), "expected as many targets as outputs");
}

/// The sum over rows, and the gradient times `scale`.
///
/// # Panics
/// The lengths disagree.
pub fn gradient(
    loss: &impl Formula,
    isa: Isa,
    width: usize,
    y: &[f32],
    target: &[f32],
    scale: f32,
    dy: &mut [f32],
) -> f64 {
    check(width, y, target);
    assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
    isa.run(Run::<_, true> { loss, y, target, scale: scale / width as f32, dy }) / width as f64
}

/// The sum over rows.
///
/// # Panics
/// The lengths disagree.
pub fn value(loss: &impl Formula, isa: Isa, width: usize, y: &[f32], target: &[f32]) -> f64 {
    check(width, y, target);
    isa.run(Run::<_, false> { loss, y, target, scale: 0.0, dy: &mut [] }) / width as f64
}

/// The first row with targets too many or too few, or one that is not allowed.
pub fn fault(
    width: usize,
    target: &[f32],
    rows: usize,
    allowed: impl Fn(f32) -> bool,
    expected: &str,
) -> Option<(usize, String)> {
    if target.len() != width * rows {
        let found = target.len() / rows.max(1);
        return Some((
            0,
            format!("expected {width} targets, as many as a row of the output has numbers, found {found}"),
        ));
    }
    // Whole blocks without an early way out are vectorised.
    let odd = |block: &[f32]| !block.iter().fold(true, |all, &t| all & allowed(t));
    let from = target.chunks(FAULT_BLOCK).position(odd)? * FAULT_BLOCK;
    let at = from + target[from..].iter().position(|&t| !allowed(t))?;
    Some((at / width, format!("expected {expected}, found {}", target[at])))
}
