//! Scores and whether they should be high, kept row by row, and the areas under the curves of all thresholds.
//! In: rows; out: an area for each class. What it keeps grows with the rows.

use std::vec::Vec;

use super::MetricRows;
use super::rows::argmax;
use crate::losses::Link;

/// The rows seen so far. Of two classes it keeps the second alone.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Ranking {
    columns: usize,
    /// `[rows, columns]`
    scores: Vec<f64>,
    /// `[rows, columns]`
    yes: Vec<bool>,
    /// `[rows]`
    weights: Vec<f64>,
}

/// A threshold: what lies on or above it, of what should and of what should not.
#[derive(Clone, Copy, Default)]
pub(super) struct Above {
    pub(super) yes: f64,
    pub(super) no: f64,
}

impl Ranking {
    pub(super) fn reset(&mut self) {
        *self = Ranking::default();
    }

    pub(super) fn add_labels(&mut self, rows: &MetricRows<u32>) {
        self.add(rows, |label| label[0] as usize);
    }

    pub(super) fn add_values(&mut self, rows: &MetricRows<f32>) {
        if rows.link == Link::Softmax {
            return self.add(rows, argmax);
        }
        self.columns = rows.width;
        self.scores.extend(rows.y.iter().map(|&y| f64::from(y)));
        self.yes.extend(rows.targets.iter().map(|&t| t > 0.5));
        self.weights.extend(core::iter::repeat_n(rows.weight, rows.len()));
    }

    fn add<T>(&mut self, rows: &MetricRows<T>, class: impl Fn(&[T]) -> usize) {
        self.columns = if rows.width == 2 { 1 } else { rows.width };
        let mut predicted = Vec::new();
        for (y, target) in rows.pairs() {
            let class = class(target);
            self.weights.push(rows.weight);
            if let [no, yes] = *y {
                // Their difference orders as the probability does, and tells apart what that rounds to 1.
                let scores = rows.link == Link::Softmax;
                self.scores.push(f64::from(yes) - if scores { f64::from(no) } else { 0.0 });
                self.yes.push(class == 1);
            } else {
                rows.predict(y, &mut predicted);
                self.scores.extend_from_slice(&predicted);
                self.yes.extend((0..rows.width).map(|k| k == class));
            }
        }
    }

    /// The mean over classes of `area`, given the thresholds of a class from the highest down and what lies
    /// above the lowest; those for which it is not defined are left out. NaN where none is defined, or a
    /// score is NaN.
    pub(super) fn mean(&self, area: impl Fn(&[Above], Above) -> Option<f64>) -> f64 {
        if self.scores.iter().any(|score| score.is_nan()) {
            return f64::NAN;
        }
        let areas = (0..self.columns).filter_map(|column| {
            let curve = self.curve(column);
            area(&curve, curve.last().copied().unwrap_or_default())
        });
        let (sum, count) = areas.fold((0.0, 0), |(sum, count), area| (sum + area, count + 1));
        sum / f64::from(count)
    }

    /// The thresholds of a column, one for each score that occurs.
    fn curve(&self, column: usize) -> Vec<Above> {
        let score = |row: &usize| self.scores[row * self.columns + column];
        let mut order: Vec<usize> = (0..self.weights.len()).collect();
        order.sort_by(|a, b| score(b).partial_cmp(&score(a)).unwrap_or(core::cmp::Ordering::Equal));
        let mut above = Above::default();
        let groups = order.chunk_by(|a, b| score(a) == score(b));
        let thresholds = groups.map(|group| {
            for row in group {
                let side = if self.yes[row * self.columns + column] { &mut above.yes } else { &mut above.no };
                *side += self.weights[*row];
            }
            above
        });
        thresholds.collect()
    }
}
