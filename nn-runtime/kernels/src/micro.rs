//! The micro-kernel of every product (as BLIS calls it): a tile of sums that stays in registers along the
//! depth. In: a broadcast operand, an operand loaded as vectors, and a `TileKernel` that knows where sums
//! start and end up. Out: for each element one chain of `fma` in the order of the depth, whatever the shape
//! of the tile. Addresses are the caller's responsibility: everything here that takes one is `unsafe`.

use core::hint::black_box;
use core::ops::Range;

use super::simd::{Kernel, LANES, Simd};

/// The sums of a tile: `R` rows of `V` vectors.
pub(crate) type TileSums<S, const R: usize, const V: usize> = [[<S as Simd>::F; V]; R];

/// The operand whose numbers are broadcast one by one: element (row r, step d of run q) is at `at + r·row +
/// q·run + d·step`.
#[derive(Clone, Copy)]
pub(crate) struct Broadcast {
    pub at: *const f32,
    pub row: usize,
    pub step: usize,
    pub run: usize,
}

/// The operand that is loaded as vectors, `step` numbers apart along the depth (all runs counted through).
///
/// Vector v is at `at + (v / 2)·pair + (v % 2)·16`: panels lie `pair` apart and hold two vectors side by
/// side.
#[derive(Clone, Copy)]
pub(crate) struct PanelVectors {
    pub at: *const f32,
    pub step: usize,
    pub pair: usize,
    /// Numbers that the last vector has; only read where `PART`.
    pub lanes: usize,
}

/// The depth of a product: `runs` times `length` steps.
#[derive(Clone, Copy)]
pub(crate) struct Depth {
    pub runs: usize,
    pub length: usize,
}

impl Depth {
    /// One run.
    pub(crate) fn once(length: usize) -> Depth {
        Depth { runs: 1, length }
    }
}

/// Continues the chains of `sums` over the whole depth.
///
/// # Safety
/// With r < `R`, v < `V`, q < `depth.runs` and d < `depth.length`: the number at `a.at + r·a.row + q·a.run +
/// d·a.step` can be read, and at `b.at + (v / 2)·b.pair + (v % 2)·16 + (q·depth.length + d)·b.step` sixteen
/// numbers can be read, or `b.lanes` of them where `PART` and v = `V` − 1.
#[inline(always)]
pub(crate) unsafe fn accumulate<S: Simd, const R: usize, const V: usize, const PART: bool>(
    s: S,
    mut sums: TileSums<S, R, V>,
    a: Broadcast,
    b: PanelVectors,
    depth: Depth,
) -> TileSums<S, R, V> {
    // One pointer a row, hidden from the optimiser: if it knew how they are related, it would recompute them
    // in every step, and integer arithmetic competes with multiplications for the same execution ports.
    let mut from = [a.at; R];
    for (r, from) in from.iter_mut().enumerate() {
        *from = from.wrapping_add(r * a.row);
    }
    let from = black_box(from);
    let mut to_load = b.at;
    // Loop overhead weighs most in a wide, low tile, so that one is unrolled twice.
    let unrolled = if V == 4 { 2 } else { 1 };
    for run in 0..depth.runs {
        let mut offset = run * a.run;
        macro_rules! step {
            ($offset:expr) => {
                let mut vectors = [s.splat(0.0); V];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let at = to_load.wrapping_add((v / 2) * b.pair + (v % 2) * LANES);
                    *vector = if PART && v + 1 == V {
                        // SAFETY: vector v = V − 1 of this step: by the contract `lanes` numbers can be read.
                        s.load_part(unsafe { core::slice::from_raw_parts(at, b.lanes) })
                    } else {
                        // SAFETY: vector v < V of this step: by the contract sixteen numbers can be read.
                        unsafe { s.load_ptr(at) }
                    };
                }
                for (row, from) in sums.iter_mut().zip(from) {
                    // SAFETY: row r < R at this run and step, which the contract lets be read.
                    let x = s.splat(unsafe { *from.wrapping_add($offset) });
                    for (sum, vector) in row.iter_mut().zip(vectors) {
                        *sum = s.fma(x, vector, *sum);
                    }
                }
                to_load = to_load.wrapping_add(b.step);
            };
        }
        for _ in 0..depth.length / unrolled {
            step!(offset);
            if unrolled == 2 {
                step!(offset + a.step);
            }
            offset += unrolled * a.step;
        }
        if depth.length % unrolled == 1 {
            step!(offset);
        }
    }
    sums
}

/// A computation done tile by tile: `R` rows at a time, `V` vectors wide.
///
/// Implementors hold raw pointers. Each has an `unsafe fn new` whose contract says for which rows and vectors
/// they are valid.
pub(crate) trait TileKernel: Copy {
    /// The most vectors side by side in a tile.
    const WIDEST: usize;
    /// The most rows in a tile.
    const TALLEST: usize;

