//! Which axis is which: in `[steps, features]` the features are what a layer tells apart, and steps are told
//! apart by what mixes them alone. In: every layer that takes a sequence; out: nothing, or an output that
//! changed with the order of features or with the place in time.

use nn_runtime::layers::{
    AvgPool1d, BatchNorm, CircularPad1d, Elu, GlobalAvgPool, GlobalMaxPool, GroupNorm, InstanceNorm, LastStep,
    LayerNorm, LocalResponseNorm, LogSoftmax, LpPool1d, MaxPool1d, Normalization, Prelu, ReflectionPad1d,
    ReplicationPad1d, RmsNorm, Softmax, ZeroPad1d,
};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::numbers::{assert_near, numbers, wide};

const BATCH: usize = 3;
const STEPS: usize = 9;
const FEATURES: usize = 6;

/// Rows of so many numbers, those of each row turned round by `by`.
fn turned(x: &[f32], row: usize, by: usize) -> Vec<f32> {
    x.chunks(row).flat_map(|row| [&row[by..], &row[..by]].concat()).collect()
}

fn probe<L: Layer + Copy>(what: &str, layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule, isa: Isa) -> Probe<L> {
    let probe = Probe::new(layer, rule, [Shape::of([STEPS, FEATURES])]);
    probe.unwrap_or_else(|fault| panic!("{what}: {}", fault.as_str())).isa(isa)
}

/// With features, and the parameters of each, in another order, outputs and gradients are in that order.
fn features_in_another_order<L: Layer + Copy>(what: &str, layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule, by: usize) {
    for isa in Isa::available() {
        let plain = probe(what, layer, &rule, isa);
        let params: Vec<Vec<f32>> = plain.params().iter().map(|p| p.iter().map(|p| p.abs()).collect()).collect();
        let of = |turn: &dyn Fn(&[f32]) -> Vec<f32>| {
            let mut probe = probe(what, layer, &rule, isa).training(1, 1);
            for (i, param) in params.iter().enumerate() {
                assert!(param.is_empty() || param.len() == 1 || param.len() == FEATURES, "{what}: of each feature");
                let drawn: Vec<f32> = numbers(7 + i as u64, param.len(), 1.0).iter().map(|p| p.abs() + 0.1).collect();
                probe = probe.param(i, &if param.len() == FEATURES { turn(&drawn) } else { drawn });
            }
            let x = turn(&numbers(1, BATCH * STEPS * FEATURES, 1.0));
            let [y] = probe.forward(BATCH, [&x]);
            let dy = turn(&numbers(2, y.len(), 1.0));
            let found = probe.gradients(BATCH, [&x], [&dy]);
            (y, found.inputs.into_iter().next().unwrap(), found.params)
        };
        let (plain, other) = (of(&|x| x.to_vec()), of(&|x| turned(x, FEATURES, by)));
        assert_near(&other.0, &wide(&turned(&plain.0, FEATURES, by)), &format!("{what} {}: y", isa.name()));
        assert_near(&other.1, &wide(&turned(&plain.1, FEATURES, by)), &format!("{what} {}: dx", isa.name()));
        for (other, plain) in other.2.iter().zip(&plain.2) {
            let plain = if plain.len() == FEATURES { turned(plain, FEATURES, by) } else { plain.clone() };
            assert_near(other, &wide(&plain), &format!("{what} {}: parameters", isa.name()));
        }
    }
}

/// Samples that begin at another step, going round, have outputs that do.
fn steps_that_begin_later<L: Layer + Copy>(what: &str, layer: L, rule: impl Fn(&L, [Shape; 1]) -> Rule) {
    for isa in Isa::available() {
        let mut probe = probe(what, layer, &rule, isa).training(1, 1);
        for (i, param) in probe.params().iter().enumerate() {
            let drawn: Vec<f32> = numbers(7 + i as u64, param.len(), 1.0).iter().map(|p| p.abs() + 0.1).collect();
            probe = probe.param(i, &drawn);
        }
        let (x, dy) = (numbers(1, BATCH * STEPS * FEATURES, 1.0), numbers(2, BATCH * STEPS * FEATURES, 1.0));
        let later = |x: &[f32]| turned(x, STEPS * FEATURES, 4 * FEATURES);
        let (plain, moved) = (probe.forward(BATCH, [&x]), probe.forward(BATCH, [&later(&x)]));
        assert_near(&moved[0], &wide(&later(&plain[0])), &format!("{what} {}: y", isa.name()));
        let (plain, moved) = (probe.gradients(BATCH, [&x], [&dy]), probe.gradients(BATCH, [&later(&x)], [&later(&dy)]));
        assert_near(&moved.inputs[0], &wide(&later(&plain.inputs[0])), &format!("{what} {}: dx", isa.name()));
        for (moved, plain) in moved.params.iter().zip(&plain.params) {
            assert_near(moved, &wide(plain), &format!("{what} {}: parameters", isa.name()));
        }
    }
}

macro_rules! both {
    ($($name:ident $($arguments:expr)?;)+) => {$(
        features_in_another_order(stringify!($name), both!($name $($arguments)?), $name::rule, 1);
        steps_that_begin_later(stringify!($name), both!($name $($arguments)?), $name::rule);
    )+};
    ($name:ident) => { $name::new() };
    ($name:ident $layer:expr) => { $layer };
}

#[test]
fn features_are_told_apart_and_steps_are_not() {
    both! {
        BatchNorm;
        InstanceNorm InstanceNorm::new().affine(true);
        Normalization;
        Prelu Prelu::new().per_channel(true);
        LayerNorm;
        RmsNorm;
        Softmax;
        LogSoftmax;
        Elu;
    }
    // Groups of three features, or neighbours of them: with their order only as a whole.
    features_in_another_order("GroupNorm", GroupNorm::new(2), GroupNorm::rule, 3);
    steps_that_begin_later("GroupNorm", GroupNorm::new(2), GroupNorm::rule);
    steps_that_begin_later("LocalResponseNorm", LocalResponseNorm::new(3), LocalResponseNorm::rule);
    // What goes along the steps takes each feature by itself.
    features_in_another_order("MaxPool1d", MaxPool1d::new(2), MaxPool1d::rule, 1);
    features_in_another_order("AvgPool1d", AvgPool1d::new(2), AvgPool1d::rule, 1);
    features_in_another_order("LpPool1d", LpPool1d::new(2.0, 2), LpPool1d::rule, 1);
    features_in_another_order("GlobalAvgPool", GlobalAvgPool::new(), GlobalAvgPool::rule::<1>, 1);
    features_in_another_order("GlobalMaxPool", GlobalMaxPool::new(), GlobalMaxPool::rule::<1>, 1);
    features_in_another_order("LastStep", LastStep::new(), LastStep::rule::<1>, 1);
    features_in_another_order("ZeroPad1d", ZeroPad1d::new(2), ZeroPad1d::rule, 1);
    features_in_another_order("ReflectionPad1d", ReflectionPad1d::new(2), ReflectionPad1d::rule, 1);
    features_in_another_order("ReplicationPad1d", ReplicationPad1d::new(2), ReplicationPad1d::rule, 1);
    features_in_another_order("CircularPad1d", CircularPad1d::new(2), CircularPad1d::rule, 1);
}
