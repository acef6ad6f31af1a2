//! The program on QEMU's riscv32 board. In: nothing; out: what `tell` says, by its serial line.

use core::arch::{asm, global_asm};

global_asm!(".section .init", ".globl _start", "_start:", "li sp, 0x87000000", "j begin");

/// The serial line, and what ends the emulator.
const SERIAL: *mut u8 = 0x1000_0000 as *mut u8;
const END: *mut u32 = 0x0010_0000 as *mut u32;

fn instructions() -> u32 {
    let count: u32;
    // SAFETY: `csrr a0, minstret` reads a counter and writes `a0`; as a word, as compilers ask for an
    // extension's name that this board has.
    unsafe { asm!(".4byte 0xb0202573", out("a0") count) };
    count
}

#[unsafe(no_mangle)]
extern "C" fn begin() -> ! {
    let count = |run: &dyn Fn()| {
        let before = instructions();
        run();
        instructions().wrapping_sub(before)
    };
    // SAFETY: a register of the board, which takes bytes.
    super::tell(count, |byte| unsafe { SERIAL.write_volatile(byte) });
    // SAFETY: a register of the board, which this word stops.
    unsafe { END.write_volatile(0x5555) };
    loop {}
}
