//! How what runs a model has it: as its own, shared, or borrowed. In: a model, a part of one, or what points
//! at one; out: its parameters. It copies nothing.

use core::ops::Deref;

use super::{Model, ModelRef, Network};
use crate::storage::Storage;

/// A model as a [`Predictor`](crate::Predictor) or a [`Streamer`](crate::Streamer) has it.
///
/// It is the model itself (`Model<N>`: what runs it owns it), or whatever points at one: `&Model<N>`,
/// `Arc<Model<N>>` for several threads, `Box<Model<N>>`, a lock's guard; or a [`ModelRef`]. The type says
/// which, so that a struct can name it.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::{Predictor, Streamer};
/// use std::sync::Arc;
///
/// network! { struct Filter: [8, 1] -> [8, 1] { Lstm(4) -> DensePerStep(1) } }
///
/// /// Owns all that it needs, and can be moved to another thread.
/// struct Plugin {
///     left: Streamer<Arc<Model<Filter>>>,
///     right: Streamer<Arc<Model<Filter>>>,
///     whole: Predictor<Model<Filter>>,
/// }
/// let model = Arc::new(Filter::init(0));
/// let mut plugin = Plugin {
///     left: Streamer::new(model.clone()).unwrap(),
///     right: Streamer::new(model.clone()).unwrap(),
///     whole: Model::clone(&model).into_predictor(1),
/// };
/// assert_eq!(plugin.left.step(&[0.5]).unwrap(), plugin.right.step(&[0.5]).unwrap());
/// # plugin.whole.predict(&[0.0; 8]);
/// ```
#[diagnostic::on_unimplemented(
    message = "expected a model, or what points at one, found `{Self}`",
    label = "give `model`, `&model` or `Arc::new(model)`"
)]
pub trait AsModel {
    /// The network that it is a model of.
    type Network: Network;

    #[doc(hidden)]
    fn params(&self) -> &[f32];
}

impl<N: Network, S: Storage> AsModel for Model<N, S> {
    type Network = N;

    fn params(&self) -> &[f32] {
        &self.params
    }
}

impl<N: Network> AsModel for ModelRef<'_, N> {
    type Network = N;

    fn params(&self) -> &[f32] {
        self.params
    }
}

impl<P: Deref<Target: AsModel>> AsModel for P {
    type Network = <P::Target as AsModel>::Network;

    fn params(&self) -> &[f32] {
        self.deref().params()
    }
}
