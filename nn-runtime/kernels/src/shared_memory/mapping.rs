//! A part that other processes open. In: a length, or where another process has a part; out: its memory,
//! which is a file without a name: nothing of it is left when all its processes have ended, however they do.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use std::format;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::string::String;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::{BEFORE, Memory, SharedPart};

/// Memory of a file.
pub(super) struct Mapping {
    at: NonNull<u8>,
    bytes: usize,
    /// The file, by which others find it, of the process that has made it.
    own: Option<OwnedFd>,
}

impl Mapping {
    fn new(file: OwnedFd, bytes: usize, own: bool) -> io::Result<Mapping> {
        let protection = if own { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        // SAFETY: the system chooses addresses that nothing else has, `bytes` of them, as many as the file
        // has; they stay until `drop`.
        let at = unsafe { mmap(core::ptr::null_mut(), bytes, protection, MapFlags::SHARED, &file, 0)? };
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { at, bytes, own: own.then_some(file) })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` mapped these very addresses, and whoever has a pointer to them keeps `self`.
        let unmapped = unsafe { munmap(self.at.as_ptr().cast(), self.bytes) };
        debug_assert!(unmapped.is_ok(), "the addresses are those of a mapping");
    }
}

impl SharedPart {
    fn of(mapping: Mapping, len: usize) -> SharedPart {
        SharedPart { at: mapping.at, len, _memory: Memory::Mapped(mapping) }
    }

    fn bytes(len: usize) -> io::Result<usize> {
        let numbers = len.checked_mul(size_of::<f32>()).and_then(|bytes| bytes.checked_add(BEFORE));
        numbers.filter(|bytes| isize::try_from(*bytes).is_ok()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    /// A part of so many numbers, all zero, for this process.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn create(len: usize) -> io::Result<SharedPart> {
        let bytes = SharedPart::bytes(len)?;
        let file = memfd_create("nn shared", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, bytes as u64)?;
        let part = SharedPart::of(Mapping::new(file, bytes, true)?, len);
        part.progress().token.store(RandomState::new().hash_one(std::process::id()), Ordering::Release);
        Ok(part)
    }

    pub(super) fn is_own(&self) -> bool {
        self.file().is_some()
    }

    fn file(&self) -> Option<&OwnedFd> {
        match &self._memory {
            Memory::Mapped(mapping) => mapping.own.as_ref(),
            Memory::Heap { .. } => None,
        }
    }

    /// Where other processes of this machine find it, as long as it is there, and the token of it; none where
    /// another has made it.
    pub fn place(&self) -> Option<(String, u64)> {
        let place = format!("/proc/{}/fd/{}", std::process::id(), self.file()?.as_raw_fd());
        Some((place, self.progress().token.load(Ordering::Relaxed)))
    }

    /// What another process has made, to be read.
    ///
    /// # Errors
    /// It cannot be opened, or is something else.
    pub fn open(place: &str, token: u64, len: usize) -> io::Result<SharedPart> {
        let bytes = SharedPart::bytes(len)?;
        // Before it is opened, as opening something else may do anything.
        let found = fs::metadata(place)?;
        if !found.is_file() || found.len() != bytes as u64 {
            return Err(io::ErrorKind::NotFound.into());
        }
        let part = SharedPart::of(Mapping::new(File::open(place)?.into(), bytes, false)?, len);
        match part.progress().token.load(Ordering::Relaxed) == token {
            true => Ok(part),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::super::SharedMemory;
    use super::*;

    /// Two views of one process, by the way that processes go.
    fn views(len: usize) -> [SharedMemory; 2] {
        let [a, b] = [0, 1].map(|_| SharedPart::create(len).unwrap());
        let opened = |part: &SharedPart| {
            let (place, token) = part.place().unwrap();
            SharedPart::open(&place, token, len).unwrap()
        };
        let [a_read, b_read] = [opened(&a), opened(&b)];
        [SharedMemory::of_processes(0, [a, b_read].into()), SharedMemory::of_processes(1, [a_read, b].into())]
    }

    #[test]
    fn another_process_reads_what_is_shown() {
        let [mut a, mut b] = views(1000);
        std::thread::scope(|scope| {
            for (rank, memory) in [&mut a, &mut b].into_iter().enumerate() {
                scope.spawn(move || {
                    for round in 0..200 {
                        let wait = |_| {
                            std::thread::yield_now();
                            Ok::<(), ()>(())
                        };
                        memory.write(wait).unwrap().fill((2 * round + rank) as f32);
                        memory.show(wait).unwrap();
                        for of in 0..2 {
                            assert!(memory.part(of).iter().all(|x| *x == (2 * round + of) as f32));
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn something_else_is_not_opened() {
        let part = SharedPart::create(10).unwrap();
        let (place, token) = part.place().unwrap();
        assert!(SharedPart::open(&place, token, 10).is_ok_and(|part| part.place().is_none()));
        assert!(SharedPart::open(&place, token ^ 1, 10).is_err());
        assert!(SharedPart::open(&place, token, 11).is_err());
        assert!(SharedPart::open("/proc/self/fd", token, 10).is_err());
        drop(part);
        assert!(SharedPart::open(&place, token, 10).is_err());
        assert!(SharedPart::create(usize::MAX / 2).is_err());
    }
}
