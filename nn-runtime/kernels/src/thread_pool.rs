//! Threads that stay and do one job after the other together. In: a job for every thread; out: the job done
//! by all. No thread still runs a job when `run` returns. A job takes microseconds, and waking a thread takes
//! as long: so threads spin for a while after a job, yield where another program wants their core, and sleep
//! when nothing comes.

#[cfg(test)]
mod tests;

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::marker::PhantomData;
use core::num::NonZero;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec::Vec;

/// What all threads do, by the number of the thread.
type Job<'j> = dyn Fn(usize) + Sync + 'j;

/// How long a thread spins, waiting for the next job, before it sleeps.
const SPIN_TIME: Duration = Duration::from_micros(50);
/// How often a thread looks for a job before it yields its core once.
const SPINS: usize = 200;

/// A number of threads: the one that owns the pool, and others that live as long as the pool.
pub struct ThreadPool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    /// How many jobs there have been; a worker has a new one to do when this has moved on.
    jobs: AtomicU64,
    /// Valid from when `jobs` moves on until `left` is 0.
    job: UnsafeCell<Option<*const Job<'static>>>,
    /// How many workers have not done the job yet.
    left: AtomicUsize,
    /// Whether each of them sleeps, or is about to.
    asleep: Vec<AtomicBool>,
    panicked: AtomicBool,
    shutdown: AtomicBool,
}

// SAFETY: `job` is written only by the owner of the pool while no worker reads it (all have counted
// themselves out of `left`, and read again only after `jobs` has moved on, which happens after the write),
// and what it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is used by workers only while the owner waits for them in `run`, which keeps
// what it points to alive.
unsafe impl Send for Shared {}

impl ThreadPool {
    /// A pool of so many threads, one of which is the calling one. Threads that the system refuses are done
    /// without.
    ///
    /// # Panics
    /// `threads == 0`
    pub fn new(threads: usize) -> ThreadPool {
        assert!(threads > 0, "expected at least 1 thread");
        let shared = Arc::new(Shared {
            jobs: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            left: AtomicUsize::new(0),
            asleep: (1..threads).map(|_| AtomicBool::new(false)).collect(),
            panicked: AtomicBool::new(false),
            shutdown: AtomicBool::new(false),
        });
        let mut workers = Vec::new();
        for thread in 1..threads {
            let shared = shared.clone();
            match thread::Builder::new().name("nn worker".into()).spawn(move || shared.work(thread)) {
                Ok(handle) => workers.push(handle),
                Err(_) => break,
            }
        }
        ThreadPool { shared, workers }
    }

    /// How many threads the machine keeps busy.
    pub fn cores() -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }

    /// How many threads there are, the calling one included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `job` once on every thread, with the number of the thread, and returns when all have done it.
    ///
    /// # Panics
    /// `job` panics on a thread; all others finish first.
    pub fn run(&mut self, job: &Job<'_>) {
        if self.workers.is_empty() {
            return job(0);
        }
        let shared = &*self.shared;
        let job_of_all: *const Job<'_> = job;
        // SAFETY: only the lifetime is forgotten. Workers use the pointer while `left` counts them, and
        // `Wait` does not let this call end before it is 0, panics included, so that `job` outlives every
        // use.
        let job_of_all: *const Job<'static> = unsafe { core::mem::transmute(job_of_all) };
        // SAFETY: no worker reads `job` now: the last call waited until all had done theirs, and `&mut self`
        // keeps a second call out.
        unsafe { *shared.job.get() = Some(job_of_all) };
        shared.panicked.store(false, Ordering::Relaxed);
        shared.left.store(self.workers.len(), Ordering::Relaxed);
        // Publishes both. Sequentially consistent, as are `asleep` and its readers: either a worker that goes
        // to sleep sees the new count, or this thread sees that it sleeps.
        shared.jobs.fetch_add(1, Ordering::SeqCst);
        for (worker, asleep) in self.workers.iter().zip(&shared.asleep) {
            if asleep.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
        let wait = Wait(shared);
        job(0);
        drop(wait);
        assert!(!shared.panicked.swap(false, Ordering::Relaxed), "a thread panicked");
    }

    /// Runs `job` on one thread for each item, with it; on this thread alone where there is one.
    ///
    /// # Panics
    /// There are more items than threads, or `job` panics.
    pub fn for_each<T: Send>(&mut self, items: &mut [T], job: impl Fn(&mut T) + Sync) {
        assert!(items.len() <= self.threads(), "expected at most one item for each thread");
        if let [item] = items {
            return job(item);
        }
        let items = ItemPerThread::new(items);
        self.run(&|thread| {
            if let Some(item) = items.of(thread) {
                job(item);
            }
        });
    }

    /// Runs `job` on one thread for each pair of items; on this thread alone where there is one.
    ///
    /// # Panics
    /// There are more items than threads in a list, or `job` panics.
    pub fn for_each_zip<A: Send, B: Send>(&mut self, a: &mut [A], b: &mut [B], job: impl Fn(&mut A, &mut B) + Sync) {
        assert!(a.len().max(b.len()) <= self.threads(), "expected at most one item for each thread");
        if let ([a], [b]) = (&mut *a, &mut *b) {
            return job(a, b);
        }
        let (a, b) = (ItemPerThread::new(a), ItemPerThread::new(b));
        self.run(&|thread| {
            if let (Some(a), Some(b)) = (a.of(thread), b.of(thread)) {
                job(a, b);
            }
        });
    }
}

