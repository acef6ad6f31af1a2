//! Whether a layer's outputs can be scores, which may be any numbers. In: what the layer is; out: a `Range`,
//! which the graph follows up to the head.

use super::LayerSpec;

/// What numbers a layer can make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Range {
    /// Any, as far as is known.
    Any,
    /// Those of one side or of an interval: what a rectifier or a squashing function leaves.
    Narrow,
    /// Those of its first input.
    First,
    /// Those of all its inputs together: any, if one of them can be any.
    All,
}

impl LayerSpec {
    pub(crate) const fn range(mut self, range: Range) -> LayerSpec {
        self.range = range;
        self
    }

    /// Its outputs are sums of products, or what comes of such: they count nothing, so that they are no token
    /// ids.
    pub(crate) const fn computes(mut self) -> LayerSpec {
        self.computes = true;
        self
    }

    /// Its outputs keep to one side or to an interval, so that what follows cannot be scores of classes.
    #[doc(hidden)]
    pub const fn squashes(self) -> LayerSpec {
        self.range(Range::Narrow)
    }
}
