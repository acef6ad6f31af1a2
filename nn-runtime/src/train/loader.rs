//! Threads that prepare the next batches while the network learns from this one. In: a feed, an order; out:
//! batches in that order, changed as the user says, the same whatever the number of threads.

use core::mem;
use core::ops::Range;
use std::boxed::Box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::vec::Vec;

use super::feed::{Feed, fault_of_sample};
use super::sample_order::SampleOrder;
use crate::data::{DataError, Dataset, Targets};
use crate::random::Random;

/// What changes an input of a sample while a network learns.
pub(super) type Augmentation<'d> = dyn Fn(&mut [f32], &mut Random) + Sync + 'd;

/// What all loaders of an epoch do.
pub(super) struct Loading<'a, 'd, T: Targets> {
    pub(super) feed: &'a dyn Feed<T>,
    pub(super) order: &'a SampleOrder,
    pub(super) batch: usize,
    /// The steps to load.
    pub(super) steps: Range<usize>,
    /// Which samples of a batch are wanted here, and which of the last one.
    pub(super) wanted: [Range<usize>; 2],
    /// Each with the input it changes.
    pub(super) augment: &'a [(usize, Box<Augmentation<'d>>)],
    /// What augmentation is drawn by, but for the sample.
    pub(super) key: (u64, u64),
}

/// A batch, and which samples it is.
pub(super) struct Loaded<T> {
    pub(super) batch: Dataset<T>,
    /// Where these begin in the whole batch, and how many it has.
    pub(super) samples: Range<usize>,
    pub(super) indices: Vec<usize>,
    pub(super) result: Result<(), DataError>,
}

/// Where a loader gets batches to fill from, and where it gives full ones.
type Lane<T> = (Sender<Loaded<T>>, Receiver<Loaded<T>>);

/// Tells augmentation from other random numbers of the same seed.
const AUGMENTATION: u64 = 0x6175_676d;

impl<T: Targets> Loading<'_, '_, T> {
    /// Batch `step` into memory that is used again.
    fn load(&self, step: usize, into: &mut Loaded<T>) {
        self.order.batch(step, self.batch, &mut into.indices);
        let [all, last] = &self.wanted;
        let wanted = if step + 1 == self.steps.end { last } else { all };
        into.samples = wanted.start..into.indices.len();
        into.indices.truncate(wanted.end);
        into.indices.drain(..wanted.start);
        into.result = self.feed.load(&into.indices, &mut into.batch);
        if into.result.is_err() {
            return;
        }
        for (i, &index) in into.indices.iter().enumerate() {
            let mut random = Random::keyed(self.key.0, &[AUGMENTATION, self.key.1, index as u64]);
            self.augment.iter().for_each(|(k, change)| change(into.batch.sample_mut(*k, i), &mut random));
        }
        if !self.augment.is_empty() {
            let fault = fault_of_sample(&into.batch, &into.indices, |batch| batch.check().err());
            if let Some((fault, index)) = fault {
                let fault = fault.help("this is what `.augment(..)` has made of it");
                into.result = Err(match index {
                    Some(index) => fault.of_sample(index),
                    None => fault,
                });
            }
        }
    }

    /// Gives `each` the batches in order until one is the last it wants, or cannot be loaded. `loaders`
    /// threads, at least 1, prepare them; each has two batches of memory.
    pub(super) fn for_each<R>(
        &self,
        loaders: usize,
        mut each: impl FnMut(&Loaded<T>) -> Option<R>,
    ) -> Result<Option<R>, DataError> {
        let loaders = loaders.clamp(1, self.steps.len().max(1));
        thread::scope(|scope| {
            let mut lanes: Vec<Lane<T>> = Vec::new();
            for first in self.steps.clone().take(loaders) {
                let ((empty, empties), (full, fulls)) = (channel(), channel());
                for _ in 0..2 {
                    let loaded =
                        Loaded { batch: self.feed.batch()?, samples: 0..0, indices: Vec::new(), result: Ok(()) };
                    // Its other end is still here.
                    let _ = empty.send(loaded);
                }
                let steps = (first..self.steps.end).step_by(loaders);
                scope.spawn(move || {
                    for step in steps {
                        // Whoever is gone wants no more.
                        let Ok(mut loaded) = empties.recv() else { return };
                        self.load(step, &mut loaded);
                        if full.send(loaded).is_err() {
                            return;
                        }
                    }
                });
                lanes.push((empty, fulls));
            }
            for step in 0..self.steps.len() {
                let (empty, fulls) = &lanes[step % loaders];
                // A loader ends early only by a panic of the user's code, which goes on where it is joined.
                let Ok(mut loaded) = fulls.recv() else { return Ok(None) };
                mem::replace(&mut loaded.result, Ok(()))?;
                if let Some(result) = each(&loaded) {
                    return Ok(Some(result));
                }
                let _ = empty.send(loaded);
            }
            Ok(None)
        })
    }
}
