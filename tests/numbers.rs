//! What tests of numbers share: numbers to test with, the distance by which results are judged, slopes by
//! differences. In: sizes, functions in double precision; out: numbers. Nothing here may call the code under
//! test.

/// The house's tolerance: how far a tensor may be off, as a share of its norm.
pub const NEAR: f64 = 1e-5;

/// Numbers that look random, within ±`size`, none nearer to 0 than a thousandth of that.
pub fn numbers(seed: u64, len: usize, size: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let mut one = || 2.0 * next() - 1.0;
    (0..len)
        .map(|_| {
            let x = one();
            size * if x.abs() < 1e-3 { 1e-3f32.copysign(x) } else { x }
        })
        .collect()
}

/// ‖a − b‖ / ‖b‖; ‖a‖ where b is 0.
pub fn distance(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "tensors of one size");
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let gap = norm(&mut a.iter().zip(b).map(|(&a, b)| f64::from(a) - b));
    let size = norm(&mut b.iter().copied());
    if size > 0.0 { gap / size } else { gap }
}

/// Panics where a tensor is further off than [`NEAR`].
#[track_caller]
pub fn assert_near(found: &[f32], truth: &[f64], what: &dyn std::fmt::Display) {
    let distance = distance(found, truth);
    assert!(distance <= NEAR, "{what}: {distance:.2e} off: {found:?} instead of {truth:?}");
}

/// In double precision.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// The gradient of `f` at `x` by central differences.
pub fn slopes(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut moved = x.to_vec();
    (0..x.len())
        .map(|i| {
            let step = 1e-5 * x[i].abs().max(0.1);
            moved[i] = x[i] + step;
            let above = f(&moved);
            moved[i] = x[i] - step;
            let below = f(&moved);
            moved[i] = x[i];
            (above - below) / (2.0 * step)
        })
        .collect()
}
