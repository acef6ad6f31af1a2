//! Convolutions against plain sums in double precision over a grid of settings, and against themselves: no
//! cut of a batch, of the storage or of the work, and no form of the loops, changes a bit.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Conv, FilterBank, backward_bias, backward_input, backward_weight, forward, transposed};
use crate::matrix::Panels;
use crate::simd::Isa;

/// A batch with its weights and gradients, all about 1 in size.
pub(crate) struct Case {
    c: Conv,
    b: usize,
    pub(crate) x: Vec<f32>,
    /// `[filters, channels / groups, rows, columns]`, as it is saved.
    w: Vec<f32>,
    bias: Vec<f32>,
    /// Of the transposed convolution.
    back_bias: Vec<f32>,
    pub(crate) dy: Vec<f32>,
    /// What gradients are added to; 0 in the padding.
    pub(crate) dw: Vec<f32>,
}

impl Case {
    pub(crate) fn new(c: Conv, b: usize) -> Case {
        let mut state = (c.x_len() * 1_000_003 + c.y_len() * 1009 + b) as u32;
        let mut numbers = |len: usize| -> Vec<f32> {
            let next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            core::iter::repeat_with(next).take(len).collect()
        };
        let weights = c.filters * c.rows();
        let (x, w, bias) = (numbers(b * c.x_len()), numbers(weights), numbers(c.filters));
        let (back_bias, dy) = (numbers(c.channels), numbers(b * c.y_len()));
        let mut dw = vec![0.0; c.panels().len()];
        c.panels().pack(&numbers(weights), &mut dw);
        Case { c, b, x, w, bias, back_bias, dy, dw }
    }

    pub(crate) fn packed(&self) -> Vec<f32> {
        let mut storage = vec![f32::NAN; self.c.panels().len()];
        self.c.panels().pack(&self.w, &mut storage);
        storage
    }

    fn scratch(&self) -> Vec<f32> {
        vec![f32::NAN; self.c.scratch()]
    }

    fn forward(&self, isa: Isa, samples: Range<usize>, floor: f32) -> Vec<f32> {
        let mut y = vec![f32::NAN; samples.len() * self.c.y_len()];
        let x = &self.x[samples.start * self.c.x_len()..samples.end * self.c.x_len()];
        let w = self.packed();
        let filters = FilterBank { w: &w, bias: Some(&self.bias), floor };
        forward(isa, self.c, x, filters, &mut y, &mut self.scratch());
        y
    }

    fn backward_input(&self, isa: Isa, samples: Range<usize>) -> Vec<f32> {
        let mut dx = vec![f32::NAN; samples.len() * self.c.x_len()];
        let dy = &self.dy[samples.start * self.c.y_len()..samples.end * self.c.y_len()];
        backward_input(isa, self.c, dy, &self.packed(), &mut dx, &mut self.scratch());
        dx
    }

    fn backward_weight(&self, isa: Isa, samples: Range<usize>, range: Range<usize>, dw: &mut [f32]) {
        let x = &self.x[samples.start * self.c.x_len()..samples.end * self.c.x_len()];
        let dy = &self.dy[samples.start * self.c.y_len()..samples.end * self.c.y_len()];
        backward_weight(isa, self.c, x, dy, range, dw, &mut self.scratch());
    }

    /// Calls with (sample, x, w, y): every product there is, as offsets into one input, the standard weights,
    /// one output.
    fn products(&self, mut f: impl FnMut(usize, usize, usize)) {
        let c = self.c;
        let [oh, ow] = c.output();
        let place = |channels: usize, [h, w]: [usize; 2], channel: usize, y: usize, x: usize| match c.channels_last {
            true => (y * w + x) * channels + channel,
            false => (channel * h + y) * w + x,
        };
        let (per_in, per_out) = (c.channels / c.groups, c.filters / c.groups);
        for filter in 0..c.filters {
            for channel in 0..per_in {
                for (ky, kx) in (0..c.kernel[0]).flat_map(|ky| (0..c.kernel[1]).map(move |kx| (ky, kx))) {
                    for (oy, ox) in (0..oh).flat_map(|oy| (0..ow).map(move |ox| (oy, ox))) {
                        let iy = (oy * c.stride[0] + ky * c.dilation[0]).checked_sub(c.pad[0]);
                        let ix = (ox * c.stride[1] + kx * c.dilation[1]).checked_sub(c.pad[2]);
                        if let (Some(iy), Some(ix)) = (iy.filter(|y| *y < c.height), ix.filter(|x| *x < c.width)) {
                            let from = filter / per_out * per_in + channel;
                            f(
                                place(c.channels, [c.height, c.width], from, iy, ix),
                                ((filter * per_in + channel) * c.kernel[0] + ky) * c.kernel[1] + kx,
                                place(c.filters, [oh, ow], filter, oy, ox),
                            );
                        }
                    }
                }
            }
        }
    }

