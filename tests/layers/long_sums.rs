//! Gradients of parameters that very many numbers share: sums of equal numbers of 0.1 and more, which one
//! chain of `f32` rounds the same way at every term.

use nn_runtime::layers::{
    BatchNorm, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Dense, DensePerStep, DepthwiseConv2d, Embedding,
    GroupNorm, InstanceNorm, LayerNorm, Lstm, PositionalEncoding, Prelu, ReplicationPad1d, ReplicationPad2d, Resize,
    RmsNorm, Rnn, Upsample, UpsampleMode,
};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};

/// What a sum of equal terms may be off by, relatively.
const NEAR: f64 = 1e-6;

#[track_caller]
fn near(found: f32, truth: f64, what: &str) {
    let off = (f64::from(found) - truth).abs();
    assert!(off <= NEAR * truth.abs(), "{what}: {found}, expected {truth}, off by {:e}", off / truth.abs());
}

const TENTH: f64 = 0.1f32 as f64;

#[test]
fn the_slope_of_many_steps() {
    for isa in Isa::available() {
        for steps in [2049, 200_000] {
            let layer = Prelu::new().per_channel(true);
            let probe = Probe::new(layer, Prelu::rule, [Shape::of([steps, 1])]).unwrap().isa(isa);
            let found = probe.gradients(1, [&vec![-0.1; steps]], [&vec![0.1; steps]]);
            near(found.params[0][0], -TENTH * TENTH * steps as f64, &format!("{} {steps} steps", isa.name()));
        }
        // And of many samples.
        let probe = Probe::new(Prelu::new(), Prelu::rule, [Shape::of([2])]).unwrap().isa(isa);
        let found = probe.gradients(50_000, [&[-0.1; 100_000]], [&[0.1; 100_000]]);
        near(found.params[0][0], -TENTH * TENTH * 1e5, isa.name());
    }
}

#[test]
fn a_token_that_comes_often() {
    for isa in Isa::available() {
        for steps in [2049, 100_000] {
            // The last of the tables has several pieces.
            for (vocabulary, features) in [(2, 1), (3, 5), (700, 4), (9000, 5)] {
                let layer = Embedding::new(vocabulary, features);
                let probe = Probe::new(layer, Embedding::rule, [Shape::of([steps])]).unwrap().isa(isa);
                let id = vocabulary - 1;
                let found = probe.gradients(1, [&vec![id as f32; steps]], [&vec![0.1; steps * features]]);
                let (others, row) = found.params[0].split_at(id * features);
                assert!(others.iter().all(|&dw| dw == 0.0));
                row.iter().for_each(|&dw| near(dw, TENTH * steps as f64, &format!("{} {steps} steps", isa.name())));
            }
        }
    }
}

#[test]
fn the_weights_of_a_group_of_many_numbers() {
    for isa in Isa::available() {
        let span = 512 * 512;
        let probe = Probe::new(GroupNorm::new(1), GroupNorm::rule, [Shape::of([2, 512, 512])]).unwrap().isa(isa);
        let x: Vec<f32> = (0..2 * span).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let dy: Vec<f32> = x.iter().map(|x| 0.1 * x).collect();
        let bias = probe.gradients(1, [&x], [&vec![0.1; 2 * span]]).params.swap_remove(1);
        bias.iter().for_each(|&db| near(db, TENTH * span as f64, isa.name()));
        // The deviation is √(1 + eps), eps 1e-5.
        let weight = probe.gradients(1, [&x], [&dy]).params.swap_remove(0);
        weight.iter().for_each(|&dw| near(dw, TENTH * span as f64 / 1.00001f64.sqrt(), isa.name()));
    }
}

#[test]
fn the_weights_of_many_steps() {
    for isa in Isa::available() {
        for (batch, steps) in [(1, 2049), (2, 5000), (1, 48_000)] {
            let (what, rows) = (format!("{} batch {batch}, {steps} steps", isa.name()), batch * steps);
            let probe = Probe::new(DensePerStep::new(1), DensePerStep::rule, [Shape::of([steps, 3])]).unwrap().isa(isa);
            let found = probe.gradients(batch, [&vec![0.1; 3 * rows]], [&vec![0.1; rows]]);
            found.params[0].iter().for_each(|&dw| near(dw, TENTH * TENTH * rows as f64, &what));
            near(found.params[1][0], TENTH * rows as f64, &what);
            let probe = Probe::new(LayerNorm::new(), LayerNorm::rule, [Shape::of([steps, 2])]).unwrap().isa(isa);
            let found = probe.gradients(batch, [&[-1.0, 1.0].repeat(rows)], [&vec![0.1; 2 * rows]]);
            found.params[1].iter().for_each(|&db| near(db, TENTH * rows as f64, &what));
        }
    }
}

