//! Every operation of every path against plain Rust, lane by lane, over numbers that include the awkward
//! ones. Comes in: the sets of this machine; goes out: a failed assertion that names the operation and the
//! lane.

use super::portable::newton_sqrt;
use super::{Isa, Kernel, Simd};

/// Bits that visit all exponents and significands, from a linear congruence.
struct Bits(u32);

impl Bits {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 ^ (self.0 >> 15)
    }
    fn floats(&mut self) -> [f32; 16] {
        const AWKWARD: [f32; 16] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -0.5,
            1.5,
            2.5,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            1e-42,
            -2_147_483_648.0,
            2_147_483_648.0,
            8_388_607.5,
        ];
        core::array::from_fn(|_| {
            let (kind, bits) = (self.next() >> 28, self.next());
            match kind {
                0..4 => AWKWARD[(bits >> 28) as usize],
                4..8 => f32::from_bits(bits),
                8..12 => (bits as i32 >> 24) as f32 * 0.25,
                _ => bits as i32 as f32 * 1e-3,
            }
        })
    }
    fn ints(&mut self) -> [i32; 16] {
        core::array::from_fn(|_| (self.next() as i32) >> (self.next() >> 27))
    }
}

fn same(what: &str, found: [f32; 16], expected: impl Fn(usize) -> f32) {
    for (i, found) in found.into_iter().enumerate() {
        let expected = expected(i);
        let equal = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
        assert!(equal, "{what}, lane {i}: expected {expected:e}, found {found:e}");
    }
}

/// Within 4 units in the last place.
fn near(what: &str, found: f32, expected: f64) {
    let ulp = 2f64.powi(-23) * expected.abs();
    assert!((f64::from(found) - expected).abs() <= 4.0 * ulp, "{what}: expected {expected:e}, found {found:e}");
}

fn same_i(what: &str, found: [i32; 16], expected: impl Fn(usize) -> i32) {
    for (i, found) in found.into_iter().enumerate() {
        assert_eq!(found, expected(i), "{what}, lane {i}");
    }
}

struct Floats([f32; 16], [f32; 16], [f32; 16]);

impl Kernel for Floats {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Floats(a, b, c) = self;
        let (va, vb, vc) = (s.load(&a), s.load(&b), s.load(&c));
        let out = |v: S::F| {
            let mut to = [0.0; 16];
            s.store(v, &mut to);
            to
        };
        same("splat", out(s.splat(a[3])), |_| a[3]);
        same("add", out(s.add(va, vb)), |i| a[i] + b[i]);
        same("sub", out(s.sub(va, vb)), |i| a[i] - b[i]);
        same("mul", out(s.mul(va, vb)), |i| a[i] * b[i]);
        same("div", out(s.div(va, vb)), |i| a[i] / b[i]);
        same("min", out(s.min(va, vb)), |i| if a[i] < b[i] { a[i] } else { b[i] });
        same("max", out(s.max(va, vb)), |i| if a[i] > b[i] { a[i] } else { b[i] });
        same("neg", out(s.neg(va)), |i| -a[i]);
        same("abs", out(s.abs(va)), |i| a[i].abs());
        same("sqrt", out(s.sqrt(va)), |i| f64::from(a[i]).sqrt() as f32);
        let (quotients, roots) = (out(s.near_div(va, vb)), out(s.near_sqrt(s.abs(vb))));
        for i in 0..16 {
            let (a, b) = (f64::from(a[i]), f64::from(b[i]));
            let fits = |x: f64| (1e-37..1e37).contains(&x.abs());
            if fits(b) {
                near("near_sqrt", roots[i], b.abs().sqrt());
            }
            if (a == 0.0 || fits(a) && fits(a / b)) && fits(b) {
                near("near_div", quotients[i], a / b);
            }
        }
        same("floor", out(s.floor(va)), |i| a[i].floor());
        same("round", out(s.round(va)), |i| a[i].round_ties_even());
        same("fma", out(s.fma(va, vb, vc)), |i| if S::FMA { a[i].mul_add(b[i], c[i]) } else { a[i] * b[i] + c[i] });

