//! The AVX-512 path: sixteen lanes in one register, thirty-two registers, masks of their own.
//! Comes in: a token that only detection makes; goes out: the operations of `Simd`.
//! Never called without the token, which is what each `unsafe` here rests on.

use core::arch::x86_64::*;

use super::{Kernel, Simd, refined_div, refined_sqrt};

/// Proof that the CPU has AVX-512 (F, BW, DQ and VL).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token, where the CPU has the instructions.
    pub fn detect() -> Option<Avx512> {
        #[cfg(feature = "std")]
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma");
        #[cfg(not(feature = "std"))]
        let found = cfg!(all(
            target_feature = "avx512f",
            target_feature = "avx512bw",
            target_feature = "avx512dq",
            target_feature = "avx512vl",
            target_feature = "fma"
        ));
        found.then_some(Avx512(()))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
#[inline(never)]
fn with_features<K: Kernel>(s: Avx512, k: K) -> K::Out {
    k.run(s)
}

/// The first `len` lanes, all sixteen at most.
#[inline(always)]
fn first(len: usize) -> __mmask16 {
    ((1_u32 << len.min(16)) - 1) as __mmask16
}

/// Intrinsics that need nothing but the instructions.
macro_rules! with {
    ($intrinsic:expr) => {
        // SAFETY: the method has a token as `self`, and only `detect` makes one, after asking the CPU for the
        // instructions.
        unsafe { $intrinsic }
    };
}

impl Simd for Avx512 {
    type F = __m512;
    type M = __mmask16;
    type I = __m512i;
    const FMA: bool = true;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn call<K: Kernel>(self, k: K) -> K::Out {
        with!(with_features(self, k))
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        with!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> __m512 {
        // SAFETY: the reference is valid for 16 numbers; the token proves the instructions.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: __m512, to: &mut [f32; 16]) {
        // SAFETY: the reference is valid for 16 numbers; the token proves the instructions.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> __m512 {
        // SAFETY: only the lanes below `x.len()` are read; the token proves the instructions.
        unsafe { _mm512_maskz_loadu_ps(first(x.len()), x.as_ptr()) }
    }
    #[inline(always)]
    fn store_part(self, v: __m512, to: &mut [f32]) {
        // SAFETY: only the lanes below `to.len()` are written; the token proves the instructions.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), v) }
    }
    #[inline(always)]
    unsafe fn load_ptr(self, p: *const f32) -> __m512 {
        // SAFETY: the caller vouches for 16 readable numbers; the token proves the instructions.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn load_twice(self, p: *const f32) -> __m512 {
        // SAFETY: the caller vouches for 8 readable numbers; the token proves the instructions.
        unsafe { _mm512_broadcast_f32x8(_mm256_loadu_ps(p)) }
    }
    #[inline(always)]
    fn splat_two(self, a: f32, b: f32) -> __m512 {
        with!(_mm512_mask_broadcastss_ps(_mm512_set1_ps(a), 0xFF00, _mm_set_ss(b)))
    }
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a hint that reads nothing, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: __m512, p: *mut f32) {
        // SAFETY: the caller vouches for 16 writable numbers; the token proves the instructions.
        unsafe { _mm512_storeu_ps(p, v) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        with!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn neg(self, a: __m512) -> __m512 {
        with!(_mm512_xor_ps(a, _mm512_set1_ps(-0.0)))
    }
    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        with!(_mm512_andnot_ps(_mm512_set1_ps(-0.0), a))
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        with!(_mm512_sqrt_ps(a))
    }
    #[inline(always)]
    fn near_div(self, a: __m512, b: __m512) -> __m512 {
        refined_div(self, a, b, with!(_mm512_rcp14_ps(b)))
    }
    #[inline(always)]
    fn near_sqrt(self, a: __m512) -> __m512 {
        refined_sqrt(self, a, with!(_mm512_rsqrt14_ps(a)))
    }
    #[inline(always)]
    fn floor(self, a: __m512) -> __m512 {
        with!(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a))
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        with!(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a))
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        with!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        with!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b))
    }
    #[inline(always)]
    fn le(self, a: __m512, b: __m512) -> __mmask16 {
        with!(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b))
    }
    #[inline(always)]
    fn gt(self, a: __m512, b: __m512) -> __mmask16 {
        with!(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b))
    }
    #[inline(always)]
    fn ge(self, a: __m512, b: __m512) -> __mmask16 {
        with!(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, b))
    }
    #[inline(always)]
    fn eq(self, a: __m512, b: __m512) -> __mmask16 {
        with!(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn select(self, m: __mmask16, then: __m512, otherwise: __m512) -> __m512 {
        with!(_mm512_mask_blend_ps(m, otherwise, then))
    }
    #[inline(always)]
    fn and_m(self, a: __mmask16, b: __mmask16) -> __mmask16 {
        a & b
    }
    #[inline(always)]
    fn or_m(self, a: __mmask16, b: __mmask16) -> __mmask16 {
        a | b
    }
    #[inline(always)]
    fn not_m(self, a: __mmask16) -> __mmask16 {
        !a
    }

    #[inline(always)]
    fn to_i(self, a: __m512) -> __m512i {
        with!(_mm512_cvtps_epi32(a))
    }
    #[inline(always)]
    fn to_f(self, a: __m512i) -> __m512 {
        with!(_mm512_cvtepi32_ps(a))
    }
    #[inline(always)]
    fn bits(self, a: __m512) -> __m512i {
        with!(_mm512_castps_si512(a))
    }
    #[inline(always)]
    fn from_bits(self, a: __m512i) -> __m512 {
        with!(_mm512_castsi512_ps(a))
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> __m512i {
        with!(_mm512_set1_epi32(x))
    }
    #[inline(always)]
    fn load_i(self, x: &[i32; 16]) -> __m512i {
        // SAFETY: the reference is valid for 16 integers; the token proves the instructions.
        unsafe { _mm512_loadu_epi32(x.as_ptr()) }
    }
    #[inline(always)]
    fn store_i(self, v: __m512i, to: &mut [i32; 16]) {
        // SAFETY: the reference is valid for 16 integers; the token proves the instructions.
        unsafe { _mm512_storeu_epi32(to.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add_i(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_add_epi32(a, b))
    }
    #[inline(always)]
    fn sub_i(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_sub_epi32(a, b))
    }
    #[inline(always)]
    fn mul_i(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_mullo_epi32(a, b))
    }
    #[inline(always)]
    fn and_i(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_and_si512(a, b))
    }
    #[inline(always)]
    fn or_i(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_or_si512(a, b))
    }
    #[inline(always)]
    fn xor_i(self, a: __m512i, b: __m512i) -> __m512i {
        with!(_mm512_xor_si512(a, b))
    }
    #[inline(always)]
    fn shl_i<const N: u32>(self, a: __m512i) -> __m512i {
        const { assert!(N < 32) };
        with!(_mm512_slli_epi32::<N>(a))
    }
    #[inline(always)]
    fn shr_i<const N: u32>(self, a: __m512i) -> __m512i {
        const { assert!(N < 32) };
        with!(_mm512_srli_epi32::<N>(a))
    }
    #[inline(always)]
    fn lt_i(self, a: __m512i, b: __m512i) -> __mmask16 {
        with!(_mm512_cmplt_epi32_mask(a, b))
    }

    #[inline(always)]
    fn compress(self, m: __mmask16, v: __m512, to: &mut [f32; 16]) -> usize {
        self.store(with!(_mm512_maskz_compress_ps(m, v)), to);
        m.count_ones() as usize
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        with!({
            let a = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps::<1>(a, a)))
        })
    }
    #[inline(always)]
    fn is_zero(self, a: __m512) -> bool {
        with!(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, _mm512_setzero_ps())) == 0
    }
    #[inline(always)]
    fn largest(self, a: __m512) -> f32 {
        with!({
            let a = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_max_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps::<1>(a, a)))
        })
    }
    #[inline(always)]
    fn transpose(self, m: &mut [__m512; 16]) {
        // Four 4 × 4 transposes within the 128-bit quarters, then one 4 × 4 transpose of the quarters.
        for g in [0, 4, 8, 12] {
            with!({
                let (ab_low, ab_high) = (_mm512_unpacklo_ps(m[g], m[g + 1]), _mm512_unpackhi_ps(m[g], m[g + 1]));
                let (cd_low, cd_high) =
                    (_mm512_unpacklo_ps(m[g + 2], m[g + 3]), _mm512_unpackhi_ps(m[g + 2], m[g + 3]));
                m[g] = _mm512_shuffle_ps::<0x44>(ab_low, cd_low);
                m[g + 1] = _mm512_shuffle_ps::<0xEE>(ab_low, cd_low);
                m[g + 2] = _mm512_shuffle_ps::<0x44>(ab_high, cd_high);
                m[g + 3] = _mm512_shuffle_ps::<0xEE>(ab_high, cd_high);
            });
        }
        for g in 0..4 {
            with!({
                let (a, b, c, d) = (m[g], m[g + 4], m[g + 8], m[g + 12]);
                let (ab_even, ab_odd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xDD>(a, b));
                let (cd_even, cd_odd) = (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xDD>(c, d));
                m[g] = _mm512_shuffle_f32x4::<0x88>(ab_even, cd_even);
                m[g + 4] = _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd);
                m[g + 8] = _mm512_shuffle_f32x4::<0xDD>(ab_even, cd_even);
                m[g + 12] = _mm512_shuffle_f32x4::<0xDD>(ab_odd, cd_odd);
            });
        }
    }
    #[inline(always)]
    fn unzip(self, a: __m512, b: __m512) -> (__m512, __m512) {
        with!({
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
            (_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b))
        })
    }
}
