//! What the core says of an operating system where there is one.

/// Why the operating system refused something.
pub use std::io::ErrorKind;
