//! The moving average that an update keeps. In: a decay, parameters; out: averaged parameters, where there
//! are some.

use super::ema::Ema;
use super::update::Update;

impl Update {
    pub(super) fn keep_ema(&mut self, decay: f64) {
        self.state.ema = Some(Ema::new(decay, self.map.params_len));
    }

    /// Copies the averaged parameters, where there are some, over the others.
    pub(super) fn copy_ema(&self, params: &mut [f32]) {
        self.state.ema.iter().for_each(|ema| ema.copy_to(&self.all_ranges, params));
    }
}
