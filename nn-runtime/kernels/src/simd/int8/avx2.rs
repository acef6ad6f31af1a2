//! The AVX2 path: bytes are widened to 16 bits, whose products `pmaddwd` adds in pairs without loss.
//! Never called without the token, which is what each `unsafe` here rests on.

use core::arch::x86_64::*;

use super::super::Avx2;
use super::{Int8Kernel, Int8Simd};

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn with_features<K: Int8Kernel>(s: Avx2, k: K) -> K::Out {
    k.run(s)
}

/// Intrinsics that need nothing but the instructions.
macro_rules! with {
    ($intrinsic:expr) => {
        // SAFETY: the method has a token as `self`, and only `detect` makes one, after asking the CPU for the
        // instructions.
        unsafe { $intrinsic }
    };
}

impl Int8Simd for Avx2 {
    type Base = Avx2;
    /// Register v: of the outputs 4v to 4v + 3, the sums over the inputs 0 and 1, and over 2 and 3.
    type Sums = [__m256i; 4];
    const TILE: usize = 2;

    #[inline(always)]
    fn base(self) -> Avx2 {
        self
    }
    #[inline(always)]
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out {
        with!(with_features(self, k))
    }

    #[inline(always)]
    fn no_sums(self) -> [__m256i; 4] {
        with!([_mm256_setzero_si256(); 4])
    }
    #[inline(always)]
    fn add_products(self, mut sums: [__m256i; 4], x: [u8; 4], w: &[i8; 64]) -> [__m256i; 4] {
        let x = with!(_mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(i32::from_le_bytes(x)))));
        for (sums, w) in sums.iter_mut().zip(w.as_chunks::<16>().0) {
            // SAFETY: the reference is valid for 16 bytes; the token proves the instructions.
            let w = unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(w.as_ptr().cast())) };
            *sums = with!(_mm256_add_epi32(*sums, _mm256_madd_epi16(w, x)));
        }
        sums
    }
    #[inline(always)]
    fn total(self, [a, b, c, d]: [__m256i; 4]) -> [__m256i; 2] {
        // Pairs are added within halves: outputs 0 1 4 5, then 2 3 6 7.
        with!([
            _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(a, b)),
            _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(c, d)),
        ])
    }

    #[inline(always)]
    fn widen(self, x: &[u8; 16]) -> [__m256i; 2] {
        // SAFETY: the reference is valid for 16 bytes; the token proves the instructions.
        let x = unsafe { _mm_loadu_si128(x.as_ptr().cast()) };
        with!([_mm256_cvtepu8_epi32(x), _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(x))])
    }
    #[inline(always)]
    fn widen_signed(self, x: &[i8; 16]) -> [__m256i; 2] {
        // SAFETY: the reference is valid for 16 bytes; the token proves the instructions.
        let x = unsafe { _mm_loadu_si128(x.as_ptr().cast()) };
        with!([_mm256_cvtepi8_epi32(x), _mm256_cvtepi8_epi32(_mm_srli_si128::<8>(x))])
    }
    #[inline(always)]
    fn narrow(self, [low, high]: [__m256i; 2]) -> [u8; 16] {
        let mut to = [0; 16];
        // SAFETY: the array has room for the 16 bytes; the token proves the instructions.
        unsafe {
            // Packed within halves: 0-3 8-11 4-7 12-15, put in order by the permutation.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
        }
        to
    }
}
