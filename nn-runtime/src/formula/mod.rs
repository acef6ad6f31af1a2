//! What `activation!` and `loss!` build on: a formula as vector code comes in, a layer or a loss goes out,
//! and beside it a check of the derivative. Built-in activations and the user's own stand on the same ground.
//! Nothing here may know which formula it is.

#[cfg(feature = "alloc")]
mod check;
#[cfg(feature = "alloc")]
mod check_of_many;
mod curve;
mod learning;
#[cfg(feature = "train")]
mod loss;
pub mod reference;

#[cfg(feature = "alloc")]
pub use check::{check_curve, check_learning, check_loss};
#[cfg(feature = "alloc")]
pub use check_of_many::{WideNumbers, check_loss_of_many};
pub use curve::{Curve, Of, backward, backward_in_place, curve_layer, floor, forward, forward_in_place};
pub use learning::{Learning, learn_backward, learn_backward_params, learn_forward, learning_layer};
#[cfg(feature = "train")]
pub use loss::{loss_on_values, own_loss, own_loss_of_many};
