//! A thousand random operators, whose codes must be those of LiteRT 2.3.0 with XNNPACK, its default, on every
//! instruction set. In: `litert.txt`, which `make_litert.py` has written; what is drawn from a seed is drawn
//! here as there.

use std::collections::BTreeMap;

use nn_kernels::conv::Conv;
use nn_kernels::int8::{
    Addition, CodeScale, DepthwiseWeights, Int8Filters, Int8Panels, Int8Product, Requantize, add, avg_pool, conv,
    conv_scratch, depthwise, exponentials, lookup, max_pool, mean, product, softmax,
};
use nn_kernels::pool::Pool;
use nn_kernels::simd::Isa;

/// Random bytes, from a linear congruence.
struct Bytes(u32);

impl Bytes {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 24) as u8
    }
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next()).collect()
    }
    /// From 1/2 to 1, times 2^exponent.
    fn scale(&mut self, exponent: i32) -> f32 {
        let [high, middle, low] = [self.next() & 127, self.next(), self.next()].map(u32::from);
        ((1 << 23) | high << 16 | middle << 8 | low) as f32 * 2f32.powi(exponent - 24)
    }
    fn code_scale(&mut self, exponent: i32) -> CodeScale {
        CodeScale { scale: self.scale(exponent), zero: self.next() }
    }
}

/// Of an output scale that spreads sums of so many products over the codes.
fn exponent(depth: usize) -> i32 {
    -12 + (5476.0 * (depth as f64).sqrt() / 60.0).log2().round() as i32
}

/// A layer of weighted sums as it is drawn: codes in, weights, what becomes of sums.
struct Weighted {
    x: Vec<u8>,
    of: CodeScale,
    weights: Vec<i8>,
    bias: Vec<i32>,
    scale: Vec<f32>,
    zero: u8,
    bounds: [u8; 2],
}

impl Weighted {
    /// Biases and scales are filled up to `padded` outputs.
    fn draw(r: &mut Bytes, codes: usize, [depth, outputs, padded]: [usize; 3], relu: bool) -> Weighted {
        let of = r.code_scale(-5);
        let to = r.code_scale(exponent(depth));
        let x = r.bytes(codes);
        let weights: Vec<i8> = r.bytes(depth * outputs).into_iter().map(|w| (w as i8).max(-127)).collect();
        let scales: Vec<f32> = (0..outputs).map(|_| r.scale(-7)).collect();
        let biases = r.bytes(outputs).into_iter().map(|b| (i32::from(b) - 128) * 4 * depth as i32);
        let sum = |w: &[i8]| w.iter().map(|w| i32::from(*w)).sum::<i32>();
        let zeros = weights.chunks_exact(depth).map(|w| i32::from(of.zero) * sum(w));
        let mut bias: Vec<i32> = biases.zip(zeros).map(|(bias, zeros)| bias - zeros).collect();
        let mut scale: Vec<f32> = scales.into_iter().map(|scale| of.scale * scale / to.scale).collect();
        bias.resize(padded, 0);
        scale.resize(padded, 0.0);
        let bounds = [if relu { to.zero } else { 0 }, 255];
        Weighted { x, of, weights, bias, scale, zero: to.zero, bounds }
    }

    fn filters<'a>(&'a self, w: &'a [i8]) -> Int8Filters<'a> {
        Int8Filters { w, zero: self.of.zero, requantize: self.requantize() }
    }

    fn requantize(&self) -> Requantize<'_> {
        Requantize { bias: &self.bias, scale: &self.scale, zero: self.zero, bounds: self.bounds }
    }
}

/// A convolution with a window of a side, `[channels, height, width]`.
fn window(image: [usize; 3], filters: usize, [kernel, stride, dilation, same]: [usize; 4]) -> Conv {
    let pad = |size: usize| {
        let reach = (size.div_ceil(stride) - 1) * stride + (kernel - 1) * dilation + 1;
        let all = if same == 1 { reach.saturating_sub(size) } else { 0 };
        [all / 2, all - all / 2]
    };
    let ([top, bottom], [left, right]) = (pad(image[1]), pad(image[2]));
    Conv {
        stride: [stride; 2],
        dilation: [dilation; 2],
        pad: [top, bottom, left, right],
        channels_last: true,
        ..Conv::new(image, filters, [kernel; 2])
    }
}

