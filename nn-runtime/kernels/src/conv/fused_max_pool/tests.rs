//! Fused max pools against a convolution, a floor and a pool one after the other, and against themselves: no
//! cut of a batch or of the storage changes a bit.

use super::super::{Conv, FilterBank, forward as convolve};
use super::{ConvMaxPool, MaxPoolGrad, backward_bias, backward_input, backward_weight, forward};
use crate::matrix::Panels;
use crate::pool::Pool;
use crate::simd::Isa;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// A batch with its weights and gradients, and what a convolution, a floor and a pool make of it one after
/// the other.
struct Case {
    c: Conv,
    pool: Pool,
    b: usize,
    floor: f32,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
    /// What gradients are added to; 0 in the padding.
    dw: Vec<f32>,
}

/// The maxima, and for each that passes its gradient the place in the convolution's output.
struct Expected {
    y: Vec<f32>,
    place: Vec<Option<[usize; 2]>>,
}

impl Case {
    fn new(c: Conv, pool: Pool, b: usize, floor: f32) -> Case {
        let mut state = (c.x_len() * 1_000_003 + pool.y_len() * 1009 + b) as u32;
        let mut numbers = |len: usize| -> Vec<f32> {
            let next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            core::iter::repeat_with(next).take(len).collect()
        };
        let weights = c.filters * c.rows();
        let mut x = numbers(b * c.x_len());
        // Equal numbers side by side, so that maxima are met more than once.
        x.iter_mut().step_by(3).for_each(|x| *x = 0.5);
        let mut w = vec![f32::NAN; c.panels().len()];
        c.panels().pack(&numbers(weights), &mut w);
        let (bias, mut dy) = (numbers(c.filters), numbers(b * pool.y_len()));
        dy.iter_mut().step_by(7).for_each(|dy| *dy = 0.0);
        let mut dw = vec![0.0; c.panels().len()];
        c.panels().pack(&numbers(weights), &mut dw);
        Case { c, pool, b, floor, x, w, bias, dy, dw }
    }

    fn fused(&self) -> ConvMaxPool {
        ConvMaxPool { conv: self.c, pool: self.pool }
    }

    fn scratch(&self) -> Vec<f32> {
        vec![f32::NAN; self.fused().scratch()]
    }