        let picked = |m: S::M| out(s.select(m, va, vb));
        let pick = |m: bool, i: usize| if m { a[i] } else { b[i] };
        same("lt", picked(s.lt(va, vb)), |i| pick(a[i] < b[i], i));
        same("le", picked(s.le(va, vb)), |i| pick(a[i] <= b[i], i));
        same("gt", picked(s.gt(va, vb)), |i| pick(a[i] > b[i], i));
        same("ge", picked(s.ge(va, vb)), |i| pick(a[i] >= b[i], i));
        same("eq", picked(s.eq(va, vb)), |i| pick(a[i] == b[i], i));
        same("eq itself", picked(s.eq(va, va)), |i| pick(!a[i].is_nan(), i));
        let (lower, upper) = (s.lt(va, vb), s.lt(vb, vc));
        same("and_m", picked(s.and_m(lower, upper)), |i| pick(a[i] < b[i] && b[i] < c[i], i));
        same("or_m", picked(s.or_m(lower, upper)), |i| pick(a[i] < b[i] || b[i] < c[i], i));
        same("not_m", picked(s.not_m(lower)), |i| if a[i] < b[i] { b[i] } else { a[i] });

        let out_i = |v: S::I| {
            let mut to = [0; 16];
            s.store_i(v, &mut to);
            to
        };
        same_i("to_i", out_i(s.to_i(va)), |i| {
            let near = f64::from(a[i]).round_ties_even();
            if (-2_147_483_648.0..2_147_483_648.0).contains(&near) { near as i32 } else { i32::MIN }
        });
        same_i("bits", out_i(s.bits(va)), |i| a[i].to_bits() as i32);
        same("from_bits", out(s.from_bits(s.bits(va))), |i| a[i]);

        let halves: [f32; 8] = core::array::from_fn(|i| a[i] + a[i + 8]);
        let quarters: [f32; 4] = core::array::from_fn(|i| halves[i] + halves[i + 4]);
        let sum = (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
        same("sum", [s.sum(va); 16], |_| sum);
        let spread: [f32; 16] = core::array::from_fn(|i| if i == 5 { a[0] } else { -0.0 * (i % 2) as f32 });
        assert_eq!(s.is_zero(s.load(&spread)), a[0] == 0.0, "is_zero of {spread:?}");
        if a.iter().all(|a| !a.is_nan()) {
            let largest = a.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(s.largest(va), largest, "largest of {a:?}");
        }

        for n in 0..=17 {
            let room: Vec<f32> = a.iter().chain(&b).copied().take(n).collect();
            same("load_part", out(s.load_part(&room)), |i| if i < n { a[i] } else { 0.0 });
            let mut to = vec![7.0; n + 3];
            s.store_part(vb, &mut to[..n]);
            for (i, to) in to.into_iter().enumerate() {
                let expected = if i < n.min(16) { b[i] } else { 7.0 };
                assert!(to == expected || (to.is_nan() && expected.is_nan()), "store_part of {n}, place {i}");
            }
        }
        let mut odd = [0.0; 19];
        odd[3..].copy_from_slice(&a);
        // SAFETY: sixteen numbers follow the third.
        let from_odd = unsafe { s.load_ptr(odd.as_ptr().add(3)) };
        same("load_ptr", out(from_odd), |i| a[i]);
        // SAFETY: eight of the numbers that lie there.
        let twice = unsafe { s.load_twice(a.as_ptr()) };
        same("load_twice", out(twice), |i| a[i % 8]);
        same("splat_two", out(s.splat_two(a[0], a[1])), |i| a[i / 8]);
        // SAFETY: sixteen numbers follow the first of the 19, behind a mutable pointer.
        unsafe { s.store_ptr(vb, odd.as_mut_ptr().add(1)) };
        same("store_ptr", core::array::from_fn(|i| odd[i + 1]), |i| b[i]);
    }
}

struct Ints([i32; 16], [i32; 16]);