fn codes(isa: Isa, operator: &str, sizes: &[usize], seed: u32) -> Vec<u8> {
    let mut r = Bytes(seed);
    match (operator, sizes) {
        ("dense", &[depth, outputs, rows, relu]) => {
            let panels = Int8Panels::new(depth, outputs);
            let of = Weighted::draw(&mut r, rows * depth, [depth, outputs, panels.padded_outputs()], relu == 1);
            let (mut w, mut y) = (vec![0; panels.len()], vec![0; rows * outputs]);
            panels.pack(&of.weights, &mut w);
            let (x, x_stride, y_stride, requantize) = (&of.x, depth, outputs, of.requantize());
            product(isa, Int8Product { panels, rows, x, x_stride, w: &w, requantize, y: &mut y, y_stride });
            y
        }
        ("conv", &[channels, height, width, filters, kernel, stride, dilation, same, relu]) => {
            let c = window([channels, height, width], filters, [kernel, stride, dilation, same]);
            let panels = Int8Panels::new(c.rows(), filters);
            let sizes = [c.rows(), filters, panels.padded_outputs()];
            let of = Weighted::draw(&mut r, c.x_len(), sizes, relu == 1);
            let (mut w, mut y, mut scratch) = (vec![0; panels.len()], vec![0; c.y_len()], vec![0; conv_scratch(&c)]);
            panels.pack(&of.weights, &mut w);
            conv(isa, &c, &of.x, of.filters(&w), &mut y, &mut scratch);
            y
        }
        ("depthwise", &[channels, height, width, kernel, stride, dilation, same, relu]) => {
            let c = window([channels, height, width], channels, [kernel, stride, dilation, same]);
            let c = Conv { groups: channels, ..c };
            let weights = DepthwiseWeights::of(&c);
            let sizes = [kernel * kernel, channels, weights.padded_channels()];
            let of = Weighted::draw(&mut r, c.x_len(), sizes, relu == 1);
            let (mut w, mut y) = (vec![0; weights.len()], vec![0; c.y_len()]);
            weights.pack(&of.weights, &mut w);
            depthwise(isa, &c, &of.x, of.filters(&w), &mut y);
            y
        }
        ("concat", &[rows, first, second]) => {
            r.code_scale(-5);
            let (a, b) = (r.bytes(rows * first), r.bytes(rows * second));
            a.chunks(first).zip(b.chunks(second)).flat_map(|(a, b)| [a, b].concat()).collect()
        }
        ("softmax", &[rows, width]) => {
            let scale = drawn_exponent(&mut r);
            let x = r.bytes(rows * width);
            let mut y = vec![0; x.len()];
            softmax(&exponentials(scale.scale), width, &x, &mut y);
            y
        }
        ("tanh", &[count]) => curve(&mut r, count, |x| x.tanh(), CodeScale { scale: 1.0 / 128.0, zero: 128 }),
        ("logistic", &[count]) => {
            curve(&mut r, count, |x| 1.0 / (1.0 + (-x).exp()), CodeScale { scale: 1.0 / 256.0, zero: 0 })
        }
        ("max_pool" | "avg_pool", &[channels, height, width, kernel, stride, same]) => {
            let c = window([channels, height, width], channels, [kernel, stride, 1, same]);
            let pool = Pool {
                stride: c.stride,
                pad: c.pad,
                channels_last: true,
                ..Pool::new([channels, height, width], c.kernel)
            };
            let of = r.code_scale(-5);
            let (x, mut y) = (r.bytes(pool.x_len()), vec![0; pool.y_len()]);
            match operator {
                "max_pool" => max_pool(&pool, &x, &mut y),
                _ => avg_pool(&pool, false, of.zero, &x, &mut y),
            }
            y
        }
        ("mean", &[channels, height, width]) => {
            let (of, to) = (r.code_scale(-5), r.code_scale(-7));
            let mut y = vec![0; channels];
            mean([of, to], &r.bytes(channels * height * width), &mut y);
            y
        }
        _ => panic!("no operator `{operator}` of {sizes:?}"),
    }
}

/// `add` has a size that is below zero.
fn sum(isa: Isa, count: usize, exponent: i32, relu: bool, seed: u32) -> Vec<u8> {
    let mut r = Bytes(seed);
    let scales = [exponent, -5, -4].map(|exponent| r.scale(exponent));
    let [a, b, y] = scales.map(|scale| CodeScale { scale, zero: r.next() });
    let x = [r.bytes(count), r.bytes(count)];
    let mut sums = vec![0; count];
    let bounds = [if relu { y.zero } else { 0 }, 255];
    add(isa, &Addition::new(&[a, b], y, bounds), &[&x[0], &x[1]], &mut sums);
    sums
}

fn drawn_exponent(r: &mut Bytes) -> CodeScale {
    let exponent = -6 + i32::from(r.next() % 5);
    r.code_scale(exponent)
}

fn curve(r: &mut Bytes, count: usize, f: impl Fn(f64) -> f64, to: CodeScale) -> Vec<u8> {
    let of = drawn_exponent(r);
    // Exactly rounded: what LiteRT's tables are.
    let entry = |code: u8| {
        let y = f(f64::from(of.number(code))) / f64::from(to.scale);
        (y.round() + f64::from(to.zero)).clamp(0.0, 255.0) as u8
    };
    let table = core::array::from_fn(|code| entry(code as u8));
    let (x, mut y) = (r.bytes(count), vec![0; count]);
    lookup(&table, &x, &mut y);
    y
}

#[test]
fn codes_are_those_of_litert() {
    let mut differ = BTreeMap::<&str, usize>::new();
    let mut cases = 0;
    let text = include_str!("litert.txt");
    for line in text.lines() {
        let (what, expected) = line.split_once(" : ").expect("a colon stands before the codes");
        let mut words = what.split(' ');
        let operator = words.next().unwrap();
        let numbers: Vec<i64> = words.map(|word| word.parse().unwrap()).collect();
        let (seed, sizes) = numbers.split_last().unwrap();
        let seed = *seed as u32;
        cases += 1;
        for isa in Isa::available() {
            let y = match (operator, sizes) {
                ("add", [count, exponent, relu]) => sum(isa, *count as usize, *exponent as i32, *relu == 1, seed),
                _ => codes(isa, operator, &sizes.iter().map(|size| *size as usize).collect::<Vec<_>>(), seed),
            };
            let found: String = y.iter().map(|code| format!("{code:02x}")).collect();
            if found != expected {
                eprintln!("{what} on {}:\n  found    {found}\n  expected {expected}", isa.name());
                *differ.entry(operator).or_default() += 1;
            }
        }
    }
    assert_eq!(cases, 1000);
    assert!(differ.is_empty(), "cases that differ: {differ:?}");
}
