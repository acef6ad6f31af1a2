//! Pools against the plainest of loops, over windows, strides, borders, odd sizes and both layouts, on every
//! instruction set.

use alloc::vec;
use alloc::vec::Vec;

use super::{
    Pool, Spacing, UnevenPool, avg_pool, avg_pool_backward, max_pool, max_pool_backward, uneven_max_pool,
    uneven_max_pool_backward, uneven_mean, uneven_mean_backward,
};
use crate::simd::Isa;

const BATCH: usize = 2;

fn settings() -> Vec<Pool> {
    let mut all = Vec::new();
    for size in [[3, 7, 9], [17, 6, 5], [2, 5, 40], [1, 26, 26], [4, 1, 37]] {
        for window in [[1, 1], [2, 2], [3, 3], [1, 4], [3, 2], [5, 1], size[1..].try_into().unwrap()] {
            for stride in [[1, 1], [2, 2], [3, 1], [1, 3], window] {
                for pad in [[0; 4], [1; 4], [0, 1, 2, 1]] {
                    let p = Pool { stride, pad, ..Pool::new(size, window) };
                    let fits = |axis: usize| {
                        let (before, after) = (pad[2 * axis], pad[2 * axis + 1]);
                        before.max(after) < window[axis] && window[axis] <= size[1 + axis] + before + after
                    };
                    if fits(0) && fits(1) {
                        all.extend([p, Pool { channels_last: true, ..p }]);
                    }
                }
            }
        }
    }
    if cfg!(miri) { all.into_iter().step_by(41).collect() } else { all }
}

/// Numbers with many equals among them, when `levels` is small.
fn numbers(len: usize, levels: u32, seed: usize) -> Vec<f32> {
    let mut state = seed as u32 + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 12) as f32 % levels as f32 / 4.0 - 1.0
    };
    core::iter::repeat_with(next).take(len).collect()
}

/// Calls with output, input and the place of the input in its plane, window by window, row by row.
fn pairs(p: Pool, mut f: impl FnMut(usize, usize, usize)) {
    let [oh, ow] = p.output();
    let at = |[h, w]: [usize; 2], sample: usize, c: usize, y: usize, x: usize| match p.channels_last {
        true => ((sample * h + y) * w + x) * p.channels + c,
        false => ((sample * p.channels + c) * h + y) * w + x,
    };
    for sample in 0..BATCH {
        for c in 0..p.channels {
            for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                for (ky, kx) in (0..p.window[0]).flat_map(|y| (0..p.window[1]).map(move |x| (y, x))) {
                    let y = (oy * p.stride[0] + ky).checked_sub(p.pad[0]).filter(|y| *y < p.height);
                    let x = (ox * p.stride[1] + kx).checked_sub(p.pad[2]).filter(|x| *x < p.width);
                    if let (Some(y), Some(x)) = (y, x) {
                        let from = at([p.height, p.width], sample, c, y, x);
                        f(at([oh, ow], sample, c, oy, ox), from, y * p.width + x);
                    }
                }
            }
        }
    }
}

#[test]
fn maxima_and_their_places_are_right() {
    for (n, p) in settings().into_iter().enumerate() {
        let mut x = numbers(BATCH * p.x_len(), 12, n);
        if n % 3 == 0 {
            let at = x.len() / 2;
            (x[at], x[0]) = (f32::NAN, f32::NEG_INFINITY);
        }
        let y_len = BATCH * p.y_len();
        let mut best = vec![None; y_len];
        pairs(p, |o, i, place| {
            if best[o].is_none_or(|(value, _, _)| x[i] > value || x[i].is_nan()) {
                best[o] = Some((x[i], place as u32, i));
            }
        });
        let dy = numbers(y_len, 1 << 19, n);
        let mut expected = vec![0.0; x.len()];
        best.iter().zip(&dy).for_each(|(best, dy)| expected[best.unwrap().2] += f64::from(*dy));
        for isa in Isa::available() {
            let (mut y, mut at, mut dx) = (vec![7.0; y_len], vec![7.0; y_len], vec![7.0; x.len()]);
            max_pool(isa, p, &x, &mut y, &mut at);
            for (o, best) in best.iter().enumerate() {
                let (value, place, _) = best.unwrap();
                assert!(y[o] == value || y[o].is_nan() && value.is_nan(), "{} {p:?}: output {o}", isa.name());
                assert_eq!(at[o].to_bits(), place, "{} {p:?}: place of {o}", isa.name());
            }
            let mut alone = vec![7.0; y_len];
            max_pool(isa, p, &x, &mut alone, &mut []);
            assert!(alone.iter().zip(&y).all(|(a, b)| a.to_bits() == b.to_bits()));
            max_pool_backward(isa, p, &dy, &at, &mut dx);
            agree(isa, p, &dx, &expected);
        }
    }
}

