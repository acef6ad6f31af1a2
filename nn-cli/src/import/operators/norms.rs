//! Normalisations.

use crate::import::expr::{Expr, number};
use crate::import::graph::{Held, Made, Reader, Value, dim_of, float, int, is_batch};
use crate::import::network::Param;
use crate::import::operators::products::shared;
use crate::import::view;
use crate::onnx::{Attribute, Node};

fn eps(value: f32, default: f32) -> String {
    if value == default { String::new() } else { format!("eps = {}", number(value)) }
}

fn joined(args: &[String]) -> String {
    let there: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.is_empty()).collect();
    there.join(", ")
}

/// Numbers for each of the channels, under the name of the parameter.
fn param<'a>(
    reader: &Reader<'a, '_>,
    node: &Node<'a>,
    k: usize,
    name: &'static str,
    len: usize,
) -> Result<Param, String> {
    let (_, values) = reader.floats(node, k)?;
    match values.len() == len {
        true => Ok(Param::new(name, &[len], values)),
        false => Err(format!("expected {len} numbers as `{name}`, found {}", values.len())),
    }
}

pub fn batch_norm<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let base = reader.settled(&x)?;
    let on = Value { base, expr: Expr::X, view: x.view.clone(), part: None };
    let (base, axis, view) = match reader.axis(&on, 1) {
        Some(axis) => (base, axis, x.view),
        None => {
            let base = reader.plain(&on)?;
            (base, 0, reader.network.plain(base))
        }
    };
    let shape = reader.network.shapes[base].clone();
    let channels = *shape.get(axis).ok_or("expected channels")?;
    let mut params = Vec::new();
    for (k, name) in [(1, "weight"), (2, "bias"), (3, "running_mean"), (4, "running_var")] {
        params.push(param(reader, node, k, name, channels)?);
    }
    let default = if shape.len() == 2 { 1 } else { 0 };
    let axis = if axis == default { String::new() } else { format!("axis = {axis}") };
    let args = joined(&[eps(float(node, "epsilon", 1e-5), 1e-5), axis]);
    let y = reader.network.layer("BatchNorm", &args, &[base], &shape);
    reader.network.axes[y] = reader.network.axes[base].clone();
    let origin = reader.constant(node, 1)?.origin;
    reader.network.params(origin, shared(origin, reader.constant(node, 3)?.origin), params);
    Ok(vec![reader.made_as(y, view)])
}

fn affine<'a>(reader: &Reader<'a, '_>, node: &Node<'a>, len: usize) -> Result<(Vec<Param>, String), String> {
    let params = vec![param(reader, node, 1, "weight", len)?, param(reader, node, 2, "bias", len)?];
    let plain =
        params[0].values.iter().all(|value| *value == 1.0) && params[1].values.iter().all(|value| *value == 0.0);
    Ok(if plain { (Vec::new(), String::new()) } else { (params, "affine = true".to_owned()) })
}

pub fn instance_norm<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    if let Some(groups) = groups(reader, &x) {
        return grouped(reader, node, &x, groups);
    }
    let base = reader.plain(&x)?;
    let shape = reader.network.shapes[base].clone();
    let (params, affine) = affine(reader, node, *shape.first().ok_or("expected channels")?)?;
    let axis = if shape.len() == 2 && shape[0] > 1 { "axis = 0".to_owned() } else { String::new() };
    let args = joined(&[eps(float(node, "epsilon", 1e-5), 1e-5), affine, axis]);
    let y = reader.network.layer("InstanceNorm", &args, &[base], &shape);
    reader.network.axes[y] = reader.network.axes[base].clone();
    let origin = reader.constant(node, 1)?.origin;
    if !params.is_empty() {
        reader.network.params(origin, shared(origin, ""), params);
    }
    Ok(vec![reader.made(y)])
}

/// How many groups the channels were cut into, where the value is such a cut and nothing else.
fn groups(reader: &Reader, x: &Value) -> Option<usize> {
    let view = reader.network.atoms.whole_view(&x.view);
    let [batch, groups, rest] = &view[..] else { return None };
    let own: Vec<_> = reader.network.axes[x.base].iter().map(|dim| reader.network.atoms.whole(dim)).collect();
    let channels = own.first()?;
    let cut = channels.len() > groups.len() && channels.starts_with(groups) && own.len() > 1;
    let whole = [groups.clone(), rest.clone()].concat() == own.concat();
    (is_batch(batch) && cut && whole).then(|| view::size(groups))
}

