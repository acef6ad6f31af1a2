//! The NEON path: sixteen lanes in four registers of four, thirty-two registers, with fused multiply-add.
//! Comes in: a token, which every 64-bit Arm this is compiled for grants; goes out: the operations of `Simd`.
//! Never `vminq` or `vmaxq`, which hand a NaN on from either side: the trait says which side wins.
//! Tested under emulation (qemu), never on Arm hardware: what it computes is known, how fast is not.

use core::arch::aarch64::*;

use super::{Kernel, Portable, Simd};

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Neon(());

impl Neon {
    /// The token: the program was compiled for CPUs with NEON only, or this module would not be there.
    pub fn detect() -> Option<Neon> {
        Some(Neon(()))
    }
}

#[inline(never)]
fn apart<K: Kernel>(s: Neon, k: K) -> K::Out {
    k.run(s)
}

/// Intrinsics that need nothing but the instructions.
macro_rules! with {
    ($intrinsic:expr) => {
        // SAFETY: the module is there only where `target_feature = "neon"`, so every CPU that runs this has
        // the instructions.
        unsafe { $intrinsic }
    };
}

/// One intrinsic on all four quarters.
macro_rules! quarters {
    ($name:ident($($arg:expr),*)) => {
        with!([$name($($arg[0]),*), $name($($arg[1]),*), $name($($arg[2]),*), $name($($arg[3]),*)])
    };
}

/// Transposes four registers of four.
#[inline(always)]
fn transpose_4(_: Neon, m: [float32x4_t; 4]) -> [float32x4_t; 4] {
    with!({
        // Pairs of lanes of two rows, then the pairs of all four rows together.
        let pair = |x: float32x4_t| vreinterpretq_f64_f32(x);
        let [a, b] = [pair(vtrn1q_f32(m[0], m[1])), pair(vtrn2q_f32(m[0], m[1]))];
        let [c, d] = [pair(vtrn1q_f32(m[2], m[3])), pair(vtrn2q_f32(m[2], m[3]))];
        [vzip1q_f64(a, c), vzip1q_f64(b, d), vzip2q_f64(a, c), vzip2q_f64(b, d)].map(|x| vreinterpretq_f32_f64(x))
    })
}

/// `if a > b { a } else { b }` in four lanes.
#[inline(always)]
fn larger(_: Neon, a: float32x4_t, b: float32x4_t) -> float32x4_t {
    with!(vbslq_f32(vcgtq_f32(a, b), a, b))
}

type F = [float32x4_t; 4];
type M = [uint32x4_t; 4];
type I = [int32x4_t; 4];

impl Simd for Neon {
    type F = F;
    type M = M;
    type I = I;
    const FMA: bool = true;
    const REGISTERS: usize = 8;

