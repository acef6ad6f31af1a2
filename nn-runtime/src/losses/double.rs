//! The exponential and the logarithm in double precision, for losses that add up probabilities too small for `f32`.
//! In: one number of a short range; out: its function, to 1e-15. Never a call into the C mathematics library.

use core::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// ln 2 in two parts. The first has so few digits that its product with any exponent is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `e^x` for `x <= 0`; below -700 it is 0. NaN for NaN.
pub(super) fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    // x = n · ln 2 + r with |r| <= ½ ln 2.
    let n = (x * LOG2_E - 0.5) as i64;
    let r = x - n as f64 * LN_2_HIGH - n as f64 * LN_2_LOW;
    // Σ r^k / k!, by Horner: the first term left out is 4e-18.
    let mut sum = 1.0;
    for k in (1..=14).rev() {
        sum = 1.0 + sum * r / f64::from(k);
    }
    sum * f64::from_bits(((1023 + n) as u64) << 52)
}

/// `ln x` for `1 <= x <= 4`. NaN for NaN.
pub(super) fn ln(x: f64) -> f64 {
    // x = 2^n · m with √½ <= m <= √2, and ln m = 2 artanh z.
    let (mut m, mut n) = (x, 0.0);
    while m > SQRT_2 {
        (m, n) = (m * 0.5, n + 1.0);
    }
    let z = (m - 1.0) / (m + 1.0);
    // Σ z^2k / (2k + 1): the first term left out is 2e-18.
    let mut sum = 0.0;
    for k in (0..=10).rev() {
        sum = sum * z * z + 1.0 / f64::from(2 * k + 1);
    }
    n * LN_2 + 2.0 * z * sum
}

/// `ln Σ e^x`; −∞ of nothing but −∞.
pub(super) fn log_sum_exp<const N: usize>(x: [f64; N]) -> f64 {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return if x.iter().any(|x| x.is_nan()) { f64::NAN } else { most };
    }
    most + ln(x.iter().map(|x| exp(x - most)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_standard_library() {
        for i in 0..=7000 {
            let x = -f64::from(i) / 10.0;
            assert!((exp(x) - x.exp()).abs() <= 1e-15 * x.exp(), "e^{x}");
        }
        for i in 0..=3000 {
            let x = 1.0 + f64::from(i) / 1000.0;
            assert!((ln(x) - x.ln()).abs() <= 1e-15 * x.ln().max(1.0), "ln {x}");
        }
        assert_eq!((exp(f64::NEG_INFINITY), exp(0.0), ln(1.0)), (0.0, 1.0, 0.0));
        assert!(exp(f64::NAN).is_nan() && ln(f64::NAN).is_nan());
    }

    #[test]
    fn sums_of_any_size() {
        assert!((log_sum_exp([-1000.0, -1000.0]) - (2f64.ln() - 1000.0)).abs() < 1e-12);
        assert_eq!(log_sum_exp([f64::NEG_INFINITY, -3.0]), -3.0);
        assert_eq!(log_sum_exp([f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert!(log_sum_exp([f64::NEG_INFINITY, f64::NAN]).is_nan() && log_sum_exp([1.0, f64::NAN]).is_nan());
    }
}
