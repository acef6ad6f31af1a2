//! What a step is refused for. In: places of numbers that are not finite, found by several workers; out: the
//! first of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::NonFinite;
use crate::graph::CompiledNetwork;
use crate::params;

/// What is infinite or NaN; a place is one among the parameters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Refusal {
    Loss,
    Gradient(usize),
    Parameter(usize),
}

impl Refusal {
    /// The same by the names of tensors.
    pub(super) fn named(self, map: &'static CompiledNetwork) -> NonFinite {
        let name = |place: usize| {
            let tensors = params::tensors(map);
            let found = tensors.into_iter().find(|tensor| (tensor.offset..tensor.offset + tensor.len).contains(&place));
            found.map_or_else(String::new, |tensor| tensor.name)
        };
        match self {
            Refusal::Loss => NonFinite::Loss,
            Refusal::Gradient(place) => NonFinite::Gradient(name(place)),
            Refusal::Parameter(place) => NonFinite::Parameter(name(place)),
        }
    }
}

/// The first of some places that several workers may find, whoever finds it.
pub(super) struct FirstPlace(AtomicUsize);

impl FirstPlace {
    pub(super) fn none() -> FirstPlace {
        FirstPlace(AtomicUsize::new(usize::MAX))
    }

    pub(super) fn found(&self, place: usize) {
        self.0.fetch_min(place, Ordering::Relaxed);
    }

    pub(super) fn get(self) -> Option<usize> {
        Some(self.0.into_inner()).filter(|place| *place < usize::MAX)
    }
}
