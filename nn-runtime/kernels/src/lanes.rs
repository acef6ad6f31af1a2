//! Loops over several arrays at once, for kernels that are made of them: number by number into another array, and sums of what is
//! made of the numbers. In: a token, a function on vectors, slices of one length; out: a filled slice, or sums in `f64`.
//! What is past an array's end takes no part in a sum. Nothing here dispatches: it runs within a `Kernel`.

use super::simd::{LANES, Simd};

/// A function of `K` numbers. Implementors mark `at` `#[inline(always)]`.
pub trait Each<const K: usize> {
    /// The function of each lane.
    fn at<S: Simd>(&self, s: S, x: [S::F; K]) -> S::F;
}

/// `M` numbers made of `K`, to be summed. Implementors mark `at` `#[inline(always)]`.
pub trait Terms<const K: usize, const M: usize> {
    /// The terms of each lane.
    fn at<S: Simd>(&self, s: S, x: [S::F; K]) -> [S::F; M];
}

/// Vectors that are added in `f32` before a sum goes on in `f64`.
const BLOCK: usize = 16;

/// The numbers of the lanes.
pub const LANE: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

#[inline(always)]
fn load<S: Simd, const K: usize>(s: S, from: &[&[f32]; K], at: usize, len: usize) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for k in 0..K {
        let from = &from[k][at..at + len];
        x[k] = match from.as_array() {
            Some(from) => s.load(from),
            None => s.load_part(from),
        };
    }
    x
}

/// The whole vectors of the first `len` numbers of each, and the rest of those.
///
/// # Panics
/// A slice is shorter.
#[inline(always)]
fn whole<const K: usize>(from: [&[f32]; K], len: usize) -> ([&[[f32; LANES]]; K], [&[f32]; K]) {
    let split = from.map(|from| from[..len].as_chunks::<LANES>());
    (split.map(|(whole, _)| whole), split.map(|(_, rest)| rest))
}

/// Vector `i` of each.
#[inline(always)]
fn vectors<S: Simd, const K: usize>(s: S, from: &[&[[f32; LANES]]; K], i: usize) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for (x, from) in x.iter_mut().zip(from) {
        *x = s.load(&from[i]);
    }
    x
}

/// The first numbers of each, fewer than a vector.
#[inline(always)]
fn parts<S: Simd, const K: usize>(s: S, from: &[&[f32]; K]) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for (x, from) in x.iter_mut().zip(from) {
        *x = s.load_part(from);
    }
    x
}

/// to = f(from), number by number.
///
/// # Panics
/// A slice of `from` is shorter than `to`.
#[inline(always)]
pub fn fill<S: Simd, const K: usize>(s: S, f: &impl Each<K>, from: [&[f32]; K], to: &mut [f32]) {
    let (from, rest) = whole(from, to.len());
    let (to, last) = to.as_chunks_mut::<LANES>();
    for (i, to) in to.iter_mut().enumerate() {
        s.store(f.at(s, vectors(s, &from, i)), to);
    }
    if !last.is_empty() {
        s.store_part(f.at(s, parts(s, &rest)), last);
    }
}

/// to = to + f(from), number by number.
///
/// # Panics
/// A slice of `from` is shorter than `to`.
#[inline(always)]
pub fn add<S: Simd, const K: usize>(s: S, f: &impl Each<K>, from: [&[f32]; K], to: &mut [f32]) {
    let (from, rest) = whole(from, to.len());
    let (to, last) = to.as_chunks_mut::<LANES>();
    for (i, to) in to.iter_mut().enumerate() {
        s.store(s.add(s.load(to), f.at(s, vectors(s, &from, i))), to);
    }
    if !last.is_empty() {
        s.store_part(s.add(s.load_part(last), f.at(s, parts(s, &rest))), last);
    }
}

