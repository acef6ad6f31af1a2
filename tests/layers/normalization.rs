//! `Normalization`: what was fitted to data is taken out, is saved, and no step changes it.

use nn_runtime::data::Standardize;
use nn_runtime::layers::Normalization;
use nn_runtime::prelude::*;
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::numbers::{assert_near, numbers};

use crate::harness::{BATCHES, fault};

#[test]
fn against_the_formula() {
    for (shape, axis) in [
        (Shape::of([1]), 0),
        (Shape::of([19]), 0),
        (Shape::of([3, 5, 7]), 0),
        (Shape::of([3, 5, 7]), 1),
        (Shape::of([4, 18]), 0),
        (Shape::of([4, 18]), 1),
    ] {
        let len = shape.dim(axis);
        let inner: usize = shape.as_slice()[axis + 1..].iter().product();
        let mean = numbers(1, len, 3.0);
        // One feature is constant.
        let mut std: Vec<f32> = numbers(2, len, 2.0).iter().map(|x| x.abs()).collect();
        std[len / 2] = if len > 1 { 0.0 } else { 2.0 };
        for batch in BATCHES {
            let mut x = numbers(3, batch * shape.len(), 2.0);
            let of = |i: usize| i / inner % len;
            for (i, x) in x.iter_mut().enumerate().filter(|(i, _)| std[of(*i)] == 0.0) {
                *x = mean[of(i)];
            }
            let slope = |i: usize| if std[of(i)] == 0.0 { 1.0 } else { 1.0 / f64::from(std[of(i)]) };
            let wide = |x: f32| f64::from(x);
            let y: Vec<f64> = x.iter().enumerate().map(|(i, &x)| (wide(x) - wide(mean[of(i)])) * slope(i)).collect();
            let dy = numbers(4, x.len(), 1.0);
            let dx: Vec<f64> = dy.iter().enumerate().map(|(i, &dy)| wide(dy) * slope(i)).collect();
            for isa in Isa::available() {
                let what = format!("{shape}, axis {axis}, batch {batch}, {}", isa.name());
                let probe = Probe::new(Normalization::new().axis(axis), Normalization::rule, [shape]).unwrap().isa(isa);
                let probe = probe.param(0, &mean).param(1, &std);
                let [found] = probe.forward(batch, [&x]);
                assert_near(&found, &y, &what);
                assert!(
                    found.iter().enumerate().all(|(i, &y)| std[of(i)] > 0.0 || y == 0.0),
                    "{what}: constant features"
                );
                let found = probe.gradients(batch, [&x], [&dy]);
                // The slopes of constant features would hide all others.
                let is = |i: &usize, flat: bool| (std[of(*i)] == 0.0) == flat;
                for flat in [false, true] {
                    let part: Vec<f32> = (0..dx.len()).filter(|i| is(i, flat)).map(|i| found.inputs[0][i]).collect();
                    let truth: Vec<f64> = (0..dx.len()).filter(|i| is(i, flat)).map(|i| dx[i]).collect();
                    assert_near(&part, &truth, &what);
                }
                assert!(found.params.iter().flatten().all(|&d| d == 0.0), "{what}: nothing is learnt");
                probe.check_contract(batch, [&x], [&dy]).unwrap();
            }
        }
    }
}

network! {
    pub struct Net: [3] -> [1] { norm: Normalization -> Dense(1) }
}

#[test]
fn fitted_to_data_and_left_alone() {
    let x: Vec<[f32; 3]> = numbers(5, 60, 2.0).chunks(3).map(|x| [100.0 + x[0], 5.0 * x[1], 7.0]).collect();
    let y: Vec<[f32; 1]> = x.iter().map(|x| [x[0] - 100.0]).collect();
    let data = Dataset::values(x, y).unwrap();
    let fitted = Standardize::fit(&data).unwrap();
    let mut net = Net::init(1);
    net.set("norm.mean", &fitted.mean(0)).unwrap();
    net.set("norm.std", &fitted.std(0)).unwrap();

    // The layer does what standardising the data does.
    let mut moved = data.clone();
    fitted.apply(&mut moved).unwrap();
    let probe = Probe::new(Normalization::new(), Normalization::rule, [Shape::of([3])]).unwrap();
    let probe = probe.param(0, &fitted.mean(0)).param(1, &fitted.std(0));
    let truth: Vec<f64> = moved.inputs()[0].as_slice().iter().map(|&x| f64::from(x)).collect();
    assert_near(&probe.forward(20, [data.inputs()[0].as_slice()])[0], &truth, &"standardised");

    Trainer::new(&mut net, Mse::new(), Sgd::new(0.1)).fit(&data, Fit::epochs(5).batch(7)).unwrap();
    assert_eq!(net.get("norm.mean").unwrap(), fitted.mean(0));
    assert_eq!(net.get("norm.std").unwrap(), fitted.std(0));
}

#[test]
fn an_axis_that_is_not_there_is_refused() {
    assert!(
        fault(Normalization::new().axis(1), Normalization::rule, Shape::of([3]))
            .starts_with("expected an axis below 1")
    );
}

