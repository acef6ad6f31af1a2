//! The inner loop of every product: a tile of sums that stays in registers while the depth goes by.
//! Comes in: what to broadcast, what to load as vectors, and a job that says where sums start and where they go.
//! Goes out: for each element one chain of `fma` in the order of the depth, whatever the shape of the tile.
//! Never a choice of its own about memory: the job vouches for every address.

use core::hint::black_box;
use core::ops::Range;

use super::simd::{Kernel, LANES, Simd};

/// The sums of a tile: `R` rows of `V` vectors.
pub(crate) type Tile<S, const R: usize, const V: usize> = [[<S as Simd>::F; V]; R];

/// The operand of which single numbers are broadcast: element (row r, depth d of run q) is at `at + r·row + q·run + d·step`.
#[derive(Clone, Copy)]
pub(crate) struct Broadcast {
    pub at: *const f32,
    pub row: usize,
    pub step: usize,
    pub run: usize,
}

/// The operand that is loaded as vectors, `step` apart along the depth, whatever the run.
///
/// Vector v is at `at + (v / 2)·pair + (v % 2)·16`: panels lie `pair` apart, and hold two vectors side by side.
#[derive(Clone, Copy)]
pub(crate) struct Vectors {
    pub at: *const f32,
    pub step: usize,
    pub pair: usize,
    /// Lanes of the last vector that are there; only looked at where `PART`.
    pub lanes: usize,
}

/// `runs` stretches of `length` steps.
#[derive(Clone, Copy)]
pub(crate) struct Depth {
    pub runs: usize,
    pub length: usize,
}

impl Depth {
    pub(crate) fn once(length: usize) -> Depth {
        Depth { runs: 1, length }
    }
}

/// Goes on with the chains of `sums` over the depth.
///
/// # Safety
/// For each row below `R`, each vector below `V`, and each run and step of `depth`, `a` and `b` can be read: of `b` sixteen
/// numbers, or where `PART` only `b.lanes` in vector `V - 1`.
#[inline(always)]
pub(crate) unsafe fn accumulate<S: Simd, const R: usize, const V: usize, const PART: bool>(
    s: S,
    mut sums: Tile<S, R, V>,
    a: Broadcast,
    b: Vectors,
    depth: Depth,
) -> Tile<S, R, V> {
    // A pointer for each row, and the compiler not knowing how they are related: else it computes them anew in every step,
    // and whole-number arithmetic takes the ports that multiply.
    let mut from = [a.at; R];
    for (r, from) in from.iter_mut().enumerate() {
        *from = from.wrapping_add(r * a.row);
    }
    let from = black_box(from);
    let mut to_load = b.at;
    // What a step costs beside its sums weighs most where a tile is wide and low, so there a turn of the loop is two steps.
    let together = if V == 4 { 2 } else { 1 };
    for run in 0..depth.runs {
        let mut offset = run * a.run;
        macro_rules! step {
            ($offset:expr) => {
                let mut vectors = [s.splat(0.0); V];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let at = to_load.wrapping_add((v / 2) * b.pair + (v % 2) * LANES);
                    *vector = if PART && v + 1 == V {
                        // SAFETY: the caller vouches for `lanes` readable numbers.
                        s.load_part(unsafe { core::slice::from_raw_parts(at, b.lanes) })
                    } else {
                        // SAFETY: the caller vouches for sixteen readable numbers.
                        unsafe { s.load_ptr(at) }
                    };
                }
                for (row, from) in sums.iter_mut().zip(from) {
                    // SAFETY: the caller vouches for this element.
                    let x = s.splat(unsafe { *from.wrapping_add($offset) });
                    for (sum, vector) in row.iter_mut().zip(vectors) {
                        *sum = s.fma(x, vector, *sum);
                    }
                }
                to_load = to_load.wrapping_add(b.step);
            };
        }
        for _ in 0..depth.length / together {
            step!(offset);
            if together == 2 {
                step!(offset + a.step);
            }
            offset += together * a.step;
        }
        if depth.length % together == 1 {
            step!(offset);
        }
    }
    sums
}

/// What is done tile by tile: the sums of rows, `R` at a time, in `V` vectors.
pub(crate) trait Job: Copy {
    /// The most vectors the job wants side by side.
    const WIDEST: usize;
    /// The most rows the job wants in a tile.
    const TALLEST: usize;

