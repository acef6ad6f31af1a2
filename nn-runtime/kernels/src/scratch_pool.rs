//! Memory kept from call to call by something that is only lent: whoever comes uses what lies in a free
//! place, or, where all are taken, memory of its own. Comes in: a job on a `T`; goes out: its result. Never a
//! thread that waits, or two with one `T`.

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

/// Places for several `T`.
pub struct ScratchPool<T, const N: usize = 16>([Slot<T>; N]);

struct Slot<T> {
    taken: AtomicBool,
    item: UnsafeCell<T>,
}

// SAFETY: the item is reached only by the one thread that has changed `taken` from false to true, until that
// thread changes it back (release, seen by the next one's acquire); it may pass from thread to thread.
unsafe impl<T: Send> Sync for Slot<T> {}

impl<T> Slot<T> {
    /// True for the one who found it free. Where a target cannot ask and change in one instruction (thumbv6m,
    /// riscv32imc), it never is: memory of its own is right for everybody, an interrupt included.
    fn claim(&self) -> bool {
        #[cfg(target_has_atomic = "8")]
        return !self.taken.swap(true, Ordering::Acquire);
        #[cfg(not(target_has_atomic = "8"))]
        return false;
    }
}

/// Gives the item back, panics included.
struct Back<'s>(&'s AtomicBool);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T: Default, const N: usize> ScratchPool<T, N> {
    /// With new items on it.
    #[allow(clippy::new_without_default, reason = "it is made where it is named")]
    pub fn new() -> Self {
        ScratchPool([(); N].map(|()| Slot { taken: AtomicBool::new(false), item: UnsafeCell::new(T::default()) }))
    }

    /// Does `job` with an item that nobody has, or with a new one.
    pub fn with<R>(&self, job: impl FnOnce(&mut T) -> R) -> R {
        let Some(slot) = self.0.iter().find(|slot| slot.claim()) else {
            return job(&mut T::default());
        };
        let _back = Back(&slot.taken);
        // SAFETY: `taken` was false and is true now, so that nobody else reaches the item before `_back` is
        // dropped, after `job`; a call of `with` from within `job` finds it taken.
        job(unsafe { &mut *slot.item.get() })
    }
}

/// A scratch_pool of its own: what lies on it is only memory.
impl<T: Default, const N: usize> Clone for ScratchPool<T, N> {
    fn clone(&self) -> Self {
        ScratchPool::new()
    }
}

impl<T, const N: usize> fmt::Debug for ScratchPool<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScratchPool")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_item_stays_and_is_never_lent_twice() {
        let scratch_pool = ScratchPool::<Vec<i32>, 1>::new();
        scratch_pool.with(|item| item.push(1));
        scratch_pool.with(|item| {
            item.push(2);
            scratch_pool.with(|other| assert!(other.is_empty()));
        });
        scratch_pool.with(|item| assert_eq!(item[..], [1, 2]));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|i| scratch_pool.with(|item| item.push(i))));
            }
        });
        let after =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scratch_pool.with(|_| panic!("in the job"))));
        assert!(after.is_err());
        scratch_pool.with(|item| assert!(item.len() >= 2));
    }
}
