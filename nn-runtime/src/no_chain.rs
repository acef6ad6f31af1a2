//! Stands for `chain` where nothing allocates: every prediction is a pass then, with the same bits.

use nn_kernels::simd::Isa;

/// No network is found to be a chain.
pub(crate) enum NoChain {}

impl NoChain {
    /// Never called.
    pub(crate) fn run(&self, _: Isa, _: &[f32], _: &[f32], _: &mut [f32], _: &mut [f32]) {
        match *self {}
    }
}
