//! What the benches share: data that is being learnt, streamed from a resident set.
#![allow(missing_docs)]

use nn_runtime::data::{Dataset, Labels, digits};

/// 8,192 drawn digits: a set that does not fit into the nearer caches.
pub fn resident() -> Dataset<Labels> {
    digits::draw(8_192, 1)
}