#[test]
fn features_of_sequences_and_channels_of_images_are_the_default() {
    let names = |shape: Shape| {
        let probe = Probe::new(Normalization::new(), Normalization::rule, [shape]).unwrap();
        let [x] = [numbers(1, shape.len(), 1.0)];
        let features = if shape.rank() == 2 { shape.dim(1) } else { shape.dim(0) };
        // As many means as the axis is long, or the probe refuses them.
        let [y] = probe.param(0, &vec![0.25; features]).param(1, &vec![0.5; features]).forward(1, [&x]);
        assert!(x.iter().zip(&y).all(|(x, y)| (2.0 * (x - 0.25) - y).abs() < 1e-6), "{shape}");
    };
    for shape in [Shape::of([5]), Shape::of([7, 3]), Shape::of([3, 4, 5]), Shape::of([2, 3, 4, 5])] {
        names(shape);
    }
}

network! { struct Stream: [8, 2] -> [8, 1] { norm: Normalization -> Gru(3) -> DensePerStep(1) } }

#[test]
fn a_sequence_is_scaled_by_feature_and_streams() {
    let x: Vec<f32> = numbers(9, 6 * 16, 1.0).chunks(2).flat_map(|x| [1e3 + x[0], 1e-3 * x[1]]).collect();
    let data = Dataset::values((x.clone(), 16), (vec![0.0; 6], 1)).unwrap();
    let fitted = Standardize::fit_network::<Stream>(&data).unwrap();
    let mut model = Stream::init(3);
    model.set("norm.mean", &fitted.mean(0)).unwrap();
    model.set("norm.std", &fitted.std(0)).unwrap();
    let window: &[f32; 16] = x[..16].try_into().unwrap();
    let whole = *model.predictor(1).predict(window);
    let mut streamer = model.streamer().unwrap();
    for (step, y) in window.as_chunks::<2>().0.iter().zip(whole) {
        assert_eq!(streamer.step(step).unwrap(), &[y]);
    }
}

network! { struct One: [1] -> [1] { norm: Normalization } }
network! { struct Floored: [1] -> [1] { norm: Normalization -> Relu } }

/// In every unit that 32 bits have, down to the smallest numbers there are, the layer does what standardising
/// the data does.
#[test]
fn units_do_not_matter() {
    for unit in [1e-44f32, 1e-40, 1e-38, 1e-30, 1e-18, 1e-9, 1e-7, 1.0, 1e9, 1e18, 1e30, 1e38] {
        for low in [0.0, 1.0, -1.0] {
            let x = [low * unit, (low + 2.0) * unit];
            let mut data = Dataset::values(&[[x[0]], [x[1]]], &[[0.0], [1.0]]).unwrap();
            let fitted = Standardize::fit(&data).unwrap();
            let (mut layer, mut floored) = (One::init(0), Floored::init(0));
            for (name, value) in [("norm.mean", fitted.mean(0)), ("norm.std", fitted.std(0))] {
                layer.set(name, &value).unwrap();
                floored.set(name, &value).unwrap();
            }
            fitted.apply(&mut data).unwrap();
            for (x, y) in x.iter().zip([-1.0, 1.0]) {
                let [found] = *layer.predictor(1).predict(&[*x]);
                assert!((found - y).abs() < 2e-6, "{x:e} of {unit:e}: {found}");
                assert_eq!(*floored.predictor(1).predict(&[*x]), [found.max(0.0)]);
            }
            assert_eq!(data.inputs()[0].as_slice(), [-1.0, 1.0], "{unit:e}");
        }
    }
}

network! { struct Mean: (x: [4, 1], mask: [4]) -> [1] { (x, mask) -> GlobalAvgPool } }

#[test]
fn a_mask_stays_a_mask() {
    let rows = [[1.0, 2.0, 9.0, 9.0], [3.0, 4.0, 8.0, 9.0]];
    for (masks, mean) in [([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]], -1.0), ([[1.0; 4]; 2], -0.25)] {
        let mut data = Dataset::values(&rows, &[[0.0]; 2]).unwrap().with_input(&masks).unwrap();
        Standardize::fit(&data).unwrap().apply(&mut data).unwrap();
        assert_eq!(data.inputs()[1].as_slice(), masks.as_flattened());
        let model = Mean::init(0);
        let sample = (data.input(0, 0).try_into().unwrap(), data.input(1, 0).try_into().unwrap());
        assert_eq!(model.predictor(1).predict(sample), &[mean]);
    }
}

network! { struct Image: [3, 2, 2] -> [3, 2, 2] { norm: Normalization } }

#[test]
fn figures_of_images_fit_the_layer() {
    let pixels: Vec<f32> = (0..60).map(|i| i as f32).collect();
    let mut data = Dataset::values((pixels, 12), (vec![0.0; 5], 1)).unwrap();
    let fitted = Standardize::fit_network::<Image>(&data).unwrap();
    let mut model = Image::init(0);
    model.set("norm.mean", &fitted.mean(0)).unwrap();
    model.set("norm.std", &fitted.std(0)).unwrap();
    let before: [f32; 12] = data.input(0, 3).try_into().unwrap();
    fitted.apply(&mut data).unwrap();
    let found = *model.predictor(1).predict(&before);
    assert!(found.iter().zip(data.input(0, 3)).all(|(a, b)| (a - b).abs() < 1e-6));
}