/// Instances that are groups of channels.
fn grouped<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>, x: &Value, groups: usize) -> Made<'a> {
    let (params, _) = affine(reader, node, groups)?;
    if !params.is_empty() {
        return Err("expected groups that are scaled alike".to_owned());
    }
    let base = reader.settled(x)?;
    let shape = reader.network.shapes[base].clone();
    let axis = if shape.len() == 2 { "axis = 0".to_owned() } else { String::new() };
    let args =
        joined(&[groups.to_string(), eps(float(node, "epsilon", 1e-5), 1e-5), axis, "affine = false".to_owned()]);
    let y = reader.network.layer("GroupNorm", &args, &[base], &shape);
    reader.network.axes[y] = reader.network.axes[base].clone();
    Ok(vec![reader.made_as(y, x.view.clone())])
}

pub fn group_norm<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let base = reader.plain(&x)?;
    let shape = reader.network.shapes[base].clone();
    let (channels, groups) = (*shape.first().ok_or("expected channels")?, int(node, "num_groups", 1));
    let (params, affine) = affine(reader, node, channels)?;
    let affine = if affine.is_empty() { "affine = false".to_owned() } else { String::new() };
    let axis = if shape.len() == 2 { "axis = 0".to_owned() } else { String::new() };
    let args = joined(&[groups.to_string(), eps(float(node, "epsilon", 1e-5), 1e-5), affine, axis]);
    let y = reader.network.layer("GroupNorm", &args, &[base], &shape);
    reader.network.axes[y] = reader.network.axes[base].clone();
    let origin = reader.constant(node, 1)?.origin;
    if !params.is_empty() {
        reader.network.params(origin, shared(origin, ""), params);
    }
    Ok(vec![reader.made(y)])
}

pub fn row_norm<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let from = dim_of(&x.view, int(node, "axis", -1))?;
    let axes = x.view.len() - from;
    let base = reader.plain(&x)?;
    let shape = reader.network.shapes[base].clone();
    let (centred, len) =
        (node.operator == "LayerNormalization", shape[shape.len().saturating_sub(axes)..].iter().product());
    let last = shape[shape.len().saturating_sub(axes)..].to_vec();
    let mut params = vec![Param { dims: last.clone(), ..param(reader, node, 1, "weight", len)? }];
    let biased = centred && reader.held(node, 2).is_some();
    if biased {
        params.push(Param { dims: last, ..param(reader, node, 2, "bias", len)? });
    }
    let plain = params[0].values.iter().all(|value| *value == 1.0)
        && params.get(1).is_none_or(|bias| bias.values.iter().all(|value| *value == 0.0));
    let axes = if axes == 1 { String::new() } else { format!("axes = {axes}") };
    let (kind, default) = if centred { ("LayerNorm", 1e-5) } else { ("RmsNorm", 1e-6) };
    let learnt = match (plain, biased || !centred) {
        (true, _) => "affine = false",
        (false, true) => "",
        (false, false) => "bias = false",
    };
    let args = joined(&[axes, eps(float(node, "epsilon", 1e-5), default), learnt.to_owned()]);
    let y = reader.network.layer(kind, &args, &[base], &shape);
    reader.network.axes[y] = reader.network.axes[base].clone();
    let origin = reader.constant(node, 1)?.origin;
    if !plain {
        reader.network.params(origin, shared(origin, ""), params);
    }
    Ok(vec![reader.made(y)])
}

/// `(x - offset) · scale` of `ai.onnx.ml`.
pub fn scaler<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let axis = reader.axis(&x, x.view.len() - 1).ok_or("expected features")?;
    let list = |name: &str| match crate::import::graph::attribute(node, name) {
        Some(Attribute::Floats(values)) => Ok(values.clone()),
        _ => Err(format!("expected `{name}`")),
    };
    let (offset, scale) = (list("offset")?, list("scale")?);
    let vector = |values: Vec<f32>| match values[..] {
        [value] => Expr::Number(value),
        _ => Expr::Vector { axis, values },
    };
    let expr = x.expr.binary("sub", vector(offset)).binary("mul", vector(scale));
    Ok(vec![Held::Value(Value { expr, ..x })])
}
