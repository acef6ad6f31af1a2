//! Threads that stay: a thread_pool of lanes that do one job after the other together, and slices dealt out among them.
//! Comes in: a job for every lane, or blocks of numbers with the cuts between their parts; goes out: the job done by all.
//! A job that took microseconds was not worth waking a thread for, so lanes wait awake for a while, give way where another program
//! wants their core, and sleep when nothing comes. Never a lane that still runs when `run` is over.

#[cfg(test)]
mod tests;

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec::Vec;

/// What all lanes do, by the number of the lane.
type Job<'j> = dyn Fn(usize) + Sync + 'j;

/// How long a lane waits awake for the next job.
const AWAKE: Duration = Duration::from_micros(50);
/// How often a lane looks before it gives way to whoever wants its core.
const LOOKS: usize = 200;

/// A number of lanes: the thread that owns the thread_pool, and others that live as long as the thread_pool.
pub struct ThreadPool {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
}

struct Shared {
    /// Counts the jobs; a lane has the next one to do when it has moved on.
    number: AtomicU64,
    /// Valid from when `number` moves on until `left` is 0.
    job: UnsafeCell<Option<*const Job<'static>>>,
    /// How many of the other lanes have not done the job yet.
    left: AtomicUsize,
    /// Whether each of them sleeps, or is about to.
    asleep: Vec<AtomicBool>,
    panicked: AtomicBool,
    over: AtomicBool,
}

// SAFETY: `job` is written only by the owner of the thread_pool while no lane looks at it (all have counted themselves out of `left`, and look
// again only after `number` has moved on, which happens after the write), and what it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is used by lanes only while the owner waits for them in `run`, which keeps what it points to alive.
unsafe impl Send for Shared {}

impl ThreadPool {
    /// A thread_pool of `lanes`, one of which is the calling thread. Threads that the system refuses are done without.
    ///
    /// # Panics
    /// `lanes == 0`
    pub fn new(lanes: usize) -> ThreadPool {
        assert!(lanes > 0, "expected at least 1 lane");
        let shared = Arc::new(Shared {
            number: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            left: AtomicUsize::new(0),
            asleep: (1..lanes).map(|_| AtomicBool::new(false)).collect(),
            panicked: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let mut others = Vec::new();
        for lane in 1..lanes {
            let its = shared.clone();
            match thread::Builder::new().name("nn lane".into()).spawn(move || its.work(lane)) {
                Ok(handle) => others.push(handle),
                Err(_) => break,
            }
        }
        ThreadPool { shared, others }
    }

    /// How many lanes there are.
    pub fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Runs `job` once on every lane, with the number of the lane, and returns when all have done it.
    ///
    /// # Panics
    /// `job` panics on a lane; all others finish first.
    pub fn run(&mut self, job: &Job<'_>) {
        if self.others.is_empty() {
            return job(0);
        }
        let shared = &*self.shared;
        let job_of_all: *const Job<'_> = job;
        // SAFETY: only the lifetime is forgotten. Lanes use the pointer while `left` counts them, and `Wait` does not let this call
        // end before it is 0, panics included, so that `job` outlives every use.
        let job_of_all: *const Job<'static> = unsafe { core::mem::transmute(job_of_all) };
        // SAFETY: no lane reads `job` now: the last call waited until all had done theirs, and `&mut self` keeps a second call out.
        unsafe { *shared.job.get() = Some(job_of_all) };
        shared.panicked.store(false, Ordering::Relaxed);
        shared.left.store(self.others.len(), Ordering::Relaxed);
        // Publishes both. Sequentially consistent, as are `asleep` and its readers: either a lane that goes to sleep sees the new
        // number, or this thread sees that it sleeps.
        shared.number.fetch_add(1, Ordering::SeqCst);
        for (other, asleep) in self.others.iter().zip(&shared.asleep) {
            if asleep.swap(false, Ordering::SeqCst) {
                other.thread().unpark();
            }
        }
        let wait = Wait(shared);
        job(0);
        drop(wait);
        assert!(!shared.panicked.swap(false, Ordering::Relaxed), "a lane panicked");
    }

    /// Runs `job` on every lane that has an item, with it; on this thread alone where there is one.
    ///
    /// # Panics
    /// There are more items than lanes, or `job` panics.
    pub fn for_each<T: Send>(&mut self, items: &mut [T], job: impl Fn(&mut T) + Sync) {
        assert!(items.len() <= self.threads(), "expected at most one item for each lane");
        if let [item] = items {
            return job(item);
        }
        let items = Dealt::new(items);
        self.run(&|lane| {
            if let Some(item) = items.of(lane) {
                job(item);
            }
        });
    }

    /// Runs `job` on every lane that has an item in both lists, with these items; on this thread alone where there is one.
    ///
    /// # Panics
    /// There are more items than lanes in a list, or `job` panics.
    pub fn for_each_zip<A: Send, B: Send>(&mut self, a: &mut [A], b: &mut [B], job: impl Fn(&mut A, &mut B) + Sync) {
        assert!(a.len().max(b.len()) <= self.threads(), "expected at most one item for each lane");
        if let ([a], [b]) = (&mut *a, &mut *b) {
            return job(a, b);
        }
        let (a, b) = (Dealt::new(a), Dealt::new(b));
        self.run(&|lane| {
            if let (Some(a), Some(b)) = (a.of(lane), b.of(lane)) {
                job(a, b);
            }
        });
    }
}

/// One item for each lane.
struct Dealt<'a, T> {
    at: *mut T,
    len: usize,
    items: PhantomData<&'a mut [T]>,
}

// SAFETY: each lane gets another item (`run` gives every lane a number of its own), and an item may be sent to another thread.
unsafe impl<T: Send> Sync for Dealt<'_, T> {}

impl<'a, T> Dealt<'a, T> {
    fn new(items: &'a mut [T]) -> Self {
        Dealt { at: items.as_mut_ptr(), len: items.len(), items: PhantomData }
    }

