//! Recurrent operators, whose gates stand in another order than a layer's.

use super::products::last_step;
use crate::import::graph::{Held, Made, Reader, Value, attribute, int, text};
use crate::import::network::Param;
use crate::import::view::{self, View};
use crate::onnx::{Attribute, Node};

const NAMES: [[&str; 4]; 2] = [
    ["weight_ih", "weight_hh", "bias_ih", "bias_hh"],
    ["weight_ih_reverse", "weight_hh_reverse", "bias_ih_reverse", "bias_hh_reverse"],
];

/// The layer, which of the operator's gates each of the layer's is, and the functions it has.
fn cell(operator: &str) -> (&'static str, &'static [usize], &'static [&'static str]) {
    match operator {
        "LSTM" => ("Lstm", &[0, 2, 3, 1], &["Sigmoid", "Tanh", "Tanh"]),
        "GRU" => ("Gru", &[1, 0, 2], &["Sigmoid", "Tanh"]),
        _ => ("Rnn", &[0], &["Tanh"]),
    }
}

pub fn recurrent<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let (kind, order, functions) = cell(node.operator);
    plain(reader, node, functions)?;
    let x = reader.value(node, 0)?;
    let view = reader.network.atoms.whole_view(&x.view);
    let [steps, batch, features] = &view[..] else { return Err("expected [steps, batch, features]".to_owned()) };
    let laid: View = vec![batch.clone(), steps.clone(), features.clone()];
    let (direction, ways) = match text(node, "direction", "forward") {
        "reverse" => (", direction = Backward", 1),
        "bidirectional" => (", direction = Both", 2),
        _ => ("", 1),
    };
    let (w_dims, w) = reader.floats(node, 1)?;
    let (r_dims, r) = reader.floats(node, 2)?;
    let width = view::size(features);
    let units = usize::try_from(int(node, "hidden_size", 0)).unwrap_or(0);
    let rows = order.len().saturating_mul(units);
    if units == 0 || w_dims != [ways, rows, width] || r_dims != [ways, rows, units] {
        return Err(format!("expected weights of {units} units and {width} features, found {w_dims:?} and {r_dims:?}"));
    }
    let bias = match reader.held(node, 3) {
        Some(_) => {
            let (dims, bias) = reader.floats(node, 3)?;
            if dims != [ways, 2 * rows] {
                return Err(format!("expected biases of [{ways}, {}], found {dims:?}", 2 * rows));
            }
            Some(bias)
        }
        None => None,
    };
    let mut params = Vec::new();
    for way in 0..ways {
        let mut push = |name: &'static str, dims: &[usize], from: &[f32]| {
            let gate = from.len() / order.len();
            let values = order.iter().flat_map(|at| from[at * gate..(at + 1) * gate].to_vec()).collect();
            params.push(Param::new(name, dims, values));
        };
        push(NAMES[way][0], &[rows, width], &w[way * rows * width..][..rows * width]);
        push(NAMES[way][1], &[rows, units], &r[way * rows * units..][..rows * units]);
        if let Some(bias) = &bias {
            push(NAMES[way][2], &[rows], &bias[2 * way * rows..][..rows]);
            push(NAMES[way][3], &[rows], &bias[(2 * way + 1) * rows..][..rows]);
        }
    }
    let read = |k: usize| node.outputs.get(k).is_some_and(|name| reader.readers.contains_key(name));
    if read(2) {
        return Err("whose cell state is read\nhelp: export it without the state".to_owned());
    }
    let (all, last) = (read(0), read(1));
    if all && last && !direction.is_empty() {
        return Err("of which both all steps and the last state are read\nhelp: read one of them".to_owned());
    }
    let from = reader.laid_out(&x, &laid)?;
    let long = reader.network.shapes[from].first().copied().unwrap_or(1);
    let reset = match node.operator == "GRU" && int(node, "linear_before_reset", 0) == 0 {
        true => ", reset_after = false",
        false => "",
    };
    let no_bias = if bias.is_some() { "" } else { ", bias = false" };
    let origin = reader.constant(node, 1)?.origin;
    let hint = if origin.is_empty() { node.name } else { origin };
    let mut add = |args: &str, shape: &[usize]| {
        let y = reader.network.layer(kind, &format!("{units}{args}{direction}{reset}{no_bias}"), &[from], shape);
        reader.network.params(hint, origin.to_owned(), params.clone());
        let cut = [ways, units].map(|size| reader.network.atoms.dimension(size));
        (y, cut)
    };
    let lost = || Held::Lost("a state that nothing was to read".to_owned());
    if last && !all {
        let (y, [way, unit]) = add(", last = true", &[ways * units]);
        reader.network.axes[y] = vec![[way.clone(), unit.clone()].concat()];
        return Ok(vec![lost(), reader.made_as(y, vec![way, batch.clone(), unit]), lost()]);
    }
    let (y, [way, unit]) = add("", &[long, ways * units]);
    reader.network.axes[y] = vec![steps.clone(), [way.clone(), unit.clone()].concat()];
    let view = vec![steps.clone(), way.clone(), batch.clone(), unit.clone()];
    let whole = Value { base: y, view, expr: crate::import::expr::Expr::X, part: None };
    let state = match last {
        true => {
            last_step(reader, &Value { view: vec![batch.clone(), steps.clone(), unit.clone()], ..whole.clone() }, 1)?
                .remove(0)
        }
        false => lost(),
    };
    let state = match state {
        Held::Value(value) => Held::Value(Value { view: vec![way, batch.clone(), unit], ..value }),
        other => other,
    };
    Ok(vec![Held::Value(whole), state, lost()])
}

/// Refuses what a layer has not.
fn plain<'a>(reader: &Reader<'a, '_>, node: &Node<'a>, functions: &[&str]) -> Result<(), String> {
    if let Some(Attribute::Texts(given)) = attribute(node, "activations")
        && given.iter().enumerate().any(|(i, name)| !name.eq_ignore_ascii_case(functions[i % functions.len()]))
    {
        return Err(format!("expected the functions {functions:?}, found {given:?}"));
    }
    for name in ["clip", "input_forget", "layout"] {
        if attribute(node, name).is_some_and(|value| !matches!(value, Attribute::Int(0))) {
            return Err(format!("expected no `{name}`"));
        }
    }
    let zero = |k: usize| match reader.held(node, k) {
        None | Some(Held::Zeros) => true,
        Some(Held::Constant(constant)) => {
            constant.tensor.to_floats(reader.fetch).is_ok_and(|values| values.iter().all(|value| *value == 0.0))
        }
        _ => false,
    };
    if reader.held(node, 4).is_some() {
        return Err("of sequences with lengths\nhelp: give the layer a mask, as in `(x, mask) -> Lstm(…)`".to_owned());
    }
    if !(5..8).all(zero) {
        return Err("expected states that begin as zeros".to_owned());
    }
    Ok(())
}