    fn samples<'a>(&self, all: &'a [f32], samples: &Range<usize>) -> &'a [f32] {
        let len = all.len() / self.b;
        &all[samples.start * len..samples.end * len]
    }

    fn forward(&self, isa: Isa, samples: Range<usize>) -> (Vec<f32>, Vec<f32>) {
        let len = samples.len() * self.pool.y_len();
        let (mut y, mut at) = (vec![f32::NAN; len], vec![f32::NAN; len]);
        let filters = FilterBank { w: &self.w, bias: Some(&self.bias), floor: self.floor };
        let x = self.samples(&self.x, &samples);
        forward(isa, self.fused(), x, filters, &mut y, &mut at, &mut self.scratch());
        (y, at)
    }

    fn grad<'a>(&'a self, at: &'a [f32], samples: &Range<usize>) -> MaxPoolGrad<'a> {
        MaxPoolGrad { dy: self.samples(&self.dy, samples), argmax: self.samples(at, samples) }
    }

    fn backward_input(&self, isa: Isa, at: &[f32], samples: Range<usize>) -> Vec<f32> {
        let mut dx = vec![f32::NAN; samples.len() * self.c.x_len()];
        backward_input(isa, self.fused(), self.grad(at, &samples), &self.w, &mut dx, &mut self.scratch());
        dx
    }

    fn backward_weight(&self, isa: Isa, at: &[f32], samples: Range<usize>, range: Range<usize>, dw: &mut [f32]) {
        let (x, grad) = (self.samples(&self.x, &samples), self.grad(at, &samples));
        backward_weight(isa, self.fused(), x, grad, range, dw, &mut self.scratch());
    }

    fn expected(&self, isa: Isa) -> Expected {
        let (c, pool) = (self.c, self.pool);
        let [height, width] = c.output();
        let mut full = vec![f32::NAN; self.b * c.y_len()];
        let mut scratch = vec![f32::NAN; c.scratch()];
        let filters = FilterBank { bias: Some(&self.bias), ..FilterBank::new(&self.w) };
        convolve(isa, c, &self.x, filters, &mut full, &mut scratch);
        let [oh, ow] = pool.output();
        let (mut y, mut place) = (Vec::new(), Vec::new());
        for image in full.chunks(height * width) {
            for (oy, ox) in (0..oh).flat_map(|oy| (0..ow).map(move |ox| (oy, ox))) {
                let mut best = None;
                for (ky, kx) in (0..pool.window[0]).flat_map(|ky| (0..pool.window[1]).map(move |kx| (ky, kx))) {
                    let iy = (oy * pool.stride[0] + ky).checked_sub(pool.pad[0]).filter(|y| *y < height);
                    let ix = (ox * pool.stride[1] + kx).checked_sub(pool.pad[2]).filter(|x| *x < width);
                    let (Some(iy), Some(ix)) = (iy, ix) else { continue };
                    let x = image[iy * width + ix];
                    if best.is_none_or(|(most, _)| x > most) {
                        best = Some((x, [iy, ix]));
                    }
                }
                let (most, at) = best.unwrap();
                y.push(if most > self.floor { most } else { self.floor });
                place.push((most > self.floor).then_some(at));
            }
        }
        Expected { y, place }
    }

    /// Calls with (gradient, its index, x, w) for each product of the gradients: indices into all inputs and
    /// the weights.
    fn products(&self, expected: &Expected, mut f: impl FnMut(f64, usize, usize)) {
        let (c, windows) = (self.c, self.pool.y_len() / self.c.filters);
        for (i, (dy, place)) in self.dy.iter().zip(&expected.place).enumerate() {
            let Some([oy, ox]) = *place else { continue };
            let (sample, filter) = (i / self.pool.y_len(), i / windows % c.filters);
            for channel in 0..c.channels {
                for (ky, kx) in (0..c.kernel[0]).flat_map(|ky| (0..c.kernel[1]).map(move |kx| (ky, kx))) {
                    let iy = (oy * c.stride[0] + ky * c.dilation[0]).checked_sub(c.pad[0]).filter(|y| *y < c.height);
                    let ix = (ox * c.stride[1] + kx * c.dilation[1]).checked_sub(c.pad[2]).filter(|x| *x < c.width);
                    if let (Some(iy), Some(ix)) = (iy, ix) {
                        let x = ((sample * c.channels + channel) * c.height + iy) * c.width + ix;
                        let row = (channel * c.kernel[0] + ky) * c.kernel[1] + kx;
                        f(f64::from(*dy), x, c.panels().index(row, filter));
                    }
                }
            }
        }
    }
}

