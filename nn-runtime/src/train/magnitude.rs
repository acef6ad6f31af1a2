//! How large the largest of some numbers is, and whether all are finite. In: numbers; out: one number,
//! infinite where one of them is infinite or NaN.

pub(super) use crate::finite::first_not_finite;
use nn_kernels::simd::{Isa, Kernel, Simd};

/// All bits but the sign: as integers they are in the order of sizes, NaN above infinity. With a sign of
/// their own, which is 0: every processor has vectors that compare such.
const SIZE: i32 = i32::MAX;

/// Sizes compared side by side: of many numbers, and of a few.
const WAYS: usize = 64;
const FEW: usize = 16;

/// The largest `|x|`; infinity where any `x` is infinite or NaN, 0 of no numbers.
#[inline]
pub(super) fn largest(isa: Isa, x: &[f32]) -> f64 {
    let bits = match x.len() {
        _ if cfg!(feature = "small") => largest_bits(x),
        ..FEW => largest_bits(x),
        FEW..WAYS => isa.run(Largest::<FEW>(x)),
        _ => isa.run(Largest::<WAYS>(x)),
    };
    let most = f32::from_bits(bits as u32);
    if most.is_finite() { f64::from(most) } else { f64::INFINITY }
}

/// The place of the first number that is infinite or NaN, and was not before.
#[inline(never)]
pub(super) fn first_become_not_finite(before: &[f32], x: &[f32]) -> Option<usize> {
    x.iter().zip(before).position(|(x, before)| !x.is_finite() && before.is_finite())
}

#[inline(always)]
fn largest_bits(x: &[f32]) -> i32 {
    x.iter().fold(0, |most, x| most.max(x.to_bits() as i32 & SIZE))
}

struct Largest<'a, const SIDE_BY_SIDE: usize>(&'a [f32]);

impl<const SIDE_BY_SIDE: usize> Kernel for Largest<'_, SIDE_BY_SIDE> {
    type Out = i32;

    // The compiler makes vectors of this loop.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> i32 {
        let (blocks, tail) = self.0.as_chunks::<SIDE_BY_SIDE>();
        let mut most = [0; SIDE_BY_SIDE];
        for block in blocks {
            for (most, x) in most.iter_mut().zip(block) {
                *most = (*most).max(x.to_bits() as i32 & SIZE);
            }
        }
        most.into_iter().fold(largest_bits(tail), i32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_looked_at() {
        for isa in Isa::available() {
            for len in [1, 3, 15, 16, 33, 63, 64, 65, 130, 1000] {
                let mut x: Vec<f32> = (0..len).map(|i| (i % 7) as f32 - 3.5).collect();
                assert_eq!(largest(isa, &x), 3.5);
                for at in 0..len {
                    for (odd, most) in [
                        (-100.0, 100.0),
                        (f32::MAX, f64::from(f32::MAX)),
                        (f32::NEG_INFINITY, f64::INFINITY),
                        (f32::NAN, f64::INFINITY),
                        (-f32::NAN, f64::INFINITY),
                    ] {
                        let old = core::mem::replace(&mut x[at], odd);
                        assert_eq!(largest(isa, &x), most, "{odd} at {at} of {len} on {}", isa.name());
                        assert_eq!(first_not_finite(&x), (!odd.is_finite()).then_some(at));
                        x[at] = old;
                    }
                }
            }
            assert_eq!(largest(isa, &[]), 0.0);
        }
    }
}
