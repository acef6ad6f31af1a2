//! A recurrence of a single stream without masks, whose states are padded to whole vectors, so that nothing
//! is read or written in part from step to step. In: steps, weights as `PreparedCell` lays them out, the
//! states; out: the outputs, and the states after. The numbers are those of `RecurrentForward`.

use core::marker::PhantomData;

use super::{Cell, Gates, PreparedCell};
use crate::simd::{Isa, Kernel, LANES, Simd};
use crate::sizes::round_up;

/// Bytes of weights that stay in the nearest cache, beside all else, from one step to the next.
const NEAR: usize = 24 << 10;

/// Inputs that are added without asking whether there are more.
const TOGETHER: usize = 4;

/// The sizes of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellStep {
    pub features: usize,
    pub units: usize,
}

/// Where the numbers of a step lie.
#[derive(Clone, Copy)]
pub(crate) struct CellPlaces {
    pub x: *const f32,
    pub prepared: *const f32,
    pub state: *mut f32,
    /// Where the state before is kept, if it is.
    pub before: Option<*mut f32>,
    pub y: *mut f32,
    /// Numbers that can be written from `y` on.
    pub room: usize,
    /// Of two steps in a row one is: large weights are gone through in turns from either end.
    pub odd: bool,
}

/// Steps of one stream.
pub struct RecurrentBlock<'a, C> {
    /// Features of a step.
    pub features: usize,
    /// Units of the cell.
    pub units: usize,
    /// `[steps, features]`
    pub x: &'a [f32],
    /// What [`PreparedCell::write`] has written.
    pub prepared: &'a [f32],
    /// `[states, wide]`, where `wide` are the units padded to whole vectors: the state before the first step,
    /// overwritten with that after the last.
    pub state: &'a mut [f32],
    /// `[steps, units]`, or `[units]` after the last step.
    pub y: &'a mut [f32],
    /// Which cell it is.
    pub cell: PhantomData<C>,
}

impl<C: Cell> RecurrentBlock<'_, C> {
    /// Takes the steps.
    ///
    /// # Panics
    /// A slice has another length than the sizes ask for.
    pub fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl<C: Cell> Kernel for RecurrentBlock<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RecurrentBlock { features, units, x, prepared, state, y, .. } = self;
        let (cell, steps) = (CellStep { features, units }, x.len() / features);
        let [prepares, carries] = cell.lens::<C>();
        let all = steps.checked_mul(units);
        let fits = prepared.len() == prepares
            && state.len() == carries
            && x.len() == steps * features
            && (Some(y.len()) == all || y.len() == units);
        assert!(fits && units > 0 && !C::RESETS_FIRST, "expected steps of {features} features and {units} units");
        let each = if Some(y.len()) == all { units } else { 0 };
        for (step, x) in x.chunks_exact(features).enumerate() {
            let (x, prepared, state) = (x.as_ptr(), prepared.as_ptr(), state.as_mut_ptr());
            // What is written behind a step's outputs are those of the next, which come later.
            let y = &mut y[step * each..];
            let (y, room) = (y.as_mut_ptr(), y.len());
            let places = CellPlaces { x, prepared, state, before: None, y, room, odd: step % 2 == 1 };
            // SAFETY: the lengths have been compared with `lens`, and `y` has room for the units.
            _ = unsafe { cell.run::<C, S>(s, places) };
        }
    }
}

impl CellStep {
    /// Numbers that are prepared and that are carried.
    pub fn lens<C: Cell>(&self) -> [usize; 2] {
        [PreparedCell::<C>::len(self.features, self.units), C::STATES.saturating_mul(self.wide())]
    }

    /// Units, padded.
    #[inline(always)]
    fn wide(&self) -> usize {
        round_up(self.units, LANES)
    }