/// Kernels and channels that fill no vector, one, or several with a row of the filter, and windows that
/// overlap, miss inputs, or have a border.
fn settings() -> Vec<(Conv, Pool)> {
    let base = [
        Conv::new([1, 9, 21], 5, [3, 3]),
        Conv::new([1, 10, 9], 40, [3, 3]),
        // More than sixteen windows in a row.
        Conv::new([2, 6, 41], 7, [3, 2]),
        // Windows with places between them that none sees.
        Conv::new([3, 8, 20], 5, [1, 1]),
        Conv::new([1, 12, 11], 6, [5, 5]),
        Conv::new([3, 7, 9], 17, [3, 2]),
        Conv::new([6, 9, 8], 16, [5, 5]),
        // Channels that are taken together in parts of three, and one more.
        Conv::new([7, 9, 8], 3, [5, 5]),
        // Two channels, each with windows as lanes.
        Conv::new([2, 12, 20], 5, [3, 3]),
        Conv::new([7, 8, 7], 9, [4, 1]),
        Conv::new([32, 6, 7], 33, [3, 3]),
        Conv::new([21, 5, 6], 70, [2, 3]),
    ];
    let mut all = Vec::new();
    for c in base {
        for (stride, dilation) in [([1, 1], [1, 1]), ([2, 1], [1, 1]), ([1, 2], [2, 1])] {
            for pad in [[0; 4], [1, 0, 2, 1]] {
                let c = Conv { stride, dilation, pad, ..c };
                if (c.kernel[0] - 1) * dilation[0] >= c.height + pad[0] + pad[1] {
                    continue;
                }
                let [height, width] = c.output();
                for (window, stride, pad) in [
                    ([2, 2], [2, 2], [0; 4]),
                    ([2, 2], [3, 3], [0; 4]),
                    ([3, 3], [2, 2], [1, 1, 1, 1]),
                    ([1, 2], [2, 3], [0, 0, 1, 0]),
                ] {
                    let pool = Pool { stride, pad, ..Pool::new([c.filters, height, width], window) };
                    if window[0] <= height + pad[0] + pad[1] && window[1] <= width + pad[2] + pad[3] {
                        all.push((c, pool));
                    }
                }
            }
        }
    }
    all
}

fn each(mut check: impl FnMut(Isa, &Case)) {
    let step = if cfg!(miri) { 29 } else { 1 };
    for (n, (c, pool)) in settings().into_iter().enumerate().step_by(step) {
        let case = Case::new(c, pool, 1 + n % 3, [0.0, f32::NEG_INFINITY, 0.25, -0.5][n % 4]);
        Isa::available().for_each(|isa| check(isa, &case));
    }
}

#[track_caller]
fn agree(what: &str, isa: Isa, case: &Case, found: &[f32], expected: &[f64]) {
    let place = format_args!("{what} on {}, {:?}, {:?}, batch {}", isa.name(), case.c, case.pool, case.b);
    assert_eq!(found.len(), expected.len(), "{place}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 3e-5 * (1.0 + expected.abs()), "{place}: element {i} is {found}, expected {expected}");
    }
}

#[test]
fn maxima_are_those_of_a_convolution_a_floor_and_a_pool() {
    each(|isa, case| {
        let expected = case.expected(isa);
        let (y, at) = case.forward(isa, 0..case.b);
        assert_eq!(y, expected.y, "{} {:?} {:?}", isa.name(), case.c, case.pool);
        let mut alone = vec![f32::NAN; y.len()];
        let filters = FilterBank { w: &case.w, bias: Some(&case.bias), floor: case.floor };
        forward(isa, case.fused(), &case.x, filters, &mut alone, &mut [], &mut case.scratch());
        assert_eq!(y, alone);
        let width = case.c.width + case.c.pad[2] + case.c.pad[3];
        for (at, place) in at.iter().zip(&expected.place) {
            let expected = match place {
                Some([y, x]) => (y * case.c.stride[0] * width + x * case.c.stride[1]) as u32,
                None => super::REPLACED,
            };
            assert_eq!(at.to_bits(), expected, "{} {:?} {:?}", isa.name(), case.c, case.pool);
        }
    });
}

