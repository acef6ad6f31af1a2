//! What other libraries call a prediction: `model.predict(x)`, `Net::forward(x)`. In: such a call; out: what
//! to write instead, in the type checker. Nothing that asks for it can be called.

/// What predicts without memory of its own: nothing does.
#[diagnostic::on_unimplemented(
    message = "expected a predictor, found `{Self}`",
    label = "it has no memory to compute in",
    note = "`let mut predictor = model.predictor(1); predictor.predict(input)`, where `let model = Net::init(0);`"
)]
pub trait Predicts {}
