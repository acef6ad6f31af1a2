//! Crews of several sizes at work: every job and item once, panics told, parts that never overlap. In: nothing; out: a failed assertion.

use super::*;
use std::sync::Mutex;
use std::vec;

#[test]
fn every_lane_does_every_job_once() {
    for lanes in 1..5 {
        let mut thread_pool = ThreadPool::new(lanes);
        assert_eq!(thread_pool.threads(), lanes);
        let jobs = if cfg!(miri) { 5 } else { 500 };
        let counts: Vec<AtomicUsize> = (0..lanes).map(|_| AtomicUsize::new(0)).collect();
        for job in 0..jobs {
            // Long enough, now and then, for lanes to fall asleep.
            if job % 100 == 3 {
                thread::sleep(Duration::from_millis(1));
            }
            thread_pool.run(&|lane| {
                counts[lane].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == job + 1), "{lanes} lanes, job {job}");
        }
    }
}

#[test]
fn each_lane_has_an_item_of_its_own() {
    let mut thread_pool = ThreadPool::new(3);
    let (mut counts, mut names) = (vec![0; 3], vec!["a", "b"]);
    for _ in 0..10 {
        thread_pool.for_each_zip(&mut counts, &mut names, |count, name| *count += name.len());
    }
    assert_eq!(counts, [10, 10, 0]);
}

#[test]
fn every_part_goes_to_one_lane() {
    let mut thread_pool = ThreadPool::new(3);
    let (mut a, mut b) = (vec![0.0; 1000], vec![0.0; 1000]);
    let parts: Vec<Range<usize>> = (0..90).map(|i| i * 11..i * 11 + 7).collect();
    for round in 1..=if cfg!(miri) { 2 } else { 50 } {
        let mut taken: Vec<AtomicBool> = parts.iter().map(|_| AtomicBool::new(true)).collect();
        let shares = ChunkQueue::new([&mut a, &mut b, &mut []], &parts, &mut taken, 3);
        let seen = Mutex::new(vec![0; parts.len()]);
        thread_pool.run(&|lane| {
            shares.each(lane, |i, [a, b, none]| {
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
fn a_panic_is_told_after_all_have_finished() {
    let mut thread_pool = ThreadPool::new(3);
    for bad in 0..3 {
        let finished = AtomicUsize::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            thread_pool.run(&|lane| {
                assert!(lane != bad, "this lane");
                finished.fetch_add(1, Ordering::Relaxed);
            });
        }));
        assert!(result.is_err());
        assert_eq!(finished.load(Ordering::Relaxed), 2);
        // And it goes on.
        let finished = AtomicUsize::new(0);
        thread_pool.run(&|_| {
            finished.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(finished.load(Ordering::Relaxed), 3);
    }
}

#[test]
#[should_panic(expected = "do not overlap")]
fn overlapping_parts_are_refused() {
    let mut block = [0.0; 10];
    let _ = ChunkQueue::new([&mut block], &[0..5, 4..10], &mut [const { AtomicBool::new(false) }; 2], 1);
}

#[test]
#[should_panic(expected = "within every block")]
fn parts_outside_are_refused() {
    let mut block = [0.0; 10];
    let _ = ChunkQueue::new([&mut block], &[0..5, 5..11], &mut [const { AtomicBool::new(false) }; 2], 1);
}
