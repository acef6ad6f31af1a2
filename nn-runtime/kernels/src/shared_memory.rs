//! Memory that the ranks of one machine have together: processes, or threads of one. In: a length; out: a
//! part for each rank, which it alone writes while nobody reads, and which all read while nobody writes.
//! Nobody is waited for without asking the caller, who may give up.

#[cfg(all(feature = "shared-memory", target_os = "linux", target_pointer_width = "64"))]
mod mapping;

use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::Arc;
use std::vec::Vec;

use crate::aligned_buffer::AlignedBuffer;
#[cfg(all(feature = "shared-memory", target_os = "linux", target_pointer_width = "64"))]
use mapping::Mapping;

/// What stands before the numbers of a part: how far its rank is. It alone writes it.
#[repr(C, align(64))]
struct Progress {
    /// How often it has shown what it has written.
    shown: AtomicU64,
    /// The last time that it has read all of what was shown.
    read: AtomicU64,
    /// By which others know that this is the part they look for.
    token: AtomicU64,
}

/// Bytes before the numbers.
const BEFORE: usize = size_of::<Progress>();

/// The memory of one rank.
pub struct SharedPart {
    /// `Progress`, and then so many numbers.
    at: NonNull<u8>,
    len: usize,
    /// Keeps it.
    _memory: Memory,
}

enum Memory {
    Heap {
        _buffer: Arc<AlignedBuffer>,
    },
    #[cfg(all(feature = "shared-memory", target_os = "linux", target_pointer_width = "64"))]
    Mapped(Mapping),
}

/// One rank's view of the memory of all.
///
/// ```
/// use std::convert::Infallible;
/// use std::thread;
///
/// use nn_kernels::shared_memory::SharedMemory;
///
/// thread::scope(|scope| {
///     for (rank, mut memory) in SharedMemory::of_threads(2, 3).into_iter().enumerate() {
///         scope.spawn(move || {
///             let wait = |_| Ok::<(), Infallible>(thread::yield_now());
///             memory.write(wait).unwrap().fill(rank as f32);
///             memory.show(wait).unwrap();
///             assert_eq!([memory.part(0), memory.part(1)], [&[0.0; 3], &[1.0; 3]]);
///             memory.release();
///         });
///     }
/// });
/// ```
pub struct SharedMemory {
    rank: usize,
    /// How often all have shown what they had written.
    rounds: u64,
    /// Whether the last of it may still be read.
    open: bool,
    parts: Vec<SharedPart>,
}

// SAFETY: what a handle does to its memory depends on no thread: `progress` is atomic, and the numbers are
// written and read by turns, which `write` and `show` wait for.
unsafe impl Send for SharedMemory {}
// SAFETY: with a shared reference the numbers can only be read, and `progress` is atomic.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// So many numbers for each of so many threads, all zero, and the view that each of them has.
    pub fn of_threads(ranks: usize, len: usize) -> Vec<SharedMemory> {
        let part = |_| {
            let mut buffer = AlignedBuffer::zeroed(BEFORE / size_of::<f32>() + len);
            (NonNull::from(&mut buffer[..]).cast(), Arc::new(buffer))
        };
        let parts: Vec<(NonNull<u8>, Arc<AlignedBuffer>)> = (0..ranks).map(part).collect();
        let view = |rank| {
            let part = |(at, buffer): &(_, Arc<_>)| SharedPart {
                at: *at,
                len,
                _memory: Memory::Heap { _buffer: Arc::clone(buffer) },
            };
            SharedMemory { rank, rounds: 0, open: false, parts: parts.iter().map(part).collect() }
        };
        (0..ranks).map(view).collect()
    }

    /// What rank `rank` has of a world of processes: its own part, which it has
    /// [made](SharedPart::create), and those of the others, which it has [opened](SharedPart::open), before
    /// any of them has been written. Every rank has the same parts in the same order.
    ///
    /// # Panics
    /// `parts[rank]` is not its own, or another is; they have not the same length.
    #[cfg(all(feature = "shared-memory", target_os = "linux", target_pointer_width = "64"))]
    pub fn of_processes(rank: usize, parts: Vec<SharedPart>) -> SharedMemory {
        for (of, part) in parts.iter().enumerate() {
            assert_eq!(part.is_own(), of == rank, "expected the part of rank {rank} alone to be its own");
            assert_eq!(part.len, parts[0].len, "expected parts of one length");
        }
        SharedMemory { rank, rounds: 0, open: false, parts }
    }

    /// How many numbers each rank has.
    pub fn part_len(&self) -> usize {
        self.parts[self.rank].len
    }

    /// This rank's numbers, to be written: waits until all others have read what was shown before. `wait` is
    /// called with the rank that is waited for, again and again.
    ///
    /// # Errors
    /// `wait` gives up.
    pub fn write<E>(&mut self, wait: impl FnMut(usize) -> Result<(), E>) -> Result<&mut [f32], E> {
        self.release();
        self.wait_for_all(|progress| &progress.read, wait)?;
        let own = &self.parts[self.rank];
        // SAFETY: `own.len` numbers lie behind `Progress` (`of_threads`, `Mapping`). This rank alone writes
        // them, by this one handle, which is borrowed mutably. The others read them between `show` and
        // `release` alone; all have counted every `show` of theirs as read, and their next one waits for
        // that of this rank, which cannot come while the slice is borrowed. The fence orders their reads
        // before these writes.
        Ok(unsafe { slice::from_raw_parts_mut(own.numbers(), own.len) })
    }

    /// Shows all others what this rank has written, and waits until they have shown theirs.
    ///
    /// # Errors
    /// `wait` gives up.
    pub fn show<E>(&mut self, wait: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        self.release();
        self.rounds += 1;
        self.own().shown.store(self.rounds, Ordering::Release);
        self.wait_for_all(|progress| &progress.shown, wait)?;
        self.open = true;
        Ok(())
    }

    /// What a rank has shown.
    ///
    /// # Panics
    /// It is not between [`show`](SharedMemory::show) and [`release`](SharedMemory::release).
    #[inline]
    pub fn part(&self, rank: usize) -> &[f32] {
        assert!(self.open, "expected to read between `show` and `release`");
        let part = &self.parts[rank];
        // SAFETY: `part.len` numbers lie behind `Progress`. Its rank has shown them (the fence orders its
        // writes before these reads), and writes again when this rank has counted them as read, which needs
        // `&mut self`, and so the end of this borrow.
        unsafe { slice::from_raw_parts(part.numbers(), part.len) }
    }

    /// This rank has read all that it wants.
    pub fn release(&mut self) {
        if core::mem::take(&mut self.open) {
            self.own().read.store(self.rounds, Ordering::Release);
        }
    }

    fn own(&self) -> &Progress {
        self.parts[self.rank].progress()
    }

    /// Waits until all others have come as far as this rank.
    fn wait_for_all<E>(
        &self,
        count: impl Fn(&Progress) -> &AtomicU64,
        mut wait: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        for (rank, part) in self.parts.iter().enumerate().filter(|(rank, _)| *rank != self.rank) {
            // Relaxed, as the memory may be read-only here.
            let is_there = || count(part.progress()).load(Ordering::Relaxed) >= self.rounds;
            while !is_there() {
                if let Err(error) = wait(rank)
                    // What is given up may have come while it was asked.
                    && !is_there()
                {
                    return Err(error);
                }
            }
        }
        fence(Ordering::Acquire);
        Ok(())
    }
}

