//! The path of every machine: plain arrays and loops, which the compiler turns into what vectors it has.
//! Comes in: nothing but numbers; goes out: the operations of `Simd`, the same bits as on the other paths
//! except for `fma`. Never an intrinsic, `unsafe` beyond the two pointers of the trait, or a call into the C
//! mathematics library.

use core::array::from_fn;

use super::{Kernel, Simd};

/// The token of the portable path, which needs no proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Portable;

type F = [f32; 16];
type I = [i32; 16];
/// −1 for true, 0 for false.
type M = [i32; 16];

/// Below this every `f32` may have a fraction; from here on none has.
const WHOLE: f32 = 8_388_608.0;

/// The nearest whole number, ties to even, with the sign of `x`.
#[inline(always)]
fn round(x: f32) -> f32 {
    let size = x.abs();
    // Adding 2^23 pushes the fraction out of the significand, and the addition itself rounds to even.
    let whole = if size < WHOLE { (size + WHOLE) - WHOLE } else { size };
    whole.copysign(x)
}

/// The largest whole number not above `x`, with the sign of `x` where it is 0.
#[inline(always)]
fn floor(x: f32) -> f32 {
    let near = round(x);
    if near > x { near - 1.0 } else { near }
}

/// The nearest `i32`, `i32::MIN` where there is none: what x86 answers.
#[inline(always)]
fn to_i(x: f32) -> i32 {
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) { round(x) as i32 } else { i32::MIN }
}

#[cfg(feature = "std")]
#[inline(always)]
fn sqrt(x: f32) -> f32 {
    x.sqrt()
}

/// The square root in double precision, rounded once.
///
/// The root of a 24-bit number is never nearer than 2^-50 (relatively) to a tie between two 24-bit numbers,
/// and Newton's method leaves about 2^-52: so the rounding to `f32` is the correct one.
#[cfg(any(not(feature = "std"), test))]
#[cfg_attr(feature = "std", allow(dead_code, reason = "with std only the tests call it"))]
pub(super) fn newton_sqrt(x: f32) -> f32 {
    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 || x == f32::INFINITY {
        return x;
    }
    let x = f64::from(x);
    // Halving the exponent is right to some percent; each step then doubles the digits.
    let mut root = f64::from_bits((x.to_bits() >> 1) + (1023_u64 << 51));
    for _ in 0..5 {
        root = 0.5 * (root + x / root);
    }
    root as f32
}

#[cfg(not(feature = "std"))]
#[inline(always)]
fn sqrt(x: f32) -> f32 {
    newton_sqrt(x)
}

#[inline(always)]
fn mask(holds: bool) -> i32 {
    -i32::from(holds)
}

// What takes many instructions is called: each kernel would hold it as often as it uses it, and this path is
// for machines that are slow anyway.
impl Simd for Portable {
    type F = F;
    type M = M;
    type I = I;
    const FMA: bool = false;
    // What a CPU of sixteen registers of four lanes holds.
    const REGISTERS: usize = if cfg!(feature = "small") { 1 } else { 4 };