    /// The sums of `products` into what `pick` says, from `start` on, sample by sample; `shared` where all
    /// samples go into one.
    fn expected(&self, start: &[f64], shared: bool, add: impl Fn(&mut [f64], usize, [usize; 3])) -> Vec<f64> {
        let mut all = Vec::new();
        let mut sums = start.to_vec();
        for s in 0..self.b {
            if !shared {
                sums = start.to_vec();
            }
            self.products(|x, w, y| add(&mut sums, s, [x, w, y]));
            if !shared {
                all.extend_from_slice(&sums);
            }
        }
        if shared { sums } else { all }
    }

    fn of_channels(&self, bias: &[f32], len: usize) -> Vec<f64> {
        let channel = |i: usize| if self.c.channels_last { i % bias.len() } else { i / (len / bias.len()) };
        (0..len).map(|i| f64::from(bias[channel(i)])).collect()
    }

    pub(crate) fn expected_forward(&self, start: &[f64]) -> Vec<f64> {
        let x_len = self.c.x_len();
        let x = |s: usize, x: usize| f64::from(self.x[s * x_len + x]);
        self.expected(start, false, |sums, s, [at, w, y]| sums[y] += x(s, at) * f64::from(self.w[w]))
    }

    pub(crate) fn expected_back(&self, start: &[f64]) -> Vec<f64> {
        let y_len = self.c.y_len();
        let dy = |s: usize, y: usize| f64::from(self.dy[s * y_len + y]);
        self.expected(start, false, |sums, s, [x, w, y]| sums[x] += dy(s, y) * f64::from(self.w[w]))
    }

    pub(crate) fn expected_backward_weight(&self) -> Vec<f64> {
        let (x_len, y_len, panels) = (self.c.x_len(), self.c.y_len(), self.c.panels());
        let mut start = vec![0.0; self.w.len()];
        panels.unpack(&self.dw, &mut start);
        let start: Vec<f64> = start.into_iter().map(f64::from).collect();
        self.expected(&start, true, |sums, s, [x, w, y]| {
            sums[w] += f64::from(self.x[s * x_len + x]) * f64::from(self.dy[s * y_len + y]);
        })
    }
}

/// Sizes, strides, borders, dilations and groups that meet every form of the loops, and every odd end of
/// them.
fn settings() -> Vec<Conv> {
    let base = [
        Conv::new([1, 9, 21], 5, [3, 3]),
        Conv::new([3, 7, 6], 17, [3, 2]),
        Conv::new([16, 5, 9], 33, [1, 1]),
        Conv::new([2, 11, 20], 40, [5, 3]),
        Conv { groups: 4, ..Conv::new([4, 8, 18], 4, [3, 3]) },
        Conv { groups: 6, ..Conv::new([6, 7, 7], 42, [2, 3]) },
        Conv { groups: 2, ..Conv::new([6, 6, 7], 64, [3, 3]) },
        Conv { groups: 2, ..Conv::new([34, 5, 5], 18, [2, 2]) },
        Conv { channels_last: true, ..Conv::new([5, 1, 19], 7, [1, 4]) },
        Conv { channels_last: true, ..Conv::new([3, 7, 8], 20, [3, 2]) },
        Conv { channels_last: true, groups: 3, ..Conv::new([3, 6, 19], 6, [3, 3]) },
        Conv { channels_last: true, groups: 2, ..Conv::new([4, 5, 6], 64, [2, 3]) },
    ];
    let mut all = Vec::new();
    for c in base {
        for stride in [[1, 1], [2, 2], [3, 1], [1, 4]] {
            for pad in [[0; 4], [1; 4], [0, 2, 3, 1]] {
                for dilation in [[1, 1], [2, 1], [1, 3]] {
                    let c = Conv { stride, pad, dilation, ..c };
                    let fits = |axis: usize, size: usize| (c.kernel[axis] - 1) * dilation[axis] < size;
                    if fits(0, c.height + pad[0] + pad[1]) && fits(1, c.width + pad[2] + pad[3]) {
                        all.push(c);
                    }
                }
            }
        }
    }
    all.push(Conv { stride: [3, 5], ..Conv::new([2, 7, 11], 3, [1, 2]) });
    all.push(Conv::new([40, 3, 3], 70, [3, 3]));
    all
}

