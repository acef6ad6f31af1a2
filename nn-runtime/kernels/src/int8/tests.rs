//! Every kernel on every instruction set against loops in 64 bits, over odd sizes. Comes in: sizes and random
//! codes; goes out: a failed assertion that names the set and the sizes. Codes are equal or wrong.

use super::*;
use crate::conv::Conv;
use crate::pool::Pool;
use crate::simd::Isa;

/// Random bytes, from a linear congruence.
struct Bytes(u32);

impl Bytes {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 24) as u8
    }
    fn codes(&mut self, len: usize) -> Vec<u8> {
        // All numbers at their ends now and then, where sums are largest.
        let extreme = self.next() < 40;
        (0..len).map(|_| if extreme { 255 } else { self.next() }).collect()
    }
    fn weights(&mut self, len: usize) -> Vec<i8> {
        let extreme = self.next() < 40;
        (0..len).map(|_| if extreme { -127 } else { (self.next() as i8).max(-127) }).collect()
    }
    fn biases(&mut self, len: usize) -> Vec<i32> {
        (0..len).map(|_| (i32::from(self.next()) - 128) * 300).collect()
    }
    fn scales(&mut self, len: usize, depth: usize) -> Vec<f32> {
        (0..len).map(|_| (f32::from(self.next()) + 1.0) / (600.0 * 255.0 * (depth as f32).sqrt())).collect()
    }
}

/// The code of a sum, as XNNPACK makes it.
fn code(sum: i64, scale: f32, zero: u8, [least, most]: [u8; 2]) -> u8 {
    let sum = i32::try_from(sum).expect("the sum fits into 32 bits");
    let steps = (sum as f32 * scale).round_ties_even() as i64;
    (steps + i64::from(zero)).clamp(least.into(), most.into()) as u8
}

/// Biases and scales in whole panels, zeros where there is no output.
fn padded<T: Copy + Default>(of: &[T], outputs: usize, to: usize) -> Vec<T> {
    let mut all = Vec::new();
    for group in of.chunks(outputs) {
        all.extend_from_slice(group);
        all.resize(all.len() + to - outputs, T::default());
    }
    all
}

#[test]
fn products_are_those_of_a_loop() {
    let mut bytes = Bytes(1);
    for (depth, outputs, rows) in [
        (1, 1, 1),
        (3, 2, 5),
        (4, 16, 2),
        (5, 17, 3),
        (64, 130, 1),
        (67, 33, 9),
        (130, 10, 1),
        (257, 48, 6),
        (784, 128, 1),
        (33_155 - 1, 2, 1),
    ] {
        let panels = Int8Panels::new(depth, outputs);
        let (x, w) = (bytes.codes(depth * rows), bytes.weights(depth * outputs));
        let (bias, scale) = (bytes.biases(outputs), bytes.scales(outputs, depth));
        let (zero, bounds) = (bytes.next(), [bytes.next() / 2, 128 + bytes.next() / 2]);
        let mut storage = vec![1; panels.len()];
        panels.pack(&w, &mut storage);
        let all = panels.padded_outputs();
        let (padded_bias, padded_scale) = (padded(&bias, outputs, all), padded(&scale, outputs, all));
        let truth: Vec<u8> = (0..rows * outputs)
            .map(|at| {
                let (r, j) = (at / outputs, at % outputs);
                let sum: i64 = (0..depth).map(|i| i64::from(x[r * depth + i]) * i64::from(w[j * depth + i])).sum();
                code(sum + i64::from(bias[j]), scale[j], zero, bounds)
            })
            .collect();
        for isa in Isa::available() {
            let mut y = vec![0; rows * outputs];
            let requantize = Requantize { bias: &padded_bias, scale: &padded_scale, zero, bounds };
            let (x, w, y_stride) = (&x[..], &storage[..], outputs);
            product(isa, Int8Product { panels, rows, x, x_stride: depth, w, requantize, y: &mut y, y_stride });
            assert_eq!(y, truth, "{}: {rows} rows of {depth} to {outputs}", isa.name());
        }
    }
}

