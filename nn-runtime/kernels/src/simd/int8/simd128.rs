//! The WebAssembly path: bytes are widened to 16 bits, whose products one instruction adds in pairs.
//! Never relaxed instructions, whose results differ from one machine to another.

use core::arch::wasm32::*;

use super::super::Simd128;
use super::{Int8Kernel, Int8Simd};

#[inline(never)]
fn apart<K: Int8Kernel>(s: Simd128, k: K) -> K::Out {
    k.run(s)
}

/// The sixteen bytes at `p`.
#[inline(always)]
fn load<T>(p: &[T; 16]) -> v128 {
    const { assert!(size_of::<T>() == 1) };
    // SAFETY: the reference is valid for 16 bytes, and the load needs no alignment.
    unsafe { v128_load(p.as_ptr().cast()) }
}

impl Int8Simd for Simd128 {
    type Base = Simd128;
    /// Value v: of the outputs 2v and 2v + 1, the sums over the inputs 0 and 1, and over 2 and 3.
    type Sums = [v128; 8];
    const TILE: usize = 1;

    #[inline(always)]
    fn base(self) -> Simd128 {
        self
    }
    #[inline(always)]
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out {
        apart(self, k)
    }

    #[inline(always)]
    fn no_sums(self) -> [v128; 8] {
        [i32x4_splat(0); 8]
    }
    #[inline(always)]
    fn add_products(self, mut sums: [v128; 8], x: [u8; 4], w: &[i8; 64]) -> [v128; 8] {
        let x = u16x8_extend_low_u8x16(i32x4_splat(i32::from_le_bytes(x)));
        for ([first, second], w) in sums.as_chunks_mut::<2>().0.iter_mut().zip(w.as_chunks::<16>().0) {
            let w = load(w);
            *first = i32x4_add(*first, i32x4_dot_i16x8(i16x8_extend_low_i8x16(w), x));
            *second = i32x4_add(*second, i32x4_dot_i16x8(i16x8_extend_high_i8x16(w), x));
        }
        sums
    }
    #[inline(always)]
    fn total(self, s: [v128; 8]) -> [v128; 4] {
        let mut to = [s[0]; 4];
        for (to, [a, b]) in to.iter_mut().zip(s.as_chunks::<2>().0) {
            *to = i32x4_add(i32x4_shuffle::<0, 2, 4, 6>(*a, *b), i32x4_shuffle::<1, 3, 5, 7>(*a, *b));
        }
        to
    }

    #[inline(always)]
    fn widen(self, x: &[u8; 16]) -> [v128; 4] {
        let x = load(x);
        let (low, high) = (u16x8_extend_low_u8x16(x), u16x8_extend_high_u8x16(x));
        [
            u32x4_extend_low_u16x8(low),
            u32x4_extend_high_u16x8(low),
            u32x4_extend_low_u16x8(high),
            u32x4_extend_high_u16x8(high),
        ]
    }
    #[inline(always)]
    fn widen_signed(self, x: &[i8; 16]) -> [v128; 4] {
        let x = load(x);
        let (low, high) = (i16x8_extend_low_i8x16(x), i16x8_extend_high_i8x16(x));
        [
            i32x4_extend_low_i16x8(low),
            i32x4_extend_high_i16x8(low),
            i32x4_extend_low_i16x8(high),
            i32x4_extend_high_i16x8(high),
        ]
    }
    #[inline(always)]
    fn narrow(self, v: [v128; 4]) -> [u8; 16] {
        let bytes = u8x16_narrow_i16x8(i16x8_narrow_i32x4(v[0], v[1]), i16x8_narrow_i32x4(v[2], v[3]));
        let mut to = [0; 16];
        // SAFETY: the array has room for the 16 bytes, and the store needs no alignment.
        unsafe { v128_store(to.as_mut_ptr().cast(), bytes) }
        to
    }
}
