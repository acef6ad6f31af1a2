//! The tiles in which sums or weights stay in registers: some rows, which are filters or rows of one, and some vectors of each.
//! Comes in: a job, the shapes of its tiles, and how many rows and vectors there are; each is in one tile.
//! Never a choice of its own about memory: the job vouches for every address.

use core::ops::Range;

use crate::simd::{Kernel, Simd};

/// What is done tile by tile.
pub(super) trait RowTiles: Copy {
    /// Rows and vectors of the tiles: each is code of its own, so there are no more than needed. There is one row for one vector, and for
    /// two if they are taken together at all; more vectors are taken together only where one shape does for all rows.
    const SHAPES: &'static [(usize, usize)];

    /// # Safety
    /// The addresses of the job are valid for `R` rows from `row` on, and of these for `V` vectors from `vector` on.
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize);
}

/// Whether the job has this shape and the registers hold it.
const fn takes<S: Simd, J: RowTiles>(rows: usize, vectors: usize) -> bool {
    let mut i = 0;
    while i < J::SHAPES.len() {
        if J::SHAPES[i].0 == rows && J::SHAPES[i].1 == vectors {
            return S::REGISTERS >= 32 || vectors == 1;
        }
        i += 1;
    }
    false
}

/// Does the job for these rows and vectors, in tiles as large as may be.
///
/// # Safety
/// The addresses of the job are valid for all of them.
#[inline(always)]
pub(super) unsafe fn tiles<S: Simd, J: RowTiles>(s: S, job: J, rows: usize, vectors: Range<usize>) {
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

/// One shape of tile as a function of its own: the registers are shared out for each anew.
struct RowTile<J, const R: usize, const V: usize>(J, usize, usize);

impl<J: RowTiles, const R: usize, const V: usize> Kernel for RowTile<J, R, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: only `tiles` makes one, whose caller vouches for it.
        unsafe { self.0.tile::<S, R, V>(s, self.1, self.2) }
    }
}
