//! Where the numbers of an image lie, and its copy with a border, which spares the loops every question about edges.
//! Comes in: images as the network has them; goes out: a copy with zeros around it, and tables of offsets into either.
//! Never a number of the border written after the first time: a copy is used for one sample after the other.

use crate::simd::{LANES, Simd};

use super::Conv;

/// Distances between neighbouring planes, rows and columns.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub plane: usize,
    pub row: usize,
    pub col: usize,
}

impl Spread {
    pub(super) const fn of(planes: usize, [height, width]: [usize; 2], planes_last: bool) -> Spread {
        match planes_last {
            true => Spread { plane: 1, row: width * planes, col: planes },
            false => Spread { plane: height * width, row: width, col: 1 },
        }
    }
}

/// A copy `[planes, height, phases, ⌈width / phases⌉]`: the columns of a row that are `phases` apart lie side by side, so that where a
/// kernel moves that far with each step, what neighbouring outputs need can be loaded as a vector.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
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

impl Sheet {
    const fn line(&self) -> usize {
        self.width.div_ceil(self.phases)
    }

    /// Numbers of memory, with room for a vector that starts at the last one.
    pub(super) const fn len(&self) -> usize {
        self.planes * self.height * self.line() * self.phases + LANES
    }

    pub(super) const fn spread(&self) -> Spread {
        if self.planes_last {
            return Spread::of(self.planes, [self.height, self.width], true);
        }
        let row = self.line() * self.phases;
        Spread { plane: self.height * row, row, col: 1 }
    }

    /// Where column `x` lies within its row.
    pub(super) const fn column(&self, x: usize) -> usize {
        x % self.phases * self.line() + x / self.phases
    }

    /// Copies planes of `size`, spread as `at` says, to inside the border.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(self, s: S, from: &[f32], at: Spread, size: [usize; 2], to: &mut [f32]) {
        let Spread { plane, row, col } = self.spread();
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

/// An offset as one of the floats of a scratch: only its bits mean something.
#[inline(always)]
pub(super) fn offset(bits: f32) -> usize {
    bits.to_bits() as usize
}

/// The reverse of [`offset`].
pub(super) fn entry(offset: usize) -> f32 {
    f32::from_bits(offset as u32)
}

impl Conv {
    /// Where a kernel at the origin finds the number for each row of the weights, within `sheet` or, without one, the image itself.
    pub(super) fn taps(&self, sheet: Option<Sheet>, table: &mut [f32]) {
        let at = sheet.map_or(self.x_spread(), |sheet| sheet.spread());
        let mut table = table.iter_mut();
        for c in 0..self.in_group() {
            for y in (0..self.kernel[0]).map(|k| k * self.dilation[0]) {
                for x in (0..self.kernel[1]).map(|k| k * self.dilation[1]) {
                    let column = sheet.map_or(x, |sheet| sheet.column(x)) * at.col;
                    if let Some(to) = table.next() {
                        *to = entry(c * at.plane + y * at.row + column);
                    }
                }
            }
        }
    }

    /// How far the kernel goes within `sheet`, or the image itself, from one output to the next below and to the right.
    pub(super) fn steps(&self, sheet: Option<Sheet>) -> [usize; 2] {
        let at = sheet.map_or(self.x_spread(), |sheet| sheet.spread());
        let phases = sheet.map_or(1, |sheet| sheet.phases);
        [self.stride[0] * at.row, self.stride[1] / phases * at.col]
    }
}
