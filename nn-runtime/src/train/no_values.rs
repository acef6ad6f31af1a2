//! What stands for samples that are owned where nothing allocates: there are none.

/// None.
pub enum NoValues {}

impl NoValues {
    /// Numbers per sample.
    pub(crate) fn width(&self) -> usize {
        match *self {}
    }

    /// All of them.
    pub(crate) fn as_slice(&self) -> &[f32] {
        match *self {}
    }
}
