//! Metrics of every epoch, whichever they are. In: outputs of batches; out: numbers with names.

use std::string::String;
use std::vec::Vec;

use super::batch_outputs::BatchOutputs;
use super::metrics::{Judged, Metrics};
use crate::Shape;
use crate::data::{Targets, Values};

/// [`Metrics`] behind a pointer.
pub(super) trait TrackedMetrics<T: Targets> {
    fn fault(&self, of: &Judged, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String>;
    fn update(&mut self, of: &Judged, outputs: &BatchOutputs, targets: &T);
    /// What all batches since the last time come to.
    fn finish(&mut self) -> Vec<(String, f64)>;
    /// What the numbers are called, each with whether lower is better; `f1_*` for one of each class.
    fn names(&self) -> Vec<(String, bool)>;
}

impl<T: Targets, M: Metrics<T>> TrackedMetrics<T> for M {
    fn fault(&self, of: &Judged, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String> {
        Metrics::fault(self, of, shapes, targets, weights)
    }

    fn update(&mut self, of: &Judged, outputs: &BatchOutputs, targets: &T) {
        Metrics::update(self, of, outputs, targets);
    }

    fn finish(&mut self) -> Vec<(String, f64)> {
        let mut numbers = Vec::new();
        self.numbers(&mut numbers);
        self.reset();
        numbers
    }

    fn names(&self) -> Vec<(String, bool)> {
        let mut names = Vec::new();
        Metrics::names(self, &mut names);
        names
    }
}