#[test]
fn the_weights_of_many_samples() {
    for isa in Isa::available() {
        for (batch, units) in [(300, 1), (2000, 40), (50_000, 3)] {
            let what = format!("{} batch {batch}, {units} units", isa.name());
            let probe = Probe::new(Dense::new(units), Dense::rule, [Shape::of([20])]).unwrap().isa(isa);
            let found = probe.gradients(batch, [&vec![0.1; 20 * batch]], [&vec![0.1; units * batch]]);
            found.params[0].iter().for_each(|&dw| near(dw, TENTH * TENTH * batch as f64, &what));
            found.params[1].iter().for_each(|&db| near(db, TENTH * batch as f64, &what));
        }
    }
}

/// Of a cell whose weights are all 0, whose state stays 0: the gradient of its gate is that of its output.
#[test]
fn the_weights_of_a_recurrence_of_many_steps() {
    for isa in Isa::available() {
        for (batch, steps, features) in [(1, 1500, 1), (3, 700, 2), (1, 50_000, 2)] {
            let (what, rows) = (format!("{} batch {batch}, {steps} steps", isa.name()), batch * steps);
            let probe = Probe::new(Rnn::new(1), Rnn::rule, [Shape::of([steps, features])]).unwrap().isa(isa);
            let probe = probe.param(0, &vec![0.0; features]).param(1, &[0.0]).param(2, &[0.0]).param(3, &[0.0]);
            let found = probe.gradients(batch, [&vec![0.1; features * rows]], [&vec![0.1; rows]]);
            found.params[0].iter().for_each(|&dw| near(dw, TENTH * TENTH * rows as f64, &what));
            assert_eq!(found.params[1], [0.0]);
            for db in &found.params[2..] {
                near(db[0], TENTH * rows as f64, &what);
            }
        }
    }
}

/// Outputs of very many inputs: terms that are equal are the worst there are.
#[test]
fn the_outputs_of_many_inputs() {
    for isa in Isa::available() {
        for (inputs, units) in [(4097, 13), (30_000, 1), (30_000, 13), (300_000, 2)] {
            let weight = vec![0.1; inputs * units];
            let probe = Probe::new(Dense::new(units), Dense::rule, [Shape::of([inputs])]).unwrap().isa(isa);
            let y = probe.param(0, &weight).forward(1, [&vec![0.1; inputs]]);
            let truth = TENTH * TENTH * inputs as f64;
            for y in &y[0] {
                let off = (f64::from(*y) - truth).abs() / truth;
                assert!(off <= NEAR, "{} {inputs} inputs, {units} units: off by {off:e}", isa.name());
            }
        }
    }
}

/// Of layers whose gates, weights or statistics are those of nothing: every term of the bias is 0.1.
#[test]
fn the_biases_of_many_steps() {
    let tenth = |len: usize| vec![0.1; len];
    for isa in Isa::available() {
        for steps in [3000, 50_000] {
            let truth = TENTH * steps as f64;
            let batch_norm = Probe::new(BatchNorm::new(), BatchNorm::rule, [Shape::of([steps, 2])]).unwrap().isa(isa);
            let x = [-1.0, 1.0].repeat(steps);
            let found = batch_norm.training(0, 0).gradients(1, [&x], [&tenth(2 * steps)]);
            found.params[1].iter().for_each(|db| near(*db, truth, "BatchNorm"));
            let layer = InstanceNorm::new().affine(true);
            let instance = Probe::new(layer, InstanceNorm::rule, [Shape::of([steps, 2])]).unwrap().isa(isa);
            let x: Vec<f32> = (0..2 * steps).map(|i| (i / 2 % 2) as f32).collect();
            let found = instance.gradients(1, [&x], [&tenth(2 * steps)]);
            found.params[1].iter().for_each(|db| near(*db, truth, "InstanceNorm"));
            let rms = Probe::new(RmsNorm::new(), RmsNorm::rule, [Shape::of([steps, 2])]).unwrap().isa(isa);
            let found = rms.gradients(1, [&vec![1.0; 2 * steps]], [&tenth(2 * steps)]);
            found.params[0].iter().for_each(|dw| near(*dw, truth / 1.0f64.hypot(1e-4), "RmsNorm"));
            // A gate that is half open, of a state that is 0: its slope is a quarter.
            let lstm = Probe::new(Lstm::new(1), Lstm::rule, [Shape::of([steps, 1])]).unwrap().isa(isa);
            let lstm = (0..4).fold(lstm, |lstm, i| lstm.param(i, &[0.0; 4]));
            let found = lstm.gradients(1, [&tenth(steps)], [&tenth(steps)]);
            // The slope of the cell is a half of what comes, and half of it stays from step to step.
            let kept: f64 = (0..steps).map(|step| 0.25 * (2.0 - 0.5f64.powi((steps - 1 - step).min(60) as i32))).sum();
            near(found.params[2][2], TENTH * kept, "Lstm");
        }
        let encoding = PositionalEncoding::new().learnt(true);
        let encoding = Probe::new(encoding, PositionalEncoding::rule, [Shape::of([3, 2])]).unwrap().isa(isa);
        let found = encoding.gradients(60_000, [&tenth(360_000)], [&tenth(360_000)]);
        found.params[0].iter().for_each(|dw| near(*dw, TENTH * 6e4, "PositionalEncoding"));
    }
}