    /// Computes `rows`, whose number is a multiple of `R`.
    ///
    /// # Safety
    /// The addresses of the job are valid for these rows and `V` vectors.
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>);
}

/// The rows of the job's tiles of `vectors`: enough chains to hide the latency of `fma`, few enough to stay in registers.
const fn tallest<J: Job>(registers: usize, vectors: usize) -> usize {
    let rows = match (registers, vectors) {
        (32.., 1 | 2) => 12,
        (32.., 4) => 6,
        (8.., 1) => 6,
        (8.., 2) => 2,
        (_, 1) => 2,
        _ => 1,
    };
    if rows < J::TALLEST { rows } else { J::TALLEST }
}

/// The vectors side by side that keep the chains busy when there are `rows` in all.
pub(crate) const fn widest(registers: usize, rows: usize) -> usize {
    match (registers, rows) {
        // The fewer numbers are broadcast for as many sums the better: they pass through the ports that load.
        (32.., _) => 4,
        (8.., 1) => 4,
        (8.., 2) => 2,
        (_, 1) => 2,
        _ => 1,
    }
}

/// Does the job for `rows`, in tiles as tall as may be, so that no one or two rows, with too few chains, are left over.
///
/// # Safety
/// The addresses of the job are valid for these rows and this many vectors.
#[inline(always)]
pub(crate) unsafe fn strips<S: Simd, J: Job>(s: S, job: J, rows: Range<usize>, vectors: usize) {
    let tallest = tallest::<J>(S::REGISTERS, vectors);
    // A range that ends before it begins is empty too.
    let end = rows.end.max(rows.start);
    let mut at = rows.start;
    // Height by height, each known when this is compiled: a division by a number that is not takes as long as a step of a tile.
    macro_rules! heights {
        ($($height:literal)*) => {$(
            if $height <= tallest && $height <= end - at {
                let mut tiles = (end - at) / $height;
                let rest = end - at - tiles * $height;
                if $height > 2 && rest == 1 || $height > 4 && rest == 2 {
                    tiles -= 1;
                }
                if tiles > 0 {
                    let to = at + tiles * $height;
                    // SAFETY: the caller vouches for the addresses; these are some of the rows, in a multiple of the tiles' height.
                    unsafe { strip(s, job, at..to, $height, vectors) };
                    at = to;
                }
            }
        )*};
    }
    // Each is code of its own for every job and set of registers, so there are no more than needed.
    heights!(12 10 8 6 4 3 2 1);
    debug_assert!(at == end, "expected tiles for all rows");
}

/// Picks the code for a shape of tile that is known only now.
///
/// # Safety
/// As for [`strips`], and the number of rows is a multiple of `tall`.
#[inline(always)]
unsafe fn strip<S: Simd, J: Job>(s: S, job: J, rows: Range<usize>, tall: usize, vectors: usize) {
    macro_rules! pick {
        ($($r:literal x $v:literal),*) => {
            match (tall, vectors) {
                $(($r, $v) => if const { $v <= J::WIDEST && $r <= tallest::<J>(S::REGISTERS, $v) } {
                    s.call(Strip::<J, $r, $v>(job, rows))
                } else {
                    unreachable!("a tile that no set of registers has room for")
                })*
                _ => unreachable!("a tile that no set of registers has room for"),
            }
        };
    }
    pick!(
        1 x 1, 2 x 1, 3 x 1, 4 x 1, 6 x 1, 8 x 1, 10 x 1, 12 x 1, 1 x 2, 2 x 2, 3 x 2, 4 x 2, 6 x 2, 8 x 2, 10 x 2,
        12 x 2, 1 x 4, 2 x 4, 3 x 4, 4 x 4, 6 x 4
    )
}

/// One shape of tile as a function of its own: the registers are shared out for each anew.
struct Strip<J, const R: usize, const V: usize>(J, Range<usize>);

impl<J: Job, const R: usize, const V: usize> Kernel for Strip<J, R, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: only `strip` makes one, whose caller vouches for it.
        unsafe { self.0.strip::<S, R, V>(s, self.1) }
    }
}
