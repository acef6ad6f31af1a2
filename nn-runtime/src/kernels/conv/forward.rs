//! Forward: every filter over every image.
//! Comes in: images and weights; goes out: images, plus a bias, cut off at a floor.
//! Never a copy of an image that has no border and whose columns need not be loaded as vectors.

use super::Conv;
use super::window::{Range32, Window};
use crate::kernels::simd::{Isa, Kernel, Simd};

/// `y[f, p] = max(Σ_(c, ky, kx) w[f, c, ky, kx] · x[c, p·stride − pad + k·dilation] + bias[f], floor)` for each sample, where x is 0
/// beyond its edges.
///
/// The sum is one chain of `fma` in the order (c, ky, kx), border included, starting at 0; the bias comes last. A NaN stays a NaN,
/// whatever the floor; `floor = f32::NEG_INFINITY` cuts off nothing. `scratch` is left with any numbers.
///
/// ```
/// use nn_runtime::kernels::{conv::{Conv, forward}, simd::Isa};
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
    if let Some(bias) = bias {
        assert!(bias.len() == c.filters, "expected a bias of {} numbers, found {}", c.filters, bias.len());
    }
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
        let c = self.c;
        let (grid, filters) = (c.output(), c.out_group());
        let by_columns = c.whole_panels() && Window::prefers_columns(c.rows(), filters, grid[1], c.channels_last);
        let sheet = match by_columns {
            true if c.pad == [0; 4] => None,
            _ => Some(c.sheet(by_columns)),
        };
        let (taps, copy) = self.scratch.split_at_mut(c.rows());
        c.taps(sheet, taps);
        if let Some(sheet) = sheet {
            copy[..sheet.len()].fill(0.0);
        }
        let (from, to) = (c.x_spread(), c.y_spread());
        for group in 0..c.groups {
            for (x, y) in self.x.chunks_exact(c.x_len()).zip(self.y.chunks_exact_mut(c.y_len())) {
                let mut x = &x[group * c.in_group() * from.plane..];
                if let Some(sheet) = sheet {
                    sheet.fill(s, x, from, [c.height, c.width], copy);
                    x = &*copy;
                }
                let window = Window {
                    x: x.as_ptr(),
                    taps,
                    grid,
                    steps: c.steps(sheet),
                    w: self.w,
                    panels: c.panels(),
                    columns: Range32 { start: group * filters, end: (group + 1) * filters },
                    bias: self.bias,
                    floor: self.floor,
                    y: y[group * filters * to.plane..].as_mut_ptr(),
                    spread: to,
                };
                // SAFETY: `forward` has checked the lengths. The taps of the last place end with the image, or with its copy, which
                // has a vector more; there columns `stride` apart lie side by side. A group of whole panels starts and ends with them.
                unsafe {
                    if by_columns {
                        window.by_columns(s);
                    } else {
                        window.by_places(s);
                    }
                }
            }
        }
    }
}
