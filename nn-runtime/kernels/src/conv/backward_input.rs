//! Backward to the inputs, which is also the forward pass of a transposed convolution. Gradients of the
//! outputs and weights come in; gradients of the inputs go out, overwritten. Each is one chain of `fma`;
//! which of two orders it has depends on the convolution alone.

use super::direct::{DirectConv, DirectLayout, FilterRange};
use super::offsets::{OffsetTable, offsets_in};
use super::padded::{PaddedImage, Strides};
use super::scatter::{Destination, ScatterTap, scatter};
use super::{Conv, FilterBank};
use crate::matrix::Panels;
use crate::simd::{Isa, Kernel, LANES, Simd};
use crate::sizes::{product, round_up};

/// `dx[c, i] = Σ_(f, ky, kx) w[f, c, ky, kx] · dy[f, p]` over the outputs p that see input i through weight
/// k, for each sample.
///
/// The sum is one chain of `fma`, starting at 0: where channels fill vectors in the order (ky, kx, f) of the
/// weights that meet an output, else in the order (f, ky, kx), border included. `dx` is overwritten,
/// `scratch` left with any numbers.
///
/// # Panics
/// `dx.len() != b * c.x_len() || dy.len() != b * c.y_len()` for every `b`; `w.len() != c.panels().len()`;
/// `scratch.len() < c.scratch()`.
pub fn backward_input(isa: Isa, c: Conv, dy: &[f32], w: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    c.batch(dx, dy);
    (c.backward().input)(isa, c, dy, w, dx, scratch);
}

/// See [`Conv::backward`].
pub(super) fn backward_input_by<const SCATTER: bool>(
    isa: Isa,
    c: Conv,
    dy: &[f32],
    w: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    transposed_by::<SCATTER>(isa, c, dy, FilterBank::new(w), dx, scratch);
}

/// A transposed convolution: `y = max(backward_input(x) + bias, floor)`, where `c` is the convolution that
/// leads back.
///
/// So `x` is `[c.filters, …]` of `c.output()`, and `y` is `[c.channels, c.height, c.width]`; the weights are
/// those of `c`, in standard layout `[inputs, outputs / groups, kernel rows, kernel columns]`. Its own
/// backward passes are [`forward`](super::forward), and [`backward_weight`](super::backward_weight) with the
/// two images exchanged.
///
/// ```
/// use nn_kernels::{conv::{Conv, FilterBank, transposed}, simd::Isa};
/// let c = Conv { stride: [1, 2], ..Conv::new([1, 1, 4], 1, [1, 2]) };
/// let (mut w, mut y, mut scratch) = ([0.0; 32], [0.0; 4], vec![0.0; c.scratch()]);
/// c.panels().pack(&[1.0, 10.0], &mut w);
/// let filters = FilterBank { bias: Some(&[0.5]), ..FilterBank::new(&w) };
/// transposed(Isa::detect(), c, &[3.0, 4.0], filters, &mut y, &mut scratch);
/// assert_eq!(y, [3.5, 30.5, 4.5, 40.5]);
/// ```
///
/// # Panics
/// `y.len() != b * c.x_len() || x.len() != b * c.y_len()` for every `b`; `filters.w.len() !=
/// c.panels().len()`; `filters.bias` has not `c.channels` numbers; `scratch.len() < c.scratch()`.
pub fn transposed(isa: Isa, c: Conv, x: &[f32], filters: FilterBank, y: &mut [f32], scratch: &mut [f32]) {
    c.batch(y, x);
    match c.scatters() {
        true => transposed_by::<true>(isa, c, x, filters, y, scratch),
        false => transposed_by::<false>(isa, c, x, filters, y, scratch),
    }
}

fn transposed_by<const SCATTER: bool>(
    isa: Isa,
    c: Conv,
    x: &[f32],
    filters: FilterBank,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    c.batch(y, x);
    c.check_scratch(scratch);
    filters.check(&c, c.channels);
    isa.run(TransposedConv::<SCATTER> { c: c.capped(), x, filters, y, scratch });
}

