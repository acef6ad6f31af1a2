//! The model that a trainer trains: borrowed, or its own. In: either; out: the model.

use core::ops::{Deref, DerefMut};

use crate::model::Model;

/// A model to train.
pub(super) enum TrainedModel<'m, N> {
    Own(Model<N>),
    Borrowed(&'m mut Model<N>),
}

impl<N> Deref for TrainedModel<'_, N> {
    type Target = Model<N>;

    #[inline]
    fn deref(&self) -> &Model<N> {
        match self {
            TrainedModel::Own(model) => model,
            TrainedModel::Borrowed(model) => model,
        }
    }
}

impl<N> DerefMut for TrainedModel<'_, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Model<N> {
        match self {
            TrainedModel::Own(model) => model,
            TrainedModel::Borrowed(model) => model,
        }
    }
}
