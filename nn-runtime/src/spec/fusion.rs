//! Fusion of a layer into the one before it. In: what a layer does that its producer could do instead, and what a
//! producer can do; out: the epilogue that a producer is asked for. A further fusion is a further variant or field here.

use nn_kernels::conv::Conv;
use nn_kernels::pool::Pool;

/// What a layer does that the layer before it may do in its stead.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fusible {
    /// An elementwise function, computed in place over the producer's output by [`Layer::apply`](crate::Layer::apply).
    Elementwise {
        /// Its derivative follows from its output (or from `cx.saved`), so that it may be fused while training too.
        from_output: bool,
    },
    /// `max(x, floor)`, which a producer's kernel computes as it stores its output.
    Floor(f32),
    /// The largest number of each window, which a convolution computes without ever storing its own output.
    MaxPool(Pool),
}

/// What a layer can do in the stead of the one after it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Accepts {
    /// An elementwise function: its gradients do not read `y`, so that `y` may be overwritten, and `forward` obeys
    /// [`Epilogue::floor`].
    pub(crate) elementwise: bool,
    /// A max-pool. It is this convolution that will compute it, which tells the scratch memory that it takes.
    pub(crate) max_pool: Option<Conv>,
}

impl Accepts {
    pub(super) const NOTHING: Accepts = Accepts { elementwise: false, max_pool: None };
}

/// What a layer's `forward` must end with, because the layers after it are fused into it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Epilogue {
    /// `y = max(y, floor)`.
    pub(crate) floor: Option<f32>,
    /// Then the largest number of each window. `y` and `dy` are then those of the pool, and `cx.saved` holds where each
    /// maximum stood.
    pub(crate) max_pool: Option<Pool>,
}

impl Epilogue {
    pub(crate) const NONE: Epilogue = Epilogue { floor: None, max_pool: None };
}