    /// Takes a step: 0, or NaN where an output is not finite.
    ///
    /// # Safety
    /// What is prepared and the state are as long as [`lens`](CellStep::lens) says, and so is the place for
    /// the state before; at `x` are `features` numbers, at `y` is `room` for the units.
    #[inline(always)]
    pub unsafe fn run<C: Cell, S: Simd>(&self, s: S, at: CellPlaces) -> S::F {
        let wide = self.wide();
        if let Some(before) = at.before {
            for i in (0..C::STATES * wide).step_by(LANES) {
                // SAFETY: whole vectors of the state.
                unsafe { s.store_ptr(s.load_ptr(at.state.wrapping_add(i)), before.wrapping_add(i)) };
            }
        }
        let blocks = wide / LANES;
        let pairs = const { S::REGISTERS >= 32 } && 4 * C::GATES * wide * (self.features + self.units) <= NEAR;
        // SAFETY: as many blocks as there are.
        unsafe {
            match blocks {
                1 => return self.tile::<C, S, 1>(s, &at, 0, true),
                2 if pairs => return self.tile::<C, S, 2>(s, &at, 0, true),
                _ => {}
            }
        }
        let mut seen = s.splat(0.0);
        // Other units still read the outputs before.
        if pairs {
            for block in (0..blocks / 2 * 2).step_by(2) {
                // SAFETY: this block and the next are below `blocks`.
                seen = s.add(seen, unsafe { self.tile::<C, S, 2>(s, &at, block, false) });
            }
            if blocks % 2 == 1 {
                // SAFETY: the last block, of an odd number.
                seen = s.add(seen, unsafe { self.tile::<C, S, 1>(s, &at, blocks - 1, false) });
            }
        } else {
            for i in 0..blocks {
                // What was read last is still near when the next step begins with it.
                let block = if at.odd { blocks - 1 - i } else { i };
                // SAFETY: i, and so the block, is below `blocks`.
                seen = s.add(seen, unsafe { self.tile::<C, S, 1>(s, &at, block, false) });
            }
        }
        for i in (0..self.units).step_by(LANES) {
            // SAFETY: vectors of the state, and as many outputs as there is room for: they have been written.
            unsafe {
                let y = match at.room - i {
                    LANES.. => s.load_ptr(at.y.wrapping_add(i)),
                    left => s.load_part(core::slice::from_raw_parts(at.y.wrapping_add(i), left)),
                };
                s.store_ptr(y, at.state.wrapping_add(i));
            }
        }
        seen
    }

    /// `B` blocks of sixteen units from block `first` on; the state after the step is written where they are
    /// `all`. It gives 0, or NaN where an output is not finite.
    ///
    /// # Safety
    /// As of [`run`](CellStep::run); there are so many blocks.
    #[inline(always)]
    unsafe fn tile<C: Cell, S: Simd, const B: usize>(&self, s: S, at: &CellPlaces, first: usize, all: bool) -> S::F {
        let CellStep { features, units, .. } = *self;
        let (wide, row) = (self.wide(), C::GATES * LANES);
        let (state, of_inputs) = (at.state, at.prepared);
        let of_state = of_inputs.wrapping_add(wide * C::GATES * features);
        let starts = of_state.wrapping_add(wide * C::GATES * units);
        let (mut x, mut h) = ([[s.splat(0.0); 4]; B], [[s.splat(0.0); 4]; B]);
        for b in 0..B {
            for g in 0..C::GATES {
                let start = starts.wrapping_add(2 * (first + b) * row + g * LANES);
                // SAFETY: for each block there are 2 · GATES vectors.
                unsafe {
                    x[b][g] = s.load_ptr(start);
                    if C::SPLIT {
                        h[b][g] = s.load_ptr(start.wrapping_add(row));
                    }
                }
            }
        }
        // SAFETY: of each block the weights of so many inputs lie in a row; there are `features` inputs and
        // `units` outputs of the step before.
        unsafe {
            let w = of_inputs.wrapping_add(first * row * features);
            x = chain::<C, S, B>(s, x, (at.x, features), w);
            let (sums, w) = (if C::SPLIT { h } else { x }, of_state.wrapping_add(first * row * units));
            h = chain::<C, S, B>(s, sums, (state, units), w);
        }
        let nothing = [s.splat(0.0); 4];
        // With `SPLIT` both sums, else the second alone, which has gone on from the first.
        let sums: [_; B] = core::array::from_fn(|b| if C::SPLIT { (x[b], h[b]) } else { (h[b], nothing) });
        let mut halfway = [(nothing, [s.splat(0.0); 2]); B];
        for b in 0..B {
            let i = (first + b) * LANES;
            // SAFETY: a vector of each state.
            let old = unsafe {
                let c = if C::STATES == 2 { s.load_ptr(state.wrapping_add(wide + i)) } else { s.splat(0.0) };
                [s.load_ptr(state.wrapping_add(i)), c]
            };
            halfway[b] = (C::gates(s, sums[b].0, sums[b].1, old), old);
        }
        let mut seen = s.splat(0.0);
        for b in 0..B {
            let i = (first + b) * LANES;
            let (of_h, of_c) = (state.wrapping_add(i), state.wrapping_add(wide + i));
            let (_, new) = C::output(s, halfway[b].0, sums[b].0, sums[b].1, halfway[b].1);
            // SAFETY: a vector of each state; i < units <= room.
            unsafe {
                if C::STATES == 2 {
                    s.store_ptr(new[1], of_c);
                }
                if all {
                    s.store_ptr(new[0], of_h);
                }
                store(s, new[0], at.y.wrapping_add(i), at.room - i);
            }
            seen = s.fma(new[0], s.splat(0.0), seen);
        }
        seen
    }
}

