//! One network of the table that predicts, and nothing else: what it takes of a target's memories. On a
//! Cortex-M it also tells the deepest stack and how many instructions a prediction took, under QEMU's
//! `-icount shift=0`, where each takes a nanosecond. `NETWORK` names the network when it is built.
#![no_std]
#![no_main]

mod networks;

use core::hint::black_box;

use networks::*;
use nn_runtime::{ModelRef, Network, Predictor};

/// Does a number of predictions, and gives a number that depends on them.
macro_rules! chosen {
    ($($network:ident)*) => {
        const fn is(name: &str) -> bool {
            let (name, chosen) = (name.as_bytes(), env!("NETWORK").as_bytes());
            let mut same = name.len() == chosen.len();
            let mut i = 0;
            while same && i < name.len() {
                same = name[i] == chosen[i];
                i += 1;
            }
            same
        }

        fn predict(times: usize) -> f32 {
            $(if const { is(stringify!($network)) } {
                // In flash, as weights are; of numbers that are no zeros.
                static PARAMS: [f32; $network::PARAMS_LEN] = [0.01; $network::PARAMS_LEN];
                let mut memory = [0.0; $network::predict_len(1)];
                let Ok(model) = ModelRef::<$network>::new(black_box(&PARAMS)) else { return 0.0 };
                let Ok(mut predictor) = Predictor::new_in(model, 1, &mut memory) else { return 0.0 };
                let mut last = 0.0;
                for _ in 0..times {
                    last = predictor.predict(black_box(&[0.5; _]))[0];
                }
                return last;
            })*
            0.0
        }
    };
}
chosen!(Control Mlp LeNet Cnn Separable Sequence);

#[cfg(not(all(target_arch = "arm", target_os = "none")))]
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> f32 {
    predict(1)
}

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod board {
    use core::hint::black_box;
    use cortex_m::peripheral::syst::SystClkSource;
    use cortex_m_rt::entry;
    use cortex_m_semihosting::{debug, hprintln};

    /// Bytes below the stack that are looked at.
    const BELOW: usize = 256 * 1024;
    const PAINT: u32 = 0x5a5a_5a5a;
    /// Nanoseconds between two ticks of the board's 25 MHz.
    const TICK: u32 = 40;

    /// The first word below this function's own frame.
    fn top() -> *mut u32 {
        cortex_m::register::msp::read() as *mut u32
    }

    #[entry]
    fn main() -> ! {
        let top = top();
        // SAFETY: the board has 4 MB of memory, and the stack begins at its end: nothing lies in the 256 kB
        // below what is used of it.
        unsafe {
            for i in 16..BELOW / 4 {
                top.sub(i).write_volatile(PAINT);
            }
        }
        black_box(super::predict(1));
        // SAFETY: the words that were written above.
        let touched = (16..BELOW / 4).rev().find(|i| unsafe { top.sub(*i).read_volatile() } != PAINT);
        let mut ticks = [0; 2];
        if let Some(mut core) = cortex_m::Peripherals::take() {
            core.SYST.set_clock_source(SystClkSource::Core);
            core.SYST.set_reload(0x00ff_ffff);
            core.SYST.enable_counter();
            for (ticks, times) in ticks.iter_mut().zip([1, 3]) {
                core.SYST.clear_current();
                let before = cortex_m::peripheral::SYST::get_current();
                black_box(super::predict(times));
                *ticks = before.wrapping_sub(cortex_m::peripheral::SYST::get_current()) & 0x00ff_ffff;
            }
        }
        hprintln!("{} {}", 4 * touched.unwrap_or(0), (ticks[1] - ticks[0]) / 2 * TICK);
        debug::exit(debug::EXIT_SUCCESS);
        loop {}
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
