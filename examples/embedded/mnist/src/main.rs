//! Reads a digit on a Cortex-M4 with ST's network for MNIST in bytes: without an operating system, without an
//! allocator, without a panic. The weights are a part of the program and are read where they lie; all memory
//! is one `static`, and the stack. Says the answer, bit for bit, then the bytes of memory and of the deepest
//! stack, and the instructions of a prediction; `../run.sh` compares them.
#![no_std]
#![no_main]

mod network;
#[path = "../../stack.rs"]
mod stack;

use core::cell::RefCell;
use core::hint::black_box;

use cortex_m::interrupt::Mutex;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hio};
use network::StMnist;
use nn_runtime::int8_model;

int8_model! {
    /// The same in bytes.
    pub struct SmallMnist: StMnist = "../../../data/st-mnist.int8";
}

static MODEL: Mutex<RefCell<SmallMnist>> = Mutex::new(RefCell::new(SmallMnist::new()));
/// A seven: a bar along the top, and a stroke down from its end.
static SEVEN: [f32; 784] = {
    let (mut image, mut at) = ([0.0; 784], 0usize);
    while at < 784 {
        let (y, x) = (at / 28, at % 28);
        let bar = y >= 5 && y < 8 && x >= 7 && x < 21;
        let stroke = y >= 8 && y < 24 && (x + (y - 8) / 2).wrapping_sub(18) < 3;
        if bar || stroke {
            image[at] = 1.0;
        }
        at += 1;
    }
    image
};
/// Nanoseconds between two ticks of the board's 25 MHz; under QEMU's `-icount shift=0` each is an
/// instruction.
const TICK: u32 = 40;

/// Writes a number in so many digits of a base, from its last one.
fn say<const DIGITS: usize>(number: u32, base: u32) {
    let (mut text, mut rest) = ([b' '; DIGITS], number);
    for digit in text.iter_mut().rev() {
        let last = (rest % base) as u8;
        *digit = last + if last < 10 { b'0' } else { b'a' - 10 };
        rest /= base;
    }
    write(&text);
    write(b" ");
}

fn write(text: &[u8]) {
    if let Ok(mut out) = hio::hstdout() {
        // What cannot be said is not said.
        _ = out.write_all(text);
    }
}

#[entry]
fn main() -> ! {
    cortex_m::interrupt::free(|token| {
        let Ok(mut model) = MODEL.borrow(token).try_borrow_mut() else { return };
        let stack = stack::deepest(|| _ = black_box(model.predict(black_box(&SEVEN))));
        let mut ticks = 0;
        if let Some(core) = cortex_m::Peripherals::take() {
            let mut clock = core.SYST;
            clock.set_clock_source(SystClkSource::Core);
            clock.set_reload(0x00ff_ffff);
            clock.enable_counter();
            clock.clear_current();
            let before = SYST::get_current();
            black_box(model.predict(black_box(&SEVEN)));
            ticks = before.wrapping_sub(SYST::get_current()) & 0x00ff_ffff;
        }
        model.predict(&SEVEN).iter().for_each(|y| say::<8>(y.to_bits(), 16));
        write(b"\n");
        say::<6>(size_of::<SmallMnist>() as u32, 10);
        say::<6>(stack as u32, 10);
        say::<9>(ticks * TICK, 10);
        write(b"\n");
    });
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// There is none to come here: `../run.sh` looks for what would.
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
