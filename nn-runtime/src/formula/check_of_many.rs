//! The generated test of a loss that says something of more than one number. In: it, and the formula as it
//! was written, in double precision; out: nothing, or a panic that says where values or gradients part.

use alloc::vec;
use alloc::vec::Vec;

use crate::losses::of_many::{FormulaOfMany, of_many};
use crate::random::Random;
use nn_kernels::simd::Isa;

/// The numbers that go together, as the formula sees them.
pub struct WideNumbers {
    y: Vec<f64>,
    t: Vec<f64>,
    back: usize,
}

impl WideNumbers {
    /// How many there are.
    pub fn count(&self) -> f64 {
        self.y.len() as f64
    }

    /// The sum of what `term` makes of each: of output, target, and both of the place before.
    pub fn sum(&self, term: impl Fn([f64; 4]) -> f64) -> f64 {
        let before = |of: &[f64], i: usize| i.checked_sub(self.back).map_or(0.0, |i| of[i]);
        (0..self.y.len()).map(|i| term([self.y[i], self.t[i], before(&self.y, i), before(&self.t, i)])).sum()
    }
}

/// Rows and numbers of each.
const SHAPES: [[usize; 2]; 5] = [[1, 1], [1, 17], [5, 3], [40, 1], [2, 300]];

/// How far a value and a gradient may be off, as a share of their size.
const NEAR: f64 = 1e-3;

/// # Panics
/// Value or gradient are not those of `truth`.
pub fn check_loss_of_many<L: FormulaOfMany>(name: &str, loss: &L, truth: impl Fn(&WideNumbers) -> f64) {
    let mut looked = 0;
    for (number, [rows, width]) in SHAPES.into_iter().enumerate() {
        // Of numbers of both signs, and, for formulas that want them, above 0.
        for low in [-1.5, 0.25] {
            let mut random = Random::keyed(number as u64, &[]);
            let mut draw = || (0..rows * width).map(|_| random.between(low, 1.75)).collect::<Vec<f32>>();
            let (y, t) = (draw(), draw());
            let together = if L::WHOLE { rows * width } else { width };
            let value = |y: &[f64], from: usize| {
                let wide = |of: &[f32]| of[from..from + together].iter().map(|x| f64::from(*x)).collect();
                truth(&WideNumbers { y: y.to_vec(), t: wide(&t), back: if L::WHOLE { width } else { 1 } })
            };
            let wide: Vec<f64> = y.iter().map(|y| f64::from(*y)).collect();
            let starts = (0..rows * width).step_by(together);
            let expected: f64 = starts.clone().map(|from| value(&wide[from..from + together], from)).sum();
            let mut slopes = Vec::new();
            for from in starts {
                let mut moved = wide[from..from + together].to_vec();
                for i in 0..together {
                    let at = moved[i];
                    let mut of = |step: f64| {
                        moved[i] = at + step;
                        let value = value(&moved, from);
                        moved[i] = at;
                        value
                    };
                    slopes.push((of(1e-5) - of(-1e-5)) / 2e-5);
                }
            }
            if !expected.is_finite() || slopes.iter().any(|slope| !slope.is_finite()) {
                continue;
            }
            looked += 1;
            for isa in Isa::available() {
                let mut dy = vec![0.0; y.len()];
                let found = of_many(loss, isa, width, &y, &t, Some((1.0, &mut dy)));
                let alone = of_many(loss, isa, width, &y, &t, None);
                let size = libm::sqrt(slopes.iter().map(|slope| slope * slope).sum::<f64>());
                let off = dy.iter().zip(&slopes).map(|(dy, slope)| f64::from(*dy) - slope);
                let gap = libm::sqrt(off.map(|off| off * off).sum::<f64>());
                assert!(
                    (found - expected).abs() <= NEAR * expected.abs().max(1e-6) && alone == found,
                    "expected a value of `{name}` of {expected:.6} for {rows} rows of {width}, found {found:.6} ({})",
                    isa.name()
                );
                assert!(
                    gap <= NEAR * size.max(1e-6),
                    "expected a gradient of `{name}` of size {size:.6} for {rows} rows of {width}, found one {gap:.6} off ({})",
                    isa.name()
                );
            }
        }
    }
    assert!(
        looked > 2,
        "expected values of `{name}` for numbers between -1.5 and 1.75, or above 0.25, found almost none"
    );
}
