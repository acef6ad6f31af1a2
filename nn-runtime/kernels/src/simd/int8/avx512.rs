//! The AVX-512 path without VNNI: as that of AVX2, twice as wide.
//! Never called without the token, which is what each `unsafe` here rests on.

use core::arch::x86_64::*;

use super::super::Avx512;
use super::{Int8Kernel, Int8Simd, Vnni};

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
#[inline(never)]
fn with_features<K: Int8Kernel>(s: Avx512, k: K) -> K::Out {
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

impl Avx512 {
    /// Runs `k` as on a CPU that has no VNNI.
    pub(super) fn call_without_vnni<K: Int8Kernel>(self, k: K) -> K::Out {
        with!(with_features(self, k))
    }
}

impl Int8Simd for Avx512 {
    type Base = Avx512;
    /// Register v: of the outputs 8v to 8v + 7, the sums over the inputs 0 and 1, and over 2 and 3.
    type Sums = [__m512i; 2];
    const TILE: usize = 8;

    #[inline(always)]
    fn base(self) -> Avx512 {
        self
    }
    #[inline(always)]
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out {
        match Vnni::detect(self) {
            Some(s) => s.call_int8(k),
            None => self.call_without_vnni(k),
        }
    }

    #[inline(always)]
    fn no_sums(self) -> [__m512i; 2] {
        with!([_mm512_setzero_si512(); 2])
    }
    #[inline(always)]
    fn add_products(self, mut sums: [__m512i; 2], x: [u8; 4], w: &[i8; 64]) -> [__m512i; 2] {
        let x = with!(_mm512_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(i32::from_le_bytes(x)))));
        for (sums, w) in sums.iter_mut().zip(w.as_chunks::<32>().0) {
            // SAFETY: the reference is valid for 32 bytes; the token proves the instructions.
            let w = unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(w.as_ptr().cast())) };
            *sums = with!(_mm512_add_epi32(*sums, _mm512_madd_epi16(w, x)));
        }
        sums
    }
    #[inline(always)]
    fn total(self, [a, b]: [__m512i; 2]) -> __m512i {
        with!({
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
            _mm512_add_epi32(_mm512_permutex2var_epi32(a, even, b), _mm512_permutex2var_epi32(a, odd, b))
        })
    }

    #[inline(always)]
    fn widen(self, x: &[u8; 16]) -> __m512i {
        // SAFETY: the reference is valid for 16 bytes; the token proves the instructions.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(x.as_ptr().cast())) }
    }
    #[inline(always)]
    fn widen_signed(self, x: &[i8; 16]) -> __m512i {
        // SAFETY: the reference is valid for 16 bytes; the token proves the instructions.
        unsafe { _mm512_cvtepi8_epi32(_mm_loadu_si128(x.as_ptr().cast())) }
    }
    #[inline(always)]
    fn narrow(self, v: __m512i) -> [u8; 16] {
        let mut to = [0; 16];
        // SAFETY: the array has room for the 16 bytes; the token proves the instructions.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(v)) }
        to
    }
}
