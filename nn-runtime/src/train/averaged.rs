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
        let Some(ema) = self.state.ema.as_ref().filter(|ema| ema.begun) else { return };
        for range in &self.all_ranges {
            params[range.clone()].copy_from_slice(&ema.params[range.clone()]);
        }
    }
}