impl SharedPart {
    #[inline]
    fn progress(&self) -> &Progress {
        // SAFETY: `at` is a multiple of 64 (a cache line, or a page), and `BEFORE` bytes from it on live as
        // long as `self`; they were 0 at first, and are only ever used as atomics.
        unsafe { self.at.cast::<Progress>().as_ref() }
    }

    #[inline]
    fn numbers(&self) -> *mut f32 {
        // SAFETY: the memory of a part has `BEFORE + 4 · len` bytes, so that byte `BEFORE` is at most one
        // past its end.
        unsafe { self.at.as_ptr().add(BEFORE).cast() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn patient(_: usize) -> Result<(), ()> {
        thread::yield_now();
        Ok(())
    }

    fn rounds(mut memory: SharedMemory, rank: usize, ranks: usize) {
        for round in 0..if cfg!(miri) { 5 } else { 2000 } {
            // Now and then a rank has nothing to write.
            if round % 3 != rank {
                memory.write(patient).unwrap().fill((round * ranks + rank) as f32);
            }
            memory.show(patient).unwrap();
            for of in 0..ranks {
                let written = if round % 3 == of { round.saturating_sub(1) } else { round };
                let expected = written * ranks + of;
                assert!(memory.part(of).iter().all(|x| *x == expected as f32), "{of} in {round}");
            }
            if round % 2 == 0 {
                memory.release();
            }
        }
    }

    #[test]
    fn everybody_reads_what_each_has_shown_last() {
        for ranks in [1, 2, 4] {
            thread::scope(|scope| {
                for (rank, memory) in SharedMemory::of_threads(ranks, 37).into_iter().enumerate() {
                    assert_eq!(memory.part_len(), 37);
                    scope.spawn(move || rounds(memory, rank, ranks));
                }
            });
        }
    }

    #[test]
    fn whoever_waits_may_give_up_and_is_told_for_whom() {
        let mut ranks = SharedMemory::of_threads(3, 1);
        // Nobody has anything to read yet.
        assert!(ranks[1].write(|_| Err(())).is_ok());
        assert_eq!(ranks[1].show(Err::<(), usize>), Err(0));
        let mut none = SharedMemory::of_threads(1, 1);
        assert_eq!(none[0].show(Err::<(), usize>), Ok(()));
    }

    #[test]
    fn nothing_is_written_while_somebody_reads() {
        let [mut a, mut b] = SharedMemory::of_threads(2, 1).try_into().ok().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| b.show(patient).unwrap());
            a.show(patient).unwrap();
        });
        assert_eq!(a.write(Err::<(), usize>).err(), Some(1));
        b.release();
        assert!(a.write(Err::<(), usize>).is_ok());
    }

    #[test]
    #[should_panic(expected = "between `show` and `release`")]
    fn what_is_not_shown_cannot_be_read() {
        let [mut alone] = SharedMemory::of_threads(1, 1).try_into().ok().unwrap();
        alone.show(patient).unwrap();
        alone.release();
        alone.part(0);
    }
}
