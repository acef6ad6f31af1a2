//! What recurrent layers carry from one window of a sequence to the next, where training is stateful. In: the
//! state of every sample before this window; out: that after it, beside it, so that a step that is refused
//! has changed nothing.

use core::cell::Cell;

/// The state of some samples: of each a row, in which every layer that carries something has a place.
pub(crate) struct CarriedState<'a> {
    before: &'a [f32],
    after: &'a [Cell<f32>],
    /// Floats of a row.
    row: usize,
}

impl<'a> CarriedState<'a> {
    /// `row` floats of each sample, before the window and, for a pass forward, after it.
    pub(crate) fn new(before: &'a [f32], after: &'a mut [f32], row: usize) -> Self {
        CarriedState { before, after: Cell::from_mut(after).as_slice_of_cells(), row }
    }
}

/// A layer's place in what is carried, or nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Carried<'a> {
    of: Option<&'a CarriedState<'a>>,
    at: usize,
}

impl<'a> Carried<'a> {
    pub(crate) fn of(state: &'a CarriedState<'a>) -> Self {
        Carried { of: Some(state), at: 0 }
    }

    /// The place so many floats further on.
    #[inline(always)]
    pub(crate) fn further(self, floats: usize) -> Self {
        Carried { at: self.at + floats, ..self }
    }

    /// The rows before the window, their width and where the place begins within one.
    pub(crate) fn before(&self) -> Option<(&'a [f32], usize, usize)> {
        self.of.map(|of| (of.before, of.row, self.at))
    }

    /// Writes from `at` of a sample's place on.
    pub(crate) fn write(&self, sample: usize, at: usize, from: &[f32]) {
        if let Some(of) = self.of {
            let to = &of.after[sample * of.row + self.at + at..][..from.len()];
            to.iter().zip(from).for_each(|(to, from)| to.set(*from));
        }
    }
}
