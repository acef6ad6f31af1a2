//! Forward: every filter over every image.
//! Comes in: images and weights; goes out: images, plus a bias, cut off at a floor.
//! Never a copy of an image that has no border and whose columns need not be loaded as vectors.

use super::Conv;
use super::sheet::{Sheet, Spread};
use super::window::{Range32, Window};
use crate::simd::{Isa, Kernel, Simd};

/// `y[f, p] = max(Σ_(c, ky, kx) w[f, c, ky, kx] · x[c, p·stride − pad + k·dilation] + bias[f], floor)` for each sample, where x is 0
/// beyond its edges.
///
/// The sum is one chain of `fma` in the order (c, ky, kx), border included, starting at 0; the bias comes last. A NaN stays a NaN,
/// whatever the floor; `floor = f32::NEG_INFINITY` cuts off nothing. `scratch` is left with any numbers.
///
/// ```
/// use nn_kernels::{conv::{Conv, forward}, simd::Isa};
/// let c = Conv::new([1, 2, 3], 1, [1, 2]);
/// let (mut w, mut y, mut scratch) = ([0.0; 32], [0.0; 4], vec![0.0; c.scratch()]);
/// c.panels().pack(&[-1.0, 1.0], &mut w);
/// forward(Isa::detect(), c, &[1.0, 2.0, 4.0, 0.0, 5.0, 3.0], &w, Some(&[0.5]), 0.0, &mut y, &mut scratch);
/// assert_eq!(y, [1.5, 2.5, 5.5, 0.0]);
/// ```
///
/// # Panics
/// `x.len() != b * c.x_len() || y.len() != b * c.y_len()` for every `b`; `w.len() != c.panels().len()`;
/// `bias.len() != c.filters`; `scratch.len() < c.scratch()`.
#[allow(clippy::too_many_arguments, reason = "each is one of the things a convolution is made of")]
pub fn forward(
    isa: Isa,
    c: Conv,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    floor: f32,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    c.batch(x, y);
    c.check(w, scratch);
    c.check_bias(bias);
    isa.run(Forward { c, x, w, bias, floor, y, scratch });
}

struct Forward<'a> {
    c: Conv,
    x: &'a [f32],
    w: &'a [f32],
    bias: Option<&'a [f32]>,
    floor: f32,
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (c, to) = (self.c, self.c.y_spread());
        let by_columns = c.by_columns([c.channels_last; 2]);
        let mut sums = Sums::begin(c, self.w, self.bias, self.floor, by_columns, self.scratch);
        for group in 0..c.groups {
            for (x, y) in self.x.chunks_exact(c.x_len()).zip(self.y.chunks_exact_mut(c.y_len())) {
                sums.sample(s, group, x, &mut y[group * c.out_group() * to.plane..], to);
            }
        }
    }
}

impl Conv {
    pub(super) fn check_bias(&self, bias: Option<&[f32]>) {
        if let Some(bias) = bias {
            assert!(bias.len() == self.filters, "expected a bias of {} numbers, found {}", self.filters, bias.len());
        }
    }

    /// Whether lanes should be filters; `last` says whether filters lie side by side in what comes out then, and else.
    pub(super) fn by_columns(&self, last: [bool; 2]) -> bool {
        self.whole_panels() && Window::prefers_columns(self.rows(), self.out_group(), self.output()[1], last)
    }
}

/// The sums of all filters, sample after sample.
pub(super) struct Sums<'a> {
    c: Conv,
    w: &'a [f32],
    bias: Option<&'a [f32]>,
    floor: f32,
    by_columns: bool,
    sheet: Option<Sheet>,
    taps: &'a [f32],
    copy: &'a mut [f32],
}

impl<'a> Sums<'a> {
    pub(super) fn begin(
        c: Conv,
        w: &'a [f32],
        bias: Option<&'a [f32]>,
        floor: f32,
        by_columns: bool,
        scratch: &'a mut [f32],
    ) -> Sums<'a> {
        let sheet = match by_columns {
            true if c.pad == [0; 4] => None,
            _ => Some(c.sheet(by_columns)),
        };
        let (taps, copy) = scratch.split_at_mut(c.rows());
        c.taps(sheet, taps);
        if let Some(sheet) = sheet {
            copy[..sheet.len()].fill(0.0);
        }
        Sums { c, w, bias, floor, by_columns, sheet, taps, copy }
    }

    /// Those of a group of filters over the image `x`; the first goes to the beginning of `y`, the others as `to` says.
    #[inline(always)]
    pub(super) fn sample<S: Simd>(&mut self, s: S, group: usize, x: &[f32], y: &mut [f32], to: Spread) {
        let (c, from) = (self.c, self.c.x_spread());
        let (filters, [height, width]) = (c.out_group(), c.output());
        let last = (filters - 1) * to.plane + (height - 1) * to.row + (width - 1) * to.col;
        assert!(x.len() == c.x_len() && y.len() > last, "expected one image, and room for what comes out");
        let mut x = &x[group * c.in_group() * from.plane..];
        if let Some(sheet) = self.sheet {
            sheet.fill(s, x, from, [c.height, c.width], self.copy);
            x = &*self.copy;
        }
        let window = Window {
            x: x.as_ptr(),
            taps: self.taps,
            grid: [height, width],
            steps: c.steps(self.sheet),
            w: self.w,
            panels: c.panels(),
            columns: Range32 { start: group * filters, end: (group + 1) * filters },
            bias: self.bias,
            floor: self.floor,
            y: y.as_mut_ptr(),
            spread: to,
        };
        // SAFETY: the callers have checked the lengths of weights and bias, and the room for the last sum is checked above. The taps of
        // the last place end with the image, or with its copy, which has a vector more; there columns `stride` apart lie side by side. A
        // group of whole panels starts and ends with them.
        unsafe {
            if self.by_columns {
                window.by_columns(s);
            } else {
                window.by_places(s);
            }
        }
    }
}
