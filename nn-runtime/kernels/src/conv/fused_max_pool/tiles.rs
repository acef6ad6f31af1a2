//! The tiles in which sums or weights stay in registers: some rows of a filter, and some vectors of each. A
//! job comes in with the shapes of its tiles, and how many rows and vectors there are; each is in one tile.

// `micro::for_each_tile` is another driver on purpose. There a tile is as tall as may be, for chains that all
// start in the tile. Here all filters go through each tile, so a tile is of one filter's rows, mostly three
// or five, and as wide as the registers allow; which heights occur is known, and every shape more is code for
// every job. The `tiles!` macro of `forward_window_lanes` and the shapes of `forward_filter_lanes` count
// filters and windows instead, of which the last are left over differently. One driver for all would compile
// shapes that are never taken, or change the loops.

use core::ops::Range;

use crate::simd::{Kernel, Simd};

/// What is done tile by tile.
pub(super) trait FilterRowTiles: Copy {
    /// Rows and vectors of the tiles: each is code of its own, so there are no more than needed. There is one
    /// row for one vector, and for two if they are taken together at all; more vectors are taken together
    /// only where one shape does for all rows.
    const SHAPES: &'static [(usize, usize)];

    /// # Safety
    /// The job has `R` rows from `row` on, and of these `V` vectors from `vector` on.
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize);
}

/// Whether the job has this shape and the registers hold it.
const fn takes<S: Simd, J: FilterRowTiles>(rows: usize, vectors: usize) -> bool {
    let mut i = 0;
    while i < J::SHAPES.len() {
        if J::SHAPES[i].0 == rows && J::SHAPES[i].1 == vectors {
            return S::REGISTERS >= 32 || vectors == 1;
        }
        i += 1;
    }
    false
}

/// Does the job for `rows` and `vectors`, in tiles as large as may be.
///
/// # Safety
/// The job has all of them.
#[inline(always)]
pub(super) unsafe fn tiles<S: Simd, J: FilterRowTiles>(s: S, job: J, rows: usize, vectors: Range<usize>) {
    let (mut row, mut vector, mut side) = (0, vectors.start, 0);
    while vector < vectors.end {
        macro_rules! first {
            ($($r:literal x $v:literal)*) => { $(
                if const { takes::<S, J>($r, $v) } {
                    let (tall, wide) = ($r, $v);
                    // With the first row it is chosen how many vectors are taken together, for all rows.
                    let begins = row == 0 && vector + wide <= vectors.end && (wide <= 2 || rows.is_multiple_of(tall));
                    if row + tall <= rows && (begins || side == wide) {
                        s.call(RowTile::<J, $r, $v>(job, row, vector));
                        (row, side) = (row + tall, wide);
                        if row == rows {
                            (row, vector, side) = (0, vector + wide, 0);
                        }
                        continue;
                    }
                }
            )* };
        }
        first!(3 x 6 5 x 2 3 x 2 1 x 2 3 x 1 1 x 1);
    }
}

/// One shape of tile as a function of its own: the registers are allotted for each anew.
struct RowTile<J, const R: usize, const V: usize>(J, usize, usize);

impl<J: FilterRowTiles, const R: usize, const V: usize> Kernel for RowTile<J, R, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: only `tiles` makes one, with `row + R <= rows` and, as it began so at row 0, `vector + V`
        // at most the end of the vectors; its caller says that the job has all of these.
        unsafe { self.0.tile::<S, R, V>(s, self.1, self.2) }
    }
}