impl Kernel for Ints {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Ints(a, b) = self;
        let (va, vb) = (s.load_i(&a), s.load_i(&b));
        let out = |v: S::I| {
            let mut to = [0; 16];
            s.store_i(v, &mut to);
            to
        };
        same_i("splat_i", out(s.splat_i(a[5])), |_| a[5]);
        same_i("add_i", out(s.add_i(va, vb)), |i| a[i].wrapping_add(b[i]));
        same_i("sub_i", out(s.sub_i(va, vb)), |i| a[i].wrapping_sub(b[i]));
        same_i("mul_i", out(s.mul_i(va, vb)), |i| a[i].wrapping_mul(b[i]));
        same_i("and_i", out(s.and_i(va, vb)), |i| a[i] & b[i]);
        same_i("or_i", out(s.or_i(va, vb)), |i| a[i] | b[i]);
        same_i("xor_i", out(s.xor_i(va, vb)), |i| a[i] ^ b[i]);
        same_i("shl_i", out(s.shl_i::<0>(va)), |i| a[i]);
        same_i("shl_i", out(s.shl_i::<23>(va)), |i| a[i] << 23);
        same_i("shr_i", out(s.shr_i::<9>(va)), |i| (a[i] as u32 >> 9) as i32);
        same_i("shr_i", out(s.shr_i::<31>(va)), |i| (a[i] as u32 >> 31) as i32);
        let mut to = [0.0; 16];
        s.store(s.to_f(va), &mut to);
        same("to_f", to, |i| a[i] as f32);
        s.store(s.select(s.lt_i(va, vb), s.splat(1.0), s.splat(2.0)), &mut to);
        same("lt_i", to, |i| if a[i] < b[i] { 1.0 } else { 2.0 });
    }
}

/// What moves numbers between lanes.
struct Moves;

impl Kernel for Moves {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let from: [[f32; 16]; 16] = core::array::from_fn(|i| core::array::from_fn(|j| (16 * i + j) as f32));
        let mut m = [s.splat(0.0); 16];
        for i in 0..16 {
            m[i] = s.load(&from[i]);
        }
        s.transpose(&mut m);
        for (i, v) in m.into_iter().enumerate() {
            let mut to = [0.0; 16];
            s.store(v, &mut to);
            same("transpose", to, |j| from[j][i]);
        }
        let (even, odd) = s.unzip(s.load(&from[0]), s.load(&from[1]));
        for (v, first) in [(even, 0), (odd, 1)] {
            let mut to = [0.0; 16];
            s.store(v, &mut to);
            same("unzip", to, |j| (2 * j + first) as f32);
        }
        for chosen in [0, 1, 5, 8, 16] {
            let mut to = [-1.0; 16];
            // The last lanes, and then the others.
            let m = s.lt(s.splat(15.5 - chosen as f32), s.load(&from[0]));
            assert_eq!(s.compress(m, s.load(&from[0]), &mut to), chosen);
            assert!(to[..chosen].iter().enumerate().all(|(j, to)| *to == (16 - chosen + j) as f32), "{to:?}");
            let mut to = [-1.0; 16];
            assert_eq!(s.compress(s.not_m(m), s.load(&from[0]), &mut to), 16 - chosen);
            assert!(to[..16 - chosen].iter().enumerate().all(|(j, to)| *to == j as f32), "{to:?}");
        }
    }
}

#[test]
fn every_path_computes_what_plain_rust_does() {
    for isa in Isa::available() {
        println!("{}", isa.name());
        let mut bits = Bits(1);
        for _ in 0..if cfg!(miri) { 2 } else { 2000 } {
            isa.run(Floats(bits.floats(), bits.floats(), bits.floats()));
            isa.run(Ints(bits.ints(), bits.ints()));
        }
        isa.run(Moves);
    }
}

#[test]
fn the_root_without_the_standard_library_is_correctly_rounded() {
    let step = if cfg!(miri) { 40_000_003 } else { 997 };
    for bits in (0..=u32::MAX).step_by(step) {
        let x = f32::from_bits(bits);
        let (expected, found) = (x.sqrt(), newton_sqrt(x));
        let equal = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
        assert!(equal, "root of {x:e}: expected {expected:e}, found {found:e}");
    }
}