/// `[channels of a group, rows, columns]` of the kernel within an image.
fn convolution(conv: &Conv, x: &[u8], pad: u8, w: &[i8], bias: &[i32], out: impl Fn(i64, usize) -> u8) -> Vec<u8> {
    let [height, width] = conv.output();
    let (of, each) = (conv.channels / conv.groups, conv.filters / conv.groups);
    let mut y = Vec::new();
    for at in 0..height * width * conv.filters {
        let (pixel, f) = (at / conv.filters, at % conv.filters);
        let mut sum = i64::from(bias[f]);
        for k in 0..conv.kernel[0] {
            for l in 0..conv.kernel[1] {
                let row = (pixel / width * conv.stride[0] + k * conv.dilation[0]) as i64 - conv.pad[0] as i64;
                let column = (pixel % width * conv.stride[1] + l * conv.dilation[1]) as i64 - conv.pad[2] as i64;
                let inside = row >= 0 && row < conv.height as i64 && column >= 0 && column < conv.width as i64;
                for c in 0..of {
                    let at = (row * conv.width as i64 + column) * conv.channels as i64 + (f / each * of + c) as i64;
                    let x = if inside { x[at as usize] } else { pad };
                    let w = w[((f * conv.kernel[0] + k) * conv.kernel[1] + l) * of + c];
                    sum += i64::from(x) * i64::from(w);
                }
            }
        }
        y.push(out(sum, f));
    }
    y
}

fn images() -> Vec<Conv> {
    let of = |image, filters, kernel| Conv { channels_last: true, ..Conv::new(image, filters, kernel) };
    vec![
        of([1, 5, 7], 3, [3, 3]),
        Conv { pad: [1; 4], ..of([3, 6, 5], 17, [3, 3]) },
        Conv { pad: [0, 1, 0, 1], stride: [2, 2], ..of([16, 8, 8], 16, [3, 3]) },
        of([5, 4, 3], 20, [1, 1]),
        Conv { stride: [2, 1], ..of([7, 5, 4], 4, [1, 1]) },
        Conv { dilation: [2, 1], pad: [2, 2, 1, 1], ..of([2, 7, 9], 2, [3, 2]) },
        Conv { dilation: [1, 3], groups: 2, pad: [1, 1, 3, 3], ..of([4, 5, 8], 6, [2, 3]) },
        Conv { groups: 3, pad: [1; 4], ..of([3, 5, 5], 6, [3, 3]) },
        Conv { pad: [0, 0, 4, 0], ..of([9, 1, 12], 8, [1, 5]) },
    ]
}

/// The plain form takes what all other forms do, in its standard order.
fn plain(c: &Conv, x: &[u8], (w, zero): (&[i8], u8), requantize: Requantize, truth: &[u8]) {
    let mut y = vec![0; c.y_len()];
    plain_conv(c, x, Int8Filters { w, zero, requantize }, &mut y);
    assert_eq!(y, truth, "plain: {c:?}");
}

#[test]
fn convolutions_are_those_of_a_loop() {
    let mut bytes = Bytes(2);
    for c in images() {
        let (depth, each) = (c.rows(), c.filters / c.groups);
        let panels = Int8Panels::new(depth, each);
        let (x, w) = (bytes.codes(c.x_len()), bytes.weights(depth * c.filters));
        let (bias, scale) = (bytes.biases(c.filters), bytes.scales(c.filters, depth));
        let (pad, zero, bounds) = (bytes.next(), bytes.next(), [3, 250]);
        let mut storage = Vec::new();
        for w in w.chunks(depth * each) {
            let mut of = vec![0; panels.len()];
            panels.pack(w, &mut of);
            storage.extend(of);
        }
        let truth = convolution(&c, &x, pad, &w, &bias, |sum, f| code(sum, scale[f], zero, bounds));
        plain(&c, &x, (&w, pad), Requantize { bias: &bias, scale: &scale, zero, bounds }, &truth);
        let all = panels.padded_outputs();
        let (bias, scale) = (padded(&bias, each, all), padded(&scale, each, all));
        for isa in Isa::available() {
            let (mut y, mut scratch) = (vec![0; c.y_len()], vec![0; conv_scratch(&c)]);
            let requantize = Requantize { bias: &bias, scale: &scale, zero, bounds };
            let filters = Int8Filters { w: &storage, zero: pad, requantize };
            conv(isa, &c, &x, filters, &mut y, &mut scratch);
            assert_eq!(y, truth, "{}: {c:?}", isa.name());
        }
    }
}