    /// The item of a lane. Called once by each lane, with its own number.
    #[allow(clippy::mut_from_ref, reason = "another item for each lane")]
    fn of(&self, lane: usize) -> Option<&mut T> {
        // SAFETY: `lane < len`, so that the item is one of the slice that is borrowed for as long as `self` lives; no other lane has
        // this number, so that nobody else has this item.
        (lane < self.len).then(|| unsafe { &mut *self.at.add(lane) })
    }
}

/// Waits, when it is dropped, until all other lanes have done the job.
struct Wait<'s>(&'s Shared);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut looks = 0;
        while self.0.left.load(Ordering::Acquire) > 0 {
            looks += 1;
            if looks > LOOKS {
                thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}

impl Shared {
    fn work(&self, lane: usize) {
        let mut done = 0;
        loop {
            self.wait(lane, done);
            if self.over.load(Ordering::Acquire) {
                return;
            }
            // One job at a time: the next one is not given before this one is done.
            done += 1;
            // SAFETY: `number` has moved on (with acquire), so that the owner's write is visible, and the owner does not write again before
            // `left` is 0, which this lane is counted in until the end.
            let job = unsafe { *self.job.get() };
            if let Some(job) = job {
                // SAFETY: the owner waits in `run` until this lane has counted itself out, so that the job is alive.
                let job = unsafe { &*job };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| job(lane))) {
                    self.panicked.store(true, Ordering::Relaxed);
                    // To drop it could panic again, and nobody would count this lane out.
                    core::mem::forget(payload);
                }
            }
            self.left.fetch_sub(1, Ordering::Release);
        }
    }

    /// Until there is a job after `done`, or no more at all.
    fn wait(&self, lane: usize, done: u64) {
        let come = || self.number.load(Ordering::SeqCst) != done;
        let begun = Instant::now();
        loop {
            for _ in 0..LOOKS {
                if come() {
                    return;
                }
                spin_loop();
            }
            thread::yield_now();
            if begun.elapsed() > AWAKE {
                break;
            }
        }
        while !come() {
            self.asleep[lane - 1].store(true, Ordering::SeqCst);
            if come() {
                break;
            }
            thread::park();
        }
        self.asleep[lane - 1].store(false, Ordering::SeqCst);
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.shared.number.fetch_add(1, Ordering::SeqCst);
        for other in self.others.drain(..) {
            other.thread().unpark();
            // A lane catches the panics of its jobs, so that it ends without one.
            let _ = other.join();
        }
    }
}

