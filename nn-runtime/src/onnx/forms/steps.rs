//! Layers over the steps of a sequence, with or without a mask of the steps that are there.

use alloc::string::String;

use crate::onnx::graph::Attribute;
use crate::onnx::site::OnnxSite;

pub(super) fn positions(site: &mut OnnxSite, waves: fn(usize, &mut [f32])) -> String {
    let (x, shape) = (site.x[0].clone(), site.input(0));
    let mut table = site.param("weight");
    if table.is_empty() {
        let mut values = alloc::vec![0.0; shape.len()];
        waves(shape.dim(1), &mut values);
        table = site.floats("waves", shape.as_slice(), values);
    }
    site.node("Add", &[&x, &table])
}

/// `[batch, steps]`, true at steps, as a condition over `[batch, steps, features]`.
fn condition(site: &mut OnnxSite, mask: &str) -> String {
    let there = site.is_step(mask);
    site.unsqueeze(&there, &[2])
}

pub(super) fn last_step(site: &mut OnnxSite) -> String {
    let (x, steps) = (site.x[0].clone(), site.input(0).dim(0));
    let Some(mask) = site.x.get(1).cloned() else {
        let last =
            site.graph.constant(&site.path, "last", &[], crate::onnx::graph::Elements::Ints([steps as i64 - 1].into()));
        return site.node_with("Gather", &[&x, &last], &[("axis", Attribute::Int(1))]);
    };
    // The largest number of a step that is there, from 1; where there is none, no step has it.
    let there = site.is_step(&mask);
    let numbers = site.floats("numbers", &[steps], (1..=steps).map(|step| step as f32).collect());
    let nowhere = site.number("nowhere", 0.0);
    let numbers = site.node("Where", &[&there, &numbers, &nowhere]);
    let last = site.reduce("ReduceMax", &numbers, &[1], true);
    let is_last = site.node("Equal", &[&numbers, &last]);
    let is_last = site.node("And", &[&is_last, &there]);
    let is_last = site.unsqueeze(&is_last, &[2]);
    let zero = site.number("zero", 0.0);
    let one = site.node("Where", &[&is_last, &x, &zero]);
    site.reduce("ReduceSum", &one, &[1], false)
}

pub(super) fn global_pool(site: &mut OnnxSite, operator: &'static str) -> String {
    let (x, rank) = (site.x[0].clone(), site.input(0).rank());
    let Some(mask) = site.x.get(1).cloned() else {
        let axes: &[i64] = if rank == 3 { &[2, 3] } else { &[1] };
        return site.reduce(operator, &x, axes, false);
    };
    let there = condition(site, &mask);
    let zero = site.number("zero", 0.0);
    let as_numbers = site.node_with("Cast", &[&there], &[("to", Attribute::Int(1))]);
    let count = site.reduce("ReduceSum", &as_numbers, &[1], false);
    if operator == "ReduceMean" {
        let one = site.number("one", 1.0);
        let kept = site.node("Where", &[&there, &x, &zero]);
        let sum = site.reduce("ReduceSum", &kept, &[1], false);
        // Of no steps the mean is 0.
        let count = site.node("Max", &[&count, &one]);
        return site.node("Div", &[&sum, &count]);
    }
    let lowest = site.number("lowest", f32::NEG_INFINITY);
    let kept = site.node("Where", &[&there, &x, &lowest]);
    let largest = site.reduce(operator, &kept, &[1], false);
    let nobody = site.node("Equal", &[&count, &zero]);
    site.node("Where", &[&nobody, &zero, &largest])
}
