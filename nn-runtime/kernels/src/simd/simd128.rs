//! The WebAssembly path: sixteen lanes in four values of 128 bits, without fused multiply-add.
//! Comes in: a token, which every program compiled with `simd128` grants; goes out: the operations of `Simd`.
//! Never relaxed instructions, whose results differ from one machine to another.
//! Tested in Node.js only; how fast it is in a browser is not known.

use core::arch::wasm32::*;

use super::{Kernel, Portable, Simd};

/// Proof that the program may use `simd128`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Simd128(());

impl Simd128 {
    /// The token: the program was compiled with `simd128`, or this module would not be there, and an engine
    /// without it would have refused the program.
    pub fn detect() -> Option<Simd128> {
        Some(Simd128(()))
    }
}

#[inline(never)]
fn apart<K: Kernel>(s: Simd128, k: K) -> K::Out {
    k.run(s)
}

/// One intrinsic on all four quarters.
macro_rules! quarters {
    ($name:ident($($arg:expr),*)) => {
        [$name($($arg[0]),*), $name($($arg[1]),*), $name($($arg[2]),*), $name($($arg[3]),*)]
    };
}

/// Transposes four values of four.
#[inline(always)]
fn transpose_4(m: [v128; 4]) -> [v128; 4] {
    let (a, b) = (i32x4_shuffle::<0, 4, 1, 5>(m[0], m[1]), i32x4_shuffle::<2, 6, 3, 7>(m[0], m[1]));
    let (c, d) = (i32x4_shuffle::<0, 4, 1, 5>(m[2], m[3]), i32x4_shuffle::<2, 6, 3, 7>(m[2], m[3]));
    [i64x2_shuffle::<0, 2>(a, c), i64x2_shuffle::<1, 3>(a, c), i64x2_shuffle::<0, 2>(b, d), i64x2_shuffle::<1, 3>(b, d)]
}

type F = [v128; 4];
type M = [v128; 4];
type I = [v128; 4];

impl Simd for Simd128 {
    type F = F;
    type M = M;
    type I = I;
    const FMA: bool = false;
    // Engines run on CPUs of sixteen registers too.
    const REGISTERS: usize = if cfg!(feature = "small") { 1 } else { 4 };

