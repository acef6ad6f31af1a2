//! One network of the table that predicts, and nothing else: what it takes of a target's memories. On the
//! boards of QEMU it also says the bytes of memory, the deepest stack, and how many instructions a prediction
//! took (`-icount shift=0`). `build.rs` says which network it is, and whether in floats or in bytes.
#![no_std]
#![no_main]

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod cortex_m4;
mod networks;
#[cfg(all(target_arch = "riscv32", target_os = "none"))]
mod riscv;
#[cfg(target_os = "none")]
#[path = "../../stack.rs"]
mod stack;

use core::hint::black_box;

#[cfg(not(int8))]
use nn_runtime::Network as _;

include!(concat!(env!("OUT_DIR"), "/chosen.rs"));

/// Predicts so often, and gives a number that depends on it.
#[cfg(int8)]
fn predict(times: usize) -> f32 {
    let mut model = Small::new();
    (0..times).fold(0.0, |_, _| model.predict(black_box(&[0.5; _]))[0])
}

/// … with weights in flash, of numbers that are no zeros.
#[cfg(not(int8))]
fn predict(times: usize) -> f32 {
    static PARAMS: [f32; Chosen::PARAMS_LEN] = [0.01; Chosen::PARAMS_LEN];
    let mut memory = [0.0; Chosen::predict_len(1)];
    let Ok(model) = nn_runtime::ModelRef::<Chosen>::new(black_box(&PARAMS)) else { return 0.0 };
    let Ok(mut predictor) = nn_runtime::Predictor::new_in(model, 1, &mut memory) else { return 0.0 };
    (0..times).fold(0.0, |_, _| predictor.predict(black_box(&[0.5; _]))[0])
}

/// Bytes of memory that a prediction takes.
#[cfg(target_os = "none")]
const MEMORY: usize = {
    #[cfg(int8)]
    {
        size_of::<Small>()
    }
    #[cfg(not(int8))]
    {
        4 * Chosen::predict_len(1)
    }
};

/// Says the memory, the deepest stack without it, and the instructions of a prediction: `count` counts those
/// of what it is given.
#[cfg(target_os = "none")]
fn tell(count: impl Fn(&dyn Fn()) -> u32, say: impl Fn(u8)) {
    // It lies on the stack.
    let stack = stack::deepest(|| _ = black_box(predict(1))).saturating_sub(MEMORY);
    let [one, three] = [1, 3].map(|times| count(&|| _ = black_box(predict(times))));
    for number in [MEMORY as u32, stack as u32, three.wrapping_sub(one) / 2] {
        let mut unit = 1_000_000_000;
        while unit > 0 {
            say(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
        say(b' ');
    }
    say(b'\n');
}

#[cfg(not(target_os = "none"))]
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> f32 {
    predict(1)
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
