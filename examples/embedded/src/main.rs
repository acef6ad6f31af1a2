//! Learns on a Cortex-M4 without an operating system: a network of LeNet's shape begins knowing nothing,
//! takes steps on digits that it draws itself, and reads others. `run.sh` runs it in QEMU's emulator.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embedded_alloc::LlffHeap as Heap;
use nn_runtime::data::digits;
use nn_runtime::prelude::*;

extern crate alloc;
use alloc::vec;

network! {
    /// LeNet-5's layers, with rectifiers and fewer units in front of the head.
    pub struct LeNet: [1, 28, 28] -> [10] {
        Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2);
        Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> head: Dense(10)
    }
}

/// Bytes of all buffers.
const HEAP: usize = 2 * 1024 * 1024;
const BATCH: usize = 16;
const STEPS: u64 = 60;
/// Digits it is judged by, some at a time.
const TEST: usize = 100;
const PART: usize = 20;

#[global_allocator]
static HEAP_OF_ALL: Heap = Heap::empty();

/// How many of a hundred digits, of seeds that no step has, are read rightly.
fn score<L, O: Optimizer>(trainer: &mut Trainer<'_, LeNet, L, O>) -> usize {
    let mut right = 0;
    let mut scores = vec![0.0; PART * 10];
    for part in 0..(TEST / PART) as u64 {
        let test = digits::draw(PART, u64::MAX - part);
        trainer.predict_into(&[test.inputs()[0].as_slice()], &mut [&mut scores]).expect("as many images as outputs");
        for (scores, label) in scores.chunks_exact(10).zip(test.targets().as_slice()) {
            let label = *label as usize;
            right += usize::from((0..10).all(|class| class == label || scores[class] < scores[label]));
        }
    }
    right
}

#[entry]
fn main() -> ! {
    // SAFETY: this is the only call, before anything allocates, as `main` is entered once; the memory is a
    // static of `HEAP` bytes within the macro, which nothing else names.
    unsafe {
        embedded_alloc::init!(HEAP_OF_ALL, HEAP);
    }
    let mut model = LeNet::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(2e-3));
    hprintln!("{} parameters", LeNet::param_count());
    for step in 1..=STEPS {
        let loss = trainer.step(&digits::draw(BATCH, step)).expect("drawn digits fit");
        if step == 1 || step % 10 == 0 {
            hprintln!("step {}: loss {:.3}", step, loss);
        }
    }
    hprintln!("{} bytes on the heap", HEAP_OF_ALL.used());
    let right = score(&mut trainer);
    hprintln!("reads {} of {} digits", right, TEST);
    debug::exit(if right >= 60 { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

/// Tells what went wrong, and ends.
#[panic_handler]
fn panicked(info: &core::panic::PanicInfo) -> ! {
    hprintln!("{}", info);
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
