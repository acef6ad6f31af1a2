use super::*;
use crate::dropout::dropout;
use crate::elementwise::Map;
use crate::long_sums::RowSums;
use crate::matrix::{add_bias_grad, add_weight_grad, backward_input, product};
use crate::simd::Simd;
use std::vec;

/// y = x², whose gradient 2x·dy follows from what it was given.
struct Square;
impl Map for Square {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        s.mul(x, x)
    }
}
/// d·from, twice the setting.
struct Slope(f32);
impl Map<2> for Slope {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [d, from]: [S::F; 2]) -> S::F {
        s.mul(s.mul(s.splat(self.0), from), d)
    }
}
/// What max(x, 0) hands on.
struct Above;
impl Map<2> for Above {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [d, y]: [S::F; 2]) -> S::F {
        s.select(s.gt(y, s.splat(0.0)), d, s.splat(0.0))
    }
}

const SQUARE: TrainCurve = TrainCurve {
    run: Some(|isa, _, y| isa.map_in_place(&Square, y)),
    gradient: |isa, settings, x, d| isa.zip_in_place(&Slope(settings[0]), d, x),
    settings: [2.0, 0.0, 0.0, 0.0],
    from_output: false,
};
const FLOOR: TrainCurve = TrainCurve {
    run: None,
    gradient: |isa, _, y, d| isa.zip_in_place(&Above, d, y),
    settings: [0.0; 4],
    from_output: true,
};
const RNG: CounterRng = CounterRng { key: 5 };

fn numbers(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + seed * 11) % 23) as f32 / 16.0 - 0.7).collect()
}

/// inputs - hidden, floor, dropped - outputs, squared.
struct Case {
    sizes: [usize; 3],
    batch: usize,
    unit: usize,
}

/// By a kernel for each step: outputs and gradients of parameters, where those of the outputs are 0.5.
fn step_by_step(isa: Isa, case: &Case, params: &[f32], x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let Case { sizes: [inputs, hidden, outputs], batch, unit } = *case;
    let (one, two) = (Panels::best(inputs, hidden), Panels::best(hidden, outputs));
    let places = places(case);
    let of = |i: usize| &params[places[i].clone()];
    let (mut h, mut dropped) = (vec![0.0; batch * hidden], vec![0.0; batch * hidden]);
    product(isa, one, x, of(0), Some(of(1)), 0.0, &mut h);
    dropout(isa, RNG.fold_in(&[9]), 0, hidden, 0.25, &h, &mut dropped);
    let mut z = vec![0.0; batch * outputs];
    product(isa, two, &dropped, of(2), Some(of(3)), f32::NEG_INFINITY, &mut z);
    let y: Vec<f32> = z.iter().map(|z| z * z).collect();

    let (mut grads, sums) = (vec![0.0; params.len()], RowSums { isa, rows: batch, unit });
    let dz: Vec<f32> = z.iter().map(|z| 2.0 * z * 0.5).collect();
    let mut scratch = vec![f32::NAN; backward_input_scratch(outputs)];
    let (mut d, mut dh) = (vec![0.0; batch * hidden], vec![0.0; batch * hidden]);
    backward_input(isa, two, &dz, of(2), &mut d, &mut scratch);
    dropout(isa, RNG.fold_in(&[9]), 0, hidden, 0.25, &d, &mut dh);
    dh.iter_mut().zip(&h).filter(|(_, h)| **h <= 0.0).for_each(|(dh, _)| *dh = 0.0);
    for (i, panels, x, d) in [(0, one, x, &dh), (2, two, &dropped, &dz)] {
        add_weight_grad(sums, panels, x, d, (0..panels.len(), &mut grads[places[i].clone()]), true);
        add_bias_grad(sums, panels.cols(), d, 0..panels.cols(), &mut grads[places[i + 1].clone()]);
    }
    (y, grads)
}

/// Where both matrices and biases lie among the parameters.
fn places(case: &Case) -> [Range<usize>; 4] {
    let [inputs, hidden, outputs] = case.sizes;
    let mut at = 0;
    let lens = [Panels::best(inputs, hidden).len(), hidden, Panels::best(hidden, outputs).len(), outputs];
    lens.map(|len| {
        let from = at;
        at = (at + len).next_multiple_of(LANES);
        from..from + len
    })
}

#[test]
fn bits_are_those_of_a_kernel_for_each_step() {
    let cases = [([2, 3, 1], 4), ([24, 8, 2], 70), ([5, 17, 12], 1), ([40, 33, 3], 19), ([64, 10, 10], 9)];
    for isa in Isa::available() {
        for (sizes, batch) in cases {
            for unit in [0, usize::MAX, crate::long_sums::BLOCK, 16] {
                let case = Case { sizes, batch, unit };
                let places = places(&case);
                let [inputs, hidden, outputs] = sizes;
                let mut params = vec![0.0; places[3].end];
                for (i, (rows, cols)) in [(0, (inputs, hidden)), (2, (hidden, outputs))] {
                    Panels::best(rows, cols).pack(&numbers(rows * cols, i), &mut params[places[i].clone()]);
                    params[places[i + 1].clone()].copy_from_slice(&numbers(cols, i + 1));
                }
                let x = numbers(batch * inputs, 7);
                let (expected_y, expected) = step_by_step(isa, &case, &params, &x);

                let mut chain = TrainChain::new(inputs);
                chain.product(Panels::best(inputs, hidden), places[0].clone(), Some(places[1].clone()));
                assert!(chain.floor(0.0, FLOOR));
                chain.dropout(0.25, 9);
                chain.product(Panels::best(hidden, outputs), places[2].clone(), Some(places[3].clone()));
                chain.curve(SQUARE);
                let mut memory = vec![f32::NAN; chain.memory(batch)];
                let (mut scratch, mut y) = (vec![f32::NAN; chain.scratch()], vec![f32::NAN; batch * outputs]);
                let mut grads = vec![f32::NAN; params.len()];
                for range in places.windows(2).map(|two| two[0].end..two[1].start) {
                    grads[range].fill(0.0);
                }
                let pass = TrainPass { isa, params: &params, rng: RNG, batch, x: &x };
                chain.forward(&pass, &mut y, &mut memory);
                let mut dy = vec![0.5; y.len()];
                chain.backward(&pass, &y, &mut dy, &mut grads, unit, &mut memory, &mut scratch);
                let name = isa.name();
                assert_eq!(y, expected_y, "{name} {sizes:?} {batch}");
                assert_eq!(grads, expected, "{name} {sizes:?} {batch} {unit}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "expected 1 samples of 2 inputs and 1 outputs, and 33 parameters, found 3, 1 and 33 numbers")]
fn lengths_must_agree() {
    let mut chain = TrainChain::new(2);
    chain.product(Panels::new(2, 1), 0..32, Some(32..33));
    let pass = TrainPass { isa: Isa::PORTABLE, params: &[0.0; 33], rng: RNG, batch: 1, x: &[0.0; 3] };
    chain.forward(&pass, &mut [0.0], &mut []);
}
