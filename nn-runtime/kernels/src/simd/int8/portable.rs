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
        // Four at a time, and no check for overflow between: it cannot be.
        let x = x.map(i16::from);
        for (sum, [a, b, c, d]) in sums.iter_mut().zip(w.as_chunks::<4>().0) {
            let first = i32::from(x[0]) * i32::from(*a) + i32::from(x[1]) * i32::from(*b);
            let second = i32::from(x[2]) * i32::from(*c) + i32::from(x[3]) * i32::from(*d);
            *sum = sum.wrapping_add(first + second);
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