    #[inline(always)]
    fn call<K: Kernel>(self, k: K) -> K::Out {
        #[inline(never)]
        fn apart<K: Kernel>(k: K) -> K::Out {
            k.run(Portable)
        }
        apart(k)
    }

    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn splat(self, x: f32) -> F {
        [x; 16]
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load(self, x: &[f32; 16]) -> F {
        *x
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn store(self, v: F, to: &mut [f32; 16]) {
        *to = v;
    }
    #[inline(never)]
    fn load_part(self, x: &[f32]) -> F {
        match x.first_chunk() {
            Some(whole) => *whole,
            None => from_fn(|i| x.get(i).copied().unwrap_or(0.0)),
        }
    }
    #[inline(never)]
    fn store_part(self, v: F, to: &mut [f32]) {
        match to.first_chunk_mut() {
            Some(whole) => *whole = v,
            None => to.iter_mut().zip(v).for_each(|(to, v)| *to = v),
        }
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    unsafe fn load_ptr(self, p: *const f32) -> F {
        // SAFETY: the caller vouches for 16 readable numbers; an array of them needs no more alignment than
        // one.
        unsafe { p.cast::<F>().read() }
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    unsafe fn store_ptr(self, v: F, p: *mut f32) {
        // SAFETY: the caller vouches for 16 writable numbers; an array of them needs no more alignment than
        // one.
        unsafe { p.cast::<F>().write(v) }
    }

    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn add(self, a: F, b: F) -> F {
        from_fn(|i| a[i] + b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn sub(self, a: F, b: F) -> F {
        from_fn(|i| a[i] - b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn mul(self, a: F, b: F) -> F {
        from_fn(|i| a[i] * b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn div(self, a: F, b: F) -> F {
        from_fn(|i| a[i] / b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn min(self, a: F, b: F) -> F {
        from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn max(self, a: F, b: F) -> F {
        from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn neg(self, a: F) -> F {
        from_fn(|i| -a[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn abs(self, a: F) -> F {
        from_fn(|i| a[i].abs())
    }
    #[inline(never)]
    fn sqrt(self, a: F) -> F {
        from_fn(|i| sqrt(a[i]))
    }
    #[inline(never)]
    fn floor(self, a: F) -> F {
        from_fn(|i| floor(a[i]))
    }
    #[inline(never)]
    fn round(self, a: F) -> F {
        from_fn(|i| round(a[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn fma(self, a: F, b: F, c: F) -> F {
        from_fn(|i| a[i] * b[i] + c[i])
    }

    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn lt(self, a: F, b: F) -> M {
        from_fn(|i| mask(a[i] < b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn le(self, a: F, b: F) -> M {
        from_fn(|i| mask(a[i] <= b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn gt(self, a: F, b: F) -> M {
        from_fn(|i| mask(a[i] > b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn ge(self, a: F, b: F) -> M {
        from_fn(|i| mask(a[i] >= b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn eq(self, a: F, b: F) -> M {
        from_fn(|i| mask(a[i] == b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn select(self, m: M, then: F, otherwise: F) -> F {
        // By bits, so that it stays vector code whatever the mask.
        from_fn(|i| f32::from_bits((m[i] as u32 & then[i].to_bits()) | (!m[i] as u32 & otherwise[i].to_bits())))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn and_m(self, a: M, b: M) -> M {
        self.and_i(a, b)
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn or_m(self, a: M, b: M) -> M {
        self.or_i(a, b)
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn not_m(self, a: M) -> M {
        from_fn(|i| !a[i])
    }

    #[inline(never)]
    fn to_i(self, a: F) -> I {
        from_fn(|i| to_i(a[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn to_f(self, a: I) -> F {
        from_fn(|i| a[i] as f32)
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn bits(self, a: F) -> I {
        from_fn(|i| a[i].to_bits() as i32)
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn from_bits(self, a: I) -> F {
        from_fn(|i| f32::from_bits(a[i] as u32))
    }

    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn splat_i(self, x: i32) -> I {
        [x; 16]
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn load_i(self, x: &[i32; 16]) -> I {
        *x
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn store_i(self, v: I, to: &mut [i32; 16]) {
        *to = v;
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn add_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn sub_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i].wrapping_sub(b[i]))
    }
    #[inline(never)]
    fn mul_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i].wrapping_mul(b[i]))
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn and_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i] & b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn or_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i] | b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn xor_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i] ^ b[i])
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn shl_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        from_fn(|i| a[i] << N)
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn shr_i<const N: u32>(self, a: I) -> I {
        const { assert!(N < 32) };
        from_fn(|i| (a[i] as u32 >> N) as i32)
    }
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn lt_i(self, a: I, b: I) -> M {
        from_fn(|i| mask(a[i] < b[i]))
    }

    #[inline(never)]
    fn sum(self, a: F) -> f32 {
        let a: [f32; 8] = from_fn(|i| a[i] + a[i + 8]);
        let a: [f32; 4] = from_fn(|i| a[i] + a[i + 4]);
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[inline(never)]
    fn largest(self, a: F) -> f32 {
        let max = |a: f32, b: f32| if a > b { a } else { b };
        let a: [f32; 8] = from_fn(|i| max(a[i], a[i + 8]));
        let a: [f32; 4] = from_fn(|i| max(a[i], a[i + 4]));
        max(max(a[0], a[2]), max(a[1], a[3]))
    }
    #[inline(never)]
    fn transpose(self, m: &mut [F; 16]) {
        let from = *m;
        *m = from_fn(|i| from_fn(|j| from[j][i]));
    }
    #[inline(never)]
    fn unzip(self, a: F, b: F) -> (F, F) {
        let lane = |i: usize| if i < 16 { a[i] } else { b[i - 16] };
        (from_fn(|i| lane(2 * i)), from_fn(|i| lane(2 * i + 1)))
    }
}