    /// Computes `rows`, whose number is a multiple of `R`.
    ///
    /// # Safety
    /// The pointers of the kernel are valid for `rows` and for `V` vectors.
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>);
}

/// The rows of the tallest tile of `vectors`: enough chains to hide the latency of `fma`, few enough to stay
/// in registers.
const fn tallest<K: TileKernel>(registers: usize, vectors: usize) -> usize {
    let rows = match (registers, vectors) {
        (..2, _) => 1,
        (32.., 1 | 2) => 12,
        (32.., 4) => 6,
        (8.., 1) => 6,
        (8.., 2) => 2,
        (_, 1) => 2,
        _ => 1,
    };
    if rows < K::TALLEST { rows } else { K::TALLEST }
}

/// The vectors side by side that keep the multipliers busy when there are `rows` rows in all.
pub(crate) const fn widest(registers: usize, rows: usize) -> usize {
    match (registers, rows) {
        (..2, _) => 1,
        // Broadcasts go through the load ports: the more sums share one, the better.
        (32.., _) => 4,
        (8.., 1) => 4,
        (8.., 2) => 2,
        (_, 1) => 2,
        _ => 1,
    }
}

/// Runs the kernel over `rows` in tiles as tall as possible, without leaving one or two rows, too few chains,
/// for the end.
///
/// # Safety
/// The pointers of the kernel are valid for `rows` and for `vectors` vectors.
#[inline(always)]
pub(crate) unsafe fn for_each_tile<S: Simd, K: TileKernel>(s: S, kernel: K, rows: Range<usize>, vectors: usize) {
    let most = tallest::<K>(S::REGISTERS, vectors);
    // A range that ends before it starts is empty, too.
    let end = rows.end.max(rows.start);
    let mut at = rows.start;
    // Each height is a constant: a division by a number not known at compile time takes as long as a step of
    // a tile.
    macro_rules! heights {
        ($($height:literal)*) => {$(
            if const { $height <= tallest::<K>(S::REGISTERS, 1) } && $height <= most && $height <= end - at {
                let mut tiles = (end - at) / $height;
                let rest = end - at - tiles * $height;
                if $height > 2 && rest == 1 || $height > 4 && rest == 2 {
                    tiles -= 1;
                }
                if tiles > 0 {
                    let to = at + tiles * $height;
                    // SAFETY: at..to lies within `rows`, and its length is a multiple of the height.
                    unsafe { tiles_of_height::<S, K, $height>(s, kernel, at..to, vectors) };
                    at = to;
                }
            }
        )*};
    }
    // Each height is compiled for every kernel and instruction set, so there are only as many as needed.
    heights!(12 10 8 6 4 3 2 1);
    debug_assert!(at == end, "expected tiles for all rows");
}

/// Picks the compiled code for a width of tile that is known only at run time.
///
/// # Safety
/// As for [`for_each_tile`], and the number of rows is a multiple of `R`.
#[inline(always)]
unsafe fn tiles_of_height<S: Simd, K: TileKernel, const R: usize>(s: S, kernel: K, rows: Range<usize>, vectors: usize) {
    macro_rules! pick {
        ($($v:literal)*) => {
            match vectors {
                $($v => if const { $v <= K::WIDEST && R <= tallest::<K>(S::REGISTERS, $v) } {
                    // SAFETY: the caller's contract is that of `new`.
                    s.call(unsafe { TilesOfShape::<K, R, $v>::new(kernel, rows) })
                } else {
                    unreachable!("a tile that no set of registers has room for")
                })*
                _ => unreachable!("a tile that no set of registers has room for"),
            }
        };
    }
    pick!(1 2 4)
}

/// The tiles of one shape, as a function of its own, so that registers are allocated for each shape
/// separately.
struct TilesOfShape<K, const R: usize, const V: usize> {
    kernel: K,
    rows: Range<usize>,
}

impl<K: TileKernel, const R: usize, const V: usize> TilesOfShape<K, R, V> {
    /// # Safety
    /// The pointers of the kernel are valid for `rows` and for `V` vectors, and the number of rows is a
    /// multiple of `R`.
    #[inline(always)]
    unsafe fn new(kernel: K, rows: Range<usize>) -> Self {
        TilesOfShape { kernel, rows }
    }
}

impl<K: TileKernel, const R: usize, const V: usize> Kernel for TilesOfShape<K, R, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the contract of `new` is that of `rows`.
        unsafe { self.kernel.rows::<S, R, V>(s, self.rows) }
    }
}
