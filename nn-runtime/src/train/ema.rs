//! An average of the parameters: a moving one of steps, or that of epochs, each of which counts alike. In:
//! the parameters after each step, or each epoch; out: their average, begun by the first.

#[cfg(feature = "std")]
use alloc::string::String;
use core::ops::Range;

use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::optimizer::update_ema;
use nn_kernels::simd::Isa;

/// What is averaged, and how.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Averaged {
    /// Steps; the old average counts so much.
    Steps(f64),
    /// Epochs that come after so many.
    Epochs(u64),
}

impl Averaged {
    /// What a checkpoint tells one from another by.
    #[cfg(feature = "std")]
    pub(super) fn settings(self) -> String {
        match self {
            Averaged::Steps(decay) => alloc::format!("{decay:?}"),
            Averaged::Epochs(before) => alloc::format!("epochs after {before}"),
        }
    }
}

/// An average of the parameters; the first step or epoch begins it.
#[derive(Clone)]
pub(super) struct Ema {
    pub(super) of: Averaged,
    /// Epochs since it was asked for.
    pub(super) epochs: u64,
    pub(super) params: AlignedBuffer,
    /// Whether the first that counts has been.
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
    pub(super) fn new(of: Averaged, params_len: usize) -> Ema {
        Ema { of, epochs: 0, params: AlignedBuffer::zeroed(params_len), begun: false }
    }

    /// An epoch has passed.
    pub(super) fn epoch(&mut self, isa: Isa, params: &[f32]) {
        self.epochs += 1;
        if let Averaged::Epochs(before) = self.of
            && self.epochs > before
        {
            self.include(isa, params, self.epochs - before);
        }
    }

    /// Makes these parameters the last of so many that count alike.
    fn include(&mut self, isa: Isa, params: &[f32], count: u64) {
        match count {
            1 => self.params.copy_from_slice(params),
            _ => update_ema(isa, 1.0 / count as f64, params, &mut self.params),
        }
        self.begun = true;
    }

    /// Copies the average of these ranges, where it has begun.
    pub(super) fn copy_to(&self, ranges: &[Range<usize>], params: &mut [f32]) {
        for range in ranges.iter().filter(|_| self.begun) {
            params[range.clone()].copy_from_slice(&self.params[range.clone()]);
        }
    }

    pub(super) fn next_step(ema: Option<&Ema>) -> EmaStep {
        match ema {
            None | Some(Ema { of: Averaged::Epochs(_), .. }) => EmaStep::Nothing,
            Some(Ema { begun: false, .. }) => EmaStep::Begin,
            Some(Ema { of: Averaged::Steps(decay), .. }) => EmaStep::Follow { decay: *decay },
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
