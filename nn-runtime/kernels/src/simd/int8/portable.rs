//! The path of every machine: loops over arrays.

use super::super::{Portable, Simd};
use super::{Int8Kernel, Int8Simd};

impl Int8Simd for Portable {
    type Base = Portable;
    type Sums = [i32; 16];
    const TILE: usize = 1;

    #[inline(always)]
    fn base(self) -> Portable {
        self
    }
    #[inline(always)]
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out {
        k.run(self)
    }

    #[inline(always)]
    fn no_sums(self) -> [i32; 16] {
        [0; 16]
    }
    #[inline(always)]
    fn add_products(self, mut sums: [i32; 16], x: [u8; 4], w: &[i8; 64]) -> [i32; 16] {
        for (sum, w) in sums.iter_mut().zip(w.as_chunks::<4>().0) {
            for (x, w) in x.iter().zip(w) {
                *sum = sum.wrapping_add(i32::from(*x) * i32::from(*w));
            }
        }
        sums
    }
    #[inline(always)]
    fn total(self, sums: [i32; 16]) -> <Portable as Simd>::I {
        sums
    }

    #[inline(always)]
    fn widen(self, x: &[u8; 16]) -> [i32; 16] {
        x.map(i32::from)
    }
    #[inline(always)]
    fn widen_signed(self, x: &[i8; 16]) -> [i32; 16] {
        x.map(i32::from)
    }
    #[inline(always)]
    fn narrow(self, v: [i32; 16]) -> [u8; 16] {
        v.map(|x| x as u8)
    }
}