/// Blocks of numbers of one length, cut at the same places, whose parts go to whoever asks next: each part once. A lane is given the parts
/// of its own stretch first, the same every time, as they may still be in its cache; then what the others have not begun.
pub struct ChunkQueue<'a, const K: usize> {
    /// None where a block is empty.
    blocks: [Option<NonNull<f32>>; K],
    parts: &'a [Range<usize>],
    taken: &'a [AtomicBool],
    lanes: usize,
    numbers: PhantomData<&'a mut [f32]>,
}

// SAFETY: a part is given out once (whoever swaps its flag from false to true gets it), and the parts do not overlap (`new` checks it).
unsafe impl<const K: usize> Sync for ChunkQueue<'_, K> {}

impl<'a, const K: usize> ChunkQueue<'a, K> {
    /// The parts of `blocks`, in order, for so many lanes; a block that is empty has empty parts. `taken` holds a flag for each part,
    /// whatever it says.
    ///
    /// # Panics
    /// The parts overlap, are not in order, or do not lie within every block that has any; `taken.len() < parts.len()`.
    #[inline]
    pub fn new(
        blocks: [&'a mut [f32]; K],
        parts: &'a [Range<usize>],
        taken: &'a mut [AtomicBool],
        lanes: usize,
    ) -> Self {
        let mut end = 0;
        for part in parts {
            assert!(end <= part.start && part.start <= part.end, "expected parts in order that do not overlap");
            end = part.end;
        }
        assert!(blocks.iter().all(|block| block.is_empty() || end <= block.len()), "expected parts within every block");
        let taken = &mut taken[..parts.len()];
        taken.iter_mut().for_each(|taken| *taken.get_mut() = false);
        let blocks = blocks.map(|block| if block.is_empty() { None } else { NonNull::new(block.as_mut_ptr()) });
        ChunkQueue { blocks, parts, taken, lanes, numbers: PhantomData }
    }

    /// Gives this lane one part after the other, its number and its numbers in each block, until all have been given out.
    ///
    /// # Panics
    /// There are not so many lanes, or `job` panics.
    #[inline]
    pub fn each(&self, lane: usize, mut job: impl FnMut(usize, [&'a mut [f32]; K])) {
        assert!(lane < self.lanes, "expected one of {} lanes, found {lane}", self.lanes);
        let all = self.parts.len();
        let [from, to] = [lane, lane + 1].map(|lane| lane * all / self.lanes);
        let own = to - from;
        for k in 0..all {
            // First its own; of another lane's stretch the end, which that lane would come to last.
            let i = match (all - 1 - k) + own {
                _ if k < own => from + k,
                later if later >= to => later,
                earlier => earlier - own,
            };
            if !self.take(i) {
                continue;
            }
            let part = &self.parts[i];
            // SAFETY: the part lies within every block that is there, no other part overlaps it, and nobody else gets it (`take` is true once for each
            // part). The blocks are borrowed for `'a`.
            let slice = |block: NonNull<f32>| unsafe {
                core::slice::from_raw_parts_mut(block.as_ptr().add(part.start), part.len())
            };
            job(i, self.blocks.map(|block| block.map_or(&mut [][..], slice)));
        }
    }

    /// True for the one who asks first.
    #[inline]
    fn take(&self, i: usize) -> bool {
        let taken = &self.taken[i];
        !taken.load(Ordering::Relaxed) && !taken.swap(true, Ordering::Relaxed)
    }
}
