//! Layers of several inputs or outputs against PyTorch's answers, on every instruction set. In: a case, a
//! layer, its rule; out: nothing, or a panic with the case.

use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::fixtures::{Case, Tensor};
use nn_tests::numbers::assert_near;

/// A case of `N` inputs and `M` outputs.
pub fn against_case<const N: usize, const M: usize, L: Layer<N, M> + Copy>(
    case: &Case,
    layer: L,
    rule: impl Fn(&L, [Shape; N]) -> Rule + Copy,
) {
    let several = |one: &Option<Tensor>, several: &[Tensor]| -> [Vec<f64>; M] {
        std::array::from_fn(|j| one.as_ref().unwrap_or_else(|| &several[j]).data.clone())
    };
    let narrow = |x: &Vec<f64>| -> Vec<f32> { x.iter().map(|&x| x as f32).collect() };
    let (y, dy) = (several(&case.output, &case.outputs), several(&case.doutput, &case.doutputs));
    let dy = dy.each_ref().map(narrow);
    let x: [Vec<f32>; N] = std::array::from_fn(|k| case.inputs[k].narrow());
    let shapes = std::array::from_fn(|k| Shape::of_slice(&case.inputs[k].shape[1..]));
    let batch = case.inputs[0].shape[0];
    let (x, dy) = (x.each_ref().map(|x| &x[..]), dy.each_ref().map(|dy| &dy[..]));
    for isa in Isa::available() {
        let probe = Probe::new(layer, rule, shapes).unwrap().isa(isa);
        let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
        for (j, found) in probe.forward(batch, x).iter().enumerate() {
            assert_near(found, &y[j], &what(&format!("y{j}")));
        }
        for (k, found) in probe.gradients(batch, x, dy).inputs.iter().enumerate() {
            assert_near(found, &case.dinputs[k].data, &what(&format!("dx{k}")));
        }
        probe.check_contract(batch, x, dy).unwrap_or_else(|fault| panic!("{}", what(&fault)));
    }
}
