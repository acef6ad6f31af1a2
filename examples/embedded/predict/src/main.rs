//! Reads a digit on a Cortex-M4 without an operating system and without an allocator. The weights are a part
//! of the program, laid out when it is built and read where they lie; all other memory is one buffer.
//! `../run.sh` runs it in QEMU's emulator and compares its answer, bit for bit, with `../predicts.txt`; it
//! fails where a prediction takes more stack than it may.
#![no_std]
#![no_main]

#[path = "../../stack.rs"]
mod stack;

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprint, hprintln};
use nn_runtime::Predictor;
use nn_runtime::prelude::*;

network! {
    /// Reads a handwritten digit.
    #[weights("../../data/digits.safetensors")]
    #[budget(params <= 10_000, predict_bytes <= 8 * 1024, flash <= 40_000)]
    pub struct Digits: [1, 28, 28] -> [10] {
        Flatten -> hidden: Dense(12) -> Relu -> head: Dense(10) -> Softmax
    }
}

/// Bytes of stack that a prediction may take.
const STACK: usize = 6 * 1024;

/// A seven: a bar along the top, and a stroke down from its end.
fn seven(at: usize) -> f32 {
    let (y, x) = (at / 28, at % 28);
    let bar = (5..8).contains(&y) && (7..21).contains(&x);
    let stroke = (8..24).contains(&y) && (0..3).contains(&(x + (y - 8) / 2).wrapping_sub(18));
    f32::from(u8::from(bar || stroke))
}

#[entry]
fn main() -> ! {
    let image: [f32; 784] = core::array::from_fn(seven);
    let mut memory = [0.0; Digits::predict_len(1)];
    match Predictor::new_in(Digits::embedded_ref(), 1, &mut memory) {
        Ok(mut predictor) => {
            // Bits, so that no number has to be written in decimals.
            predictor.predict(&image).iter().for_each(|y| hprint!("{:08x} ", y.to_bits()));
            hprintln!();
            let stack = stack::deepest(|| _ = black_box(predictor.predict(black_box(&image))));
            hprintln!("{} of {} bytes of stack", stack, STACK);
            if stack <= STACK {
                debug::exit(debug::EXIT_SUCCESS);
            }
        }
        Err(error) => hprintln!("expected {} numbers of memory, found {}", error.expected, error.found),
    }
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}

/// Tells where, and ends.
#[panic_handler]
fn panicked(info: &core::panic::PanicInfo) -> ! {
    if let Some(place) = info.location() {
        hprintln!("panicked at {}:{}", place.file(), place.line());
    }
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
