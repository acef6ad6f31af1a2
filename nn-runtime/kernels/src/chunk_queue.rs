//! Chunks of arrays, shared out among the threads of a pool.
//! In: arrays of one length, where they are cut, the number of threads; out: each chunk once, to one thread.

use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

/// Arrays of one length, cut into chunks at the same places; each chunk goes once to the thread that asks
/// next.
///
/// A thread is given its own chunks first, front to back, the same ones every time, as they may still be in
/// its cache; then it steals from the back of the other threads' chunks what they have not begun.
pub struct ChunkQueue<'a, const K: usize> {
    /// None where an array is empty.
    arrays: [Option<NonNull<f32>>; K],
    chunks: &'a [Range<usize>],
    /// Whether somebody has each chunk.
    claimed: &'a [AtomicBool],
    threads: usize,
    numbers: PhantomData<&'a mut [f32]>,
}

// Where a target cannot ask and change a flag in one instruction (thumbv6m, riscv32imc), it is for one
// thread.
// SAFETY: a chunk is given out once (whoever swaps its flag from false to true gets it), and chunks do not
// overlap (`new` checks it).
#[cfg(target_has_atomic = "8")]
unsafe impl<const K: usize> Sync for ChunkQueue<'_, K> {}

impl<'a, const K: usize> ChunkQueue<'a, K> {
    /// The chunks of `arrays`, in order, for so many threads; an array that is empty has empty chunks.
    /// `claimed` holds a flag for each chunk, whatever it says.
    ///
    /// # Panics
    /// The chunks overlap, are not in order, or do not lie within every array that has any; `claimed.len() <
    /// chunks.len()`.
    #[inline]
    pub fn new(
        arrays: [&'a mut [f32]; K],
        chunks: &'a [Range<usize>],
        claimed: &'a mut [AtomicBool],
        threads: usize,
    ) -> Self {
        let mut end = 0;
        for chunk in chunks {
            assert!(end <= chunk.start && chunk.start <= chunk.end, "expected chunks in order that do not overlap");
            end = chunk.end;
        }
        assert!(
            arrays.iter().all(|array| array.is_empty() || end <= array.len()),
            "expected chunks within every array"
        );
        let claimed = &mut claimed[..chunks.len()];
        claimed.iter_mut().for_each(|claimed| *claimed.get_mut() = false);
        let arrays = arrays.map(|array| if array.is_empty() { None } else { NonNull::new(array.as_mut_ptr()) });
        ChunkQueue { arrays, chunks, claimed, threads, numbers: PhantomData }
    }

    /// Gives this thread one chunk after the other, its index and its numbers in each array, until all have
    /// been given out.
    ///
    /// # Panics
    /// There are not so many threads, or `job` panics.
    #[inline]
    pub fn each(&self, thread: usize, mut job: impl FnMut(usize, [&'a mut [f32]; K])) {
        assert!(thread < self.threads, "expected one of {} threads, found {thread}", self.threads);
        let all = self.chunks.len();
        let [from, to] = [thread, thread + 1].map(|thread| thread * all / self.threads);
        let own = to - from;
        for k in 0..all {
            // First its own; then from the back, where the chunks are that their thread would come to last.
            let i = match (all - 1 - k) + own {
                _ if k < own => from + k,
                later if later >= to => later,
                earlier => earlier - own,
            };
            if !self.claim(i) {
                continue;
            }
            let chunk = &self.chunks[i];
            // SAFETY: `new` checked `chunk.start <= chunk.end <= len` for every array that is not empty, and
            // that no other chunk overlaps this one; nobody else gets it, as `claim` is true once for each.
            // The arrays are borrowed for `'a`.
            let slice = |array: NonNull<f32>| unsafe {
                core::slice::from_raw_parts_mut(array.as_ptr().add(chunk.start), chunk.len())
            };
            job(i, self.arrays.map(|array| array.map_or(&mut [][..], slice)));
        }
    }

    /// True for the one who asks first.
    #[inline]
    fn claim(&self, i: usize) -> bool {
        let claimed = &self.claimed[i];
        #[cfg(target_has_atomic = "8")]
        return !claimed.load(Ordering::Relaxed) && !claimed.swap(true, Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "8"))]
        {
            let free = !claimed.load(Ordering::Relaxed);
            claimed.store(true, Ordering::Relaxed);
            free
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread_pool::ThreadPool;
    use std::sync::Mutex;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn every_part_goes_to_one_lane() {
        let mut pool = ThreadPool::new(3);
        let (mut a, mut b) = (vec![0.0; 1000], vec![0.0; 1000]);
        let chunks: Vec<Range<usize>> = (0..90).map(|i| i * 11..i * 11 + 7).collect();
        for round in 1..=if cfg!(miri) { 2 } else { 50 } {
            let mut claimed: Vec<AtomicBool> = chunks.iter().map(|_| AtomicBool::new(true)).collect();
            let queue = ChunkQueue::new([&mut a, &mut b, &mut []], &chunks, &mut claimed, 3);
            let seen = Mutex::new(vec![0; chunks.len()]);
            pool.run(&|thread| {
                queue.each(thread, |i, [a, b, none]| {
                    assert!(none.is_empty());
                    seen.lock().unwrap()[i] += 1;
                    a.iter_mut().for_each(|a| *a += 1.0);
                    b.iter_mut().zip(a).for_each(|(b, a)| *b += *a);
                });
            });
            assert!(seen.lock().unwrap().iter().all(|count| *count == 1));
            let sum = (round * (round + 1) / 2) as f32;
            for (i, (a, b)) in a.iter().zip(&b).enumerate() {
                let within = i < 990 && i % 11 < 7;
                assert_eq!((*a, *b), if within { (round as f32, sum) } else { (0.0, 0.0) }, "{i}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "do not overlap")]
    fn overlapping_chunks_are_refused() {
        let mut array = [0.0; 10];
        let _ = ChunkQueue::new([&mut array], &[0..5, 4..10], &mut [const { AtomicBool::new(false) }; 2], 1);
    }

    #[test]
    #[should_panic(expected = "within every array")]
    fn chunks_outside_are_refused() {
        let mut array = [0.0; 10];
        let _ = ChunkQueue::new([&mut array], &[0..5, 5..11], &mut [const { AtomicBool::new(false) }; 2], 1);
    }
}
