//! Sixteen lanes behind one trait, so that a kernel is written once and runs on every instruction set. Comes
//! in: a `Kernel` and an `Isa`; goes out: the kernel's result, computed with that set's instructions. A token
//! (`Avx512`, …) proves that the CPU has the instructions; safe code can get one only through an `Isa`.
//! Never: an operation whose result on one path differs from another's by more than fused against separate
//! rounding, but those called near.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod int8;
mod isa;
// Big-endian Arm numbers the lanes of a register the other way round.
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use isa::Isa;
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
pub use neon::Neon;
pub use portable::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use simd128::Simd128;

/// Lanes of a vector, on every path.
pub const LANES: usize = 16;

/// The number of each lane, to tell lanes apart: `s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(n))` is the first
/// `n`.
pub const LANE_INDEX: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A computation that can run on every instruction set.
///
/// Implementors write `run` with `#[inline(always)]`, and use structs with `#[inline(always)]` methods where
/// they would use closures: what is not inlined loses the instruction set.
pub trait Kernel {
    /// What the computation gives back.
    type Out;
    /// The computation, with the vectors of `s`.
    fn run<S: Simd>(self, s: S) -> Self::Out;
}

/// Sixteen lanes of `f32` and `i32`, and what can be done to them.
///
/// Each operation works lane by lane. All but [`fma`](Simd::fma) and the near ones have the same bits on
/// every path (of NaN only that it is one).
pub trait Simd: Copy + 'static {
    /// Sixteen `f32`.
    type F: Copy;
    /// Sixteen truth values.
    type M: Copy;
    /// Sixteen `i32`.
    type I: Copy;

    /// Whether [`fma`](Simd::fma) rounds once.
    const FMA: bool;
    /// Vectors `F` that fit in the registers at one time: what a kernel sizes its tiles by.
    const REGISTERS: usize;

    /// Runs `k` with this token in a function of its own, which has the instruction set enabled.
    fn call<K: Kernel>(self, k: K) -> K::Out;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::F;
    /// The sixteen numbers at `x`.
    fn load(self, x: &[f32; 16]) -> Self::F;
    /// Writes the sixteen lanes.
    fn store(self, v: Self::F, to: &mut [f32; 16]);
    /// The first numbers of `x`, sixteen at most, and 0 in the lanes that are left.
    fn load_part(self, x: &[f32]) -> Self::F;
    /// Writes as many lanes as `to` has room for, sixteen at most.
    fn store_part(self, v: Self::F, to: &mut [f32]);
    /// The sixteen numbers at `p`.
    ///
    /// # Safety
    /// `p` is valid for reading 16 `f32`.
    unsafe fn load_ptr(self, p: *const f32) -> Self::F;
    /// The eight numbers at `p`, twice.
    ///
    /// # Safety
    /// `p` is valid for reading 8 `f32`.
    #[inline(always)]
    unsafe fn load_twice(self, p: *const f32) -> Self::F {
        // SAFETY: the caller vouches for 8 readable numbers; an array of them needs no more alignment than
        // one.
        let half = unsafe { p.cast::<[f32; 8]>().read() };
        let mut both = [0.0; 16];
        both[..8].copy_from_slice(&half);
        both[8..].copy_from_slice(&half);
        self.load(&both)
    }
    /// `a` in the first eight lanes, `b` in the others.
    #[inline(always)]
    fn splat_two(self, a: f32, b: f32) -> Self::F {
        let first = self.lt_i(self.load_i(&LANE_INDEX), self.splat_i(8));
        self.select(first, self.splat(a), self.splat(b))
    }
    /// Writes the sixteen lanes to `p`.
    ///
    /// # Safety
    /// `p` is valid for writing 16 `f32`.
    unsafe fn store_ptr(self, v: Self::F, p: *mut f32);
    /// Asks for what is at `p`, any address, to be brought near; where the set has no way to ask, nothing.
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        let _ = p;
    }

    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a · b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `if a < b { a } else { b }`: where either is NaN, or both are zeros, it is `b`.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `if a > b { a } else { b }`: where either is NaN, or both are zeros, it is `b`.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// `-a`, by the sign bit.
    fn neg(self, a: Self::F) -> Self::F;
    /// `|a|`, by the sign bit.
    fn abs(self, a: Self::F) -> Self::F;
    /// The square root, correctly rounded; NaN below 0.
    fn sqrt(self, a: Self::F) -> Self::F;
    /// `a / b` to within 4 ulp where the sizes of `a`, `b` and the quotient are from 1e-37 to 1e37, or `a` is
    /// 0: without the divider, where the set has a faster way with a first guess that is specified to the
    /// bit. AVX2's is not: generations of processors differ in it.
    #[inline(always)]
    fn near_div(self, a: Self::F, b: Self::F) -> Self::F {
        self.div(a, b)
    }
    /// The square root to within 4 ulp, for any normal `a`: as [`near_div`](Simd::near_div).
    #[inline(always)]
    fn near_sqrt(self, a: Self::F) -> Self::F {
        self.sqrt(a)
    }
    /// The largest whole number not above `a`.
    fn floor(self, a: Self::F) -> Self::F;
    /// The nearest whole number, ties to even.
    fn round(self, a: Self::F) -> Self::F;
    /// `a · b + c`: rounded once where [`FMA`](Simd::FMA), else after the product and after the sum.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// `a < b`; false where either is NaN, as are the other comparisons.
    fn lt(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a <= b`.
    fn le(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a > b`.
    fn gt(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a >= b`.
    fn ge(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a == b`.
    fn eq(self, a: Self::F, b: Self::F) -> Self::M;
    /// `then` where `m` is true, `otherwise` elsewhere.
    fn select(self, m: Self::M, then: Self::F, otherwise: Self::F) -> Self::F;
    /// `a && b`.
    fn and_m(self, a: Self::M, b: Self::M) -> Self::M;
    /// `a || b`.
    fn or_m(self, a: Self::M, b: Self::M) -> Self::M;
    /// `!a`.
    fn not_m(self, a: Self::M) -> Self::M;

    /// The nearest `i32`, ties to even; `i32::MIN` where it does not fit or `a` is NaN.
    fn to_i(self, a: Self::F) -> Self::I;
    /// The nearest `f32`, ties to even.
    fn to_f(self, a: Self::I) -> Self::F;
    /// The bits of each number.
    fn bits(self, a: Self::F) -> Self::I;
    /// The numbers with these bits.
    #[allow(
        clippy::wrong_self_convention,
        reason = "it is the name of the scalar, and every method starts from the token"
    )]
    fn from_bits(self, a: Self::I) -> Self::F;

    /// `x` in every lane.
    fn splat_i(self, x: i32) -> Self::I;
    /// The sixteen integers at `x`.
    fn load_i(self, x: &[i32; 16]) -> Self::I;
    /// Writes the sixteen lanes.
    fn store_i(self, v: Self::I, to: &mut [i32; 16]);
    /// `a + b`, wrapping.
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a - b`, wrapping.
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// The low 32 bits of `a · b`.
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a & b`.
    fn and_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a | b`.
    fn or_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a ^ b`.
    fn xor_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a << N`; `N` must be below 32.
    fn shl_i<const N: u32>(self, a: Self::I) -> Self::I;
    /// `a >> N`, zeros coming in from the left; `N` must be below 32.
    fn shr_i<const N: u32>(self, a: Self::I) -> Self::I;
    /// `a < b`, signed.
    fn lt_i(self, a: Self::I, b: Self::I) -> Self::M;

    /// Writes the lanes of `v` where `m` is true to the beginning of `to`, any numbers behind them, and gives
    /// how many they are.
    #[inline(always)]
    fn compress(self, m: Self::M, v: Self::F, to: &mut [f32; 16]) -> usize {
        let (mut lanes, mut chosen) = ([0.0; 16], [0.0; 16]);
        self.store(v, &mut lanes);
        self.store(self.select(m, self.splat(1.0), self.splat(0.0)), &mut chosen);
        let mut count = 0;
        for (lane, chosen) in lanes.into_iter().zip(chosen) {
            // Written in any case, and overwritten by the next: a branch would be hard to foretell.
            to[count] = lane;
            count += usize::from(chosen != 0.0);
        }
        count
    }

    /// The sum of the lanes: lane i with i + 8, then i + 4, i + 2, i + 1.
    fn sum(self, a: Self::F) -> f32;
    /// Whether every lane is 0, of either sign.
    #[inline(always)]
    fn is_zero(self, a: Self::F) -> bool {
        self.sum(self.select(self.eq(a, self.splat(0.0)), self.splat(0.0), self.splat(1.0))) == 0.0
    }
    /// The largest lane, by [`max`](Simd::max) in the tree of [`sum`](Simd::sum); of lanes with NaN, any.
    fn largest(self, a: Self::F) -> f32;
    /// Lane j of vector i becomes lane i of vector j.
    fn transpose(self, m: &mut [Self::F; 16]);
    /// The lanes 0, 2, … of `a` and then of `b`; and the lanes 1, 3, … likewise.
    fn unzip(self, a: Self::F, b: Self::F) -> (Self::F, Self::F);
}

/// a / b, from a first guess at 1 / b: one step of Newton's method on the quotient.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn refined_div<S: Simd>(s: S, a: S::F, b: S::F, reciprocal: S::F) -> S::F {
    let quotient = s.mul(a, reciprocal);
    s.fma(s.fma(s.neg(quotient), b, a), reciprocal, quotient)
}

/// √a, from a first guess at 1 / √a: one step of Newton's method on the root. What is missing is taken
/// relative to 1, not to `a`: of a small `a` it would be denormal, and slow.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn refined_sqrt<S: Simd>(s: S, a: S::F, reciprocal: S::F) -> S::F {
    let root = s.mul(a, reciprocal);
    let missing = s.fma(s.neg(root), reciprocal, s.splat(1.0));
    s.fma(s.mul(root, s.splat(0.5)), missing, root)
}
