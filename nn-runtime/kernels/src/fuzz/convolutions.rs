//! Calls of convolutions and pools. What a convolution returns is right.

use std::vec;
use std::vec::Vec;

use super::{Guarded, MOST, Rng, length, returns};
use crate::conv::fused_max_pool::{self, ConvMaxPool, MaxPoolGrad};
use crate::conv::tests::Case;
use crate::conv::{Conv, FilterBank, backward_bias, backward_input, backward_weight, forward, transposed};
use crate::pool::{Pool, avg_pool, avg_pool_backward, max_pool, max_pool_backward};
use crate::simd::Isa;

impl Rng {
    fn pair(&mut self, most: usize) -> [usize; 2] {
        [1 + self.below(most), 1 + self.below(most)]
    }

    fn conv(&mut self) -> Conv {
        let groups = self.from(&[1, 1, 1, 2, 3]);
        let (per_in, per_out) = (1 + self.below(4), self.from(&[1, 2, 3, 5, 16, 17, 32]));
        let size = [groups * per_in, 1 + self.below(9), 1 + self.below(20)];
        let mut c = Conv {
            stride: self.pair(3),
            pad: [0; 4].map(|_| self.from(&[0, 0, 0, 1, 2])),
            dilation: self.pair(2),
            groups,
            channels_last: self.below(3) == 0,
            ..Conv::new(size, groups * per_out, self.pair(3))
        };
        if self.below(3) == 0 {
            let wild = self.wild();
            let fields = [&mut c.channels, &mut c.height, &mut c.width, &mut c.filters, &mut c.groups];
            let [kernel, stride, dilation] = [&mut c.kernel, &mut c.stride, &mut c.dilation];
            let fields = fields.into_iter().chain(kernel).chain(stride).chain(dilation).chain(&mut c.pad);
            let mut fields: Vec<&mut usize> = fields.collect();
            let at = self.below(fields.len());
            *fields[at] = wild;
        }
        c
    }

    fn pool(&mut self, size: [usize; 3]) -> Pool {
        let window = self.pair(3);
        let mut p = Pool { stride: self.pair(3), channels_last: self.below(3) == 0, ..Pool::new(size, window) };
        if self.below(2) == 0 {
            (p.window, p.stride) = ([2, 2], [2, 2]);
        }
        if self.below(4) == 0 {
            let wild = self.wild();
            let [window, stride] = [&mut p.window, &mut p.stride];
            let fields = [&mut p.channels, &mut p.height, &mut p.width].into_iter().chain(window).chain(stride);
            let mut fields: Vec<&mut usize> = fields.chain(&mut p.pad).collect();
            let at = self.below(fields.len());
            *fields[at] = wild;
        }
        p
    }
}

fn close(what: &str, c: Conv, found: &[f32], expected: &[f64]) {
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 3e-5 * (1.0 + expected.abs()), "{what}, {c:?}: element {i} is {found}, not {expected}");
    }
}

/// One call of a convolution.
fn convolve(rng: &mut Rng, isa: Isa) {
    let (c, b) = (rng.conv(), 1 + rng.below(2));
    let lens = returns(|| [b * c.x_len().min(MOST + 1), b * c.y_len().min(MOST + 1), c.weights_len(), c.scratch()]);
    let mut all = [(0, true); 4];
    for (i, len) in all.iter_mut().enumerate() {
        *len = length(rng, lens.map(|lens| lens[i]));
    }
    let [x_len, y_len, w_len, scratch_len] = all.map(|(len, _)| len);
    // More scratch than is asked for is enough.
    // An image without a number is refused too.
    let agrees =
        x_len != 0 && all[..3].iter().all(|(_, agrees)| *agrees) && lens.is_some_and(|lens| scratch_len >= lens[3]);
    let case = agrees.then(|| Case::new(c, b));
    let none = [];
    let [x_from, dy_from] = case.as_ref().map_or([&none[..]; 2], |case| [&case.x, &case.dy]);
    let (w_from, dw_from) = case.as_ref().map_or((vec![], &none[..]), |case| (case.packed(), &case.dw));
    let (mut x, mut y) = (Guarded::new(x_len, x_from), Guarded::new(y_len, dy_from));
    let (mut w, mut scratch) = (Guarded::new(w_len, &w_from), Guarded::new(scratch_len, &[]));
    let mut dw = Guarded::new(w_len, dw_from);
    let op = rng.below(5);
    let returned = returns(|| match op {
        0 => forward(isa, c, x.slice(), FilterBank::new(w.slice()), y.slice(), scratch.slice()),
        1 => backward_input(isa, c, y.slice(), w.slice(), x.slice(), scratch.slice()),
        2 => transposed(isa, c, y.slice(), FilterBank::new(w.slice()), x.slice(), scratch.slice()),
        3 => backward_weight(isa, c, x.slice(), y.slice(), 0..w_len, dw.slice(), scratch.slice()),
        _ => {
            let filters = c.filters.min(MOST);
            backward_bias(isa, c, y.slice(), 0..filters, &mut vec![0.0; filters]);
        }
    });
    let guarded = [&x, &y, &w, &scratch, &dw];
    assert!(guarded.into_iter().all(Guarded::is_intact), "call {op} writes beside its slices, {c:?}");
    let Some(case) = case else {
        assert!(returned.is_none() || op == 4, "call {op} takes lengths {all:?} that do not agree, {c:?}");
        return;
    };
    assert!(returned.is_some(), "call {op} refuses lengths that agree, {c:?}");
    match op {
        0 => close("forward", c, y.slice(), &case.expected_forward(&vec![0.0; c.y_len()])),
        1 | 2 => close("backward_input", c, x.slice(), &case.expected_back(&vec![0.0; c.x_len()])),
        3 => {
            let mut standard = vec![0.0; c.filters * c.rows()];
            c.panels().unpack(dw.slice(), &mut standard);
            close("backward_weight", c, &standard, &case.expected_backward_weight());
        }
        _ => {}
    }
}

