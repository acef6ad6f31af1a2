//! What a step is refused for. In: places of numbers that are not finite, found by several workers; out: the
//! first of them.

// How a step is refused before anything changes, although gradients are used up chunk by chunk:
//
// - Chunks are computed, looked at and held until all are there (`Update::hold`). They stay in the nearer
//   caches, or are accumulated anyway.
// - The large matrices of dense layers are not held. What no number of their gradients can exceed follows
//   from the largest of the layer's inputs and output gradients (`GradSource::bound`).
// - From the largest gradient follows by how much an optimiser can change a parameter
//   (`Optimizer::change_limit`). Where that is far from overflow, the step is taken unwatched.
// - Else the step is in doubt: all is copied (`Undo`), every gradient and parameter is looked at, and all is
//   put back where one is not finite. With the optimisers of this crate that is rare; one that gives no
//   limit is always in doubt.

#[cfg(feature = "alloc")]
use alloc::string::{String, ToString};
use core::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "alloc")]
use super::NonFinite;
#[cfg(feature = "alloc")]
use super::world::Lost;
#[cfg(feature = "alloc")]
use crate::graph::CompiledNetwork;
#[cfg(feature = "alloc")]
use crate::params;

/// What is infinite or NaN; a place is one among the parameters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Refusal {
    Loss,
    /// Of an output, by an objective of one's own; the place is one among its numbers of all samples.
    OutputGradient {
        output: usize,
        place: usize,
    },
    Gradient(usize),
    Parameter(usize),
    /// The other ranks are not there any more: see [`World::error`](super::world::World::error).
    #[cfg(feature = "alloc")]
    Lost,
}

#[cfg(feature = "alloc")]
impl From<Lost> for Refusal {
    fn from(_: Lost) -> Refusal {
        Refusal::Lost
    }
}

#[cfg(feature = "alloc")]
impl Refusal {
    /// The same by the names of tensors.
    pub(super) fn named(self, map: &'static CompiledNetwork) -> NonFinite {
        let name = |place: usize| {
            let mut name = String::new();
            params::each(map, &mut |tensor| {
                if tensor.range().contains(&place) {
                    name = tensor.to_string();
                }
            });
            name
        };
        match self {
            // Told otherwise, before anybody asks for a name.
            Refusal::Loss | Refusal::Lost => NonFinite::Loss,
            Refusal::OutputGradient { output, place } => {
                let width = map.outputs[output].len();
                NonFinite::OutputGradient { output, sample: place / width, element: place % width }
            }
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
        #[cfg(target_has_atomic = "ptr")]
        self.0.fetch_min(place, Ordering::Relaxed);
        // Where a target cannot compare and change in one instruction there is one worker.
        #[cfg(not(target_has_atomic = "ptr"))]
        self.0.store(self.0.load(Ordering::Relaxed).min(place), Ordering::Relaxed);
    }

    pub(super) fn get(self) -> Option<usize> {
        Some(self.0.into_inner()).filter(|place| *place < usize::MAX)
    }
}
