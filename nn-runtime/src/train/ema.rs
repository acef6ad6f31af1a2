//! An exponential moving average of the parameters. In: the parameters after each step; out: their average,
//! begun by the first step.

use core::ops::Range;

use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::optimizer::update_ema;
use nn_kernels::simd::Isa;

/// A moving average of the parameters; the first step begins it.
#[derive(Clone)]
pub(super) struct Ema {
    pub(super) decay: f64,
    pub(super) params: AlignedBuffer,
    /// Whether the first step after it was asked for has been taken.
    pub(super) begun: bool,
}

/// What a step does with the average.
#[derive(Clone, Copy)]
pub(super) enum EmaStep {
    /// There is none.
    Nothing,
    Begin,
    Follow {
        decay: f64,
    },
}

impl Ema {
    pub(super) fn new(decay: f64, params_len: usize) -> Ema {
        Ema { decay, params: AlignedBuffer::zeroed(params_len), begun: false }
    }

    /// Copies the average of these ranges, where it has begun.
    pub(super) fn copy_to(&self, ranges: &[Range<usize>], params: &mut [f32]) {
        for range in ranges.iter().filter(|_| self.begun) {
            params[range.clone()].copy_from_slice(&self.params[range.clone()]);
        }
    }

    pub(super) fn next_step(ema: Option<&Ema>) -> EmaStep {
        match ema {
            None => EmaStep::Nothing,
            Some(Ema { begun: false, .. }) => EmaStep::Begin,
            Some(ema) => EmaStep::Follow { decay: ema.decay },
        }
    }
}

impl EmaStep {
    /// Changes the average of a chunk after its parameters.
    #[inline]
    pub(super) fn take(self, isa: Isa, params: &[f32], ema: &mut [f32]) {
        match self {
            EmaStep::Nothing => {}
            EmaStep::Begin => ema.copy_from_slice(params),
            EmaStep::Follow { decay } => update_ema(isa, 1.0 - decay, params, ema),
        }
    }
}
