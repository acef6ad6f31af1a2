//! What stands for a pool of threads where there is no operating system. In: a job and what it is done with;
//! out: the job done here. It starts nothing and waits for nobody.

/// The calling thread, with the methods of a `thread_pool::ThreadPool` of one.
pub struct OneThread;

impl OneThread {
    /// The calling thread, however many are asked for: what would be refused is done without.
    ///
    /// # Panics
    /// `threads == 0`
    pub fn new(threads: usize) -> OneThread {
        assert!(threads > 0, "expected at least 1 thread");
        OneThread
    }

    /// How many threads a machine keeps busy that nobody can ask.
    pub fn cores() -> usize {
        1
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        1
    }

    /// Runs `job` with the item, if there is one.
    ///
    /// # Panics
    /// There are more items than one, or `job` panics.
    pub fn for_each<T>(&mut self, items: &mut [T], job: impl Fn(&mut T)) {
        assert!(items.len() <= 1, "expected at most one item for each thread");
        items.iter_mut().for_each(job);
    }

    /// Runs `job` with the pair of items, if there is one.
    ///
    /// # Panics
    /// There are more items than one in a list, or `job` panics.
    pub fn for_each_zip<A, B>(&mut self, a: &mut [A], b: &mut [B], job: impl Fn(&mut A, &mut B)) {
        assert!(a.len().max(b.len()) <= 1, "expected at most one item for each thread");
        a.iter_mut().zip(b).for_each(|(a, b)| job(a, b));
    }
}
