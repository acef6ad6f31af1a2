//! Learns on a Cortex-M4 without an operating system and without an allocator: a network of LeNet's layers
//! begins knowing nothing, takes steps on digits that it draws itself, and reads others. All memory is
//! static, of lengths that the compiler knows. `../run.sh` runs it in QEMU's emulator and compares what it
//! says, bit for bit, with `../learns.txt`; it fails where a step takes more stack than it may.
#![no_std]
#![no_main]

#[path = "../../stack.rs"]
mod stack;

use core::fmt::Display;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use nn_runtime::data::digits::{SIDE, draw_into};
use nn_runtime::prelude::*;

network! {
    /// LeNet-5's layers, with rectifiers and fewer units in front of the head.
    #[budget(params <= 30_000, flash <= 120_000)]
    pub struct LeNet: [1, 28, 28] -> [10] {
        Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2);
        Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> head: Dense(10)
    }
}

const PIXELS: usize = SIDE * SIDE;
const BATCH: usize = 8;
const STEPS: u64 = 40;
/// Digits it is judged by.
const TEST: usize = 50;
/// Bytes of stack that a step may take.
const STACK: usize = 9 * 1024;
/// What Adam keeps of each parameter.
const SLOTS: usize = 2;

const PARAMS_LEN: usize = LeNet::PARAMS_LEN;
const TRAIN_LEN: usize = LeNet::train_len(BATCH, SLOTS);

fn ends(code: debug::ExitStatus) -> ! {
    debug::exit(code);
    loop {
        cortex_m::asm::wfi();
    }
}

/// What a call gives, or the end with its words.
fn or_end<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            hprintln!("{}", error);
            ends(debug::EXIT_FAILURE)
        }
    }
}

#[entry]
fn main() -> ! {
    // A static each, given out once.
    let (Some(params), Some(memory), Some(images)) = (
        singleton!(: [f32; PARAMS_LEN] = [0.0; PARAMS_LEN]),
        singleton!(: [f32; TRAIN_LEN] = [0.0; TRAIN_LEN]),
        singleton!(: [[f32; PIXELS]; BATCH] = [[0.0; PIXELS]; BATCH]),
    ) else {
        ends(debug::EXIT_FAILURE)
    };
    let mut model = or_end(LeNet::init_in(1, params));
    let mut trainer = or_end(Trainer::new_in(memory, BATCH, &mut model, CrossEntropy::new(), Adam::new(2e-3)));
    let (mut labels, mut stack) = ([0; BATCH], 0);
    for step in 0..STEPS {
        for (i, (image, label)) in images.iter_mut().zip(&mut labels).enumerate() {
            *label = draw_into(1, step * BATCH as u64 + i as u64, image);
        }
        let (mut loss, mut take) = (0.0, || or_end(trainer.step(&[images.as_flattened()], &labels)));
        match step {
            0 => stack = stack::deepest(|| loss = take()),
            _ => loss = take(),
        }
        if step == 0 || step + 1 == STEPS {
            // Bits, so that no number has to be written in decimals.
            hprintln!("step {}: loss {:016x}", step + 1, loss.to_bits());
        }
    }
    // FNV-1a over the bits of all parameters.
    let bytes = trainer.as_params().iter().flat_map(|number| number.to_bits().to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    hprintln!("parameters {:016x}", hash);
    let mut right = 0;
    let mut scores = [0.0; 10];
    for i in 0..TEST {
        let label = draw_into(2, i as u64, &mut images[0]) as usize;
        or_end(trainer.predict_into(&[&images[0]], &mut [&mut scores]));
        right += usize::from((0..10).all(|class| class == label || scores[class] < scores[label]));
    }
    hprintln!("reads {} of {} digits", right, TEST);
    hprintln!("{} of {} bytes of stack", stack, STACK);
    ends(if stack <= STACK { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE })
}

/// Tells where, and ends.
#[panic_handler]
fn panicked(info: &core::panic::PanicInfo) -> ! {
    if let Some(place) = info.location() {
        hprintln!("panicked at {}:{}", place.file(), place.line());
    }
    ends(debug::EXIT_FAILURE)
}
