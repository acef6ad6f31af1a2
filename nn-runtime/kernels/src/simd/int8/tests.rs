//! Every operation on bytes of every path against plain loops. Comes in: the sets of this machine; goes out:
//! a failed assertion that names the set and the operation.

use super::super::{Isa, Simd};
use super::{Int8Kernel, Int8Simd};

struct AllOperations {
    set: &'static str,
    x: [u8; 16],
    w: [i8; 64],
}

impl Int8Kernel for AllOperations {
    type Out = ();
    #[inline(always)]
    fn run<S: Int8Simd>(self, s: S) {
        let AllOperations { set, x, w } = self;
        let out = |v| {
            let mut to = [0; 16];
            s.base().store_i(v, &mut to);
            to
        };
        let mut sums = s.no_sums();
        let mut expected = [0i64; 16];
        for x in x.as_chunks::<4>().0 {
            sums = s.add_products(sums, *x, &w);
            for (j, sum) in expected.iter_mut().enumerate() {
                *sum += (0..4).map(|i| i64::from(x[i]) * i64::from(w[4 * j + i])).sum::<i64>();
            }
        }
        assert_eq!(out(s.total(sums)).map(i64::from), expected, "{set}: add_products, total");
        assert_eq!(out(s.widen(&x)), x.map(i32::from), "{set}: widen");
        let signed: [i8; 16] = w[..16].try_into().unwrap();
        assert_eq!(out(s.widen_signed(&signed)), signed.map(i32::from), "{set}: widen_signed");
        assert_eq!(s.narrow(s.widen(&x)), x, "{set}: narrow");
    }
}

/// Runs a kernel on every way of every set of this machine, also on AVX-512 without VNNI.
fn on_every_path(mut kernel: impl FnMut(&'static str) -> AllOperations) {
    for isa in Isa::available() {
        isa.run_int8(kernel(isa.name()));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(plain) = super::super::Avx512::detect() {
        plain.call_without_vnni(kernel("avx512 without vnni"));
    }
}

#[test]
fn every_path_has_the_same_integers() {
    // Where two products of 16 bits would not fit, and all else.
    on_every_path(|set| AllOperations { set, x: [255; 16], w: [-128; 64] });
    on_every_path(|set| AllOperations { set, x: [255; 16], w: [127; 64] });
    let mut state = 7u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for _ in 0..200 {
        let (x, w) = (core::array::from_fn(|_| next()), core::array::from_fn(|_| next() as i8));
        on_every_path(|set| AllOperations { set, x, w });
    }
}
