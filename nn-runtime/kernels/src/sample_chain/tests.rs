//! A chain has the bits of the kernels that a batch is run by, on every path.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::math;
use crate::matrix::product;

struct Curve(ChainCurve);

impl Map for Curve {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        match self.0 {
            ChainCurve::Tanh => math::tanh(s, x),
            ChainCurve::Sigmoid => math::sigmoid(s, x),
            ChainCurve::Elu { alpha } => s.select(s.gt(x, s.splat(0.0)), x, s.mul(s.splat(alpha), math::expm1(s, x))),
        }
    }
}

/// As a batch is run.
fn curve(isa: Isa, curve: Option<ChainCurve>, y: &mut [f32]) {
    match curve {
        Some(curve) => isa.map_in_place(&Curve(curve), y),
        None => InPlace::floor(-0.1).apply(isa, y),
    }
}

fn number(i: usize) -> f32 {
    ((i * 7919) % 1009) as f32 / 504.5 - 1.0
}

/// Widths of layers, with every form of a product among them: of a vector, two, more, whole or not; one chain
/// or two; transposed.
const WIDTHS: &[&[usize]] = &[
    &[1, 1],
    &[4, 32, 32, 2],
    &[24, 8, 2],
    &[48, 256, 128, 64, 12],
    &[3, 20, 5, 1],
    &[33, 16, 40, 100, 9],
    &[130, 17, 31, 33, 3],
    &[64, 12, 150, 290, 7],
    &[40, 6, 48, 80, 160, 11],
];

#[test]
fn it_has_the_bits_of_a_batch() {
    let curves = [Some(ChainCurve::Tanh), Some(ChainCurve::Elu { alpha: 0.5 }), None, Some(ChainCurve::Sigmoid)];
    for isa in Isa::available() {
        for (which, widths) in WIDTHS.iter().enumerate() {
            // Memory that is not the chain's to read holds NaN.
            let mut chain = SampleChain::new(widths[0]);
            let (mut params, mut layers) = (Vec::new(), Vec::new());
            for (i, pair) in widths.windows(2).enumerate() {
                let (panels, curve) = (Panels::best(pair[0], pair[1]), curves[(which + i) % curves.len()]);
                let standard: Vec<f32> = (0..pair[0] * pair[1]).map(|k| number(k + i) / 3.0).collect();
                let at = params.len();
                params.resize(at + panels.len(), 0.0);
                panels.pack(&standard, &mut params[at..]);
                let weight = at..params.len();
                let bias = (i % 3 != 2).then(|| params.len()..params.len() + pair[1]);
                params.extend(bias.iter().flat_map(|bias| bias.clone().map(number)));
                let floor = if (which + i) % 2 == 0 { -0.3 } else { f32::NEG_INFINITY };
                chain = chain.product(panels, weight.clone(), bias.clone()).unwrap().floor(floor).unwrap();
                if i + 2 < widths.len() {
                    chain = match curve {
                        Some(_) => chain.in_place(InPlace::floor(f32::NAN), curve),
                        None => chain.floor(-0.1),
                    }
                    .unwrap();
                }
                layers.push((panels, weight, bias, floor, curve));
            }
            let x: Vec<f32> = (0..widths[0]).map(|i| number(3 * i + 1)).collect();
            let (mut memory, mut y) = (vec![f32::NAN; chain.memory()], vec![f32::NAN; widths[widths.len() - 1]]);
            chain.run(isa, &params, &x, &mut y, &mut memory);

            // Three samples, of which the last is this one.
            let mut all = [vec![0.5; 2 * x.len()], x].concat();
            for (i, (panels, weight, bias, floor, of)) in layers.into_iter().enumerate() {
                let mut next = vec![f32::NAN; 3 * panels.cols()];
                let bias = bias.map(|bias| &params[bias]);
                product(isa, panels, &all, &params[weight], bias, floor, &mut next);
                if i + 2 < widths.len() {
                    curve(isa, of, &mut next);
                }
                all = next;
            }
            let truth = &all[2 * y.len()..];
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            assert_eq!(bits(&y), bits(truth), "{} {widths:?}", isa.name());
        }
    }
}

#[test]
fn what_it_cannot_have_it_refuses() {
    assert!(SampleChain::new(5000).product(Panels::new(5000, 2), 0..5000 * 16, None).is_none(), "divided sums");
    let mut chain = Some(SampleChain::new(3));
    for steps in 0..100 {
        chain = chain.and_then(|chain| chain.in_place(InPlace::floor(0.0), None));
        assert_eq!(chain.is_some(), steps + 2 <= MAX_STEPS, "{steps}");
    }
}

#[test]
#[should_panic(expected = "2 inputs and 1 outputs, 32 parameters and memory for 0 numbers, found 2, 1, 31 and 0")]
fn too_few_parameters_are_refused() {
    let chain = SampleChain::new(2).product(Panels::new(2, 1), 0..32, None).unwrap();
    chain.run(Isa::PORTABLE, &[0.0; 31], &[0.0; 2], &mut [0.0], &mut []);
}
