//! Fusion of a layer into the one before it. In: what a layer does that its producer could do instead, and
//! what a producer can do; out: the epilogue that a producer is asked for. A further fusion is a further
//! variant or field here.

use super::LayerSpec;
use nn_kernels::conv::Conv;
use nn_kernels::pool::Pool;

/// What a layer does that the layer before it may do in its stead.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fusible {
    /// An elementwise function, computed in place over the producer's output by
    /// [`Layer::apply`](crate::Layer::apply).
    Elementwise {
        /// Its derivative follows from its output (or from `cx.saved`), so that it may be fused while
        /// training too.
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
    /// An elementwise function: its gradients do not read `y`, so that `y` may be overwritten, and `forward`
    /// obeys [`Epilogue::floor`].
    pub(crate) elementwise: bool,
    /// A max-pool. It is this convolution that will compute it, which tells the scratch memory that it takes.
    pub(crate) max_pool: Option<Conv>,
}

/// What is known of a layer's fusion with its neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FusionSpec {
    /// What the layer before this one may do in its stead.
    pub(crate) is: Option<Fusible>,
    pub(crate) accepts: Accepts,
}

impl FusionSpec {
    pub(super) const NONE: FusionSpec =
        FusionSpec { is: None, accepts: Accepts { elementwise: false, max_pool: None } };
}

/// What a layer's `forward` must end with, because the layers after it are fused into it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Epilogue {
    /// `y = max(y, floor)`.
    pub(crate) floor: Option<f32>,
    /// Then the largest number of each window. `y` and `dy` are then those of the pool, and `cx.saved` holds
    /// where each maximum stood.
    pub(crate) max_pool: Option<Pool>,
}

impl Epilogue {
    pub(crate) const NONE: Epilogue = Epilogue { floor: None, max_pool: None };

    /// The pool, so that what is small need not hold the kernels of convolutions that pool.
    #[inline(always)]
    pub(crate) const fn fused_max_pool(&self) -> Option<Pool> {
        if cfg!(feature = "small") { None } else { self.max_pool }
    }
}

impl LayerSpec {
    /// An elementwise function of one input that can run in place ([`Layer::apply`](crate::Layer::apply)),
    /// and that the layer before it may therefore do over its own output. `from_output`: the derivative
    /// follows from the output alone, or from what is kept in `cx.saved`, so that neither backward method
    /// needs the input; [`backward_without_x`](LayerSpec::backward_without_x) says so too, or the layer is
    /// not fused while training.
    pub const fn elementwise(mut self, from_output: bool) -> LayerSpec {
        self.fusion.is = Some(Fusible::Elementwise { from_output });
        self.per_step()
    }

    /// The elementwise function `max(x, floor)`, which costs nothing where the layer before ends with it.
    pub(crate) const fn floor(mut self, floor: f32) -> LayerSpec {
        self.fusion.is = Some(Fusible::Floor(floor));
        self.squashes().per_step()
    }

    /// The largest number of each window. A convolution before it that [accepts](LayerSpec::accepts_max_pool)
    /// it takes these maxima itself, keeps what this layer would keep, and is given the gradients of the
    /// maxima.
    pub(crate) const fn max_pool(mut self, pool: Pool) -> LayerSpec {
        self.fusion.is = Some(Fusible::MaxPool(pool));
        self
    }

    /// An elementwise function after this layer may be fused into it: the backward methods read neither `y`
    /// nor anything that follows from it, so that `y` may be overwritten, and `forward` ends with `y = max(y,
    /// cx.floor())` (see [`LayerContext::floor`](crate::LayerContext::floor)).
    pub const fn accepts_elementwise(mut self) -> LayerSpec {
        self.fusion.accepts.elementwise = true;
        self.backward_without_y()
    }

    /// A max-pool after this layer, which is this convolution, may be fused into it, perhaps with a floor
    /// between: see [`Epilogue::max_pool`].
    pub(crate) const fn accepts_max_pool(mut self, conv: Conv) -> LayerSpec {
        // What is small has one kernel for a convolution.
        if !cfg!(feature = "small") {
            self.fusion.accepts.max_pool = Some(conv);
        }
        self
    }
}
