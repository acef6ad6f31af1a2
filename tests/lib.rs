//! What several test targets share.

pub mod damage;
pub mod fixtures;
pub mod numbers;

/// The README's code blocks are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
