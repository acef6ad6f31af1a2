//! The tiles in which filters meet what they see: some rows of a filter and some vectors of each, which stay in registers meanwhile.
//! Comes in: a job and how many rows and vectors there are; each is in one tile.
//! Never a choice of its own about memory: the job vouches for every address.

use core::ops::Range;

use crate::kernels::simd::{Kernel, Simd};

/// What is done tile by tile.
pub(super) trait Tiled: Copy {
    /// The most vectors the job wants side by side.
    const WIDEST: usize;

    /// # Safety
    /// The addresses of the job are valid for `R` rows from `row` on, and of these for `V` vectors from `vector` on.
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize);
}

/// Does the job for the first `rows` rows and for these vectors, in tiles as large as may be.
///
/// # Safety
/// The addresses of the job are valid for all of them.
#[inline(always)]
pub(super) unsafe fn tiles<S: Simd, J: Tiled>(s: S, job: J, rows: usize, vectors: Range<usize>) {
    let many = S::REGISTERS >= 32;
    let mut vector = vectors.start;
    while vector < vectors.end {
        let side = match vectors.end - vector {
            6.. if many && J::WIDEST >= 6 => 6,
            4.. if many && J::WIDEST >= 4 => 4,
            2.. if many => 2,
            _ => 1,
        };
        let mut row = 0;
        while row < rows {
            // Kernels have mostly three rows or five.
            let tall = match rows - row {
                5.. if many && side <= 2 => 5,
                3.. => 3,
                _ => 1,
            };
            macro_rules! pick {
                ($($r:literal x $v:literal),*) => {
                    match (tall, side) {
                        $(($r, $v) => if const { $v <= J::WIDEST && ($v == 1 && $r <= 3 || S::REGISTERS >= 32) } {
                            s.call(Tile::<J, $r, $v>(job, row, vector))
                        } else {
                            unreachable!("a tile that no set of registers has room for")
                        })*
                        _ => unreachable!("a tile that no set of registers has room for"),
                    }
                };
            }
            pick!(5 x 2, 5 x 1, 3 x 6, 3 x 4, 3 x 2, 3 x 1, 1 x 6, 1 x 4, 1 x 2, 1 x 1);
            row += tall;
        }
        vector += side;
    }
}

/// One shape of tile as a function of its own: the registers are shared out for each anew.
struct Tile<J, const R: usize, const V: usize>(J, usize, usize);

impl<J: Tiled, const R: usize, const V: usize> Kernel for Tile<J, R, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: only `tiles` makes one, whose caller vouches for it.
        unsafe { self.0.tile::<S, R, V>(s, self.1, self.2) }
    }
}