/// As many as an interpreter gets through in seconds, one of each kind.
fn few() -> Vec<Conv> {
    vec![
        Conv { pad: [1; 4], ..Conv::new([1, 3, 4], 2, [3, 3]) },
        Conv { stride: [2, 1], ..Conv::new([2, 3, 3], 17, [2, 2]) },
        Conv { groups: 2, dilation: [1, 2], ..Conv::new([4, 1, 6], 4, [1, 3]) },
        Conv { channels_last: true, pad: [0, 1, 1, 0], ..Conv::new([3, 2, 3], 5, [2, 2]) },
        Conv { channels_last: true, groups: 2, ..Conv::new([2, 2, 18], 4, [2, 2]) },
        Conv::new([17, 1, 2], 18, [1, 1]),
    ]
}

fn each(mut check: impl FnMut(Isa, &Case)) {
    let all = if cfg!(miri) { few() } else { settings() };
    for (n, c) in all.into_iter().enumerate() {
        let case = Case::new(c, 1 + n % 3);
        Isa::available().for_each(|isa| check(isa, &case));
    }
}

#[track_caller]
fn agree(what: &str, isa: Isa, case: &Case, found: &[f32], expected: &[f64]) {
    let place = format_args!("{what} on {}, {:?}, batch {}", isa.name(), case.c, case.b);
    assert_eq!(found.len(), expected.len(), "{place}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 3e-5 * (1.0 + expected.abs()), "{place}: element {i} is {found}, expected {expected}");
    }
}

#[test]
fn forward_is_right() {
    each(|isa, case| {
        let expected = case.expected_forward(&case.of_channels(&case.bias, case.c.y_len()));
        agree("forward", isa, case, &case.forward(isa, 0..case.b, f32::NEG_INFINITY), &expected);
        let rectified: Vec<f64> = expected.iter().map(|y| y.max(0.25)).collect();
        agree("forward with a floor", isa, case, &case.forward(isa, 0..case.b, 0.25), &rectified);
    });
}

#[test]
fn gradients_of_inputs_are_right() {
    each(|isa, case| {
        let expected = case.expected_back(&vec![0.0; case.c.x_len()]);
        agree("backward_input", isa, case, &case.backward_input(isa, 0..case.b), &expected);
    });
}

#[test]
fn transposed_convolutions_are_right() {
    each(|isa, case| {
        let expected = case.expected_back(&case.of_channels(&case.back_bias, case.c.x_len()));
        let rectified: Vec<f64> = expected.iter().map(|y| y.max(-0.5)).collect();
        let mut y = vec![f32::NAN; case.x.len()];
        let w = case.packed();
        let filters = FilterBank { w: &w, bias: Some(&case.back_bias), floor: -0.5 };
        transposed(isa, case.c, &case.dy, filters, &mut y, &mut case.scratch());
        agree("transposed", isa, case, &y, &rectified);
    });
}

#[test]
fn gradients_of_weights_are_right() {
    each(|isa, case| {
        let (mut dw, mut standard) = (case.dw.clone(), vec![0.0; case.w.len()]);
        case.backward_weight(isa, 0..case.b, 0..dw.len(), &mut dw);
        case.c.panels().unpack(&dw, &mut standard);
        agree("backward_weight", isa, case, &standard, &case.expected_backward_weight());
        case.c.panels().pack(&standard, &mut dw[..]);
        assert!(dw.iter().all(|dw| !dw.is_nan()));
    });
}

#[test]
fn gradients_of_biases_are_right() {
    each(|isa, case| {
        let c = case.c;
        let places = c.y_len() / c.filters;
        let mut expected: Vec<f64> = case.bias.iter().map(|b| f64::from(*b)).collect();
        for dy in case.dy.chunks(c.y_len()) {
            for (i, dy) in dy.iter().enumerate() {
                let filter = if c.channels_last { i % c.filters } else { i / places };
                expected[filter] += f64::from(*dy);
            }
        }
        let mut db = case.bias.clone();
        let (first, second) = db.split_at_mut(c.filters / 3);
        backward_bias(isa, c, &case.dy, 0..first.len(), first);
        backward_bias(isa, c, &case.dy, first.len()..c.filters, second);
        agree("backward_bias", isa, case, &db, &expected);
    });
}

#[test]
fn a_batch_in_two_calls_has_the_bits_of_one() {
    each(|isa, case| {
        let cut = case.b / 2;
        let joined = |of: &dyn Fn(Range<usize>) -> Vec<f32>| [of(0..cut), of(cut..case.b)].concat();
        let forward = |samples| case.forward(isa, samples, -1.0);
        assert_eq!(joined(&forward), forward(0..case.b));
        assert_eq!(joined(&|samples| case.backward_input(isa, samples)), case.backward_input(isa, 0..case.b));
        let (mut once, mut twice) = (case.dw.clone(), case.dw.clone());
        let all = 0..once.len();
        case.backward_weight(isa, 0..case.b, all.clone(), &mut once);
        case.backward_weight(isa, 0..cut, all.clone(), &mut twice);
        case.backward_weight(isa, cut..case.b, all, &mut twice);
        assert_eq!(once, twice);
    });
}

