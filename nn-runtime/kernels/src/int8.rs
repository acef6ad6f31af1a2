//! Networks of bytes: what inference of a quantised network runs. Codes come in and go out, `u8` from 0 to
//! 255 (LiteRT's `i8` plus 128, so that unsigned products take them as they are); weights are `i8` from
//! -127 to 127, sums `i32`. A real number is `scale · (code − zero)`. All images are channels last. Nothing
//! allocates, and every instruction set gives the same codes.

mod add;
mod conv;
mod convert;
mod depthwise;
mod lookup;
mod panels;
mod plain;
mod pool;
mod product;
mod requantize;
#[cfg(test)]
mod tests;

pub use add::{Addition, MAX_TERMS, add};
pub use conv::{Int8Filters, conv, conv_scratch, is_pointwise};
pub use convert::{CodeScale, dequantize, quantize};
pub use depthwise::{DepthwiseWeights, depthwise};
pub use lookup::{exponentials, lookup, softmax};
pub use panels::{Int8Panels, fits};
pub use plain::{
    plain_add, plain_avg_pool, plain_conv, plain_dequantize, plain_max_pool, plain_mean, plain_quantize, plain_softmax,
};
pub use pool::{avg_pool, max_pool, mean};
pub use product::{Int8Product, product};
pub use requantize::Requantize;