/// Continues the sums of `B` blocks over so many inputs.
///
/// # Safety
/// So many inputs can be read; of each of `B` blocks as many times GATES vectors lie in a row, from `w` on.
#[inline(always)]
unsafe fn chain<C: Cell, S: Simd, const B: usize>(
    s: S,
    mut sums: [Gates<S::F>; B],
    (x, inputs): (*const f32, usize),
    mut w: *const f32,
) -> [Gates<S::F>; B] {
    let row = C::GATES * LANES;
    let (mut x, mut left) = (x, inputs);
    // Some rows in a row: to ask whether there are more takes as long as a few sums.
    while const { S::REGISTERS >= 8 } && left >= TOGETHER {
        for k in 0..TOGETHER {
            // SAFETY: k < left inputs, which can be read.
            unsafe { add_input::<C, S, B>(s, &mut sums, x.wrapping_add(k), w.wrapping_add(k * row), row * inputs) };
        }
        (x, w, left) = (x.wrapping_add(TOGETHER), w.wrapping_add(TOGETHER * row), left - TOGETHER);
    }
    while left > 0 {
        // SAFETY: there is an input left.
        unsafe { add_input::<C, S, B>(s, &mut sums, x, w, row * inputs) };
        (x, w, left) = (x.wrapping_add(1), w.wrapping_add(row), left - 1);
    }
    sums
}

/// Adds the input at `x` times its weights, of each block `apart` from those of the one before.
///
/// # Safety
/// The input can be read, and of each of `B` blocks as many vectors as there are gates.
#[inline(always)]
unsafe fn add_input<C: Cell, S: Simd, const B: usize>(
    s: S,
    sums: &mut [Gates<S::F>; B],
    x: *const f32,
    w: *const f32,
    apart: usize,
) {
    // SAFETY: the caller lets the input be read.
    let input = s.splat(unsafe { *x });
    for (b, sums) in sums.iter_mut().enumerate() {
        for (g, sum) in sums.iter_mut().enumerate().take(C::GATES) {
            // SAFETY: a vector of the input's weights of block b.
            let w = unsafe { s.load_ptr(w.wrapping_add(b * apart + g * LANES)) };
            *sum = s.fma(input, w, *sum);
        }
    }
}

/// Writes sixteen lanes to `to`, or the first `room`.
///
/// # Safety
/// `room` numbers can be written.
#[inline(always)]
unsafe fn store<S: Simd>(s: S, x: S::F, to: *mut f32, room: usize) {
    // SAFETY: sixteen of them, or `room`.
    unsafe {
        if room >= LANES { s.store_ptr(x, to) } else { s.store_part(x, core::slice::from_raw_parts_mut(to, room)) }
    }
}
