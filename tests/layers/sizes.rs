//! Units of inputs are a convention: a layer that divides by what it finds answers the same to inputs, and to
//! an `eps` with them, times a power of two. Squares may neither overflow nor vanish on the way, forward or
//! backward. In: layers, powers of two; out: nothing, or the size from which on a layer is wrong.

use nn_runtime::layers::{
    AdaptiveAvgPool2d, AvgPool2d, BatchNorm, GlobalAvgPool, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm,
    LpPool1d, LpPool2d, RmsNorm,
};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::numbers::{distance, numbers, wide};

const BATCH: usize = 3;

/// `of(square)`: the layer where squares of inputs are in this unit; `power`: which power of the unit its
/// outputs are in.
fn check<L: Layer + Copy>(
    what: &str,
    of: impl Fn(f32) -> L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    shape: Shape,
    power: i32,
) {
    for isa in Isa::available() {
        let run = |k: i32| {
            let unit = 2f32.powi(k);
            let probe =
                Probe::new(of(2f32.powi(2 * k)), rule, [shape]).unwrap_or_else(|fault| panic!("{}", fault.as_str()));
            let mut probe = probe.isa(isa).training(1, 1);
            for (i, param) in probe.params().iter().enumerate() {
                let values = numbers(40 + i as u64, param.len(), 1.0);
                probe = probe.param(i, &values.iter().map(|p| p.abs() + 0.1).collect::<Vec<_>>());
            }
            let x: Vec<f32> = numbers(1, BATCH * shape.len(), 1.0).iter().map(|x| x * unit).collect();
            let [y] = probe.forward(BATCH, [&x]);
            let found = probe.gradients(BATCH, [&x], [&numbers(2, y.len(), 1.0)]);
            // In units: outputs `unit^power`, gradients of inputs `unit^(power - 1)`.
            let back = |x: &[f32], power: i32| x.iter().map(|x| x * 2f32.powi(-k * power)).collect::<Vec<f32>>();
            [back(&y, power), back(&found.inputs[0], power - 1)]
        };
        let truth = run(0);
        for k in [-50, -40, -21, -8, 9, 25, 40, 50, 60] {
            for (found, (truth, of)) in run(k).iter().zip(truth.iter().zip(["outputs", "gradients"])) {
                let off = distance(found, &wide(truth));
                assert!(off <= 1e-5, "{what} {} 2^{k}: {of} {off:.1e} off", isa.name());
            }
        }
    }
}

#[test]
fn units_of_inputs_are_a_convention() {
    let (steps, image) = (Shape::of([9, 10]), Shape::of([4, 6, 5]));
    let eps = 1e-3;
    check("LayerNorm", |square| LayerNorm::new().eps(eps * square), LayerNorm::rule, steps, 0);
    check("LayerNorm of all", |square| LayerNorm::new().axes(2).eps(eps * square), LayerNorm::rule, steps, 0);
    check("RmsNorm", |square| RmsNorm::new().eps(eps * square), RmsNorm::rule, steps, 0);
    check("GroupNorm", |square| GroupNorm::new(2).eps(eps * square), GroupNorm::rule, image, 0);
    check("GroupNorm of steps", |square| GroupNorm::new(2).eps(eps * square), GroupNorm::rule, steps, 0);
    check("InstanceNorm", |square| InstanceNorm::new().eps(eps * square), InstanceNorm::rule, image, 0);
    check(
        "InstanceNorm of steps",
        |square| InstanceNorm::new().affine(true).eps(eps * square),
        InstanceNorm::rule,
        steps,
        0,
    );
    check("BatchNorm", |square| BatchNorm::new().eps(eps * square), BatchNorm::rule, image, 0);
    check("BatchNorm of steps", |square| BatchNorm::new().eps(eps * square), BatchNorm::rule, steps, 0);
    check(
        "LocalResponseNorm",
        |square| LocalResponseNorm::new(3).alpha(0.5 / square).k(1.0),
        LocalResponseNorm::rule,
        image,
        1,
    );
    check("LpPool1d, 1", |_| LpPool1d::new(1.0, 3), LpPool1d::rule, steps, 1);
    check("LpPool1d, 2", |_| LpPool1d::new(2.0, 3), LpPool1d::rule, steps, 1);
    check("LpPool2d, 2", |_| LpPool2d::new(2.0, 2), LpPool2d::rule, image, 1);
    check("LpPool2d, 3", |_| LpPool2d::new(3.0, 2), LpPool2d::rule, image, 1);
    check("AvgPool2d", |_| AvgPool2d::new(2), AvgPool2d::rule, image, 1);
    check("AdaptiveAvgPool2d", |_| AdaptiveAvgPool2d::new(2), AdaptiveAvgPool2d::rule, image, 1);
    check("GlobalAvgPool", |_| GlobalAvgPool::new(), GlobalAvgPool::rule, image, 1);
}
