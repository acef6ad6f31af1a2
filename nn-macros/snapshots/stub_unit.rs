::core::compile_error! {
    "expected at least one dimension, found `[]`\nhelp: `[1]` is a single number"
}
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub struct Net;
impl Net {
    #[doc(hidden)]
    pub const fn new() -> Self {
        Net
    }
}