struct TransposedConv<'a, const SCATTER: bool> {
    c: Conv,
    x: &'a [f32],
    filters: FilterBank<'a>,
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<const SCATTER: bool> Kernel for TransposedConv<'_, SCATTER> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if SCATTER { self.scatter(s) } else { self.gather(s) }
    }
}

impl Conv {
    /// Whether channels make the better lanes in gradients of inputs (see the table in `conv.rs`): full
    /// vectors count, and that sums are fetched for every tap of the kernel.
    pub(super) const fn scatters(&self) -> bool {
        let c = self.capped();
        let (channels, filters, width) = (c.in_group(), c.out_group(), c.width.div_ceil(c.stride[1]));
        let by_channels = product([4, round_up(channels, LANES), filters + 4, width]);
        let by_positions = product([5, round_up(width, LANES), channels, filters]);
        by_channels < by_positions
    }
}

impl<const SCATTER: bool> TransposedConv<'_, SCATTER> {
    /// Every tap of the kernel in turn sends all gradients of outputs on to the inputs it met: lanes are
    /// channels.
    #[inline(always)]
    fn scatter<S: Simd>(self, s: S) {
        let c = self.c;
        let (filters, channels, size) = (c.out_group(), c.in_group(), c.kernel[0] * c.kernel[1]);
        let transposed = Panels::new(size * filters, channels);
        let (table, scratch) = self.scratch.split_at_mut(filters);
        let (weights, sums) = scratch.split_at_mut(transposed.len());
        let (from, to) = (c.y_strides(), c.x_strides());
        let table = offsets_in(table);
        table.iter_mut().enumerate().for_each(|(filter, at)| *at = (filter * from.plane) as u32);
        let table = OffsetTable::new(table);
        for group in 0..c.groups {
            for filter in 0..filters {
                let first = |k: usize| c.panels().index(k, group * filters + filter);
                for k in 0..size {
                    for channel in 0..channels {
                        weights[transposed.index(k * filters + filter, channel)] =
                            self.filters.w[first(channel * size + k)];
                    }
                }
            }
            for (x, y) in self.x.chunks_exact(c.y_len()).zip(self.y.chunks_exact_mut(c.x_len())) {
                let (x, y) = (&x[group * filters * from.plane..], &mut y[group * channels * to.plane..]);
                for panel in 0..transposed.count() {
                    let width = transposed.width(panel);
                    let sums = &mut sums[..c.height * c.width * width];
                    sums.fill(0.0);
                    for k in 0..size {
                        let w = &weights[transposed.offset(panel) + k * filters * width..][..filters * width];
                        let tap = ScatterTap { c, k: [k / c.kernel[1], k % c.kernel[1]], filters: table, w, width };
                        scatter(s, tap, x, sums);
                    }
                    let first = panel * Panels::WIDTH;
                    let bias = self.filters.bias.map(|bias| &bias[group * channels + first..(group + 1) * channels]);
                    let to = Destination { channels: channels - first, bias, floor: self.filters.floor, strides: to };
                    to.store(s, sums, width, &mut y[first * to.strides.plane..]);
                }
            }
        }
    }

    /// Inputs a stride apart meet the same weights: each such class gathers in a convolution of its own, and
    /// lanes are inputs.
    #[inline(always)]
    fn gather<S: Simd>(self, s: S) {
        let c = self.c;
        let padded = c.padded_gradient();
        let taps = c.out_group() * c.kernel[0] * c.kernel[1];
        let (table, scratch) = self.scratch.split_at_mut(taps);
        let table = offsets_in(table);
        let (weights, copy) = scratch.split_at_mut(Panels::new(taps, c.in_group()).len());
        let copy = &mut copy[..padded.len()];
        copy.fill(0.0);
        let (from, to) = (c.y_strides(), c.x_strides());
        for group in 0..c.groups {
            let mut done = 0;
            for class in residue_classes(c) {
                let weights = &mut weights[done * class.row_len(c)..];
                class.transpose_weights(c, padded, group, self.filters.w, &mut table[done..], weights);
                done += class.taps(c);
            }
            let bias = self.filters.bias.map(|bias| &bias[group * c.in_group()..(group + 1) * c.in_group()]);
            for (x, y) in self.x.chunks_exact(c.y_len()).zip(self.y.chunks_exact_mut(c.x_len())) {
                padded.fill(s, &x[group * c.out_group() * from.plane..], from, c.output(), copy);
                let y = &mut y[group * c.in_group() * to.plane..];
                let mut done = 0;
                for class in residue_classes(c) {
                    let [row, col] = class.first;
                    let taps = class.taps(c);
                    let layout = DirectLayout {
                        filter_lanes: false,
                        // The border is as wide as the taps of any input reach.
                        taps: OffsetTable::new(&table[done..done + taps]),
                        positions: [(c.height - row).div_ceil(c.stride[0]), (c.width - col).div_ceil(c.stride[1])],
                        steps: [padded.strides().row, 1],
                        panels: class.panels(c),
                        filters: FilterBank { w: &weights[done * class.row_len(c)..], bias, floor: self.filters.floor },
                        range: FilterRange { start: 0, end: c.in_group() },
                        y_strides: Strides { plane: to.plane, row: c.stride[0] * to.row, col: c.stride[1] * to.col },
                    };
                    done += taps;
                    DirectConv::new(copy, &mut y[row * to.row + col * to.col..], layout).run(s);
                }
            }
        }
    }
}

