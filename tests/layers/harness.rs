//! One layer against PyTorch's answers and against a formula in double precision, on every instruction set.
//! In: a layer, its rule, a formula; out: nothing, or a panic with the case. What every layer promises is
//! checked along the way.

use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

pub const BATCHES: [usize; 6] = [1, 2, 3, 7, 17, 33];

/// Every case of `reference/<file>.json`, and how many there were.
pub fn against_pytorch<L: Layer>(
    file: &str,
    make: impl Fn(&Case) -> L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    params: &[&str],
) {
    against_cases(file, load(file), make, rule, params);
}

/// These cases of a file.
pub fn against_cases<L: Layer>(
    file: &str,
    cases: Vec<Case>,
    make: impl Fn(&Case) -> L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    params: &[&str],
) {
    assert!(!cases.is_empty(), "{file} has such cases");
    for case in cases {
        let (x, dy) = (&case.inputs[0], case.doutput.as_ref().unwrap());
        let shape = Shape::of_slice(&x.shape[1..]);
        for isa in Isa::available() {
            let mut probe = Probe::new(make(&case), rule, [shape]).unwrap().isa(isa);
            assert_eq!(probe.params().len(), case.params.len(), "{file} {}: parameters", case.name);
            for (i, name) in params.iter().enumerate().filter(|(_, name)| case.params.contains_key(**name)) {
                probe = probe.param(i, &case.params[*name].narrow());
            }
            let (batch, x, dy) = (x.shape[0], x.narrow(), dy.narrow());
            let what = |of: &str| format!("{file} {} {}: {of}", case.name, isa.name());
            let [y] = probe.forward(batch, [&x]);
            assert_near(&y, &case.output.as_ref().unwrap().data, &what("y"));
            let found = probe.gradients(batch, [&x], [&dy]);
            assert_near(&found.inputs[0], &case.dinputs[0].data, &what("dx"));
            for (i, found) in found.params.iter().enumerate() {
                assert_near(found, &case.dparams[params[i]].data, &what(params[i]));
            }
            probe.check_contract(batch, [&x], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
        }
    }
}

/// Drawn inputs and parameters of this size against `formula(x, params)` for one sample, its gradients by
/// differences.
pub fn against_formula<L: Layer + Copy>(
    layer: L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    shape: Shape,
    size: f32,
    formula: impl Fn(&[f64], &[Vec<f64>]) -> Vec<f64>,
) {
    let drawn = |probe: Probe<L>| {
        let sizes: Vec<usize> = probe.params().iter().map(Vec::len).collect();
        sizes.into_iter().enumerate().fold(probe, |probe, (i, len)| probe.param(i, &numbers(90 + i as u64, len, 0.7)))
    };
    for batch in BATCHES {
        let probe = drawn(Probe::new(layer, rule, [shape]).unwrap());
        let params: Vec<Vec<f64>> = probe.params().iter().map(|param| wide(param)).collect();
        let x = numbers(batch as u64, batch * shape.len(), size);
        let y = |x: &[f64], params: &[Vec<f64>]| -> Vec<f64> {
            x.chunks(shape.len()).flat_map(|x| formula(x, params)).collect()
        };
        let expected = y(&wide(&x), &params);
        let dy = numbers(300 + batch as u64, expected.len(), 1.0);
        let loss = |y: Vec<f64>| -> f64 { y.iter().zip(&dy).map(|(y, &dy)| y * f64::from(dy)).sum() };
        let dx = x.chunks(shape.len()).zip(dy.chunks(dy.len() / batch)).flat_map(|(x, dy)| {
            let loss = |y: Vec<f64>| -> f64 { y.iter().zip(dy).map(|(y, &dy)| y * f64::from(dy)).sum() };
            slopes(&wide(x), |x| loss(formula(x, &params)))
        });
        let dx: Vec<f64> = dx.collect();
        let dparams: Vec<Vec<f64>> = (0..params.len())
            .map(|i| {
                let with = |param: &[f64]| {
                    let mut params = params.clone();
                    params[i] = param.to_vec();
                    params
                };
                slopes(&params[i], |param| loss(y(&wide(&x), &with(param))))
            })
            .collect();

        for isa in Isa::available() {
            let probe = drawn(Probe::new(layer, rule, [shape]).unwrap()).isa(isa);
            let what = |of: &str| format!("{shape}, batch {batch}, {}: {of}", isa.name());
            assert_near(&probe.forward(batch, [&x])[0], &expected, &what("y"));
            let found = probe.gradients(batch, [&x], [&dy]);
            assert_near(&found.inputs[0], &dx, &what("dx"));
            for (i, (found, truth)) in found.params.iter().zip(&dparams).enumerate() {
                assert_near(found, truth, &what(&format!("parameter {i}")));
            }
            probe.check_contract(batch, [&x], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
        }
    }
}

/// What the rule says against these shapes.
pub fn fault<L: Layer>(layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule, shape: Shape) -> String {
    match Probe::new(layer, rule, [shape]) {
        Ok(probe) => panic!("expected a fault on {shape}, found {:?}", probe.spec().output_shapes()),
        Err(fault) => fault.as_str().to_owned(),
    }
}

/// NaN and infinities go in: no panic, and NaN stays NaN where `keeps` says so.
pub fn takes_any_number<L: Layer + Copy>(layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy) {
    let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0, -0.0, 1e-45, -1e-45];
    for isa in Isa::available() {
        let probe = Probe::new(layer, rule, [Shape::of([x.len()])]).unwrap().isa(isa);
        let y = &probe.forward(1, [&x])[0];
        assert!(y[0].is_nan(), "{}: NaN became {}", isa.name(), y[0]);
        probe.gradients(1, [&x], [&vec![1.0; y.len()]]);
        probe.gradients(1, [&[0.5; 9]], [&vec![f32::NAN; y.len()]]);
    }
}
