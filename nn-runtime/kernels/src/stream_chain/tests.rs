//! A stream's chain of products has the bits of the kernels that a batch is run by, on every path, whatever
//! is run in one go, and finds what is not finite.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::elementwise::Map;
use crate::math;
use crate::matrix::product;
use crate::simd::Simd;

struct Tanh;

impl Map for Tanh {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        math::tanh(s, x)
    }
}

fn number(i: usize) -> f32 {
    ((i * 7919) % 1009) as f32 / 504.5 - 1.0
}

/// A layer as a batch is run.
struct Plain {
    panels: Panels,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    floor: f32,
    tanh: bool,
    halved: bool,
}

/// What runs `widths` as a stream does, and each layer alone. Of seven layers in a row one has no bias, one a
/// floor, one no curve and one a function that is none.
fn chain(widths: &[usize], salt: usize) -> (StreamChain, Vec<f32>, usize, Vec<Plain>) {
    let (mut chain, mut params, mut layers, mut values) = (StreamChain::new(), Vec::new(), Vec::new(), 0);
    let mut x = StreamPlace::Outside(0);
    for (i, pair) in widths.windows(2).enumerate() {
        let panels = Panels::best(pair[0], pair[1]);
        let standard: Vec<f32> = (0..pair[0] * pair[1]).map(|k| number(k + i + salt) / 3.0).collect();
        let at = params.len();
        params.resize(at + panels.len(), 0.0);
        panels.pack(&standard, &mut params[at..]);
        let (weight, kind) = (at..params.len(), (i + salt) % 7);
        let bias = (kind != 2).then(|| params.len()..params.len() + pair[1]);
        params.extend(bias.iter().flat_map(|bias| bias.clone().map(number)));
        let (floor, tanh, halved) = (if kind == 4 { -0.3 } else { f32::NEG_INFINITY }, kind != 5, kind == 6);
        let mut functions = Vec::new();
        if tanh {
            functions.push((
                InPlace { run: |isa, _, y| isa.map_in_place(&Tanh, y), settings: [0.0; 4] },
                Some(ChainCurve::Tanh),
            ));
        }
        if halved {
            let run = |_, _: &[f32; 4], y: &mut [f32]| y.iter_mut().for_each(|y| *y *= 0.5);
            functions.push((InPlace { run, settings: [0.0; 4] }, None));
        }
        let y = if i + 2 == widths.len() { StreamPlace::Outside(0) } else { StreamPlace::Within(values) };
        values += pair[1].next_multiple_of(LANES);
        let op = StreamOp::Product { panels, weight: weight.clone(), bias: bias.clone() };
        chain = chain.then(op, [x, y], floor, &functions, true).unwrap();
        layers.push(Plain { panels, weight, bias, floor, tanh, halved });
        x = y;
    }
    (chain, params, values, layers)
}

const WIDTHS: &[&[usize]] = &[
    &[1, 8, 8, 8, 1],
    &[1, 16, 16, 16, 16, 16, 16, 16, 1],
    &[3, 17, 5, 9, 40, 12, 4, 16, 15, 2],
    &[20, 8, 33, 16, 3, 1],
    &[1, 64, 64, 10, 9, 8, 7],
    &[31, 13],
];

#[test]
fn it_has_the_bits_of_each_layer_alone() {
    for isa in Isa::available() {
        for (widths, salt) in WIDTHS.iter().flat_map(|widths| (0..7).map(move |salt| (widths, salt))) {
            let (chain, params, values, layers) = chain(widths, salt);
            let mut x: Vec<f32> = (0..widths[0]).map(|i| number(3 * i + 1)).collect();
            let outputs = widths[widths.len() - 1];
            for room in [outputs, outputs.next_multiple_of(LANES)] {
                let (mut values, mut y) = (vec![0.0; values], vec![0.0; room]);
                let memory = StreamMemory {
                    params: &params,
                    prepared: &[],
                    carried: &mut [],
                    before: &mut [],
                    values: &mut values,
                };
                assert!(chain.run(isa, memory, &[&x], &mut [&mut y], false));
                let mut all = x.clone();
                for Plain { panels, weight, bias, floor, tanh, halved } in &layers {
                    let mut next = vec![f32::NAN; panels.cols()];
                    let bias = bias.clone().map(|bias| &params[bias]);
                    product(isa, *panels, &all, &params[weight.clone()], bias, *floor, &mut next);
                    if *tanh {
                        isa.map_in_place(&Tanh, &mut next);
                    }
                    next.iter_mut().filter(|_| *halved).for_each(|y| *y *= 0.5);
                    all = next;
                }
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
                assert_eq!(bits(&y[..outputs]), bits(&all), "{} {widths:?} {salt}", isa.name());
            }
            for odd in [f32::NAN, f32::INFINITY] {
                x[widths[0] - 1] = odd;
                let (mut values, mut y) = (vec![0.0; values], vec![0.0; outputs]);
                let memory = StreamMemory {
                    params: &params,
                    prepared: &[],
                    carried: &mut [],
                    before: &mut [],
                    values: &mut values,
                };
                assert!(!chain.run(isa, memory, &[&x], &mut [&mut y], false), "{odd} of {widths:?}");
            }
        }
    }
}

#[test]
fn an_overflow_between_is_found_though_a_curve_ends_it() {
    let (one, mut params) = (Panels::new(1, 1), [0.0; 51]);
    params[0] = f32::MAX;
    params[17] = 1.0;
    let mut chain = StreamChain::new();
    // MAX · 2 + 0 is ∞; 1 · ∞ + 0 too; its tangent is 1.
    for (i, place) in
        [[StreamPlace::Outside(0), StreamPlace::Within(0)], [StreamPlace::Within(0), StreamPlace::Outside(0)]]
            .into_iter()
            .enumerate()
    {
        let op = StreamOp::Product { panels: one, weight: 17 * i..17 * i + 16, bias: Some(17 * i + 16..17 * i + 17) };
        let tanh = [(InPlace::floor(0.0), Some(ChainCurve::Tanh))];
        chain = chain.then(op, place, f32::NEG_INFINITY, &tanh[..i], true).unwrap();
    }
    for isa in Isa::available() {
        for (x, finite) in [(2.0, false), (0.5, true)] {
            let (mut values, mut y) = ([0.0; 16], [0.0]);
            let memory =
                StreamMemory { params: &params, prepared: &[], carried: &mut [], before: &mut [], values: &mut values };
            assert_eq!(chain.run(isa, memory, &[&[x]], &mut [&mut y], false), finite, "{}", isa.name());
            assert_eq!((y, chain.not_finite(&values)), ([1.0], (!finite).then_some(f32::INFINITY)));
        }
    }
}
