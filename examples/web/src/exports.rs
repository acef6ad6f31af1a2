//! The page as functions that a browser calls. Numbers come and go in the module's memory: a function tells
//! where, and JavaScript reads and writes there while nothing runs here.
#![allow(unsafe_code, reason = "a name that is exported could hide another; these are this module's only ones")]

use core::cell::RefCell;

use crate::Page;

std::thread_local! {
    static PAGE: RefCell<Page> = RefCell::new(Page::default());
}

/// Exports functions of the page under their names.
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($page:ident $(, $argument:ident: $kind:ty)*) $(-> $out:ty)? $body:block)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) $(-> $out)? {
            PAGE.with_borrow_mut(|$page| $body)
        }
    )*};
}

exports! {
    /// Where the 784 pixels of the drawing are.
    fn image(page) -> *const f32 { page.image.as_ptr() }
    /// Where the ten probabilities are.
    fn probabilities(page) -> *const f32 { page.probabilities.as_ptr() }
    /// Where the saliency map of 784 numbers is.
    fn saliency(page) -> *const f32 { page.saliency.as_ptr() }
    /// Reads the drawing, and gives the most likely class.
    fn read(page) -> usize { page.read() }
    /// Keeps the drawing as a sample of this class.
    fn keep(page, label: u32) { page.keep(label) }
    /// Takes a step, and gives its loss.
    fn step(page) -> f64 { page.step() }
    /// How many of a hundred new digits are read rightly.
    fn score(page) -> f64 { page.score() }
    /// Begins anew.
    fn forget(page) { *page = Page::default() }
    /// Writes the network as a file, and gives its length.
    fn save(page) -> usize {
        page.save();
        page.file.len()
    }
    /// Makes room for a file of this length.
    fn room(page, len: usize) { page.file = vec![0; len] }
    /// Where the bytes of the file are.
    fn file(page) -> *const u8 { page.file.as_ptr() }
    /// Takes the file's network, or gives 0.
    fn load(page) -> u32 { page.load().into() }
    /// Where the message is, in UTF-8.
    fn message(page) -> *const u8 { page.message.as_ptr() }
    /// Its length in bytes.
    fn message_len(page) -> usize { page.message.len() }
}
