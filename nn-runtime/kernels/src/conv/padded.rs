//! Where the numbers of an image lie, and its copy with a border of zeros, which spares the loops every
//! question about edges. Images come in as the network has them; out go copies, and tables of offsets into
//! either. The border of a copy is never written, so that one copy serves one sample after the other.

use super::Conv;
use crate::simd::{LANES, Simd};
use crate::sizes::{product, sum};

/// Distances in memory between neighbouring planes (channels), rows and columns of an image.
#[derive(Clone, Copy)]
pub(super) struct Strides {
    pub plane: usize,
    pub row: usize,
    pub col: usize,
}

impl Strides {
    /// Of `[planes, height, width]`, or `[height, width, planes]`.
    pub(super) const fn of(planes: usize, [height, width]: [usize; 2], planes_last: bool) -> Strides {
        match planes_last {
            true => Strides { plane: 1, row: product([width, planes]), col: planes },
            false => Strides { plane: product([height, width]), row: width, col: 1 },
        }
    }

    /// The offset of the last of the numbers of such an image.
    pub(super) const fn last(&self, planes: usize, [height, width]: [usize; 2]) -> usize {
        (planes - 1) * self.plane + (height - 1) * self.row + (width - 1) * self.col
    }
}

/// A copy `[planes, height, phases, ⌈width / phases⌉]`: the columns of a row that are `phases` apart lie side
/// by side, so that where a kernel moves that far with each step, what neighbouring outputs see can be loaded
/// as a vector.
#[derive(Clone, Copy)]
pub(super) struct PaddedImage {
    pub planes: usize,
    /// With the border.
    pub height: usize,
    /// With the border.
    pub width: usize,
    pub phases: usize,
    /// Whether planes vary fastest instead, as they may with one phase.
    pub planes_last: bool,
    /// Rows of border above.
    pub top: usize,
    /// Columns of border on the left.
    pub left: usize,
}

impl PaddedImage {
    /// Columns of one phase.
    const fn phase_width(&self) -> usize {
        self.width.div_ceil(self.phases)
    }

    /// Numbers of memory: the image, and a vector more, so that one can be loaded at the last number.
    pub(super) const fn len(&self) -> usize {
        sum([product([self.planes, self.height, self.phase_width(), self.phases]), LANES])
    }

    pub(super) const fn strides(&self) -> Strides {
        if self.planes_last {
            return Strides::of(self.planes, [self.height, self.width], true);
        }
        let row = self.phase_width() * self.phases;
        Strides { plane: self.height * row, row, col: 1 }
    }

    /// Where column `x` lies within its row.
    pub(super) const fn column(&self, x: usize) -> usize {
        x % self.phases * self.phase_width() + x / self.phases
    }

    /// Copies planes of `size`, which lie as `at` says, to inside the border.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(self, s: S, from: &[f32], at: Strides, size: [usize; 2], to: &mut [f32]) {
        let Strides { plane, row, col } = self.strides();
        if self.planes_last {
            for (y, x) in (0..size[0]).flat_map(|y| (0..size[1]).map(move |x| (y, x))) {
                let from = &from[y * at.row + x * at.col..][..self.planes];
                let to = &mut to[(self.top + y) * row + (self.left + x) * col..][..self.planes];
                for (from, to) in from.chunks(LANES).zip(to.chunks_mut(LANES)) {
                    s.store_part(s.load_part(from), to);
                }
            }
            return;
        }
        for p in 0..self.planes {
            for y in 0..size[0] {
                let from = &from[p * at.plane + y * at.row..];
                let to = &mut to[p * plane + (self.top + y) * row..][..row];
                if at.col == 1 && self.phases == 1 {
                    let (from, to) = (&from[..size[1]], &mut to[self.left..self.left + size[1]]);
                    for (from, to) in from.chunks(LANES).zip(to.chunks_mut(LANES)) {
                        s.store_part(s.load_part(from), to);
                    }
                } else {
                    for x in 0..size[1] {
                        to[self.column(self.left + x)] = from[x * at.col];
                    }
                }
            }
        }
    }
}

impl Conv {
    /// For each row of the weights, where a kernel at the origin finds its number within `padded` or, without
    /// one, the image itself.
    pub(super) fn tap_offsets(&self, padded: Option<PaddedImage>, table: &mut [u32]) {
        let at = padded.map_or(self.x_strides(), |padded| padded.strides());
        let mut table = table.iter_mut();
        for c in 0..self.in_group() {
            for y in (0..self.kernel[0]).map(|k| k * self.dilation[0]) {
                for x in (0..self.kernel[1]).map(|k| k * self.dilation[1]) {
                    let column = padded.map_or(x, |padded| padded.column(x)) * at.col;
                    if let Some(to) = table.next() {
                        *to = (c * at.plane + y * at.row + column) as u32;
                    }
                }
            }
        }
    }

    /// How far the kernel moves within `padded`, or the image itself, from one output to the next below and
    /// to the right.
    pub(super) fn position_strides(&self, padded: Option<PaddedImage>) -> [usize; 2] {
        let at = padded.map_or(self.x_strides(), |padded| padded.strides());
        let phases = padded.map_or(1, |padded| padded.phases);
        [product([self.stride[0], at.row]), product([self.stride[1] / phases, at.col])]
    }

    /// From the first position of the kernel to each.
    pub(super) fn position_offsets(&self, padded: Option<PaddedImage>, table: &mut [u32]) {
        let ([height, width], steps) = (self.output(), self.position_strides(padded));
        let positions = (0..height).flat_map(|y| (0..width).map(move |x| y * steps[0] + x * steps[1]));
        table.iter_mut().zip(positions).for_each(|(to, at)| *to = at as u32);
    }
}