/// One item for each thread.
struct ItemPerThread<'a, T> {
    at: *mut T,
    len: usize,
    items: PhantomData<&'a mut [T]>,
}

// SAFETY: each thread gets another item (`run` gives every thread a number of its own), and an item may be
// sent to another thread.
unsafe impl<T: Send> Sync for ItemPerThread<'_, T> {}

impl<'a, T> ItemPerThread<'a, T> {
    fn new(items: &'a mut [T]) -> Self {
        ItemPerThread { at: items.as_mut_ptr(), len: items.len(), items: PhantomData }
    }

    /// The item of a thread. Called once by each thread, with its own number.
    #[allow(clippy::mut_from_ref, reason = "another item for each thread")]
    fn of(&self, thread: usize) -> Option<&mut T> {
        // SAFETY: `thread < len`, so that the item is one of the slice that is borrowed for as long as `self`
        // lives; no other thread has this number, so that nobody else has this item.
        (thread < self.len).then(|| unsafe { &mut *self.at.add(thread) })
    }
}

/// Waits, when it is dropped, until all workers have done the job.
struct Wait<'s>(&'s Shared);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut spins = 0;
        while self.0.left.load(Ordering::Acquire) > 0 {
            spins += 1;
            if spins > SPINS {
                thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}

impl Shared {
    fn work(&self, thread: usize) {
        let mut done = 0;
        loop {
            self.wait(thread, done);
            if self.shutdown.load(Ordering::Acquire) {
                return;
            }
            // One job at a time: the next one is not given before this one is done.
            done += 1;
            // SAFETY: `jobs` has moved on (with acquire), so that the owner's write is visible, and the owner
            // does not write again before `left` is 0, which this worker is counted in until the end.
            let job = unsafe { *self.job.get() };
            if let Some(job) = job {
                // SAFETY: the owner waits in `run` until this worker has counted itself out, so that the job
                // is alive.
                let job = unsafe { &*job };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(thread))) {
                    self.panicked.store(true, Ordering::Relaxed);
                    // To drop it could panic again, and nobody would count this worker out.
                    core::mem::forget(payload);
                }
            }
            self.left.fetch_sub(1, Ordering::Release);
        }
    }

    /// Until there is a job after `done`, or no more at all.
    fn wait(&self, thread: usize, done: u64) {
        let called = || self.jobs.load(Ordering::SeqCst) != done;
        let begun = Instant::now();
        loop {
            for _ in 0..SPINS {
                if called() {
                    return;
                }
                spin_loop();
            }
            thread::yield_now();
            if begun.elapsed() > SPIN_TIME {
                break;
            }
        }
        while !called() {
            self.asleep[thread - 1].store(true, Ordering::SeqCst);
            if called() {
                break;
            }
            thread::park();
        }
        self.asleep[thread - 1].store(false, Ordering::SeqCst);
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.shutdown.store(true, Ordering::Release);
        self.shared.jobs.fetch_add(1, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its jobs, so that it ends without one.
            let _ = worker.join();
        }
    }
}
