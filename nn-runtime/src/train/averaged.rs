//! The average that an update keeps. In: what is averaged, parameters; out: averaged parameters, where there
//! are some.

use super::ema::{Averaged, Ema};
use super::update::Update;
use nn_kernels::simd::Isa;

impl Update {
    pub(super) fn keep_ema(&mut self, of: Averaged) {
        self.state.ema = Some(Ema::new(of, self.map.params_len));
    }

    /// An epoch has left these parameters.
    pub(super) fn average_epoch(&mut self, isa: Isa, params: &[f32]) {
        self.state.ema.iter_mut().for_each(|ema| ema.epoch(isa, params));
    }

    /// Copies the averaged parameters, where there are some, over the others.
    pub(super) fn copy_ema(&self, params: &mut [f32]) {
        self.state.ema.iter().for_each(|ema| ema.copy_to(&self.all_ranges, params));
    }
}
