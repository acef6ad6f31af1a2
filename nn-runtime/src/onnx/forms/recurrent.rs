//! Recurrent layers. The operators want the steps first, and the gates in an order of their own; they skip
//! steps at the end alone, so that a sequence with a mask is sorted first: the steps that are there, in
//! order, then padding.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::onnx::graph::Attribute;
use crate::onnx::site::{OnnxSite, ints};
use crate::spec::OnnxRecurrent;

/// Which of the layer's gates each of the operator's is: i, f, g, o become i, o, f, c, and r, z, n become
/// z, r, h.
fn gates(operator: &str) -> &'static [usize] {
    match operator {
        "LSTM" => &[0, 3, 1, 2],
        "GRU" | "GRU_reset_first" => &[1, 0, 2],
        _ => &[0],
    }
}

/// INT32 as an attribute of `Cast`.
const TO_INT32: i64 = 6;

/// And BOOL.
const TO_BOOL: i64 = 9;

pub(super) fn recurrent(site: &mut OnnxSite, of: OnnxRecurrent) -> Vec<String> {
    let sorted = of.mask.map(|mask| site.x[mask].clone()).map(|mask| sort(site, &mask));
    let x = match &sorted {
        None => site.x[0].clone(),
        Some(Sorted { order, .. }) => {
            let (x, features) = (site.x[0].clone(), site.input(0).dim(1));
            let places = widen(site, order, features);
            site.node_with("GatherElements", &[&x, &places], &[("axis", Attribute::Int(1))])
        }
    };
    let x = site.transpose(&x, &[1, 0, 2]);
    let [w, r, b] = weights(site, of);
    let lengths = sorted.as_ref().map(|sorted| sorted.lengths.clone()).unwrap_or_default();
    let ways = if of.direction == "bidirectional" { 2 } else { 1 };
    let before: Vec<String> = (0..of.initial)
        .map(|k| {
            let state = site.x[1 + k].clone();
            let state = site.reshape(&state, &[ways, of.units]);
            site.transpose(&state, &[1, 0, 2])
        })
        .collect();
    let mut inputs = [x.as_str(), &w, &r, &b, &lengths].to_vec();
    inputs.extend(before.iter().map(String::as_str));
    while inputs.last().is_some_and(|name| name.is_empty()) {
        inputs.pop();
    }
    let mut attributes =
        [("hidden_size", Attribute::Int(of.units as i64)), ("direction", Attribute::Text(of.direction))].to_vec();
    if of.operator == "GRU" {
        // As here, the reset gate is applied behind the product.
        attributes.push(("linear_before_reset", Attribute::Int(1)));
    }
    let operator = match of.operator {
        "RNN_relu" => {
            attributes.push(("activations", Attribute::Texts(alloc::vec!["Relu"; ways])));
            "RNN"
        }
        "GRU_reset_first" => "GRU",
        operator => operator,
    };
    let y = site.nodes_with(operator, &inputs, 2.max(1 + of.states), &attributes);
    // Of samples without a step the operator's states are 0, and not those that come in.
    let any = sorted.as_ref().filter(|_| of.initial > 0).map(|sorted| {
        let any = site.node_with("Cast", &[&sorted.lengths], &[("to", Attribute::Int(TO_BOOL))]);
        site.unsqueeze(&any, &[1])
    });
    let after = |site: &mut OnnxSite, k: usize| {
        let state = site.transpose(&y[k], &[1, 0, 2]);
        let state = site.reshape(&state, &[ways * of.units]);
        let before = site.x.get(k).cloned();
        match any.as_ref().zip(before) {
            Some((any, before)) => site.node("Where", &[any, &state, &before]),
            None => state,
        }
    };
    let mut outputs = Vec::from([if of.last { after(site, 1) } else { all_steps(site, &y[0], sorted) }]);
    (1..=of.states).for_each(|k| outputs.push(after(site, k)));
    outputs
}

/// The outputs of all steps, as the operator gives them, in the order of the layer's.
fn all_steps(site: &mut OnnxSite, y: &str, sorted: Option<Sorted>) -> String {
    let shape = site.output(0);
    let all = site.transpose(y, &[2, 0, 1, 3]);
    let all = site.reshape(&all, shape.as_slice());
    let Some(Sorted { there, order, .. }) = sorted else { return all };
    let places = widen(site, &order, shape.dim(1));
    let back = site.node_with("ScatterElements", &[&all, &places, &all], &[("axis", Attribute::Int(1))]);
    let (there, zero) = (site.unsqueeze(&there, &[2]), site.number("zero", 0.0));
    site.node("Where", &[&there, &back, &zero])
}

/// `[ways, gates · units, features]`, `[ways, gates · units, units]` and both biases `[ways, 2 · gates ·
/// units]`.
fn weights(site: &mut OnnxSite, of: OnnxRecurrent) -> [String; 3] {
    let ways: &[&str] = if of.direction == "bidirectional" { &["", "_reverse"] } else { &[""] };
    let order = gates(of.operator);
    let rows = order.len() * of.units;
    let joined = |site: &mut OnnxSite, what: &str, names: &[&str], dims: &[usize]| {
        let mut all = Vec::new();
        for (way, name) in ways.iter().flat_map(|way| names.iter().map(move |name| (way, name))) {
            let values = site.numbers(&format!("{name}{way}"));
            let gate = values.len() / order.len();
            order.iter().for_each(|at| all.extend_from_slice(&values[at * gate..(at + 1) * gate]));
        }
        site.floats(what, dims, all)
    };
    let w = joined(site, "W", &["weight_ih"], &[ways.len(), rows, site.input(0).dim(1)]);
    let r = joined(site, "R", &["weight_hh"], &[ways.len(), rows, of.units]);
    let b = match site.has("bias_ih") {
        true => joined(site, "B", &["bias_ih", "bias_hh"], &[ways.len(), 2 * rows]),
        false => String::new(),
    };
    [w, r, b]
}

/// A mask of steps in the order in which the operator reads them.
struct Sorted {
    /// `[batch, steps]`, whether a step is there.
    there: String,
    /// `[batch, steps]`, which step comes when.
    order: String,
    /// `[batch]`, how many are there.
    lengths: String,
}

fn sort(site: &mut OnnxSite, mask: &str) -> Sorted {
    let steps = site.input(0).dim(0);
    let there = site.is_step(mask);
    // The largest key comes first: that of the first step that is there, and of the first padding behind all.
    let keys = |from: usize| (0..steps).map(|step| (from - step) as f32).collect();
    let (first, then) = (site.floats("first", &[steps], keys(2 * steps)), site.floats("then", &[steps], keys(steps)));
    let keys = site.node("Where", &[&there, &first, &then]);
    let count = site.ints("steps", &ints(&[steps]));
    let order = site.nodes_with("TopK", &[&keys, &count], 2, &[("axis", Attribute::Int(1))]).remove(1);
    let ones = site.node_with("Cast", &[&there], &[("to", Attribute::Int(TO_INT32))]);
    let lengths = site.reduce("ReduceSum", &ones, &[1], false);
    Sorted { there, order, lengths }
}

/// The order of the steps, for each of their numbers.
fn widen(site: &mut OnnxSite, order: &str, numbers: usize) -> String {
    let order = site.unsqueeze(order, &[2]);
    let shape = site.ints("width", &ints(&[1, 1, numbers]));
    site.node("Expand", &[&order, &shape])
}