    #[inline(always)]
    fn call<K: Kernel>(self, k: K) -> K::Out {
        apart(self, k)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> F {
        with!([vdupq_n_f32(x); 4])
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
        // There are no loads by mask: a copy with zeros behind it.
        self.load(&Portable.load_part(x))
    }
    #[inline(always)]
    fn store_part(self, v: F, to: &mut [f32]) {
        let mut all = [0.0; 16];
        self.store(v, &mut all);
        Portable.store_part(all, to);
    }
    #[inline(always)]
    unsafe fn load_ptr(self, p: *const f32) -> F {
        // SAFETY: the caller vouches for 16 readable numbers.
        unsafe { [vld1q_f32(p), vld1q_f32(p.add(4)), vld1q_f32(p.add(8)), vld1q_f32(p.add(12))] }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: F, p: *mut f32) {
        // SAFETY: the caller vouches for 16 writable numbers.
        unsafe {
            vst1q_f32(p, v[0]);
            vst1q_f32(p.add(4), v[1]);
            vst1q_f32(p.add(8), v[2]);
            vst1q_f32(p.add(12), v[3]);
        }
    }

    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        quarters!(vaddq_f32(a, b))
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        quarters!(vsubq_f32(a, b))
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        quarters!(vmulq_f32(a, b))
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        quarters!(vdivq_f32(a, b))
    }
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        self.select(self.lt(a, b), a, b)
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        self.select(self.gt(a, b), a, b)
    }
    #[inline(always)]
    fn neg(self, a: F) -> F {
        quarters!(vnegq_f32(a))
    }
    #[inline(always)]
    fn abs(self, a: F) -> F {
        quarters!(vabsq_f32(a))
    }
    #[inline(always)]
    fn sqrt(self, a: F) -> F {
        quarters!(vsqrtq_f32(a))
    }
    #[inline(always)]
    fn floor(self, a: F) -> F {
        quarters!(vrndmq_f32(a))
    }
    #[inline(always)]
    fn round(self, a: F) -> F {
        quarters!(vrndnq_f32(a))
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        quarters!(vfmaq_f32(c, a, b))
    }

    #[inline(always)]
    fn lt(self, a: F, b: F) -> M {
        quarters!(vcltq_f32(a, b))
    }
    #[inline(always)]
    fn le(self, a: F, b: F) -> M {
        quarters!(vcleq_f32(a, b))
    }
    #[inline(always)]
    fn gt(self, a: F, b: F) -> M {
        quarters!(vcgtq_f32(a, b))
    }
    #[inline(always)]
    fn ge(self, a: F, b: F) -> M {
        quarters!(vcgeq_f32(a, b))
    }
    #[inline(always)]
    fn eq(self, a: F, b: F) -> M {
        quarters!(vceqq_f32(a, b))
    }
    #[inline(always)]
    fn select(self, m: M, then: F, otherwise: F) -> F {
        quarters!(vbslq_f32(m, then, otherwise))
    }
    #[inline(always)]
    fn and_m(self, a: M, b: M) -> M {
        quarters!(vandq_u32(a, b))
    }
    #[inline(always)]
    fn or_m(self, a: M, b: M) -> M {
        quarters!(vorrq_u32(a, b))
    }
    #[inline(always)]
    fn not_m(self, a: M) -> M {
        quarters!(vmvnq_u32(a))
    }

    #[inline(always)]
    fn to_i(self, a: F) -> I {
        // The conversion saturates: right below, but above it ends at `i32::MAX`, and NaN at 0.
        let (fits, near) = (self.lt(a, self.splat(2_147_483_648.0)), quarters!(vcvtnq_s32_f32(a)));
        let least = self.splat_i(i32::MIN);
        quarters!(vbslq_s32(fits, near, least))
    }
    #[inline(always)]
    fn to_f(self, a: I) -> F {
        quarters!(vcvtq_f32_s32(a))
    }
    #[inline(always)]
    fn bits(self, a: F) -> I {
        quarters!(vreinterpretq_s32_f32(a))
    }
    #[inline(always)]
    fn from_bits(self, a: I) -> F {
        quarters!(vreinterpretq_f32_s32(a))
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> I {
        with!([vdupq_n_s32(x); 4])
    }
    #[inline(always)]
    fn load_i(self, x: &[i32; 16]) -> I {
        let p = x.as_ptr();
        // SAFETY: the reference is valid for 16 integers.
        unsafe { [vld1q_s32(p), vld1q_s32(p.add(4)), vld1q_s32(p.add(8)), vld1q_s32(p.add(12))] }
    }
    #[inline(always)]
    fn store_i(self, v: I, to: &mut [i32; 16]) {
        let p = to.as_mut_ptr();
        // SAFETY: the reference is valid for 16 integers.
        unsafe {
            vst1q_s32(p, v[0]);
            vst1q_s32(p.add(4), v[1]);
            vst1q_s32(p.add(8), v[2]);
            vst1q_s32(p.add(12), v[3]);
        }
    }
    #[inline(always)]
    fn add_i(self, a: I, b: I) -> I {
        quarters!(vaddq_s32(a, b))
    }
    #[inline(always)]
    fn sub_i(self, a: I, b: I) -> I {
        quarters!(vsubq_s32(a, b))
    }
    #[inline(always)]
    fn mul_i(self, a: I, b: I) -> I {
        quarters!(vmulq_s32(a, b))
    }
    #[inline(always)]
    fn and_i(self, a: I, b: I) -> I {
        quarters!(vandq_s32(a, b))
    }
    #[inline(always)]
    fn or_i(self, a: I, b: I) -> I {
        quarters!(vorrq_s32(a, b))
    }
    #[inline(always)]
    fn xor_i(self, a: I, b: I) -> I {
        quarters!(veorq_s32(a, b))
    }
    #[inline(always)]
    fn shl_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        let by = self.splat_i(N as i32);
        quarters!(vshlq_s32(a, by))
    }
    #[inline(always)]
    fn shr_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        // To the right is to the left by less than nothing; unsigned, so that zeros come in.
        let (a, by) = (quarters!(vreinterpretq_u32_s32(a)), self.splat_i(-(N as i32)));
        let shifted = quarters!(vshlq_u32(a, by));
        quarters!(vreinterpretq_s32_u32(shifted))
    }
    #[inline(always)]
    fn lt_i(self, a: I, b: I) -> M {
        quarters!(vcltq_s32(a, b))
    }

    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        with!({
            let a = vaddq_f32(vaddq_f32(a[0], a[2]), vaddq_f32(a[1], a[3]));
            vaddv_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a)))
        })
    }
    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        with!({
            let a = larger(self, larger(self, a[0], a[2]), larger(self, a[1], a[3]));
            let a = larger(self, a, vextq_f32::<2>(a, a));
            vgetq_lane_f32::<0>(larger(self, a, vextq_f32::<1>(a, a)))
        })
    }
    #[inline(always)]
    fn transpose(self, m: &mut [F; 16]) {
        // Sixteen blocks of four by four: each transposed, and put where its mirror image was.
        let from = *m;
        for i in 0..4 {
            for j in 0..4 {
                let block =
                    transpose_4(self, [from[4 * i][j], from[4 * i + 1][j], from[4 * i + 2][j], from[4 * i + 3][j]]);
                for (k, row) in block.into_iter().enumerate() {
                    m[4 * j + k][i] = row;
                }
            }
        }
    }
    #[inline(always)]
    fn unzip(self, a: F, b: F) -> (F, F) {
        let (first, second) = ([a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]]);
        (quarters!(vuzp1q_f32(first, second)), quarters!(vuzp2q_f32(first, second)))
    }
}