#[test]
fn depthwise_convolutions_are_those_of_a_loop() {
    let mut bytes = Bytes(3);
    for channels in [1, 3, 16, 17, 40] {
        for (stride, pad) in [([1, 1], [1; 4]), ([2, 2], [0, 1, 0, 1]), ([1, 2], [0; 4])] {
            let image = Conv::new([channels, 6, 7], channels, [3, 3]);
            let c = Conv { stride, pad, groups: channels, channels_last: true, ..image };
            let (x, w) = (bytes.codes(c.x_len()), bytes.weights(9 * channels));
            let (bias, scale) = (bytes.biases(channels), bytes.scales(channels, 9));
            let (border, zero, bounds) = (bytes.next(), bytes.next(), [0, 255]);
            let weights = DepthwiseWeights::of(&c);
            let mut storage = vec![0; weights.len()];
            weights.pack(&w, &mut storage);
            let truth = convolution(&c, &x, border, &w, &bias, |sum, f| code(sum, scale[f], zero, bounds));
            plain(&c, &x, (&w, border), Requantize { bias: &bias, scale: &scale, zero, bounds }, &truth);
            let all = weights.padded_channels();
            let (bias, scale) = (padded(&bias, channels, all), padded(&scale, channels, all));
            for isa in Isa::available() {
                let mut y = vec![0; c.y_len()];
                let requantize = Requantize { bias: &bias, scale: &scale, zero, bounds };
                let filters = Int8Filters { w: &storage, zero: border, requantize };
                depthwise(isa, &c, &x, filters, &mut y);
                assert_eq!(y, truth, "{}: {c:?}", isa.name());
            }
        }
    }
}

#[test]
fn sums_of_values_are_near_the_exact_ones_and_the_same_everywhere() {
    let mut bytes = Bytes(4);
    for count in 1..=MAX_TERMS {
        for len in [1, 15, 16, 50] {
            let mut scales = || CodeScale { scale: 0.001 * (1.0 + f32::from(bytes.next())), zero: bytes.next() };
            let of: Vec<CodeScale> = (0..count).map(|_| scales()).collect();
            let to = CodeScale { scale: 0.2, ..scales() };
            let values: Vec<Vec<u8>> = of.iter().map(|_| bytes.codes(len)).collect();
            let addition = Addition::new(&of, to, [0, 255]);
            let x: Vec<&[u8]> = values.iter().map(|x| &x[..]).collect();
            for isa in Isa::available() {
                let mut y = vec![0; len];
                add(isa, &addition, &x, &mut y);
                let mut again = vec![0; len];
                plain_add(&addition, &x, &mut again);
                assert_eq!(again, y);
                for (i, y) in y.into_iter().enumerate() {
                    let sum: i64 = (0..count).map(|k| i64::from(addition.multipliers[k]) * i64::from(x[k][i])).sum();
                    let shifted = ((sum + i64::from(addition.bias)) >> addition.shift) + i64::from(to.zero);
                    assert_eq!(i64::from(y), shifted.clamp(0, 255), "{}: {count} values", isa.name());
                    let real = |s: &CodeScale, code: u8| f64::from(s.scale) * (f64::from(code) - f64::from(s.zero));
                    let sum: f64 = of.iter().zip(&x).map(|(of, x)| real(of, x[i])).sum();
                    let truth = (sum / f64::from(to.scale) + f64::from(to.zero)).clamp(0.0, 255.0);
                    assert!((f64::from(y) - truth).abs() < 0.51, "{}: {count} values, {y}, {truth}", isa.name());
                }
            }
        }
    }
}

#[test]
fn numbers_become_the_nearest_codes_and_images_turn() {
    let scale = CodeScale { scale: 0.5, zero: 100 };
    let x = [0.0, 0.25, 0.75, -0.25, 1e9, -1e9, f32::NAN, f32::INFINITY, 1.0, -50.0];
    for isa in Isa::available() {
        let mut y = [7; 10];
        quantize(isa, scale, 1, &x, &mut y);
        assert_eq!(y, [100, 100, 102, 100, 255, 0, 0, 255, 102, 0], "{}", isa.name());
        assert_eq!(y, x.map(|x| scale.code(x)));
        let (mut turned, mut back) = ([0; 40], [0.0; 40]);
        let image: [f32; 40] = core::array::from_fn(|i| i as f32);
        quantize(isa, CodeScale { scale: 1.0, zero: 0 }, 2, &image, &mut turned);
        assert_eq!(turned[..4], [0, 20, 1, 21]);
        dequantize(CodeScale { scale: 1.0, zero: 0 }, 2, &turned, &mut back);
        assert_eq!(back, image);
    }
    let (mut y, mut turned, mut back) = ([7; 10], [0; 40], [0.0; 40]);
    plain_quantize(scale, 1, &x, &mut y);
    assert_eq!(y, [100, 100, 102, 100, 255, 0, 0, 255, 102, 0]);
    let image: [f32; 40] = core::array::from_fn(|i| i as f32);
    plain_quantize(CodeScale { scale: 1.0, zero: 0 }, 2, &image, &mut turned);
    assert_eq!(turned[..4], [0, 20, 1, 21]);
    plain_dequantize(CodeScale { scale: 1.0, zero: 0 }, 2, &turned, &mut back);
    assert_eq!(back, image);
}