/// All calls of a convolution with a max pool, whose numbers other tests compare.
fn fuse(rng: &mut Rng, isa: Isa) {
    let mut conv = rng.conv();
    if rng.below(4) != 0 {
        (conv.groups, conv.channels_last, conv.dilation[1]) = (1, false, 1);
    }
    let [height, width] = returns(|| conv.output()).unwrap_or([3, 3]);
    let pool = Pool { channels_last: rng.below(9) == 0, ..rng.pool([conv.filters, height, width]) };
    let fused = ConvMaxPool { conv, pool };
    let b = 1 + rng.below(2);
    let lens = returns(|| {
        [b * conv.x_len().min(MOST + 1), b * pool.y_len().min(MOST + 1), conv.weights_len(), fused.scratch()]
    });
    let [x_len, y_len, w_len, scratch_len] = [0, 1, 2, 3].map(|i| length(rng, lens.map(|lens| lens[i])).0);
    let mut all = [x_len, y_len, y_len, w_len, scratch_len, w_len].map(|len| Guarded::new(len, &[]));
    // Positions that `forward` writes, or any bits.
    if rng.below(2) == 0 {
        all[2].slice().iter_mut().for_each(|at| *at = f32::from_bits(rng.below(usize::MAX) as u32));
    }
    let filters = conv.filters.min(MOST);
    let mut db = vec![0.0; filters];
    for op in 0..4 {
        let [x, y, argmax, w, scratch, dw] = all.each_mut().map(Guarded::slice);
        returns(|| match op {
            0 => fused_max_pool::forward(isa, fused, x, FilterBank::new(w), y, argmax, scratch),
            1 => fused_max_pool::backward_input(isa, fused, MaxPoolGrad { dy: y, argmax }, w, x, scratch),
            2 => fused_max_pool::backward_weight(isa, fused, x, MaxPoolGrad { dy: y, argmax }, 0..w_len, dw, scratch),
            _ => fused_max_pool::backward_bias(isa, pool, MaxPoolGrad { dy: y, argmax }, 0..filters, &mut db),
        });
        assert!(all.iter().all(Guarded::is_intact), "call {op} writes beside its slices, {fused:?}");
    }
}

/// All calls of a pool, whose numbers other tests compare.
fn pool(rng: &mut Rng, isa: Isa) {
    let size = [1 + rng.below(20), 1 + rng.below(9), 1 + rng.below(40)];
    let p = rng.pool(size);
    let lens = returns(|| [2 * p.x_len().min(MOST + 1), 2 * p.y_len().min(MOST + 1)]);
    let [x_len, y_len] = [0, 1].map(|i| length(rng, lens.map(|lens| lens[i])).0);
    let mut all = [x_len, y_len, y_len].map(|len| Guarded::new(len, &[]));
    for op in 0..4 {
        let [x, y, argmax] = all.each_mut().map(Guarded::slice);
        returns(|| match op {
            0 => avg_pool(isa, p, op == 0, x, y),
            1 => avg_pool_backward(isa, p, false, y, x),
            2 => max_pool(isa, p, x, y, argmax),
            _ => max_pool_backward(isa, p, y, argmax, x),
        });
        assert!(all.iter().all(Guarded::is_intact), "call {op} writes beside its slices, {p:?}");
    }
}

/// A call of everything here.
pub(super) fn call(rng: &mut Rng, isa: Isa) {
    convolve(rng, isa);
    fuse(rng, isa);
    pool(rng, isa);
}
