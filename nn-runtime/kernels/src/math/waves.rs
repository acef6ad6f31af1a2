//! Sine and cosine. In: a token and a vector; out: the function of every lane. Quarter turns are taken off in
//! four parts, each so short that its products with whole numbers are exact up to an argument of 8192.

use super::{SHIFTER, polynomial};
use crate::simd::Simd;

/// π/2 in four parts.
const QUARTER: [f32; 4] = [1.570_312_5, 4.837_513e-4, 7.549_534e-8, 2.563_344e-12];
/// (sin r − r) / r³ for |r| <= π/4, in powers of r²: minimax, 2^-28 of sin r.
const SIN: [f32; 3] = [-0.166_666_55, 8.332_176e-3, -1.951_697_8e-4];
/// (cos r − 1 + r²/2) / r⁴ for |r| <= π/4, in powers of r²: minimax, 2^-33.
const COS: [f32; 3] = [4.166_664_6e-2, -1.388_736_4e-3, 2.443_809_2e-5];

/// sin(x + `turns`·π/2).
#[inline(always)]
fn wave<S: Simd>(s: S, x: S::F, turns: i32) -> S::F {
    let shifted = s.fma(x, s.splat(core::f32::consts::FRAC_2_PI), s.splat(SHIFTER));
    let n = s.sub(shifted, s.splat(SHIFTER));
    let mut r = x;
    for part in QUARTER {
        r = s.fma(n, s.splat(-part), r);
    }
    // Far out the rest means nothing; it still stays where the polynomials do. The limits stand first: NaN
    // stays NaN.
    let r = s.max(s.splat(-0.8), s.min(s.splat(0.8), r));
    let square = s.mul(r, r);
    let sin = s.fma(s.mul(square, r), polynomial(s, square, &SIN), r);
    let cos = s.fma(s.mul(square, square), polynomial(s, square, &COS), s.fma(square, s.splat(-0.5), s.splat(1.0)));
    let turn = s.add_i(s.bits(shifted), s.splat_i(turns));
    let zero = s.splat_i(0);
    let odd = s.lt_i(zero, s.and_i(turn, s.splat_i(1)));
    let size = s.select(odd, cos, sin);
    // Two quarter turns change the sign, which is the highest bit.
    let sign = s.shl_i::<30>(s.and_i(turn, s.splat_i(2)));
    s.from_bits(s.xor_i(s.bits(size), sign))
}

/// sin x: at most 1e-7 off for |x| <= 8192, and 1.5 ulp for |x| <= 1. Further out it loses digits, and is
/// some number of −1..=1 in the end.
#[inline(always)]
pub fn sin<S: Simd>(s: S, x: S::F) -> S::F {
    wave(s, x, 0)
}

/// cos x: at most 1e-7 off for |x| <= 8192. Further out it loses digits, and is some number of −1..=1 in the
/// end.
#[inline(always)]
pub fn cos<S: Simd>(s: S, x: S::F) -> S::F {
    wave(s, x, 1)
}
