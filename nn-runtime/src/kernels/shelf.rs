//! Memory kept from call to call by something that is only lent: the first to come uses what lies there, whoever comes meanwhile has
//! memory of its own. Comes in: a job on a `T`; goes out: its result. Never a thread that waits, or two with one `T`.

use core::cell::UnsafeCell;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

/// A place for one `T`.
pub struct Shelf<T> {
    taken: AtomicBool,
    item: UnsafeCell<T>,
}

// SAFETY: the item is reached only by the one thread that has changed `taken` from false to true, until that thread changes it back
// (release, seen by the next one's acquire); it may pass from thread to thread.
unsafe impl<T: Send> Sync for Shelf<T> {}

/// Gives the item back, panics included.
struct Back<'s>(&'s AtomicBool);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T: Default> Shelf<T> {
    /// With this item on it.
    pub const fn new(item: T) -> Self {
        Shelf { taken: AtomicBool::new(false), item: UnsafeCell::new(item) }
    }

    /// Does `job` with the item, or with a new one if somebody has it.
    pub fn with<R>(&self, job: impl FnOnce(&mut T) -> R) -> R {
        if self.taken.swap(true, Ordering::Acquire) {
            return job(&mut T::default());
        }
        let _back = Back(&self.taken);
        // SAFETY: `taken` was false and is true now, so that nobody else reaches the item before `_back` is dropped, after `job`; a call of
        // `with` from within `job` finds it taken.
        job(unsafe { &mut *self.item.get() })
    }
}

/// A shelf of its own: what lies on it is only memory.
impl<T: Default> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Shelf::new(T::default())
    }
}

impl<T> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_item_stays_and_is_never_lent_twice() {
        let shelf = Shelf::new(Vec::new());
        shelf.with(|item: &mut Vec<i32>| item.push(1));
        shelf.with(|item| {
            item.push(2);
            shelf.with(|other| assert!(other.is_empty()));
        });
        shelf.with(|item| assert_eq!(item[..], [1, 2]));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|i| shelf.with(|item| item.push(i))));
            }
        });
        let after = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| shelf.with(|_| panic!("in the job"))));
        assert!(after.is_err());
        shelf.with(|item| assert!(item.len() >= 2));
    }
}
