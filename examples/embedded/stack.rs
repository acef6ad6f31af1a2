//! How deep the stack becomes. In: what is to run; out: bytes below the caller's own frame that it has used.

use core::arch::asm;

/// Bytes below the stack that are looked at.
const BELOW: usize = 256 * 1024;
const PAINT: u32 = 0x5a5a_5a5a;

fn pointer() -> *mut u32 {
    let pointer: *mut u32;
    // SAFETY: reads a register alone.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack))
    };
    // SAFETY: reads a register alone.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack))
    };
    pointer
}

/// Runs it on a painted stack.
#[inline(never)]
pub fn deepest(run: impl FnOnce()) -> usize {
    let top = pointer();
    // SAFETY: the boards have megabytes of memory, and the stack begins at its end: nothing lies in the
    // 256 kB below what is used of it.
    unsafe {
        for i in 16..BELOW / 4 {
            top.sub(i).write_volatile(PAINT);
        }
    }
    run();
    // SAFETY: the words that were written above.
    let touched = (16..BELOW / 4).rev().find(|i| unsafe { top.sub(*i).read_volatile() } != PAINT);
    4 * touched.unwrap_or(0)
}