/// The sums of all terms.
///
/// # Panics
/// The first slice is longer than another.
#[inline(always)]
pub fn sums<S: Simd, const K: usize, const M: usize>(s: S, f: &impl Terms<K, M>, from: [&[f32]; K]) -> [f64; M] {
    let len = from[0].len();
    let mut totals = [0.0; M];
    let mut at = 0;
    while at < len {
        let end = len.min(at + BLOCK * LANES);
        // Two chains of additions, so that one need not wait for the other.
        let mut even = [s.splat(0.0); M];
        let mut odd = [s.splat(0.0); M];
        while at + 2 * LANES <= end {
            let a = f.at(s, load(s, &from, at, LANES));
            let b = f.at(s, load(s, &from, at + LANES, LANES));
            for m in 0..M {
                even[m] = s.add(even[m], a[m]);
                odd[m] = s.add(odd[m], b[m]);
            }
            at += 2 * LANES;
        }
        while at < end {
            let rest = LANES.min(end - at);
            let filled = s.lt_i(s.load_i(&LANE), s.splat_i(rest as i32));
            let a = f.at(s, load(s, &from, at, rest));
            for m in 0..M {
                even[m] = s.add(even[m], s.select(filled, a[m], s.splat(0.0)));
            }
            at += rest;
        }
        for m in 0..M {
            totals[m] += f64::from(s.sum(s.add(even[m], odd[m])));
        }
    }
    totals
}

/// The terms of all vectors added lane by lane. Blocks of them are added up by themselves, so that long sums lose little.
///
/// # Panics
/// The first slice is longer than another.
#[inline(always)]
pub fn lane_sums<S: Simd, const K: usize, const M: usize>(s: S, f: &impl Terms<K, M>, from: [&[f32]; K]) -> [S::F; M] {
    let (whole, rest) = whole(from, from[0].len());
    let mut totals = [s.splat(0.0); M];
    if !rest[0].is_empty() {
        let filled = s.lt_i(s.load_i(&LANE), s.splat_i(rest[0].len() as i32));
        let terms = f.at(s, parts(s, &rest));
        for m in 0..M {
            totals[m] = s.select(filled, terms[m], s.splat(0.0));
        }
    }
    let mut at = 0;
    while at < whole[0].len() {
        let end = whole[0].len().min(at + BLOCK);
        let mut sums = [s.splat(0.0); M];
        for i in at..end {
            let terms = f.at(s, vectors(s, &whole, i));
            for m in 0..M {
                sums[m] = s.add(sums[m], terms[m]);
            }
        }
        for m in 0..M {
            totals[m] = s.add(totals[m], sums[m]);
        }
        at = end;
    }
    totals
}

/// The sums of the terms along the columns from `first` on, sixteen at most, of matrices `[rows, width]`; the last array is a single
/// row that goes with each. Columns past the last hold anything.
///
/// # Panics
/// A matrix is smaller than the first, or the row narrower than `width`.
#[inline(always)]
pub fn column_sums<S: Simd, const K: usize, const M: usize>(
    s: S,
    f: &impl Terms<K, M>,
    from: [&[f32]; K],
    width: usize,
    first: usize,
) -> [[f64; LANES]; M] {
    let len = LANES.min(width - first);
    let rows = from[0].len() / width;
    let [last] = load(s, &[from[K - 1]], first, len);
    let mut totals = [[0.0; LANES]; M];
    let mut row = 0;
    while row < rows {
        let end = rows.min(row + BLOCK);
        let mut sums = [s.splat(0.0); M];
        while row < end {
            let mut x = [last; K];
            for k in 0..K - 1 {
                let [one] = load(s, &[from[k]], row * width + first, len);
                x[k] = one;
            }
            let terms = f.at(s, x);
            for m in 0..M {
                sums[m] = s.add(sums[m], terms[m]);
            }
            row += 1;
        }
        for m in 0..M {
            let mut lanes = [0.0; LANES];
            s.store(sums[m], &mut lanes);
            for (total, lane) in totals[m].iter_mut().zip(lanes) {
                *total += f64::from(lane);
            }
        }
    }
    totals
}
