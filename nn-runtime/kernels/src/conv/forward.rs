//! Forward: every filter over every image. Images and weights come in; images go out, plus a bias, not below
//! a floor. An image is copied only if it has a border or its columns must be brought together to be loaded
//! as vectors.

use super::direct::{DirectConv, DirectLayout, FilterRange};
use super::offsets::{OffsetTable, offsets_in};
use super::padded::{PaddedImage, Strides};
use super::{Conv, FilterBank};
use crate::simd::{Isa, Kernel, Simd};

/// `y[f, p] = max(Σ_(c, ky, kx) w[f, c, ky, kx] · x[c, p·stride − pad + k·dilation] + bias[f], floor)` for
/// each sample, where x is 0 beyond its edges.
///
/// The sum is one chain of `fma` in the order (c, ky, kx), border included, starting at 0; the bias comes
/// last. A NaN stays a NaN, whatever the floor. `scratch` is left with any numbers.
///
/// ```
/// use nn_kernels::{conv::{Conv, FilterBank, forward}, simd::Isa};
/// let c = Conv::new([1, 2, 3], 1, [1, 2]);
/// let (mut w, mut y, mut scratch) = ([0.0; 32], [0.0; 4], vec![0.0; c.scratch()]);
/// c.panels().pack(&[-1.0, 1.0], &mut w);
/// let filters = FilterBank { w: &w, bias: Some(&[0.5]), floor: 0.0 };
/// forward(Isa::detect(), c, &[1.0, 2.0, 4.0, 0.0, 5.0, 3.0], filters, &mut y, &mut scratch);
/// assert_eq!(y, [1.5, 2.5, 5.5, 0.0]);
/// ```
///
/// # Panics
/// `x.len() != b * c.x_len() || y.len() != b * c.y_len()` for every `b`; `filters.w.len() !=
/// c.panels().len()`; `filters.bias` has not `c.filters` numbers; `scratch.len() < c.scratch()`.
pub fn forward(isa: Isa, c: Conv, x: &[f32], filters: FilterBank, y: &mut [f32], scratch: &mut [f32]) {
    c.batch(x, y);
    c.check_scratch(scratch);
    filters.check(&c, c.filters);
    isa.run(ConvForward { c: c.capped(), x, filters, y, scratch });
}

struct ConvForward<'a> {
    c: Conv,
    x: &'a [f32],
    filters: FilterBank<'a>,
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for ConvForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (c, to) = (self.c, self.c.y_strides());
        let mut prepared = PreparedForward::new(c, self.filters, c.filter_lanes(c.channels_last), self.scratch);
        for group in 0..c.groups {
            for (x, y) in self.x.chunks_exact(c.x_len()).zip(self.y.chunks_exact_mut(c.y_len())) {
                prepared.sample(s, group, x, &mut y[group * c.out_group() * to.plane..], to);
            }
        }
    }
}

impl Conv {
    /// Whether lanes should be filters (see the table in `conv.rs`): full vectors count, and results on their
    /// side. `filters_last` says whether filters lie side by side in the result.
    pub(super) fn filter_lanes(&self, filters_last: bool) -> bool {
        if cfg!(feature = "small") || !self.whole_panels() {
            return false;
        }
        let (depth, filters, width) = (self.rows(), self.out_group(), self.output()[1]);
        let [store_filters, store_positions] = if filters_last { [2, 16] } else { [16, 4] };
        DirectConv::cost(depth, filters, store_filters) * width
            < DirectConv::cost(depth, width, store_positions) * filters
    }
}

/// What is made ready once for all samples: the table of offsets, and a copy whose border is 0.
pub(super) struct PreparedForward<'a> {
    c: Conv,
    filters: FilterBank<'a>,
    filter_lanes: bool,
    padded: Option<PaddedImage>,
    taps: OffsetTable<'a>,
    copy: &'a mut [f32],
}

impl<'a> PreparedForward<'a> {
    pub(super) fn new(
        c: Conv,
        filters: FilterBank<'a>,
        filter_lanes: bool,
        scratch: &'a mut [f32],
    ) -> PreparedForward<'a> {
        let padded = match filter_lanes {
            true if c.pad == [0; 4] => None,
            _ => Some(c.padded_input(filter_lanes)),
        };
        let (taps, copy) = scratch.split_at_mut(c.rows());
        let taps = offsets_in(taps);
        c.tap_offsets(padded, taps);
        if let Some(padded) = padded {
            copy[..padded.len()].fill(0.0);
        }
        PreparedForward { c, filters, filter_lanes, padded, taps: OffsetTable::new(taps), copy }
    }

    /// The outputs of a group of filters over the image `x`, from the beginning of `y` on, laid out as `to`
    /// says.
    #[inline(always)]
    pub(super) fn sample<S: Simd>(&mut self, s: S, group: usize, x: &[f32], y: &mut [f32], to: Strides) {
        let (c, from) = (self.c, self.c.x_strides());
        let (filters, size) = (c.out_group(), c.output());
        let mut x = &x[group * c.in_group() * from.plane..];
        if let Some(padded) = self.padded {
            padded.fill(s, x, from, [c.height, c.width], self.copy);
            x = &*self.copy;
        }
        let layout = DirectLayout {
            filter_lanes: self.filter_lanes,
            taps: self.taps,
            positions: size,
            steps: c.position_strides(self.padded),
            panels: c.panels(),
            filters: self.filters,
            range: FilterRange { start: group * filters, end: (group + 1) * filters },
            y_strides: to,
        };
        DirectConv::new(x, y, layout).run(s);
    }
}
