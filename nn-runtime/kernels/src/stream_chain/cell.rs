//! A step of a recurrence of one stream, whose states are padded to whole vectors. In: the step, weights as
//! `PreparedCell` lays them out, the states; out: the outputs, and the states after.

use super::Places;
use crate::recurrent::{Cell, Gates, PreparedCell};
use crate::simd::{LANES, Simd};

/// Bytes of weights that stay in the nearest cache, beside all else, from one step to the next.
const NEAR: usize = 24 << 10;

#[derive(Clone, Copy, Debug)]
pub(super) struct CellStep {
    features: usize,
    units: usize,
    prepared: usize,
    carried: usize,
}

impl CellStep {
    pub fn new([features, units]: [usize; 2], prepared: usize, carried: usize) -> CellStep {
        assert!(units > 0, "expected at least 1 unit");
        CellStep { features, units, prepared, carried }
    }

    /// Numbers that are prepared and that are carried.
    pub fn lens<C: Cell>(&self) -> [usize; 2] {
        [PreparedCell::<C>::len(self.features, self.units), C::STATES * self.wide()]
    }

    /// Units, padded.
    #[inline(always)]
    fn wide(&self) -> usize {
        self.units.next_multiple_of(LANES)
    }

    /// # Safety
    /// What is prepared and carried is as long as [`lens`](CellStep::lens) says, here and before; at `x` are
    /// `features` numbers, at `y` is `room` for the units.
    #[inline(always)]
    pub unsafe fn run<C: Cell, S: Simd>(&self, s: S, at: Places) {
        let (wide, state) = (self.wide(), at.carried.wrapping_add(self.carried));
        let before = at.before.wrapping_add(self.carried);
        for i in (0..C::STATES * wide).step_by(LANES) {
            // SAFETY: whole vectors of what is carried.
            unsafe { s.store_ptr(s.load_ptr(state.wrapping_add(i)), before.wrapping_add(i)) };
        }
        let blocks = wide / LANES;
        let near = 4 * C::GATES * wide * (self.features + self.units) <= NEAR;
        // SAFETY: blocks below `blocks`.
        unsafe {
            if blocks == 1 {
                return self.tile::<C, S, 1>(s, &at, 0, true);
            }
            if const { S::REGISTERS >= 32 } && blocks == 2 && near {
                return self.tile::<C, S, 2>(s, &at, 0, true);
            }
            // Other units still read the outputs before.
            if const { S::REGISTERS >= 32 } && near {
                for block in (0..blocks / 2 * 2).step_by(2) {
                    self.tile::<C, S, 2>(s, &at, block, false);
                }
                if blocks % 2 == 1 {
                    self.tile::<C, S, 1>(s, &at, blocks - 1, false);
                }
            } else {
                for i in 0..blocks {
                    // What was read last is still near when the next step begins with it.
                    self.tile::<C, S, 1>(s, &at, if at.odd { blocks - 1 - i } else { i }, false);
                }
            }
        }
        for i in (0..wide).step_by(LANES) {
            // SAFETY: whole vectors of the state, and as many outputs as have been written.
            unsafe {
                let y = match at.room - i {
                    LANES.. => s.load_ptr(at.y.wrapping_add(i)),
                    left => s.load_part(core::slice::from_raw_parts(at.y.wrapping_add(i), left)),
                };
                s.store_ptr(y, state.wrapping_add(i));
            }
        }
    }

    /// `B` blocks of sixteen units from block `first` on; the state after the step is written where they are
    /// `all`.
    ///
    /// # Safety
    /// As of [`run`](CellStep::run); there are so many blocks.
    #[inline(always)]
    unsafe fn tile<C: Cell, S: Simd, const B: usize>(&self, s: S, at: &Places, first: usize, all: bool) {
        let CellStep { features, units, .. } = *self;
        let (wide, row) = (self.wide(), C::GATES * LANES);
        let state = at.carried.wrapping_add(self.carried);
        let of_inputs = at.prepared.wrapping_add(self.prepared);
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
        let mut gates = [nothing; B];
        for b in 0..B {
            gates[b] = if C::SPLIT { C::gates(s, x[b], h[b]) } else { C::gates(s, h[b], nothing) };
        }
        for b in 0..B {
            let i = (first + b) * LANES;
            let (of_h, of_c) = (state.wrapping_add(i), state.wrapping_add(wide + i));
            // SAFETY: a vector of each state; i < units <= room.
            unsafe {
                let c = if C::STATES == 2 { s.load_ptr(of_c) } else { s.splat(0.0) };
                let old = [s.load_ptr(of_h), c];
                let (_, new) = C::output(s, gates[b], if C::SPLIT { h[b] } else { nothing }, old);
                if C::STATES == 2 {
                    s.store_ptr(new[1], of_c);
                }
                if all {
                    s.store_ptr(new[0], of_h);
                }
                store(s, new[0], at.y.wrapping_add(i), at.room - i);
            }
        }
    }

    /// Puts back what the last step has changed.
    pub fn undo<C: Cell>(&self, carried: &mut [f32], before: &[f32]) {
        let own = self.carried..self.carried + C::STATES * self.wide();
        carried[own.clone()].copy_from_slice(&before[own]);
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
    for k in 0..inputs {
        // SAFETY: k < inputs.
        let input = s.splat(unsafe { *x.add(k) });
        for (b, sums) in sums.iter_mut().enumerate() {
            for (g, sum) in sums.iter_mut().enumerate().take(C::GATES) {
                // SAFETY: a vector of row k < inputs of block b.
                let w = unsafe { s.load_ptr(w.wrapping_add(b * row * inputs + g * LANES)) };
                *sum = s.fma(input, w, *sum);
            }
        }
        w = w.wrapping_add(row);
    }
    sums
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
