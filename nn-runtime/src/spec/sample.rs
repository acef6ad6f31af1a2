//! What a layer makes of a single sample when it predicts, where that needs no context and no memory: what a
//! chain of such layers is run by, without a pass. A layer that says nothing of it is run by a pass.

use super::{Fusible, LayerSpec, Layout};
use nn_kernels::elementwise::Map;
use nn_kernels::matrix::Panels;
use nn_kernels::simd::{Isa, Simd};

/// The most settings of a function that is run in place.
pub(crate) const MAX_SETTINGS: usize = 4;

/// What a layer makes of a single sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SampleOp {
    /// The sample times the first parameter, a matrix that lies so, plus the second, if there is one.
    Product(Panels),
    /// `max(x, floor)`
    Floor(f32),
    /// Another function, in place.
    InPlace(InPlace),
    /// The same numbers.
    Same,
}

/// A function of all numbers of a sample, in place, and its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InPlace {
    run: fn(Isa, &[f32; MAX_SETTINGS], &mut [f32]),
    settings: [f32; MAX_SETTINGS],
}

/// max(x, floor); NaN stays.
struct SampleFloor(f32);

impl Map for SampleFloor {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        s.max(s.splat(self.0), x)
    }
}

impl InPlace {
    /// `max(x, floor)`, where no product does it.
    pub(crate) const fn floor(floor: f32) -> InPlace {
        InPlace {
            run: |isa, settings, y| isa.map_in_place(&SampleFloor(settings[0]), y),
            settings: [floor, 0.0, 0.0, 0.0],
        }
    }

    #[inline]
    pub(crate) fn apply(&self, isa: Isa, y: &mut [f32]) {
        (self.run)(isa, &self.settings, y);
    }
}

impl LayerSpec {
    /// Of one sample, it is its first parameter, a matrix, times the sample.
    pub(crate) const fn product_of_one(mut self) -> LayerSpec {
        if let Layout::Panels(panels) = self.params.list()[0].layout {
            self.sample = Some(SampleOp::Product(panels));
        }
        self
    }

    /// When it predicts, nothing changes.
    pub(crate) const fn same_when_predicting(mut self) -> LayerSpec {
        self.sample = Some(SampleOp::Same);
        self
    }

    /// Of one sample it is what `run` makes of it with these settings, four at most.
    #[doc(hidden)]
    pub const fn in_place<const K: usize>(
        mut self,
        run: fn(Isa, &[f32; MAX_SETTINGS], &mut [f32]),
        settings: [f32; K],
    ) -> LayerSpec {
        let mut all = [0.0; MAX_SETTINGS];
        let mut k = 0;
        while k < K {
            all[k] = settings[k];
            k += 1;
        }
        self.sample = Some(SampleOp::InPlace(InPlace { run, settings: all }));
        self
    }

    /// What it makes of one sample.
    pub(crate) const fn sample_op(&self) -> Option<SampleOp> {
        match self.fusion.is {
            Some(Fusible::Floor(floor)) => Some(SampleOp::Floor(floor)),
            _ => self.sample,
        }
    }
}
