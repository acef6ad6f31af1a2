//! Large networks and large batches: nothing large is ever on the stack, what is held in memory is what is
//! told, and what cannot be held is refused with a sentence.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use nn_runtime::distributed::LocalCommunicator;
use nn_runtime::prelude::*;

/// Counts the bytes that each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: it hands on what it is asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = HELD.try_with(|held| held.set(held.get() + layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set(held.get() - layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

network! {
    struct Big: [2000] -> [10] { Dense(2000) -> Relu -> Dense(3000) -> Relu -> Dense(10) -> Softmax }
}

#[test]
fn ten_million_parameters_on_a_small_stack() {
    assert!(Big::param_count() > 10_000_000);
    let work = || {
        let x = vec![0.5; 4 * 2000];
        let data = Dataset::classes((&x[..], 2000), [0u32, 1, 2, 3]).unwrap();
        let mut model = Big::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-4));
        let first = trainer.step(&data).unwrap();
        for _ in 0..3 {
            trainer.step(&data).unwrap();
        }
        assert!(trainer.step(&data).unwrap() < first);
        let file = std::env::temp_dir().join(format!("nn-big-{}.safetensors", std::process::id()));
        model.save(&file).unwrap();
        let loaded = Model::<Big>::load(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let image = x[..2000].try_into().unwrap();
        assert_eq!(loaded.predictor(1).predict(image), model.predictor(1).predict(image));
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

network! { struct Plain: [784] -> [10] { Dense(128) -> Relu -> Dense(10) } }
network! {
    struct Images: [3, 32, 32] -> [10] {
        Conv2d(16, 3) -> Relu -> MaxPool2d(2) -> Conv2d(32, 3) -> BatchNorm -> Relu -> Flatten -> Dense(10)
    }
}
network! { struct Small: [1, 28, 28] -> [10] { Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2) -> Flatten -> Dense(10) } }
network! { struct Sequence: [32, 16] -> [16] { MultiHeadAttention(2) -> LayerNorm -> Lstm(16) -> LastStep } }

fn told_is_held<N: Network>(input: usize, output: usize)
where
    Mse: Fits<N::Head>,
{
    for batch in [1, 16, 33, 256] {
        let (x, t) = (vec![0.5; batch * input], vec![0.5; batch * output]);
        let data = Dataset::values((&x[..], input), (&t[..], output)).unwrap();
        let mut model = N::init(0);
        let before = HELD.get();
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(1e-3)).threads(1);
        trainer.step(&data).unwrap();
        let held = (HELD.get() - before) as usize;
        let told = N::memory(batch).training();
        // Lists of what there is, and what a buffer needs to begin on a cache line.
        let slack = 64 * 1024 + held / 50;
        assert!(
            told <= held && held <= told + slack,
            "{}, batch {batch}: told {told}, held {held}",
            std::any::type_name::<N>()
        );
    }
}

#[test]
fn what_a_trainer_holds_is_what_is_told() {
    told_is_held::<Plain>(784, 10);
    told_is_held::<Images>(3 * 32 * 32, 10);
    told_is_held::<Small>(28 * 28, 10);
    told_is_held::<Sequence>(32 * 16, 16);
}

/// The bytes that each of some ranks holds after two steps.
fn held_by_ranks<O: Optimizer>(ranks: usize, optimizer: impl Fn() -> O + Sync) -> Vec<isize> {
    let data = Dataset::values((&[0.5; 32 * 784][..], 784), (&[0.5; 32 * 10][..], 10)).unwrap();
    std::thread::scope(|scope| {
        let each = LocalCommunicator::world(ranks).into_iter().map(|rank| {
            let (data, optimizer) = (&data, &optimizer);
            scope.spawn(move || {
                let mut model = Plain::init(0);
                let before = HELD.get();
                let trainer = Trainer::new(&mut model, Mse::new(), optimizer()).threads(1);
                let mut trainer = trainer.distributed(rank).unwrap();
                (0..2).for_each(|_| assert!(trainer.step(data).is_ok()));
                HELD.get() - before
            })
        });
        each.collect::<Vec<_>>().into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

#[test]
fn what_an_optimizer_remembers_is_held_once_in_the_world() {
    for ranks in [1, 2, 3, 4] {
        let (told, all) = (Plain::traffic(32, ranks), Plain::memory(32).parameters());
        assert_eq!((0..ranks).map(|rank| told.of(rank).share).sum::<usize>(), all);
        let (adam, sgd) = (held_by_ranks(ranks, || Adam::new(1e-3)), held_by_ranks(ranks, || Sgd::new(1e-3)));
        for (rank, (adam, sgd)) in adam.into_iter().zip(sgd).enumerate() {
            // Two numbers for each parameter of the share, each buffer on a cache line of its own.
            let (slots, share) = ((adam - sgd) as usize, told.of(rank).share);
            assert!((2 * share..2 * share + 4096).contains(&slots), "rank {rank} of {ranks}: {slots}, share {share}");
        }
    }
}

#[test]
#[should_panic(
    expected = "expected a batch whose workspace fits into memory, found 4611686018427387904 samples\nhelp: a smaller batch"
)]
fn a_batch_that_fits_nowhere_is_refused() {
    Plain::init(0).predictor(1 << 62);
}

#[test]
fn sizes_beyond_all_numbers_are_told_without_wrapping_around() {
    let memory = Plain::memory(1 << 62);
    assert_eq!(memory.prediction(), usize::MAX);
    assert!(memory.training() > 1 << 62 && !memory.to_string().is_empty());
}
