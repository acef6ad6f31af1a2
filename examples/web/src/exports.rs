//! The page as functions that a browser calls. Numbers come and go in the module's memory: a function tells
//! where, and JavaScript reads and writes there while nothing runs here.
#![allow(unsafe_code, reason = "names that are exported, and memory that is handed out once")]

use core::arch::wasm32::unreachable;

use crate::{Digit, Memory, Page};

static mut MEMORY: Memory = Memory::ZEROS;
static mut MODEL: Option<Digit> = None;
static mut PAGE: Option<Page> = None;

fn page() -> &'static mut Page {
    // SAFETY: this module has one thread, and no exported function calls another, so that what one borrows
    // it alone borrows; the memory and the model are borrowed once, by the page that is made once.
    unsafe {
        let page = &mut *(&raw mut PAGE);
        page.get_or_insert_with(|| match Page::new(&mut *(&raw mut MEMORY), &mut *(&raw mut MODEL)) {
            Ok(page) => page,
            Err(_) => unreachable(),
        })
    }
}

/// A trap, which the browser tells of.
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    unreachable()
}

/// Exports functions of the page under their names.
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($page:ident $(, $argument:ident: $kind:ty)*) $(-> $out:ty)? $body:block)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) $(-> $out)? {
            let $page = page();
            $body
        }
    )*};
}

exports! {
    /// Where the 784 pixels of the drawing are.
    fn image(page) -> *mut f32 { page.image.as_mut_ptr() }
    /// Where the ten probabilities are.
    fn probabilities(page) -> *const f32 { page.probabilities.as_ptr() }
    /// Where the saliency map of 784 numbers is.
    fn saliency(page) -> *const f32 { page.saliency.as_ptr() }
    /// Reads the drawing, and gives the most likely class.
    fn read(page) -> usize { page.read().unwrap_or(usize::MAX) }
    /// Keeps the drawing as a sample of this class.
    fn keep(page, label: u32) { page.keep(label) }
    /// Takes a step, and gives its loss; NaN where it was refused.
    fn step(page) -> f64 { page.step() }
    /// How many of a hundred new digits are read rightly.
    fn score(page) -> f64 { page.score() }
    /// Begins anew.
    fn forget(page) { page.forget() }
    /// Where the numbers of all parameters are.
    fn numbers(page) -> *mut f32 { page.numbers.as_mut_ptr() }
    /// How many they are.
    fn numbers_len(page) -> usize { page.numbers.len() }
    /// Writes the parameters as they are there.
    fn save(page) { page.save() }
    /// Goes on with those that are there, or gives 0.
    fn load(page) -> u32 { page.load().into() }
}
