//! Pools of several sizes at work: every job and item once, panics told.

use super::*;
use std::vec;

#[test]
fn every_thread_does_every_job_once() {
    for threads in 1..5 {
        let mut pool = ThreadPool::new(threads);
        assert_eq!(pool.threads(), threads);
        let jobs = if cfg!(miri) { 5 } else { 500 };
        let counts: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
        for job in 0..jobs {
            // Long enough, now and then, for workers to fall asleep.
            if job % 100 == 3 {
                thread::sleep(Duration::from_millis(1));
            }
            pool.run(&|thread| {
                counts[thread].fetch_add(1, Ordering::Relaxed);
            });
            assert!(
                counts.iter().all(|count| count.load(Ordering::Relaxed) == job + 1),
                "{threads} threads, job {job}"
            );
        }
    }
}

#[test]
fn each_thread_has_an_item_of_its_own() {
    let mut pool = ThreadPool::new(3);
    let (mut counts, mut names) = (vec![0; 3], vec!["a", "b"]);
    for _ in 0..10 {
        pool.for_each_zip(&mut counts, &mut names, |count, name| *count += name.len());
    }
    assert_eq!(counts, [10, 10, 0]);
}

#[test]
fn a_panic_is_told_after_all_have_finished() {
    let mut pool = ThreadPool::new(3);
    for bad in 0..3 {
        let finished = AtomicUsize::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.run(&|thread| {
                assert!(thread != bad, "this thread");
                finished.fetch_add(1, Ordering::Relaxed);
            });
        }));
        assert!(result.is_err());
        assert_eq!(finished.load(Ordering::Relaxed), 2);
        // And it goes on.
        let finished = AtomicUsize::new(0);
        pool.run(&|_| {
            finished.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(finished.load(Ordering::Relaxed), 3);
    }
}
