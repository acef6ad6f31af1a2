//! Figures of the features of one input, and their use: which numbers of a sample are one feature follows
//! from its shape.

use super::super::{DataError, DataErrorKind, Values};
use crate::layers::Normalization;
use crate::shape::Shape;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// How the numbers of one input are scaled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaling {
    features: Vec<Feature>,
    /// Numbers of a feature that stand next to each other.
    inner: usize,
    /// Numbers of a sample.
    width: usize,
    /// Mean 0 and deviation 1, whatever the numbers are.
    left: bool,
}

/// Mean and standard deviation of one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Feature {
    mean: f64,
    std: f64,
}

impl Scaling {
    pub(super) fn fit(input: &Values, shape: Shape, place: impl Fn() -> String) -> Result<Self, DataError> {
        let width = input.width();
        if shape.checked_len() != Some(width) || shape.rank() == 0 {
            let expected = format!("a shape of its {width} numbers");
            return Err(DataError::new(DataErrorKind::Size, place(), expected, shape.to_string()));
        }
        let axis = Normalization::feature_axis(&shape);
        let inner = shape.as_slice()[axis + 1..].iter().product();
        Ok(Self { features: fit(input.as_slice(), shape.dim(axis), inner), inner, width, left: false })
    }

    pub(super) fn left(width: usize) -> Self {
        Self { features: vec![Feature { mean: 0.0, std: 1.0 }; width], inner: 1, width, left: true }
    }

    pub(super) fn apply(&self, rows: &mut [f32]) {
        self.each(rows, |value, feature| (value - feature.mean) / feature.std);
    }

    pub(super) fn undo(&self, rows: &mut [f32]) {
        self.each(rows, |value, feature| value * feature.std + feature.mean);
    }

    fn each(&self, rows: &mut [f32], f: impl Fn(f64, Feature) -> f64) {
        if self.left {
            return;
        }
        for row in rows.chunks_exact_mut(self.features.len() * self.inner) {
            for (values, feature) in row.chunks_exact_mut(self.inner).zip(&self.features) {
                values.iter_mut().for_each(|value| *value = f(f64::from(*value), *feature) as f32);
            }
        }
    }

    pub(super) fn mean(&self) -> Vec<f32> {
        self.features.iter().map(|feature| feature.mean as f32).collect()
    }

    pub(super) fn std(&self) -> Vec<f32> {
        // What spreads by less than the smallest number of 32 bits spreads all the same.
        self.features.iter().map(|feature| (feature.std as f32).max(f32::from_bits(1))).collect()
    }

    pub(super) fn check_width(&self, found: usize, place: impl Fn() -> String) -> Result<(), DataError> {
        match found == self.width {
            true => Ok(()),
            false => {
                let expected = format!("a width of {}, as it was fitted to", self.width);
                Err(DataError::new(DataErrorKind::Size, place(), expected, found.to_string()))
            }
        }
    }

    pub(super) fn check_rows(&self, found: usize, place: impl Fn() -> String) -> Result<(), DataError> {
        match found.is_multiple_of(self.features.len() * self.inner) {
            true => Ok(()),
            false => self.check_width(found, place),
        }
    }
}

/// The figures of features that have `inner` numbers next to each other, again and again.
fn fit(flat: &[f32], features: usize, inner: usize) -> Vec<Feature> {
    let rows = || flat.chunks_exact(features * inner);
    let numbers = |row: &[f32], j: usize, f: &mut dyn FnMut(f64)| {
        row[j * inner..(j + 1) * inner].iter().for_each(|&value| f(f64::from(value)));
    };
    let n = (flat.len() / features) as f64;
    let mut sums = vec![0.0; features];
    let mut constant = vec![true; features];
    for row in rows() {
        for j in 0..features {
            // Asked of the numbers themselves: a variance computed of equal numbers need not come out as 0.
            let first = f64::from(flat[j * inner]);
            numbers(row, j, &mut |value| {
                sums[j] += value;
                constant[j] &= value == first;
            });
        }
    }
    let means: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
    // The second pass keeps what one pass over squares would cancel away.
    let mut squares = vec![0.0; features];
    for row in rows() {
        for j in 0..features {
            numbers(row, j, &mut |value| squares[j] += (value - means[j]) * (value - means[j]));
        }
    }
    let feature = |j: usize| match constant[j] {
        true => Feature { mean: f64::from(flat[j * inner]), std: 1.0 },
        false => Feature { mean: means[j], std: libm::sqrt(squares[j] / n) },
    };
    (0..features).map(feature).collect()
}