/// Edges that are repeated very often.
#[test]
fn the_gradient_of_an_edge() {
    let probe = Probe::new(ReplicationPad1d::new(50_000), ReplicationPad1d::rule, [Shape::of([3, 2])]).unwrap();
    let [dx] = probe.gradients(1, [&[1.0; 6]], [&[0.1; 200_006]]).inputs;
    for (dx, places) in dx.iter().zip([50_001.0, 50_001.0, 1.0, 1.0, 50_001.0, 50_001.0]) {
        near(*dx, TENTH * places, "steps");
    }
    let probe = Probe::new(ReplicationPad2d::new(400), ReplicationPad2d::rule, [Shape::of([1, 2, 3])]).unwrap();
    let [dx] = probe.gradients(1, [&[1.0; 6]], [&vec![0.1; 802 * 803]]).inputs;
    for (dx, columns) in dx.iter().zip([401.0, 1.0, 401.0].repeat(2)) {
        near(*dx, TENTH * 401.0 * columns, "images");
    }
}

/// A pixel that becomes very many.
#[test]
fn the_gradient_of_a_pixel() {
    for isa in Isa::available() {
        for layer in [Resize::new(700), Resize::new(700).mode(UpsampleMode::Bilinear)] {
            let probe = Probe::new(layer, Resize::rule, [Shape::of([1, 1, 1])]).unwrap().isa(isa);
            let [dx] = probe.gradients(1, [&[1.0]], [&[0.1; 490_000]]).inputs;
            near(dx[0], TENTH * 490_000.0, &format!("{} {layer:?}", isa.name()));
        }
        let probe = Probe::new(Upsample::new(500), Upsample::rule, [Shape::of([1, 2, 2])]).unwrap().isa(isa);
        let [dx] = probe.gradients(1, [&[1.0; 4]], [&vec![0.1; 1_000_000]]).inputs;
        dx.iter().for_each(|dx| near(*dx, TENTH * 250_000.0, isa.name()));
    }
}

/// Weights and bias of layers whose every output takes the same weights: inputs and gradients of 0.1, borders
/// left out, so that a weight's gradient is 0.01 times the places that it is used at.
fn check_places<L: Layer + Copy>(
    what: &str,
    layer: L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    (shape, batch): (Shape, usize),
    [of_weight, of_bias]: [usize; 2],
) {
    for isa in Isa::available() {
        let probe =
            Probe::new(layer, rule, [shape]).unwrap_or_else(|fault| panic!("{what}: {}", fault.as_str())).isa(isa);
        let outputs: usize = probe.spec().output_shapes().iter().map(|shape| shape.len()).sum();
        let found = probe.gradients(batch, [&vec![0.1; batch * shape.len()]], [&vec![0.1; batch * outputs]]).params;
        for (of, found, truth) in
            [("weight", &found[0], TENTH * TENTH * of_weight as f64), ("bias", &found[1], TENTH * of_bias as f64)]
        {
            for found in found {
                let off = (f64::from(*found) - truth).abs() / truth;
                assert!(off <= NEAR, "{what} of {batch} x {shape}, {}: {of} off by {off:e}", isa.name());
            }
        }
    }
}

#[test]
fn the_weights_of_many_places() {
    for (steps, batch) in [(3000, 1), (50_002, 1), (130, 40), (34, 300)] {
        let (shape, used) = (Shape::of([steps, 2]), (steps - 2) * batch);
        check_places("Conv1d", Conv1d::new(2, 3), Conv1d::rule, (shape, batch), [used; 2]);
        check_places("Conv1d in groups", Conv1d::new(4, 3).groups(2), Conv1d::rule, (shape, batch), [used; 2]);
        check_places(
            "ConvTranspose1d",
            ConvTranspose1d::new(2, 3),
            ConvTranspose1d::rule,
            (shape, batch),
            [steps * batch, (steps + 2) * batch],
        );
    }
    for (side, batch) in [(66, 1), (226, 1), (34, 30), (10, 500)] {
        let (shape, used, all) = (Shape::of([2, side, side]), (side - 2) * (side - 2) * batch, side * side * batch);
        check_places("Conv2d", Conv2d::new(3, 3), Conv2d::rule, (shape, batch), [used; 2]);
        check_places("Conv2d to many", Conv2d::new(34, 3), Conv2d::rule, (shape, batch), [used; 2]);
        check_places("Conv2d of a pixel", Conv2d::new(3, 1), Conv2d::rule, (shape, batch), [all; 2]);
        check_places("Conv2d in groups", Conv2d::new(4, 3).groups(2), Conv2d::rule, (shape, batch), [used; 2]);
        check_places("DepthwiseConv2d", DepthwiseConv2d::new(3), DepthwiseConv2d::rule, (shape, batch), [used; 2]);
        let wider = (side + 2) * (side + 2) * batch;
        check_places(
            "ConvTranspose2d",
            ConvTranspose2d::new(3, 3),
            ConvTranspose2d::rule,
            (shape, batch),
            [all, wider],
        );
        let strided = ConvTranspose2d::new(3, 2).stride(2);
        check_places("ConvTranspose2d, strided", strided, ConvTranspose2d::rule, (shape, batch), [all, 4 * all]);
    }
}
