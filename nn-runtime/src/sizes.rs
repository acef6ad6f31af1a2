//! One declaration of several sizes, of which one is chosen when the program is compiled, `Policy<16>`, or
//! when it runs: `AnyPolicy`, an enum that [`network!`](crate::network) makes.

#[cfg(feature = "alloc")]
mod any;
#[cfg(feature = "alloc")]
mod template;

#[cfg(feature = "alloc")]
pub use any::{NoSize, OwnedModel, OwnedPredictor, OwnedStreamer, PerNetwork, SizeError};

/// A size that a network may have been declared for: `Policy<16>` is the network of `Size<16>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size<const SIZE: usize>;
