//! Messages as they are put together: strings where something allocates. Without an allocator a message is
//! its words alone, with `…` for the numbers in it: no code that writes numbers gets into a program.

#[cfg(feature = "alloc")]
pub use alloc::{format, string::String};

#[cfg(not(feature = "alloc"))]
pub use self::words::{String, format};

#[cfg(not(feature = "alloc"))]
mod words {
    use core::fmt::{self, Write};

    /// What stands for a string where nothing allocates: the words of a message without its numbers.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct String(&'static str);

    impl String {
        /// No words.
        #[allow(clippy::new_without_default, reason = "it stands for a string")]
        pub const fn new() -> String {
            String("")
        }

        /// The message that this template makes.
        #[doc(hidden)]
        pub const fn of_template(template: &'static str) -> String {
            String(template)
        }
    }

    impl From<&'static str> for String {
        fn from(words: &'static str) -> String {
            String(words)
        }
    }

    impl fmt::Display for String {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut within = false;
            for letter in self.0.chars() {
                match letter {
                    '{' => {
                        within = true;
                        f.write_char('…')?;
                    }
                    '}' => within = false,
                    _ if within => {}
                    letter => f.write_char(letter)?,
                }
            }
            Ok(())
        }
    }

    /// As the macro of this name that allocates.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __format {
        ($template:literal $($rest:tt)*) => {{
            // What is named is used.
            if false {
                let _ = ::core::format_args!($template $($rest)*);
            }
            $crate::__private::String::of_template($template)
        }};
    }
    pub use crate::__format as format;
}