#[test]
fn means_and_their_gradients_are_right() {
    for (n, p) in settings().into_iter().enumerate() {
        for count_border in [true, false] {
            let (x, dy) = (numbers(BATCH * p.x_len(), 1 << 19, n), numbers(BATCH * p.y_len(), 1 << 19, n + 1));
            let mut counts = vec![0.0; dy.len()];
            pairs(p, |o, _, _| counts[o] += 1.0);
            if count_border {
                counts.fill((p.window[0] * p.window[1]) as f64);
            }
            let (mut means, mut gradients) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
            pairs(p, |o, i, _| {
                means[o] += f64::from(x[i]) / counts[o];
                gradients[i] += f64::from(dy[o]) / counts[o];
            });
            for isa in Isa::available() {
                let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
                avg_pool(isa, p, count_border, &x, &mut y);
                agree(isa, p, &y, &means);
                avg_pool_backward(isa, p, count_border, &dy, &mut dx);
                agree(isa, p, &dx, &gradients);
            }
        }
    }
}

#[track_caller]
fn agree(isa: Isa, p: Pool, found: &[f32], expected: &[f64]) {
    let size = expected.iter().fold(1.0_f64, |size, x| size.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 1e-5 * size, "{} {p:?}: element {i} is {found}, expected {expected}", isa.name());
    }
}

#[test]
#[should_panic(expected = "expected a border smaller than the window")]
fn a_window_that_sees_only_border_is_refused() {
    Pool { pad: [2; 4], ..Pool::new([1, 5, 5], [2, 2]) }.output();
}

#[test]
#[should_panic(expected = "expected 2 positions or none, found 1")]
fn too_few_places_are_refused() {
    max_pool(Isa::PORTABLE, Pool::new([1, 2, 4], [2, 2]), &[0.0; 8], &mut [0.0; 2], &mut [0.0; 1]);
}

#[test]
fn means_of_a_million_are_exact() {
    let side = if cfg!(miri) { 40 } else { 1024 };
    let long = side * side / 2;
    for p in [
        Pool { channels_last: true, ..Pool::new([2, 1, long], [1, long]) },
        Pool::new([1, side, side], [side, side]),
        Pool::new([1, side * side / 8, 8], [side * side / 8, 8]),
        Pool { stride: [1, 1], ..Pool::new([1, side, 40], [side, 33]) },
    ] {
        let (x, mut y) = (vec![0.1; p.x_len()], vec![0.0; p.y_len()]);
        for isa in Isa::available() {
            avg_pool(isa, p, true, &x, &mut y);
            assert!(y.iter().all(|y| (y - 0.1).abs() <= 1e-7), "{:?} on {}, {p:?}", &y[..1], isa.name());
        }
    }
}

#[test]
#[should_panic(expected = "expected samples of ")]
fn sizes_that_wrap_around_are_refused() {
    // So many numbers would wrap around to none.
    let side = 1 << (usize::BITS / 2);
    let p = Pool::new([1, side, side], [1, 1]);
    assert_eq!((p.x_len(), p.y_len()), (usize::MAX, usize::MAX));
    max_pool(Isa::PORTABLE, p, &[0.0; 4], &mut [0.0; 4], &mut []);
}

fn uneven() -> Vec<UnevenPool> {
    let gaps = |size: usize, [window, dilation, stride, before]: [usize; 4]| {
        let out = (size + before).div_ceil(stride);
        Spacing::Gaps { window, dilation, stride, before, out }
    };
    let mut all = Vec::new();
    for (channels, size) in [(3, [7, 9]), (17, [6, 5]), (1, [1, 37]), (40, [3, 4])] {
        for way in [[2, 3, 1, 1], [3, 2, 2, 2], [1, 1, 3, 0], [4, 1, 2, 3]] {
            for parts in [[1, 2], [3, 4], [9, 11], [size[0], 1]] {
                for along in [
                    [gaps(size[0], way), gaps(size[1], way)],
                    parts.map(Spacing::Parts),
                    [Spacing::Parts(parts[0]), gaps(size[1], way)],
                ] {
                    // Each window must see something.
                    let p = UnevenPool { channels, size, along, channels_last: false };
                    if (0..2).all(|axis| (0..p.output()[axis]).all(|o| !sees(p, axis, o).is_empty())) {
                        all.extend([p, UnevenPool { channels_last: true, ..p }]);
                    }
                }
            }
        }
    }
    if cfg!(miri) { all.into_iter().step_by(17).collect() } else { all }
}

/// The places of window `o` along an axis, as the definition says.
fn sees(p: UnevenPool, axis: usize, o: usize) -> Vec<usize> {
    let size = p.size[axis];
    match p.along[axis] {
        Spacing::Parts(n) => (o * size / n..((o + 1) * size).div_ceil(n)).collect(),
        Spacing::Gaps { window, dilation, stride, before, .. } => {
            let places = (0..window).filter_map(|k| (o * stride + k * dilation).checked_sub(before));
            places.filter(|place| *place < size).collect()
        }
    }
}

