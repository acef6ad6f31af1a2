//! What other libraries call a prediction: `model.predict(x)`, `Net::forward(x)`. In: such a call; out: what to
//! write instead, in the type checker. Nothing here can be called.

use super::{Model, Network};

/// What predicts without memory of its own: nothing does.
#[diagnostic::on_unimplemented(
    message = "expected a predictor, found `{Self}`",
    label = "it has no memory to compute in",
    note = "`let mut predictor = model.predictor(1); predictor.predict(input)`, where `let model = Net::init(0);`"
)]
pub trait Predicts {}

impl<N: Network> Model<N> {
    #[doc(hidden)]
    pub fn predict<X>(&self, _: X)
    where
        Self: Predicts,
    {
    }

    #[doc(hidden)]
    pub fn forward<X>(&self, _: X)
    where
        Self: Predicts,
    {
    }
}
