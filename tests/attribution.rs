//! Saliency, integrated gradients, occlusion and Grad-CAM against Captum (`reference/make_attribution.py`,
//! `make_grad_cam.py`).

use std::collections::BTreeMap;

use nn_runtime::attribution::{grad_cam, integrated_gradients, occlusion, saliency};
use nn_runtime::prelude::*;
use serde::Deserialize;

network! {
    struct Net: [2, 6, 7] -> [4] {
        conv: Conv2d(3, 3) -> Tanh -> AvgPool2d(2) -> Flatten -> head: Dense(4) -> Softmax
    }
}

#[derive(Deserialize)]
struct Reference {
    params: BTreeMap<String, Vec<f32>>,
    x: Vec<f32>,
    baseline: Vec<f32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    target: usize,
    saliency: Vec<f64>,
    integrated: Vec<f64>,
    gap: f64,
    occlusions: Vec<Hidden>,
}

#[derive(Deserialize)]
struct Hidden {
    window: [usize; 2],
    stride: [usize; 2],
    found: Vec<f64>,
}

fn reference() -> (Reference, Model<Net>) {
    let path = format!("{}/reference/{}.json", env!("CARGO_MANIFEST_DIR"), "attribution");
    let reference: Reference = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut model = Net::init(0);
    for (name, numbers) in &reference.params {
        model.set(name, numbers).unwrap();
    }
    (reference, model)
}

/// The largest difference, over the largest number.
fn far(found: &[f32], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let largest = truth.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    found.iter().zip(truth).map(|(x, truth)| (f64::from(*x) - truth).abs()).fold(0.0, f64::max) / largest
}

#[test]
fn what_is_found_is_what_captum_finds() {
    let (reference, model) = reference();
    let (x, baseline) = (&[&reference.x[..]], &[&reference.baseline[..]]);
    assert_eq!(reference.cases.len(), 4);
    for case in &reference.cases {
        assert!(far(&saliency(&model, x, case.target).unwrap()[0], &case.saliency) < 1e-5);
        let found = integrated_gradients(&model, x, baseline, case.target, 5).unwrap();
        assert!(far(&found.inputs[0], &case.integrated) < 1e-5);
        assert!((found.gap - case.gap).abs() < 1e-6, "{} {}", found.gap, case.gap);
        for Hidden { window, stride, found } in &case.occlusions {
            let map = occlusion(&model, x, [2, 6, 7], *window, *stride, 0.25, case.target).unwrap();
            assert!(far(&map, found) < 1e-5, "{window:?} {stride:?}");
        }
    }
}

#[test]
fn more_steps_leave_less_unexplained() {
    let (reference, model) = reference();
    let gap = |steps| integrated_gradients(&model, &[&reference.x], &[&reference.baseline], 1, steps).unwrap().gap;
    assert!(gap(50).abs() < 1e-6 && gap(2).abs() > 10.0 * gap(50).abs(), "{} {}", gap(2), gap(50));
}

network! { struct Words: [3] -> [2] { Embedding(5, 4) -> Flatten -> Dense(2) } }

#[test]
fn what_cannot_be_asked_is_refused() {
    let (_, model) = reference();
    let x = [0.0; 84];
    let said = |x: &[f32], output| saliency(&model, &[x], output).unwrap_err().to_string();
    assert_eq!(said(&x, 4), "expected an output below 4, found 4");
    assert_eq!(said(&[0.0; 168], 0), "expected one sample, found 2");
    assert!(said(&[0.0; 3], 0).contains("84"));
    let ids = integrated_gradients(&Words::init(0), &[&[1.0, 2.0, 0.0]], &[&[0.0; 3]], 0, 5).unwrap_err().to_string();
    assert!(ids.starts_with("expected inputs of numbers, found token ids"), "{ids}");
    let hide = |shape, window, stride| occlusion(&model, &[&x], shape, window, stride, 0.0, 0).unwrap_err().to_string();
    assert_eq!(hide([1, 6, 7], [1, 1], [1, 1]), "expected an image of [1, 6, 7], found 84 numbers");
    for (window, stride) in [([0, 1], [1, 1]), ([7, 1], [1, 1]), ([2, 2], [3, 1]), ([2, 2], [0, 1])] {
        assert!(hide([2, 6, 7], window, stride).starts_with("expected a window from [1, 1] to [6, 7] and a stride"));
    }
}

