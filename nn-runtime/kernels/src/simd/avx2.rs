//! The AVX2 path: sixteen lanes in two registers of eight, sixteen registers, with fused multiply-add.
//! Comes in: a token that only detection makes; goes out: the operations of `Simd`.
//! Never called without the token, which is what each `unsafe` here rests on.

use core::arch::x86_64::*;

use super::{Kernel, Simd};

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, where the CPU has the instructions.
    pub fn detect() -> Option<Avx2> {
        #[cfg(feature = "std")]
        let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        #[cfg(not(feature = "std"))]
        let found = cfg!(all(target_feature = "avx2", target_feature = "fma"));
        found.then_some(Avx2(()))
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn with_features<K: Kernel>(s: Avx2, k: K) -> K::Out {
    k.run(s)
}

/// Sixteen trues, then sixteen falses: a window into it is the mask of the first lanes.
static WINDOW: [i32; 32] = {
    let mut window = [0; 32];
    let mut i = 0;
    while i < 16 {
        window[i] = -1;
        i += 1;
    }
    window
};

/// The first `len` lanes, all sixteen at most.
#[inline(always)]
fn first(_: Avx2, len: usize) -> [__m256i; 2] {
    let at = WINDOW[16 - len.min(16)..].as_ptr();
    // SAFETY: the window starts at 16 at the latest, so 16 of its 32 numbers follow; the token proves the
    // instructions.
    unsafe { [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(8).cast())] }
}

/// Intrinsics that need nothing but the instructions.
macro_rules! with {
    ($intrinsic:expr) => {
        // SAFETY: the method has a token as `self`, and only `detect` makes one, after asking the CPU for the
        // instructions.
        unsafe { $intrinsic }
    };
}

/// One intrinsic on both halves.
macro_rules! halves {
    ($name:ident($($arg:expr),*)) => {
        with!([$name($($arg[0]),*), $name($($arg[1]),*)])
    };
    ($name:ident::<$constant:tt>($($arg:expr),*)) => {
        with!([$name::<$constant>($($arg[0]),*), $name::<$constant>($($arg[1]),*)])
    };
}

/// Transposes eight registers of eight.
#[inline(always)]
fn transpose_8(_: Avx2, m: [__m256; 8]) -> [__m256; 8] {
    with!({
        let l = [
            _mm256_unpacklo_ps(m[0], m[1]),
            _mm256_unpacklo_ps(m[2], m[3]),
            _mm256_unpacklo_ps(m[4], m[5]),
            _mm256_unpacklo_ps(m[6], m[7]),
        ];
        let h = [
            _mm256_unpackhi_ps(m[0], m[1]),
            _mm256_unpackhi_ps(m[2], m[3]),
            _mm256_unpackhi_ps(m[4], m[5]),
            _mm256_unpackhi_ps(m[6], m[7]),
        ];
        let q = [
            _mm256_shuffle_ps::<0x44>(l[0], l[1]),
            _mm256_shuffle_ps::<0xEE>(l[0], l[1]),
            _mm256_shuffle_ps::<0x44>(h[0], h[1]),
            _mm256_shuffle_ps::<0xEE>(h[0], h[1]),
            _mm256_shuffle_ps::<0x44>(l[2], l[3]),
            _mm256_shuffle_ps::<0xEE>(l[2], l[3]),
            _mm256_shuffle_ps::<0x44>(h[2], h[3]),
            _mm256_shuffle_ps::<0xEE>(h[2], h[3]),
        ];
        [
            _mm256_permute2f128_ps::<0x20>(q[0], q[4]),
            _mm256_permute2f128_ps::<0x20>(q[1], q[5]),
            _mm256_permute2f128_ps::<0x20>(q[2], q[6]),
            _mm256_permute2f128_ps::<0x20>(q[3], q[7]),
            _mm256_permute2f128_ps::<0x31>(q[0], q[4]),
            _mm256_permute2f128_ps::<0x31>(q[1], q[5]),
            _mm256_permute2f128_ps::<0x31>(q[2], q[6]),
            _mm256_permute2f128_ps::<0x31>(q[3], q[7]),
        ]
    })
}

type F = [__m256; 2];
type I = [__m256i; 2];

impl Simd for Avx2 {
    type F = F;
    type M = F;
    type I = I;
    const FMA: bool = true;
    const REGISTERS: usize = 8;

    #[inline(always)]
    fn call<K: Kernel>(self, k: K) -> K::Out {
        with!(with_features(self, k))
    }

