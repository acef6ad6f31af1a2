//! One step through the layers of a stream. In: where everything lies, lengths compared; out: the outputs,
//! what is carried, and whether all numbers are finite. Consecutive steps overlap in a processor as far as it
//! sees ahead, so there is as little beside the arithmetic as can be.

use super::{Layer, StreamChain, StreamPlace, StreamWork};
use crate::recurrent::{Gru, Lstm, ReluRnn, Rnn};
use crate::sample_chain::product::Operands;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// A step at work. The lengths have been compared.
pub(super) struct StreamRun<'a, 'b> {
    pub chain: &'a StreamChain,
    pub isa: Isa,
    pub at: &'a StreamPlaces,
    pub x: &'a [&'a [f32]],
    pub y: &'a mut [&'b mut [f32]],
}

/// Where numbers lie.
#[derive(Clone, Copy)]
pub(super) struct StreamPlaces {
    pub params: *const f32,
    pub prepared: *const f32,
    pub carried: *mut f32,
    pub before: *mut f32,
    pub values: *mut f32,
    pub odd: bool,
}

/// Where a layer reads and writes.
#[derive(Clone, Copy)]
pub(super) struct LayerPlaces {
    pub x: *const f32,
    pub y: *mut f32,
    /// Numbers that can be written from `y` on.
    pub room: usize,
}

impl Kernel for StreamRun<'_, '_> {
    type Out = bool;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let StreamRun { chain, isa, at, x, y } = self;
        // 0 as long as all are finite.
        let mut seen = s.splat(0.0);
        for x in x {
            seen = look(s, x, seen);
        }
        let mut layers = chain.layers.iter();
        while let Some(layer) = layers.next() {
            let mut from = match layer.x {
                StreamPlace::Outside(i) => x[i].as_ptr(),
                StreamPlace::Within(from) => at.values.wrapping_add(from).cast_const(),
            };
            if let StreamWork::Narrow(run) = &layer.work {
                for (product, to) in &chain.narrow[run.clone()] {
                    let (y, room) = match *to {
                        StreamPlace::Outside(j) => (y[j].as_mut_ptr(), y[j].len()),
                        StreamPlace::Within(to) => (at.values.wrapping_add(to), LANES),
                    };
                    // SAFETY: as below; each reads what the one before has written.
                    seen = s.add(seen, unsafe { product.run(s, Operands { params: at.params, x: from, y, room }) });
                    from = y;
                }
                layers = layers.as_slice()[run.len() - 1..].iter();
                continue;
            }
            let (y, room) = match layer.y {
                StreamPlace::Outside(j) => (y[j].as_mut_ptr(), y[j].len()),
                StreamPlace::Within(to) => (at.values.wrapping_add(to), layer.room),
            };
            // SAFETY: `StreamChain::run` has compared the lengths with what `then` has noted of this layer:
            // its weights, what it carries, its inputs, and room for its outputs.
            let found = unsafe { layer.run(s, at, LayerPlaces { x: from, y, room }) };
            let (functions, count) = &layer.functions;
            if let (Some(found), true) = (found, functions.is_empty()) {
                seen = s.add(seen, found);
                continue;
            }
            // SAFETY: there is room for `room` outputs, of which the first have been written.
            let y = unsafe { core::slice::from_raw_parts_mut(y, room) };
            for function in &chain.functions[functions.clone()] {
                function.apply(isa, &mut y[..*count]);
            }
            let looked = if room < LANES { layer.outputs } else { room };
            seen = look(s, &y[..looked], seen);
        }
        s.is_zero(seen)
    }
}

impl Layer {
    /// 0, or NaN where an output is not finite; nothing where that is not known without another look.
    ///
    /// # Safety
    /// From each place on there are as many numbers as the layer asks for.
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, s: S, at: &StreamPlaces, to: LayerPlaces) -> Option<S::F> {
        // It is run with those behind it.
        if let StreamWork::Narrow(_) = self.work {
            return None;
        }
        // SAFETY: the caller's promise is theirs.
        unsafe {
            Some(match &self.work {
                StreamWork::Product(product) => {
                    return product.run(s, Operands { params: at.params, x: to.x, y: to.y, room: to.room });
                }
                StreamWork::Causal(causal) => causal.run(s, at, to),
                StreamWork::Rnn(cell) => cell.run::<Rnn, S>(s, at, to),
                StreamWork::ReluRnn(cell) => cell.run::<ReluRnn, S>(s, at, to),
                StreamWork::Gru(cell) => cell.run::<Gru, S>(s, at, to),
                StreamWork::Lstm(cell) => cell.run::<Lstm, S>(s, at, to),
                StreamWork::Copy | StreamWork::Narrow(_) => {
                    copy(to.x, to.y, self.outputs);
                    return None;
                }
            })
        }
    }
}

/// 0, or NaN where a number is not finite.
#[inline(always)]
fn look<S: Simd>(s: S, numbers: &[f32], mut seen: S::F) -> S::F {
    let (whole, rest) = numbers.as_chunks();
    for x in whole {
        seen = s.fma(s.load(x), s.splat(0.0), seen);
    }
    match rest {
        [] => seen,
        // One is read sooner than a part of a vector.
        [x] => s.fma(s.splat(*x), s.splat(0.0), seen),
        _ => s.fma(s.load_part(rest), s.splat(0.0), seen),
    }
}

/// Copies without a call, so that what is read soon after is read from what was written.
///
/// # Safety
/// `len` numbers can be read from `from` on, and written from `to` on.
#[inline(always)]
pub(super) unsafe fn copy(from: *const f32, to: *mut f32, len: usize) {
    let mut i = 0;
    while i + 4 <= len {
        // SAFETY: i + 4 <= len.
        unsafe { to.add(i).cast::<[f32; 4]>().write(from.add(i).cast::<[f32; 4]>().read()) };
        i += 4;
    }
    while i < len {
        // SAFETY: i < len, which can be read and written.
        unsafe { *to.add(i) = *from.add(i) };
        i += 1;
    }
}