#[test]
fn pools_are_those_of_a_loop() {
    let mut bytes = Bytes(5);
    for channels in [1, 5, 16, 35] {
        for (window, stride, pad) in
            [([2, 2], [2, 2], [0; 4]), ([3, 2], [1, 2], [1, 1, 0, 1]), ([5, 7], [5, 7], [0; 4])]
        {
            let pool = Pool { stride, pad, channels_last: true, ..Pool::new([channels, 5, 7], window) };
            let x = bytes.codes(pool.x_len());
            let zero = bytes.next();
            let [height, width] = pool.output();
            let seen = |at: usize| -> Vec<i64> {
                let (pixel, c) = (at / channels, at % channels);
                let mut all = Vec::new();
                for k in 0..window[0] {
                    for l in 0..window[1] {
                        let row = (pixel / width * stride[0] + k).wrapping_sub(pad[0]);
                        let column = (pixel % width * stride[1] + l).wrapping_sub(pad[2]);
                        if row < 5 && column < 7 {
                            all.push(i64::from(x[(row * 7 + column) * channels + c]));
                        }
                    }
                }
                all
            };
            let mut y = vec![0; height * width * channels];
            max_pool(&pool, &x, &mut y);
            for (at, y) in y.iter().enumerate() {
                assert_eq!(i64::from(*y), seen(at).into_iter().max().unwrap());
            }
            let mut again = y.clone();
            plain_max_pool(&pool, &x, &mut again);
            assert_eq!(again, y);
            for count in [false, true] {
                avg_pool(&pool, count, zero, &x, &mut y);
                plain_avg_pool(&pool, count, zero, &x, &mut again);
                assert_eq!(again, y);
                for (at, y) in y.iter().enumerate() {
                    let mut all = seen(at);
                    if count {
                        all.resize(window[0] * window[1], zero.into());
                    }
                    // Away from zero, of the signed numbers.
                    let mean = all.iter().map(|x| x - 128).sum::<i64>() as f64 / all.len() as f64;
                    assert_eq!(f64::from(*y), mean.round() + 128.0, "{pool:?}, {all:?}");
                }
            }
        }
        let x = bytes.codes(35 * channels);
        let (of, to) = (CodeScale { scale: 0.1, zero: 20 }, CodeScale { scale: 0.07, zero: 31 });
        let mut y = vec![0; channels];
        mean([of, to], &x, &mut y);
        for (c, y) in y.iter().enumerate() {
            let sum: f64 = (0..35).map(|p| 0.1 * (f64::from(x[p * channels + c]) - 20.0)).sum();
            let truth = (sum / 35.0 / 0.07 + 31.0).clamp(0.0, 255.0);
            assert!((f64::from(*y) - truth).abs() < 0.5001, "{y}, {truth}");
        }
        let mut again = vec![0; channels];
        plain_mean([of, to], &x, &mut again);
        assert_eq!(again, y);
    }
}

#[test]
fn softmax_is_the_rounded_value() {
    let mut bytes = Bytes(6);
    for width in [2, 3, 10, 1000] {
        for _ in 0..200 {
            let scale = 0.002 * (1.0 + f32::from(bytes.next()));
            let x = bytes.codes(width);
            let mut y = vec![0; width];
            softmax(&exponentials(scale), width, &x, &mut y);
            let mut again = vec![0; width];
            plain_softmax(&exponentials(scale), width, &x, &mut again);
            assert_eq!(again, y);
            let e: Vec<f64> = x.iter().map(|x| (f64::from(scale) * f64::from(*x)).exp()).collect();
            let sum: f64 = e.iter().sum();
            for (e, y) in e.iter().zip(y) {
                let truth = (256.0 * e / sum).min(255.0);
                assert!((f64::from(y) - truth).abs() < 0.5 + 1e-5, "{truth}, {y}");
            }
        }
    }
}
