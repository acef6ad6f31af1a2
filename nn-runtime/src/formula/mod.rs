//! What `activation!` and `loss!` build on: a formula as vector code comes in, a layer or a loss goes out,
//! and beside it a check of the derivative. Built-in activations and the user's own stand on the same ground.
//! Nothing here may know which formula it is.

#[cfg(feature = "alloc")]
mod check;
mod curve;
mod learning;
#[cfg(feature = "alloc")]
mod loss;
pub mod reference;

#[cfg(feature = "alloc")]
pub use check::{check_curve, check_learning, check_loss};
pub use curve::{Curve, Of, backward, backward_in_place, curve_layer, floor, forward, forward_in_place};
pub use learning::{Learning, learn_backward, learn_backward_params, learn_forward, learning_layer};
#[cfg(feature = "alloc")]
pub use loss::{loss_on_values, own_loss};
