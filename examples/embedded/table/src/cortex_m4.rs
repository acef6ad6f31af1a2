//! The program on a Cortex-M4. In: nothing; out: what `tell` says, by semihosting.

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hio};

/// Instructions, each a nanosecond, between two ticks of the board's 25 MHz.
const TICK: u32 = 40;

#[entry]
fn main() -> ! {
    if let (Some(core), Ok(out)) = (cortex_m::Peripherals::take(), hio::hstdout()) {
        let out = core::cell::RefCell::new(out);
        let mut clock = core.SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(0x00ff_ffff);
        clock.enable_counter();
        let count = |run: &dyn Fn()| {
            let before = SYST::get_current();
            run();
            before.wrapping_sub(SYST::get_current()).wrapping_mul(TICK)
        };
        super::tell(count, |byte| _ = out.borrow_mut().write_all(&[byte]));
    }
    debug::exit(debug::EXIT_SUCCESS);
    loop {}
}