    #[inline(always)]
    fn splat(self, x: f32) -> F {
        with!([_mm256_set1_ps(x); 2])
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> F {
        // SAFETY: the reference is valid for 16 numbers.
        unsafe { self.load_ptr(x.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, v: F, to: &mut [f32; 16]) {
        // SAFETY: the reference is valid for 16 numbers.
        unsafe { self.store_ptr(v, to.as_mut_ptr()) }
    }
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> F {
        let (m, p) = (first(self, x.len()), x.as_ptr());
        // SAFETY: only the lanes below `x.len()` are read (the second address is not formed as a reference,
        // and is wrapping because it may lie past the end); the token proves the instructions.
        unsafe { [_mm256_maskload_ps(p, m[0]), _mm256_maskload_ps(p.wrapping_add(8), m[1])] }
    }
    #[inline(always)]
    fn store_part(self, v: F, to: &mut [f32]) {
        let (m, p) = (first(self, to.len()), to.as_mut_ptr());
        // SAFETY: only the lanes below `to.len()` are written (the second address is wrapping, as it may lie
        // past the end); the token proves the instructions.
        unsafe {
            _mm256_maskstore_ps(p, m[0], v[0]);
            _mm256_maskstore_ps(p.wrapping_add(8), m[1], v[1]);
        }
    }
    #[inline(always)]
    unsafe fn load_ptr(self, p: *const f32) -> F {
        // SAFETY: the caller vouches for 16 readable numbers; the token proves the instructions.
        unsafe { [_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))] }
    }
    #[inline(always)]
    unsafe fn load_twice(self, p: *const f32) -> F {
        // SAFETY: the caller vouches for 8 readable numbers; the token proves the instructions.
        unsafe { [_mm256_loadu_ps(p); 2] }
    }
    #[inline(always)]
    fn splat_two(self, a: f32, b: f32) -> F {
        with!([_mm256_set1_ps(a), _mm256_set1_ps(b)])
    }
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: a hint that reads nothing, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: F, p: *mut f32) {
        // SAFETY: the caller vouches for 16 writable numbers; the token proves the instructions.
        unsafe {
            _mm256_storeu_ps(p, v[0]);
            _mm256_storeu_ps(p.add(8), v[1]);
        }
    }

    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        halves!(_mm256_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        halves!(_mm256_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        halves!(_mm256_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        halves!(_mm256_div_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        halves!(_mm256_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        halves!(_mm256_max_ps(a, b))
    }
    #[inline(always)]
    fn neg(self, a: F) -> F {
        let sign = self.splat(-0.0);
        halves!(_mm256_xor_ps(a, sign))
    }
    #[inline(always)]
    fn abs(self, a: F) -> F {
        let sign = self.splat(-0.0);
        halves!(_mm256_andnot_ps(sign, a))
    }
    #[inline(always)]
    fn sqrt(self, a: F) -> F {
        halves!(_mm256_sqrt_ps(a))
    }
    #[inline(always)]
    fn floor(self, a: F) -> F {
        halves!(_mm256_floor_ps(a))
    }
    #[inline(always)]
    fn round(self, a: F) -> F {
        halves!(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a))
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        halves!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn lt(self, a: F, b: F) -> F {
        halves!(_mm256_cmp_ps::<_CMP_LT_OQ>(a, b))
    }
    #[inline(always)]
    fn le(self, a: F, b: F) -> F {
        halves!(_mm256_cmp_ps::<_CMP_LE_OQ>(a, b))
    }
    #[inline(always)]
    fn gt(self, a: F, b: F) -> F {
        halves!(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b))
    }
    #[inline(always)]
    fn ge(self, a: F, b: F) -> F {
        halves!(_mm256_cmp_ps::<_CMP_GE_OQ>(a, b))
    }
    #[inline(always)]
    fn eq(self, a: F, b: F) -> F {
        halves!(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn select(self, m: F, then: F, otherwise: F) -> F {
        halves!(_mm256_blendv_ps(otherwise, then, m))
    }
    #[inline(always)]
    fn and_m(self, a: F, b: F) -> F {
        halves!(_mm256_and_ps(a, b))
    }
    #[inline(always)]
    fn or_m(self, a: F, b: F) -> F {
        halves!(_mm256_or_ps(a, b))
    }
    #[inline(always)]
    fn not_m(self, a: F) -> F {
        let all = self.from_bits(self.splat_i(-1));
        halves!(_mm256_xor_ps(a, all))
    }

    #[inline(always)]
    fn to_i(self, a: F) -> I {
        halves!(_mm256_cvtps_epi32(a))
    }
    #[inline(always)]
    fn to_f(self, a: I) -> F {
        halves!(_mm256_cvtepi32_ps(a))
    }
    #[inline(always)]
    fn bits(self, a: F) -> I {
        halves!(_mm256_castps_si256(a))
    }
    #[inline(always)]
    fn from_bits(self, a: I) -> F {
        halves!(_mm256_castsi256_ps(a))
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> I {
        with!([_mm256_set1_epi32(x); 2])
    }
    #[inline(always)]
    fn load_i(self, x: &[i32; 16]) -> I {
        let p = x.as_ptr();
        // SAFETY: the reference is valid for 16 integers; the token proves the instructions.
        unsafe { [_mm256_loadu_si256(p.cast()), _mm256_loadu_si256(p.add(8).cast())] }
    }
    #[inline(always)]
    fn store_i(self, v: I, to: &mut [i32; 16]) {
        let p = to.as_mut_ptr();
        // SAFETY: the reference is valid for 16 integers; the token proves the instructions.
        unsafe {
            _mm256_storeu_si256(p.cast(), v[0]);
            _mm256_storeu_si256(p.add(8).cast(), v[1]);
        }
    }
    #[inline(always)]
    fn add_i(self, a: I, b: I) -> I {
        halves!(_mm256_add_epi32(a, b))
    }
    #[inline(always)]
    fn sub_i(self, a: I, b: I) -> I {
        halves!(_mm256_sub_epi32(a, b))
    }
    #[inline(always)]
    fn mul_i(self, a: I, b: I) -> I {
        halves!(_mm256_mullo_epi32(a, b))
    }
    #[inline(always)]
    fn and_i(self, a: I, b: I) -> I {
        halves!(_mm256_and_si256(a, b))
    }
    #[inline(always)]
    fn or_i(self, a: I, b: I) -> I {
        halves!(_mm256_or_si256(a, b))
    }
    #[inline(always)]
    fn xor_i(self, a: I, b: I) -> I {
        halves!(_mm256_xor_si256(a, b))
    }
    #[inline(always)]
    fn shl_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        let by = with!([_mm_cvtsi32_si128(N as i32); 2]);
        halves!(_mm256_sll_epi32(a, by))
    }
    #[inline(always)]
    fn shr_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        let by = with!([_mm_cvtsi32_si128(N as i32); 2]);
        halves!(_mm256_srl_epi32(a, by))
    }
    #[inline(always)]
    fn lt_i(self, a: I, b: I) -> F {
        self.from_bits(halves!(_mm256_cmpgt_epi32(b, a)))
    }

    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        with!({
            let a = _mm256_add_ps(a[0], a[1]);
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps::<1>(a, a)))
        })
    }
    #[inline(always)]
    fn is_zero(self, a: F) -> bool {
        with!({
            let zero = _mm256_setzero_ps();
            let low = _mm256_cmp_ps::<_CMP_NEQ_UQ>(a[0], zero);
            _mm256_movemask_ps(_mm256_or_ps(low, _mm256_cmp_ps::<_CMP_NEQ_UQ>(a[1], zero))) == 0
        })
    }
    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        with!({
            let a = _mm256_max_ps(a[0], a[1]);
            let a = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_max_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps::<1>(a, a)))
        })
    }
    #[inline(always)]
    fn transpose(self, m: &mut [F; 16]) {
        let zero = with!([_mm256_setzero_ps(); 8]);
        let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
        for i in 0..8 {
            ([a[i], b[i]], [c[i], d[i]]) = (m[i], m[8 + i]);
        }
        let (a, b, c, d) = (transpose_8(self, a), transpose_8(self, b), transpose_8(self, c), transpose_8(self, d));
        for i in 0..8 {
            m[i] = [a[i], c[i]];
            m[8 + i] = [b[i], d[i]];
        }
    }
    #[inline(always)]
    fn unzip(self, a: F, b: F) -> (F, F) {
        // Within halves of registers first, then the quarters into order.
        let order = |x: __m256| with!(_mm256_castpd_ps(_mm256_permute4x64_pd::<0xD8>(_mm256_castps_pd(x))));
        let (even, odd) = with!((
            [_mm256_shuffle_ps::<0x88>(a[0], a[1]), _mm256_shuffle_ps::<0x88>(b[0], b[1])],
            [_mm256_shuffle_ps::<0xDD>(a[0], a[1]), _mm256_shuffle_ps::<0xDD>(b[0], b[1])]
        ));
        ([order(even[0]), order(even[1])], [order(odd[0]), order(odd[1])])
    }
}