network! {
    struct Deep: [2, 12, 11] -> [3] {
        first: Conv2d(4, 3) -> Relu -> pooled: MaxPool2d(2) -> second: Conv2d(5, 3) -> bent: Tanh;
        Flatten -> head: Dense(3) -> Softmax
    }
}
network! {
    struct Residual: [2, 8, 7] -> [3] {
        let x = input -> stem: Conv2d(4, 3, padding = Same) -> forked: Relu;
        let y = x -> one: Conv2d(4, 3, padding = Same) -> norm: BatchNorm -> Relu -> two: Conv2d(4, 3, padding = Same);
        (x, y) -> joined: Sum -> last: Relu -> GlobalAvgPool -> head: Dense(3)
    }
}
network! {
    struct Steps: [9, 3] -> [2] {
        first: Conv1d(4, 3) -> bent: Tanh -> second: Conv1d(5, 2) -> last: Sigmoid -> GlobalAvgPool -> head: Dense(2)
    }
}

#[derive(Deserialize)]
struct Seen {
    network: String,
    params: BTreeMap<String, Vec<f32>>,
    x: Vec<f32>,
    cases: Vec<Map>,
}

#[derive(Deserialize)]
struct Map {
    layer: String,
    target: usize,
    map: Vec<f64>,
    enlarged: Option<Vec<f64>>,
}

/// Compares every layer that is in memory; returns the others, with the one that they are refused for.
fn compare<N: Network>(seen: &Seen, [height, width]: [usize; 2]) -> Vec<String> {
    let mut model = N::init(0);
    for (name, numbers) in &seen.params {
        model.set(name, numbers).unwrap();
    }
    let mut refused = Vec::new();
    for case in &seen.cases {
        match grad_cam(&model, &case.layer, &[&seen.x], case.target) {
            Ok(found) => {
                let off = far(&found.map, &case.map);
                assert!(off < 1e-5, "{} {} {}: {off:e}", seen.network, case.layer, case.target);
                if let Some(enlarged) = &case.enlarged {
                    assert!(far(&found.enlarged(2 * height + 1, width), enlarged) < 1e-5);
                }
            }
            Err(error) => refused.push(format!("{}: {error}", case.layer)),
        }
    }
    refused
}

#[test]
fn grad_cam_is_what_captum_finds() {
    let path = format!("{}/reference/{}.json", env!("CARGO_MANIFEST_DIR"), "grad_cam");
    let all: Vec<Seen> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(all.len(), 3);
    for seen in &all {
        let refused = match &*seen.network {
            "Deep" => compare::<Deep>(seen, [12, 11]),
            "Residual" => compare::<Residual>(seen, [8, 7]),
            _ => compare::<Steps>(seen, [1, 9]),
        };
        assert_eq!(refused, [""; 0], "{}", seen.network);
    }
}

#[test]
fn layers_that_grad_cam_cannot_look_at_are_named() {
    let model = Deep::init(0);
    let said = |layer| grad_cam(&model, layer, &[&[0.5; 264]], 0).unwrap_err().to_string();
    let together = "expected a layer whose output is in memory, found one that is computed together with";
    assert_eq!(said("first"), format!("`first`: {together} `pooled`\nhelp: `grad_cam(&model, \"pooled\", ..)`"));
    assert!(
        said("middle").starts_with("expected a layer of `Deep`, found `middle`\nhelp: they are first, relu_1, pooled")
    );
    assert!(
        said("head")
            .starts_with("`head`: expected an output [channels, height, width] or [steps, features], found [3]")
    );
    assert_eq!(
        grad_cam(&model, "pooled", &[&[0.5; 264]], 3).unwrap_err().to_string(),
        "expected an output below 3, found 3"
    );
    network! { struct Wide: [1, 4, 4] -> [1, 4, 4] { Conv2d(2, 3, padding = Same) -> end: Conv2d(1, 3, padding = Same) } }
    let said = grad_cam(&Wide::init(0), "end", &[&[0.5; 16]], 3).unwrap_err().to_string();
    assert!(said.starts_with("`end`: expected a layer within the network, found its output"), "{said}");
}
