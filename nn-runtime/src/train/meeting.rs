//! Where the parts of a batch meet in the middle of a pass: each leaf runs on a thread of its own, and where
//! a layer looks at the whole batch, all wait until each has said what it has, on all ranks. In: leaves; out:
//! what all have, in the order of the leaves. As many run at a time as there are workers.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::leaves::Leaves;
use super::shard::Shard;
use super::workers::ThreadPool;
use super::world::{Lost, World};
use crate::graph::CompiledNetwork;
use crate::layer::WholeBatch;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// A thread for each leaf that a rank may have, and its scratch memory.
pub(super) struct LeafThreads {
    pool: ThreadPool,
    scratch: Vec<AlignedBuffer>,
}

impl LeafThreads {
    /// For leaves of so many samples.
    pub(super) fn new(map: &CompiledNetwork, leaves: usize, samples: usize) -> LeafThreads {
        let scratch = map.train.scratch_for(samples).max(map.infer.len(samples));
        LeafThreads {
            pool: ThreadPool::new(leaves),
            scratch: (0..leaves).map(|_| AlignedBuffer::zeroed(scratch)).collect(),
        }
    }

    /// Runs a job for each shard, a leaf each, so many at a time.
    pub(super) fn run(
        &mut self,
        (world, leaves, workers): (&mut World, Leaves, usize),
        shards: &mut [Shard],
        job: impl Fn(&mut Shard, &dyn WholeBatch, &mut [f32]) + Sync,
    ) -> Result<(), Lost> {
        let meeting = Meeting::new(&mut *world, leaves, shards.len(), workers);
        self.pool.for_each_zip(shards, &mut self.scratch[..], |shard, scratch| {
            let part = meeting.enter(&shard.samples());
            job(shard, &part, scratch);
        });
        drop(meeting);
        world.check()
    }
}

/// The leaves that this rank runs, during one pass.
pub(super) struct Meeting<'w> {
    leaves: Leaves,
    /// Those that this rank counts; none where it runs one that another counts, so as to be there.
    own: Range<usize>,
    /// How many threads there are.
    threads: usize,
    hall: Mutex<Hall<'w>>,
    changed: Condvar,
}

struct Hall<'w> {
    world: &'w mut World,
    /// How many more may run.
    permits: usize,
    arrived: usize,
    /// How often all have met.
    rounds: u64,
    said: Vec<f32>,
    all: Vec<f32>,
    /// A thread has panicked.
    broken: bool,
}

/// One leaf at the meeting.
pub(super) struct LeafPart<'m, 'w> {
    meeting: &'m Meeting<'w>,
    leaf: usize,
}

impl<'w> Meeting<'w> {
    /// Of so many threads, of which so many run at a time.
    pub(super) fn new(world: &'w mut World, leaves: Leaves, threads: usize, workers: usize) -> Meeting<'w> {
        let own = leaves.of_rank(world.rank(), world.size());
        let hall =
            Hall { world, permits: workers, arrived: 0, rounds: 0, said: Vec::new(), all: Vec::new(), broken: false };
        Meeting { leaves, own, threads, hall: Mutex::new(hall), changed: Condvar::new() }
    }

    /// Waits until another thread may run, which runs the leaf with these samples.
    pub(super) fn enter(&self, samples: &Range<usize>) -> LeafPart<'_, 'w> {
        let hall = self.hall();
        drop(self.permit(hall));
        LeafPart { meeting: self, leaf: samples.start / self.leaves.each }
    }

    fn hall(&self) -> MutexGuard<'_, Hall<'w>> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, hall: MutexGuard<'g, Hall<'w>>, until: impl Fn(&Hall) -> bool) -> MutexGuard<'g, Hall<'w>> {
        let waits = |hall: &mut Hall| !hall.broken && !until(hall);
        let hall = self.changed.wait_while(hall, waits).unwrap_or_else(PoisonError::into_inner);
        assert!(!hall.broken, "another part of the batch has panicked");
        hall
    }

    fn permit<'g>(&self, hall: MutexGuard<'g, Hall<'w>>) -> MutexGuard<'g, Hall<'w>> {
        let mut hall = self.wait(hall, |hall| hall.permits > 0);
        hall.permits -= 1;
        hall
    }
}

impl WholeBatch for LeafPart<'_, '_> {
    fn samples(&self) -> usize {
        self.meeting.leaves.samples
    }

    fn gather(&self, own: &[f32], see: &mut dyn FnMut(usize, &[f32])) {
        let Meeting { leaves, own: counted, threads, changed, .. } = self.meeting;
        let mut hall = self.meeting.hall();
        if hall.arrived == 0 {
            hall.said.clear();
            hall.said.resize(counted.len() * own.len(), 0.0);
        }
        if counted.contains(&self.leaf) {
            let at = (self.leaf - counted.start) * own.len();
            hall.said[at..at + own.len()].copy_from_slice(own);
        }
        hall.arrived += 1;
        if hall.arrived < *threads {
            hall.permits += 1;
            changed.notify_all();
            let round = hall.rounds;
            hall = self.meeting.wait(hall, |hall| hall.rounds != round);
            hall = self.meeting.permit(hall);
        } else {
            let Hall { world, said, all, .. } = &mut *hall;
            all.clear();
            all.resize(leaves.count() * own.len(), 0.0);
            // Where ranks are lost, the pass ends with numbers that nobody uses.
            let _ = world.gather_leaves(*leaves, own.len(), said, all);
            (hall.arrived, hall.rounds) = (0, hall.rounds + 1);
            changed.notify_all();
        }
        let all = hall.all.clone();
        drop(hall);
        for (leaf, said) in all.chunks_exact(own.len()).enumerate() {
            see(leaves.samples_of(&(leaf..leaf + 1)).len(), said);
        }
    }
}

impl Drop for LeafPart<'_, '_> {
    fn drop(&mut self) {
        let mut hall = self.meeting.hall();
        hall.permits += 1;
        hall.broken |= std::thread::panicking();
        self.meeting.changed.notify_all();
    }
}