/// Calls with output, input, the place of the input in its plane, and how many the window sees.
fn uneven_pairs(p: UnevenPool, mut f: impl FnMut(usize, usize, usize, usize)) {
    let at = |[h, w]: [usize; 2], sample: usize, c: usize, y: usize, x: usize| match p.channels_last {
        true => ((sample * h + y) * w + x) * p.channels + c,
        false => ((sample * p.channels + c) * h + y) * w + x,
    };
    let out = p.output();
    for (sample, c) in (0..BATCH).flat_map(|sample| (0..p.channels).map(move |c| (sample, c))) {
        for (oy, ox) in (0..out[0]).flat_map(|y| (0..out[1]).map(move |x| (y, x))) {
            let (rows, columns) = (sees(p, 0, oy), sees(p, 1, ox));
            for (y, x) in rows.iter().flat_map(|y| columns.iter().map(move |x| (*y, *x))) {
                let count = rows.len() * columns.len();
                f(at(out, sample, c, oy, ox), at(p.size, sample, c, y, x), y * p.size[1] + x, count);
            }
        }
    }
}

#[test]
fn windows_of_any_spacing_are_right() {
    for (n, p) in uneven().into_iter().enumerate() {
        let mut x = numbers(BATCH * p.x_len(), if n % 2 == 0 { 12 } else { 1 << 19 }, n);
        let dy = numbers(BATCH * p.y_len(), 1 << 19, n + 1);
        let (mut means, mut gradients) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        uneven_pairs(p, |o, i, _, count| {
            means[o] += f64::from(x[i]) / count as f64;
            gradients[i] += f64::from(dy[o]) / count as f64;
        });
        let close = |isa: Isa, what: &str, found: &[f32], expected: &[f64]| {
            for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= 1e-5 * (1.0 + expected.abs()), "{} {p:?}: {what} {i} is {found}", isa.name());
            }
        };
        for isa in Isa::available() {
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            uneven_mean(isa, p, &x, &mut y);
            close(isa, "mean", &y, &means);
            uneven_mean_backward(isa, p, &dy, &mut dx);
            close(isa, "gradient", &dx, &gradients);
        }
        if n % 3 == 0 {
            let at = x.len() / 2;
            (x[at], x[0]) = (f32::NAN, f32::NEG_INFINITY);
        }
        let mut best = vec![None; dy.len()];
        uneven_pairs(p, |o, i, place, _| {
            if best[o].is_none_or(|(value, _, _)| x[i] > value || x[i].is_nan()) {
                best[o] = Some((x[i], place as u32, i));
            }
        });
        let mut expected = vec![0.0; x.len()];
        best.iter().zip(&dy).for_each(|(best, dy)| expected[best.unwrap().2] += f64::from(*dy));
        for isa in Isa::available() {
            let (mut y, mut at, mut dx) = (vec![7.0; dy.len()], vec![7.0; dy.len()], vec![7.0; x.len()]);
            uneven_max_pool(isa, p, &x, &mut y, &mut at);
            for (o, best) in best.iter().enumerate() {
                let (value, place, _) = best.unwrap();
                assert!(y[o] == value || y[o].is_nan() && value.is_nan(), "{} {p:?}: output {o}", isa.name());
                assert_eq!(at[o].to_bits(), place, "{} {p:?}: place of {o}", isa.name());
            }
            uneven_max_pool_backward(isa, p, &dy, &at, &mut dx);
            close(isa, "gradient of maxima", &dx, &expected);
        }
    }
}

/// What lies beyond the border counts in no mean.
#[test]
fn a_window_beyond_the_border_is_divided_by_what_is_there() {
    let p = Pool { stride: [1, 2], pad: [0, 0, 1, 2], beyond: [0, 1], ..Pool::new([1, 1, 4], [1, 3]) };
    for isa in Isa::available() {
        let mut y = [0.0; 3];
        avg_pool(isa, p, true, &[1.0, 2.0, 3.0, 6.0], &mut y);
        assert_eq!(y, [1.0, 11.0 / 3.0, 3.0], "{}", isa.name());
        let mut dx = [0.0; 4];
        avg_pool_backward(isa, p, true, &[3.0, 6.0, 8.0], &mut dx);
        assert_eq!(dx, [1.0, 3.0, 2.0, 6.0], "{}", isa.name());
    }
}

#[test]
#[should_panic(expected = "expected windows that see something")]
fn a_window_of_gaps_alone_is_refused() {
    let gaps = Spacing::Gaps { window: 2, dilation: 4, stride: 1, before: 2, out: 1 };
    let p = UnevenPool { channels: 1, size: [1, 1], along: [Spacing::Parts(1), gaps], channels_last: false };
    uneven_mean(Isa::PORTABLE, p, &[0.0], &mut [0.0]);
}
