//! Sums of values of different scales, by XNNPACK's rule: each code times a multiplier of 21 bits, in 32
//! bits, shifted right with ties upwards.

use super::convert::CodeScale;
use super::panels::WIDTH;
use crate::simd::Isa;
use crate::simd::Simd;
use crate::simd::int8::{Int8Kernel, Int8Simd};

/// The most values that are added.
pub const MAX_TERMS: usize = 8;

/// How several values are added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addition {
    /// What the codes of each value are multiplied by.
    pub multipliers: [i32; MAX_TERMS],
    /// What is added before the shift.
    pub bias: i32,
    /// By how much the sum is shifted right, 1 to 30.
    pub shift: u32,
    /// The code of zero in the output.
    pub zero: u8,
    /// The least and the largest code.
    pub bounds: [u8; 2],
}

impl Addition {
    /// The sum of values of these scales as one of scale `y`.
    ///
    /// # Panics
    /// `x` has no values, or more than [`MAX_TERMS`].
    pub fn new(x: &[CodeScale], y: CodeScale, bounds: [u8; 2]) -> Addition {
        assert!(!x.is_empty() && x.len() <= MAX_TERMS, "expected 1 to {MAX_TERMS} values, found {}", x.len());
        let largest = x.iter().fold(0.0, |largest: f32, x| largest.max(x.scale / y.scale));
        let exponent = (largest.to_bits() >> 23) as i32 - 127;
        // Two products of 21 and 8 bits and what rounds them fit into 32 bits; of more values each has less.
        let spare = (x.len().div_ceil(2) as u32).next_power_of_two().trailing_zeros() as i32;
        let shift = (20 - exponent - spare).clamp(1, 30);
        let mut multipliers = [0; MAX_TERMS];
        let mut bias = 1 << (shift - 1);
        for (multiplier, x) in multipliers.iter_mut().zip(x) {
            *multiplier = libm::rint(f64::from(x.scale / y.scale) * f64::from(1u32 << shift)) as i32;
            bias -= *multiplier * i32::from(x.zero);
        }
        Addition { multipliers, bias, shift: shift as u32, zero: y.zero, bounds }
    }
}

/// The sums of the values' codes, one by one.
///
/// # Panics
/// Values are not as long as `y`, or more than [`MAX_TERMS`].
pub fn add(isa: Isa, addition: &Addition, x: &[&[u8]], y: &mut [u8]) {
    assert!(
        x.len() <= MAX_TERMS && x.iter().all(|x| x.len() == y.len()),
        "expected at most {MAX_TERMS} values of {} codes",
        y.len()
    );
    isa.run_int8(AddKernel { addition, x, y });
}

struct AddKernel<'a> {
    addition: &'a Addition,
    x: &'a [&'a [u8]],
    y: &'a mut [u8],
}

impl Int8Kernel for AddKernel<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Int8Simd>(self, s: S) {
        let (b, a) = (s.base(), self.addition);
        let (whole, last) = self.y.as_chunks_mut::<WIDTH>();
        let sixteens = whole.len();
        for (i, y) in whole.iter_mut().enumerate() {
            let mut sums = b.splat_i(a.bias);
            for (x, multiplier) in self.x.iter().zip(a.multipliers) {
                sums = b.add_i(sums, b.mul_i(s.widen(&x.as_chunks::<WIDTH>().0[i]), b.splat_i(multiplier)));
            }
            let mut lanes = [0; WIDTH];
            b.store_i(sums, &mut lanes);
            for (lane, y) in lanes.into_iter().zip(y) {
                *y = a.code(lane);
            }
        }
        for (i, y) in last.iter_mut().enumerate() {
            let mut sum = a.bias;
            for (x, multiplier) in self.x.iter().zip(a.multipliers) {
                sum = sum.wrapping_add(multiplier.wrapping_mul(i32::from(x[sixteens * WIDTH + i])));
            }
            *y = a.code(sum);
        }
    }
}

impl Addition {
    #[inline(always)]
    pub(super) fn code(&self, sum: i32) -> u8 {
        let code = (sum >> (self.shift & 31)) + i32::from(self.zero);
        code.max(i32::from(self.bounds[0])).min(i32::from(self.bounds[1])) as u8
    }
}