    #[inline(always)]
    fn call<K: Kernel>(self, k: K) -> K::Out {
        apart(self, k)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> F {
        [f32x4_splat(x); 4]
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
        let p: *const v128 = p.cast();
        // SAFETY: the caller vouches for 16 readable numbers, which are four values; their loads need no
        // alignment.
        unsafe { [v128_load(p), v128_load(p.add(1)), v128_load(p.add(2)), v128_load(p.add(3))] }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, v: F, p: *mut f32) {
        let p: *mut v128 = p.cast();
        // SAFETY: the caller vouches for 16 writable numbers, which are four values; their stores need no
        // alignment.
        unsafe {
            v128_store(p, v[0]);
            v128_store(p.add(1), v[1]);
            v128_store(p.add(2), v[2]);
            v128_store(p.add(3), v[3]);
        }
    }

    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        quarters!(f32x4_add(a, b))
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        quarters!(f32x4_sub(a, b))
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        quarters!(f32x4_mul(a, b))
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        quarters!(f32x4_div(a, b))
    }
    // `pmin(x, y)` is `if y < x { y } else { x }`: the trait's, the other way round.
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        quarters!(f32x4_pmin(b, a))
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        quarters!(f32x4_pmax(b, a))
    }
    #[inline(always)]
    fn neg(self, a: F) -> F {
        quarters!(f32x4_neg(a))
    }
    #[inline(always)]
    fn abs(self, a: F) -> F {
        quarters!(f32x4_abs(a))
    }
    #[inline(always)]
    fn sqrt(self, a: F) -> F {
        quarters!(f32x4_sqrt(a))
    }
    #[inline(always)]
    fn floor(self, a: F) -> F {
        quarters!(f32x4_floor(a))
    }
    #[inline(always)]
    fn round(self, a: F) -> F {
        quarters!(f32x4_nearest(a))
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn lt(self, a: F, b: F) -> M {
        quarters!(f32x4_lt(a, b))
    }
    #[inline(always)]
    fn le(self, a: F, b: F) -> M {
        quarters!(f32x4_le(a, b))
    }
    #[inline(always)]
    fn gt(self, a: F, b: F) -> M {
        quarters!(f32x4_gt(a, b))
    }
    #[inline(always)]
    fn ge(self, a: F, b: F) -> M {
        quarters!(f32x4_ge(a, b))
    }
    #[inline(always)]
    fn eq(self, a: F, b: F) -> M {
        quarters!(f32x4_eq(a, b))
    }
    #[inline(always)]
    fn select(self, m: M, then: F, otherwise: F) -> F {
        quarters!(v128_bitselect(then, otherwise, m))
    }
    #[inline(always)]
    fn and_m(self, a: M, b: M) -> M {
        quarters!(v128_and(a, b))
    }
    #[inline(always)]
    fn or_m(self, a: M, b: M) -> M {
        quarters!(v128_or(a, b))
    }
    #[inline(always)]
    fn not_m(self, a: M) -> M {
        quarters!(v128_not(a))
    }

    #[inline(always)]
    fn to_i(self, a: F) -> I {
        // The conversion saturates: right below, but above it ends at `i32::MAX`, and NaN at 0.
        let (fits, near) = (self.lt(a, self.splat(2_147_483_648.0)), self.round(a));
        let near = quarters!(i32x4_trunc_sat_f32x4(near));
        self.select(fits, near, self.splat_i(i32::MIN))
    }
    #[inline(always)]
    fn to_f(self, a: I) -> F {
        quarters!(f32x4_convert_i32x4(a))
    }
    #[inline(always)]
    fn bits(self, a: F) -> I {
        a
    }
    #[inline(always)]
    fn from_bits(self, a: I) -> F {
        a
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> I {
        [i32x4_splat(x); 4]
    }
    #[inline(always)]
    fn load_i(self, x: &[i32; 16]) -> I {
        // SAFETY: the reference is valid for 16 integers, which are as long as numbers, and any bits are a
        // number.
        unsafe { self.load_ptr(x.as_ptr().cast()) }
    }
    #[inline(always)]
    fn store_i(self, v: I, to: &mut [i32; 16]) {
        // SAFETY: the reference is valid for 16 integers, which are as long as numbers, and any bits are an
        // integer.
        unsafe { self.store_ptr(v, to.as_mut_ptr().cast()) }
    }
    #[inline(always)]
    fn add_i(self, a: I, b: I) -> I {
        quarters!(i32x4_add(a, b))
    }
    #[inline(always)]
    fn sub_i(self, a: I, b: I) -> I {
        quarters!(i32x4_sub(a, b))
    }
    #[inline(always)]
    fn mul_i(self, a: I, b: I) -> I {
        quarters!(i32x4_mul(a, b))
    }
    #[inline(always)]
    fn and_i(self, a: I, b: I) -> I {
        quarters!(v128_and(a, b))
    }
    #[inline(always)]
    fn or_i(self, a: I, b: I) -> I {
        quarters!(v128_or(a, b))
    }
    #[inline(always)]
    fn xor_i(self, a: I, b: I) -> I {
        quarters!(v128_xor(a, b))
    }
    #[inline(always)]
    fn shl_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        a.map(|a| i32x4_shl(a, N))
    }
    #[inline(always)]
    fn shr_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        a.map(|a| u32x4_shr(a, N))
    }
    #[inline(always)]
    fn lt_i(self, a: I, b: I) -> M {
        quarters!(i32x4_lt(a, b))
    }

    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        let a = f32x4_add(f32x4_add(a[0], a[2]), f32x4_add(a[1], a[3]));
        let a = f32x4_add(a, i64x2_shuffle::<1, 0>(a, a));
        f32x4_extract_lane::<0>(a) + f32x4_extract_lane::<1>(a)
    }
    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        let a = f32x4_pmax(f32x4_pmax(a[3], a[1]), f32x4_pmax(a[2], a[0]));
        let a = f32x4_pmax(i64x2_shuffle::<1, 0>(a, a), a);
        let (even, odd) = (f32x4_extract_lane::<0>(a), f32x4_extract_lane::<1>(a));
        if even > odd { even } else { odd }
    }
    #[inline(always)]
    fn transpose(self, m: &mut [F; 16]) {
        // Sixteen blocks of four by four: each transposed, and put where its mirror image was.
        let from = *m;
        for i in 0..4 {
            for j in 0..4 {
                let block = transpose_4([from[4 * i][j], from[4 * i + 1][j], from[4 * i + 2][j], from[4 * i + 3][j]]);
                for (k, row) in block.into_iter().enumerate() {
                    m[4 * j + k][i] = row;
                }
            }
        }
    }
    #[inline(always)]
    fn unzip(self, a: F, b: F) -> (F, F) {
        let pairs = [(a[0], a[1]), (a[2], a[3]), (b[0], b[1]), (b[2], b[3])];
        (
            pairs.map(|(low, high)| i32x4_shuffle::<0, 2, 4, 6>(low, high)),
            pairs.map(|(low, high)| i32x4_shuffle::<1, 3, 5, 7>(low, high)),
        )
    }
}
