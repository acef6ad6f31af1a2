//! The sum of gradients that are each cut to a norm. In: one sample's gradient after the other; out: their
//! sum, which is exact: every number is rounded to a multiple of one unit before it is added, so that the
//! order of samples, and who adds them, changes no bit.

use nn_kernels::simd::{Isa, Kernel, Simd};

/// Numbers that are added side by side.
const WAYS: usize = 16;

/// What the gradient of a sample is cut to, and what its numbers are multiples of then.
#[derive(Clone, Copy)]
pub(in crate::train) struct ClippedSum {
    norm: f64,
    /// 1.5 · 2⁵² units: what is added to it and taken away again is rounded to whole units.
    rounding: f64,
}

/// Bits below the norm that stay of a number, if so few samples are added that there is room.
const MOST_BITS: i32 = 40;

impl ClippedSum {
    /// For the sum of up to so many samples.
    pub(in crate::train) fn new(norm: f64, samples: usize) -> ClippedSum {
        let bits = (50 - (samples.max(1).ilog2() as i32 + 1)).min(MOST_BITS);
        let exponent = libm::frexp(norm).1;
        ClippedSum { norm, rounding: libm::ldexp(1.5, 52 + exponent - bits) }
    }

    /// What a gradient of this sum of squares, of so many numbers, is multiplied by. What rounding to units
    /// can add is left out, and a millionth of the norm for all other rounding.
    fn factor(&self, squares: f64, len: usize) -> f64 {
        let unit = libm::ldexp(self.rounding / 1.5, -52);
        let most = (self.norm * (1.0 - 1e-6) - libm::sqrt(len as f64) * unit / 2.0).max(0.0);
        let norm = libm::sqrt(squares);
        if norm > most { most / norm } else { 1.0 }
    }

    /// Rounds to whole units.
    #[inline(always)]
    pub(in crate::train) fn round(&self, x: f64) -> f64 {
        x + self.rounding - self.rounding
    }

    /// Adds a gradient, cut; false where a number of it is not finite, and then nothing is added.
    pub(in crate::train) fn add(&self, isa: Isa, grad: &[f32], sum: &mut [f64]) -> bool {
        let squares = isa.run(Squares(grad));
        if !squares.is_finite() {
            return false;
        }
        isa.run(AddClipped { grad, factor: self.factor(squares, grad.len()), rounding: self.rounding, sum });
        true
    }
}

/// The sum of all squares, none of which is lost or overflows in double precision.
struct Squares<'a>(&'a [f32]);

impl Kernel for Squares<'_> {
    type Out = f64;

    // The compiler makes vectors of these loops.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let (blocks, tail) = self.0.as_chunks::<WAYS>();
        let mut sums = [0.0; WAYS];
        for block in blocks {
            for (sum, x) in sums.iter_mut().zip(block) {
                *sum += f64::from(*x) * f64::from(*x);
            }
        }
        let tail: f64 = tail.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        sums.iter().sum::<f64>() + tail
    }
}

struct AddClipped<'a> {
    grad: &'a [f32],
    factor: f64,
    rounding: f64,
    sum: &'a mut [f64],
}

impl Kernel for AddClipped<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (sum, x) in self.sum.iter_mut().zip(self.grad) {
            *sum += f64::from(*x) * self.factor + self.rounding - self.rounding;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::vec;
    use std::vec::Vec;

    fn gradients(count: usize, len: usize) -> Vec<Vec<f32>> {
        let size = |i: usize| [1e-4, 0.3, 1.0, 50.0, 1e20][i % 5];
        let mut random = Random::keyed(3, &[len as u64]);
        (0..count).map(|i| (0..len).map(|_| random.between(-1.0, 1.0) * size(i)).collect()).collect()
    }

    #[test]
    fn the_sum_is_that_of_cut_gradients_in_any_order_on_any_path() {
        for (count, len) in [(1, 1), (7, 3), (40, 17), (100, 1000)] {
            let (all, norm) = (gradients(count, len), 1.3);
            let mut truth = vec![0.0; len];
            for grad in &all {
                let size = grad.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
                let factor = (norm / size).min(1.0);
                truth.iter_mut().zip(grad).for_each(|(sum, x)| *sum += f64::from(*x) * factor);
            }
            let clipped = ClippedSum::new(norm, count);
            let mut first: Option<Vec<f64>> = None;
            for isa in Isa::available() {
                for turn in [0, 1, count / 2] {
                    let mut sum = vec![0.0; len];
                    let mut order: Vec<usize> = (0..count).collect();
                    order.rotate_left(turn.min(count - 1));
                    assert!(order.iter().all(|&i| clipped.add(isa, &all[i], &mut sum)));
                    assert!(sum.iter().zip(&truth).all(|(found, truth)| (found - truth).abs() < 2e-6 * count as f64));
                    assert_eq!(first.get_or_insert_with(|| sum.clone()), &sum);
                }
            }
        }
    }

    #[test]
    fn no_cut_gradient_is_longer_than_the_norm() {
        for norm in [1e-6, 0.7, 1.0, 3e5] {
            for grad in gradients(25, 777) {
                let mut sum = vec![0.0; 777];
                for samples in [1, 1000, 1 << 30] {
                    sum.fill(0.0);
                    assert!(ClippedSum::new(norm, samples).add(Isa::detect(), &grad, &mut sum));
                    assert!(sum.iter().map(|x| x * x).sum::<f64>().sqrt() <= norm);
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_not_added() {
        let mut sum = vec![1.0; 40];
        for odd in [f32::NAN, f32::INFINITY] {
            let mut grad = vec![0.5; 40];
            grad[33] = odd;
            assert!(!ClippedSum::new(1.0, 4).add(Isa::detect(), &grad, &mut sum));
            assert!(sum.iter().all(|&x| x == 1.0));
        }
        assert!(ClippedSum::new(1.0, 4).add(Isa::detect(), &[f32::MAX; 40], &mut sum));
    }
}