#[test]
fn gradients_are_right() {
    each(|isa, case| {
        let expected = case.expected(isa);
        let at = case.forward(isa, 0..case.b).1;
        let (mut dx, mut dw) = (vec![0.0; case.x.len()], case.dw.iter().map(|w| f64::from(*w)).collect::<Vec<f64>>());
        case.products(&expected, |dy, x, w| {
            dx[x] += dy * f64::from(case.w[w]);
            dw[w] += dy * f64::from(case.x[x]);
        });
        agree("backward_input", isa, case, &case.backward_input(isa, &at, 0..case.b), &dx);
        let mut found = case.dw.clone();
        case.backward_weight(isa, &at, 0..case.b, 0..found.len(), &mut found);
        agree("backward_weight", isa, case, &found, &dw);

        let mut db: Vec<f64> = case.bias.iter().map(|b| f64::from(*b)).collect();
        let windows = case.pool.y_len() / case.c.filters;
        for (i, (dy, place)) in case.dy.iter().zip(&expected.place).enumerate() {
            db[i / windows % case.c.filters] += if place.is_some() { f64::from(*dy) } else { 0.0 };
        }
        let mut found = case.bias.clone();
        let (first, second) = found.split_at_mut(case.c.filters / 3);
        let grad = case.grad(&at, &(0..case.b));
        backward_bias(isa, case.pool, grad, 0..first.len(), first);
        backward_bias(isa, case.pool, grad, first.len()..case.c.filters, second);
        agree("backward_bias", isa, case, &found, &db);
    });
}

#[test]
fn a_batch_in_two_calls_has_the_bits_of_one() {
    each(|isa, case| {
        let cut = case.b / 2;
        let (y, at) = case.forward(isa, 0..case.b);
        let (first, second) = (case.forward(isa, 0..cut), case.forward(isa, cut..case.b));
        assert_eq!([first.0, second.0].concat(), y);
        let parts = [case.backward_input(isa, &at, 0..cut), case.backward_input(isa, &at, cut..case.b)];
        assert_eq!(parts.concat(), case.backward_input(isa, &at, 0..case.b));
        let (mut once, mut twice) = (case.dw.clone(), case.dw.clone());
        let all = 0..once.len();
        case.backward_weight(isa, &at, 0..case.b, all.clone(), &mut once);
        case.backward_weight(isa, &at, 0..cut, all.clone(), &mut twice);
        case.backward_weight(isa, &at, cut..case.b, all, &mut twice);
        assert_eq!(once, twice);
    });
}

#[test]
fn a_range_in_pieces_has_the_bits_of_the_whole() {
    each(|isa, case| {
        let len = case.dw.len();
        let at = case.forward(isa, 0..case.b).1;
        let mut whole = case.dw.clone();
        case.backward_weight(isa, &at, 0..case.b, 0..len, &mut whole);
        for grains in [1, 3] {
            let mut pieces = case.dw.clone();
            for start in (0..len).step_by(grains * Panels::SPLIT_ALIGN) {
                let range = start..len.min(start + grains * Panels::SPLIT_ALIGN);
                case.backward_weight(isa, &at, 0..case.b, range.clone(), &mut pieces[range]);
            }
            assert_eq!(whole, pieces, "{} grains on {}, {:?}", grains, isa.name(), case.c);
        }
    });
}

#[test]
fn what_is_cut_off_or_no_maximum_spreads_no_nan() {
    each(|isa, case| {
        let at = case.forward(isa, 0..case.b).1;
        let expected = case.expected(isa);
        let mut wild = Case::new(case.c, case.pool, case.b, case.floor);
        wild.x.fill(f32::INFINITY);
        wild.w.fill(f32::INFINITY);
        let (mut seen, mut used) = (vec![false; case.x.len()], vec![false; case.dw.len()]);
        case.products(&expected, |dy, x, w| {
            seen[x] |= dy != 0.0;
            used[w] |= dy != 0.0;
        });
        let dx = wild.backward_input(isa, &at, 0..case.b);
        assert!(dx.iter().zip(seen).all(|(dx, seen)| dx.is_finite() != seen));
        let mut dw = case.dw.clone();
        wild.backward_weight(isa, &at, 0..case.b, 0..dw.len(), &mut dw);
        assert!(dw.iter().zip(used).all(|(dw, used)| dw.is_finite() != used));
    });
}

