//! The AVX-512 path with VNNI: one instruction multiplies 64 bytes and adds their products four by four, in
//! 32 bits and without saturating. Comes in: a token that only detection makes.
//! Never called without the token, which is what each `unsafe` here rests on.

use core::arch::x86_64::*;

use super::super::Avx512;
use super::{Int8Kernel, Int8Simd};

/// Proof that the CPU has AVX-512 with VNNI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vnni(Avx512);

impl Vnni {
    /// The token, where the CPU has these instructions too.
    pub fn detect(base: Avx512) -> Option<Vnni> {
        #[cfg(feature = "std")]
        let found = is_x86_feature_detected!("avx512vnni");
        #[cfg(not(feature = "std"))]
        let found = cfg!(target_feature = "avx512vnni");
        found.then_some(Vnni(base))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma")]
#[inline(never)]
fn with_features<K: Int8Kernel>(s: Vnni, k: K) -> K::Out {
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

impl Int8Simd for Vnni {
    type Base = Avx512;
    type Sums = __m512i;
    const TILE: usize = 16;

    #[inline(always)]
    fn base(self) -> Avx512 {
        self.0
    }
    #[inline(always)]
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out {
        with!(with_features(self, k))
    }

    #[inline(always)]
    fn no_sums(self) -> __m512i {
        with!(_mm512_setzero_si512())
    }
    #[inline(always)]
    fn add_products(self, sums: __m512i, x: [u8; 4], w: &[i8; 64]) -> __m512i {
        // SAFETY: the reference is valid for 64 bytes; the token proves the instructions.
        let w = unsafe { _mm512_loadu_si512(w.as_ptr().cast()) };
        with!(_mm512_dpbusd_epi32(sums, _mm512_set1_epi32(i32::from_le_bytes(x)), w))
    }
    #[inline(always)]
    fn total(self, sums: __m512i) -> __m512i {
        sums
    }

    #[inline(always)]
    fn widen(self, x: &[u8; 16]) -> __m512i {
        self.0.widen(x)
    }
    #[inline(always)]
    fn widen_signed(self, x: &[i8; 16]) -> __m512i {
        self.0.widen_signed(x)
    }
    #[inline(always)]
    fn narrow(self, v: __m512i) -> [u8; 16] {
        self.0.narrow(v)
    }
}