#[test]
fn a_range_in_pieces_has_the_bits_of_the_whole() {
    each(|isa, case| {
        let len = case.dw.len();
        let mut whole = case.dw.clone();
        case.backward_weight(isa, 0..case.b, 0..len, &mut whole);
        for grains in [1, 3] {
            let mut pieces = case.dw.clone();
            for start in (0..len).step_by(grains * Panels::SPLIT_ALIGN) {
                let range = start..len.min(start + grains * Panels::SPLIT_ALIGN);
                case.backward_weight(isa, 0..case.b, range.clone(), &mut pieces[range]);
            }
            assert_eq!(whole, pieces, "{} grains on {}, {:?}", grains, isa.name(), case.c);
        }
    });
}

/// The chain that the documentation states, one scalar at a time; so neither form of the loops has bits of
/// its own.
#[test]
fn forward_is_one_chain() {
    each(|isa, case| {
        let c = case.c;
        if c.pad != [0; 4] {
            // The border takes part in the chain, but adds exact zeros: the order of the others is all there
            // is to see.
            return;
        }
        let mut chains = vec![0.0_f32; case.b * c.y_len()];
        for (s, chains) in chains.chunks_mut(c.y_len()).enumerate() {
            case.products(|x, w, y| {
                let (x, w) = (case.x[s * c.x_len() + x], case.w[w]);
                chains[y] = if isa.fuses() { x.mul_add(w, chains[y]) } else { x * w + chains[y] };
            });
        }
        let mut y = vec![f32::NAN; chains.len()];
        forward(isa, c, &case.x, FilterBank::new(&case.packed()), &mut y, &mut case.scratch());
        assert_eq!(y, chains, "{} {c:?}", isa.name());
    });
}

#[test]
fn padding_stays_zero_even_beside_infinities() {
    each(|isa, case| {
        let mut wild = Case::new(case.c, case.b);
        wild.x.fill(f32::INFINITY);
        let mut dw = case.dw.clone();
        wild.backward_weight(isa, 0..case.b, 0..dw.len(), &mut dw);
        let panels = case.c.panels();
        let mut real = vec![false; dw.len()];
        for i in 0..panels.rows() {
            (0..panels.cols()).for_each(|j| real[panels.index(i, j)] = true);
        }
        assert!(dw.iter().zip(real).all(|(dw, real)| real || dw.to_bits() == 0));
    });
}

#[test]
fn a_nan_stays_and_spreads_no_further() {
    each(|isa, case| {
        let mut odd = Case::new(case.c, case.b);
        odd.x[0] = f32::NAN;
        let mut reached = vec![false; case.c.y_len()];
        case.products(|x, _, y| reached[y] |= x == 0);
        reached.resize(case.b * case.c.y_len(), false);
        let y = odd.forward(isa, 0..case.b, 0.0);
        assert!(y.iter().zip(reached).all(|(y, reached)| y.is_nan() == reached));
    });
}

#[test]
#[should_panic(expected = "expected a kernel that fits into the input with its border")]
fn a_kernel_larger_than_the_image_is_refused() {
    Conv::new([1, 2, 4], 1, [3, 3]).output();
}

#[test]
#[should_panic(expected = "expected samples of 9 inputs and 4 outputs, found 9 and 5 numbers")]
fn a_batch_that_does_not_fit_is_refused() {
    let c = Conv::new([1, 3, 3], 1, [2, 2]);
    forward(Isa::PORTABLE, c, &[0.0; 9], FilterBank::new(&[0.0; 64]), &mut [0.0; 5], &mut []);
}

#[test]
#[should_panic(expected = "expected a range of 0..1024 cut at multiples of 256, found 0..100")]
fn a_range_cut_between_grains_is_refused() {
    let c = Conv::new([16, 3, 3], 16, [2, 2]);
    backward_weight(Isa::PORTABLE, c, &[], &[], 0..100, &mut [0.0; 100], &mut []);
}

#[test]
#[should_panic(expected = "expected a scratch of 18446744073709551615 numbers")]
fn sizes_that_wrap_around_are_refused() {
    // So many weights would wrap around to 4.
    let many = 1 << (usize::BITS / 2 + 1);
    let c = Conv::new([many, 1, 1], many, [1, 1]);
    backward_weight(Isa::PORTABLE, c, &[], &[], 0..0, &mut [], &mut [0.0; 64]);
}