#[test]
fn a_nan_is_the_largest_and_passes_its_gradient() {
    let fused = ConvMaxPool { conv: Conv::new([1, 2, 2], 1, [1, 1]), pool: Pool::new([1, 2, 2], [2, 2]) };
    let c = fused.conv;
    let mut w = vec![0.0; c.panels().len()];
    c.panels().pack(&[1.0], &mut w);
    for isa in Isa::available() {
        let (mut y, mut at, mut dx) = ([0.0], [0.0], [1.0; 4]);
        let mut scratch = vec![f32::NAN; fused.scratch()];
        let filters = FilterBank { w: &w, bias: None, floor: 0.0 };
        forward(isa, fused, &[7.0, 1.0, f32::NAN, 8.0], filters, &mut y, &mut at, &mut scratch);
        assert!(y[0].is_nan());
        backward_input(isa, fused, MaxPoolGrad { dy: &[2.0], argmax: &at }, &w, &mut dx, &mut scratch);
        assert_eq!(dx, [0.0, 0.0, 2.0, 0.0]);
    }
}

#[test]
#[should_panic(expected = "expected windows over [1, 2, 2], found [1, 4, 2]")]
fn windows_over_something_else_are_refused() {
    let fused = ConvMaxPool { conv: Conv::new([1, 2, 2], 1, [1, 1]), pool: Pool::new([1, 4, 2], [2, 2]) };
    let filters = FilterBank { w: &[0.0; 16], bias: None, floor: 0.0 };
    forward(Isa::PORTABLE, fused, &[0.0; 4], filters, &mut [0.0; 2], &mut [], &mut []);
}

#[test]
#[should_panic(expected = "expected positions from `forward`")]
fn places_outside_are_refused() {
    let fused = ConvMaxPool { conv: Conv::new([20, 2, 2], 1, [1, 1]), pool: Pool::new([1, 2, 2], [2, 2]) };
    let grad = MaxPoolGrad { dy: &[1.0], argmax: &[f32::from_bits(1000)] };
    let (mut dw, mut scratch) = (vec![0.0; fused.conv.panels().len()], vec![0.0; fused.scratch()]);
    backward_weight(Isa::PORTABLE, fused, &[0.0; 80], grad, 0..320, &mut dw, &mut scratch);
}

#[test]
fn gradients_over_long_inputs_are_exact() {
    let side = if cfg!(miri) { 40 } else { 600 };
    for conv in [Conv::new([1, side, side], 3, [3, 3]), Conv::new([16, side / 4, side], 2, [1, 1])] {
        let [height, width] = conv.output();
        let fused = ConvMaxPool { conv, pool: Pool::new([conv.filters, height, width], [2, 2]) };
        let w = vec![0.0; conv.panels().len()];
        let (x, y_len) = (vec![0.1; conv.x_len()], fused.pool.y_len());
        for isa in Isa::available() {
            let (mut y, mut argmax, mut scratch) = (vec![0.0; y_len], vec![0.0; y_len], vec![0.0; fused.scratch()]);
            forward(isa, fused, &x, FilterBank::new(&w), &mut y, &mut argmax, &mut scratch);
            let grad = MaxPoolGrad { dy: &vec![0.1; y_len], argmax: &argmax };
            let (mut dw, mut db) = (vec![0.0; w.len()], vec![0.0; conv.filters]);
            backward_bias(isa, fused.pool, grad, 0..conv.filters, &mut db);
            backward_weight(isa, fused, &x, grad, 0..w.len(), &mut dw, &mut scratch);
            let mut standard = vec![0.0; conv.filters * conv.rows()];
            conv.panels().unpack(&dw, &mut standard);
            let (windows, tenth) = ((y_len / conv.filters) as f64, f64::from(0.1_f32));
            for (found, expected) in [(&db, windows * tenth), (&standard, windows * tenth * tenth)] {
                for found in found {
                    let error = (f64::from(*found) - expected).abs() / expected;
                    assert!(error <= 1e-6, "{found} for {expected} on {}, {conv:?}", isa.name());
                }
            }
        }
    }
}
