//! What several test targets share.

pub mod fixtures;
pub mod numbers;