/// The inputs `first + stride·n`, whose row and column leave the same residues of the strides.
#[derive(Clone, Copy)]
struct ResidueClass {
    first: [usize; 2],
}

fn residue_classes(c: Conv) -> impl Iterator<Item = ResidueClass> {
    let columns = c.stride[1].min(c.width);
    (0..c.stride[0].min(c.height)).flat_map(move |row| (0..columns).map(move |col| ResidueClass { first: [row, col] }))
}

impl ResidueClass {
    /// The taps of the kernel along `axis` that can meet these inputs, and from the first input to the first
    /// output each meets, counted from `before` outputs before the first.
    fn along(self, c: Conv, axis: usize, before: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        let (stride, at) = (c.stride[axis], self.first[axis] + c.pad[2 * axis] + before * c.stride[axis]);
        // With the border no difference is negative, but of taps that meet nothing.
        (0..c.kernel[axis])
            .filter_map(move |k| Some((k, at.checked_sub(k * c.dilation[axis])?)))
            .filter(move |(_, distance)| distance.is_multiple_of(stride))
            .map(move |(k, distance)| (k, distance / stride))
    }

    fn taps(self, c: Conv) -> usize {
        let padded = c.padded_gradient();
        c.out_group() * self.along(c, 0, padded.top).count() * self.along(c, 1, padded.left).count()
    }

    /// The transposed weights; where no weight meets these inputs, none of the one row is read.
    fn panels(self, c: Conv) -> Panels {
        Panels::new(self.taps(c).max(1), c.in_group())
    }

    /// Numbers of storage of a row of transposed weights.
    fn row_len(self, c: Conv) -> usize {
        Panels::new(1, c.in_group()).len()
    }

    /// Writes the offsets of the taps of `group`, and its weights with the channels as columns.
    fn transpose_weights(
        self,
        c: Conv,
        padded: PaddedImage,
        group: usize,
        w: &[f32],
        table: &mut [u32],
        weights: &mut [f32],
    ) {
        let (from, to, at) = (c.panels(), self.panels(c), padded.strides());
        let size = c.kernel[0] * c.kernel[1];
        let mut tap = 0;
        for filter in 0..c.out_group() {
            for (ky, y) in self.along(c, 0, padded.top) {
                for (kx, x) in self.along(c, 1, padded.left) {
                    table[tap] = (filter * at.plane + y * at.row + x) as u32;
                    let first = from.index(ky * c.kernel[1] + kx, group * c.out_group() + filter);
                    let step = size * from.width((group * c.out_group() + filter) / Panels::WIDTH);
                    for channel in 0..c.in_group() {
                        weights[to.index(tap, channel)] = w[first + channel * step];
                    }
                    tap += 1;
                }
            }
        }
    }
}
