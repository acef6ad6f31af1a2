//! Stopping a run from outside it. In: a signal, another thread; out: an end after the step that is running.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a call of [`fit`](super::Trainer::fit) that was given it by [`Fit::stop_by`](super::Fit::stop_by):
/// after the step that is running, with all that was learnt and the history so far. Copies are one handle.
///
/// What a Ctrl-C handler needs (with the crate `ctrlc`, say): `ctrlc::set_handler(move || stop.stop())`.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::train::{Ended, StopHandle};
///
/// network! { struct Line: [1] -> [1] { Dense(1) } }
///
/// let data = Dataset::values(&[[1.0], [2.0]], &[[2.0], [4.0]]).unwrap();
/// let mut model = Line::init(0);
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let stop = StopHandle::new();
/// let handler = stop.clone(); // goes where the signal arrives
/// handler.stop();
/// let history = trainer.fit(&data, Fit::epochs(1_000_000).batch(1).stop_by(&stop)).unwrap();
/// assert_eq!((history.ended, trainer.steps()), (Ended::Stopped, 1));
/// ```
#[derive(Clone, Default, Debug)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// One that nobody has pulled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end. It may be called from a signal's handler: it stores a flag and does nothing else.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end has been asked for.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes the request back, to train again by the same handle.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
