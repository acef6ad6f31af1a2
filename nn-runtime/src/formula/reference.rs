//! The functions of formulas in double precision, as they are usually defined: what generated tests compare
//! with. Never in a pass.

pub use libm::{cos, cosh, erf, exp, expm1, log as ln, log1p as ln_1p, pow as powf, sin, sinh, sqrt, tanh};

/// In double precision.
pub fn wide(x: f32) -> f64 {
    f64::from(x)
}

/// `|x|`
pub fn abs(x: f64) -> f64 {
    x.abs()
}

/// `1 / (1 + exp(-x))`
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// `ln(1 + exp(x))`
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + ln_1p(exp(-x.abs()))
}

/// A whole power.
pub fn powi(x: f64, n: i32) -> f64 {
    powf(x, f64::from(n))
}

/// The larger of the two; NaN where either is.
pub fn max(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// The smaller of the two; NaN where either is.
pub fn min(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}
