//! Operators on each number, which become expressions; sums and products of values; biases.

use crate::import::expr::Expr;
use crate::import::graph::{Held, Made, Reader, Value, float, text};
use crate::import::network::Param;
use crate::import::view::{self, View};
use crate::onnx::Node;

/// What such an operator makes; nothing where it is none.
pub fn operator<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Option<Made<'a>> {
    let two = match node.operator {
        "Add" | "Sum" => "add",
        "Sub" => "sub",
        "Mul" => "mul",
        "Div" => "div",
        "Pow" => "powf",
        "Max" => "max",
        "Min" => "min",
        _ => return unary(reader, node),
    };
    Some(binary(reader, node, two))
}

fn unary<'a>(reader: &Reader<'a, '_>, node: &Node<'a>) -> Option<Made<'a>> {
    let attribute = |name, default| float(node, name, default);
    let (name, settings): (&'static str, Vec<f32>) = match node.operator {
        "Relu" => ("relu", vec![]),
        "Sigmoid" => ("sigmoid", vec![]),
        "Tanh" => ("tanh", vec![]),
        "Softplus" => ("softplus", vec![]),
        "Erf" => ("erf", vec![]),
        "Exp" => ("exp", vec![]),
        "Log" => ("ln", vec![]),
        "Sqrt" => ("sqrt", vec![]),
        "Abs" => ("abs", vec![]),
        "Neg" => ("neg", vec![]),
        "Sin" => ("sin", vec![]),
        "Cos" => ("cos", vec![]),
        "Sinh" => ("sinh", vec![]),
        "Cosh" => ("cosh", vec![]),
        "Mish" => ("mish", vec![]),
        "HardSwish" => ("hard_swish", vec![]),
        "Swish" => ("silu", vec![attribute("alpha", 1.0)]),
        "LeakyRelu" => ("leaky_relu", vec![attribute("alpha", 0.01)]),
        "Elu" => ("elu", vec![attribute("alpha", 1.0)]),
        "Selu" => ("selu", vec![attribute("alpha", 1.673_263_2), attribute("gamma", 1.050_701)]),
        // Its defaults are not those of other libraries.
        "HardSigmoid" => ("hard_sigmoid", vec![attribute("alpha", 0.2), attribute("beta", 0.5)]),
        "Gelu" => ("gelu", vec![if text(node, "approximate", "none") == "tanh" { 1.0 } else { 0.0 }]),
        "Clip" => {
            let limit = |k, default| match reader.held(node, k) {
                Some(_) => reader.floats(node, k).map(|(_, values)| values.first().copied().unwrap_or(default)),
                None => Ok(default),
            };
            match (limit(1, attribute("min", f32::NEG_INFINITY)), limit(2, attribute("max", f32::INFINITY))) {
                (Ok(low), Ok(high)) => ("clip", vec![low, high]),
                (low, high) => return Some(Err(low.and(high).unwrap_err())),
            }
        }
        _ => return None,
    };
    Some(reader.value(node, 0).map(|x| {
        let expr = x.expr.unary(name, &settings);
        vec![Held::Value(Value { expr, ..x })]
    }))
}

fn binary<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>, name: &'static str) -> Made<'a> {
    for (k, other) in [(0, 1), (1, 0)] {
        if let Some(Held::Scores(scores)) = reader.held(node, k)
            && (k == 0 || name != "div")
            && matches!(reader.held(node, other), Some(Held::Constant(_)))
        {
            return super::attention::changed(reader, node, name, (**scores).clone(), other);
        }
    }
    let zeros = |k| matches!(reader.held(node, k), Some(Held::Zeros));
    match (name, zeros(0), zeros(1), node.inputs.len()) {
        ("add", true, false, 2) => return Ok(vec![Held::Value(reader.value(node, 1)?)]),
        ("add" | "sub", false, true, 2) => return Ok(vec![Held::Value(reader.value(node, 0)?)]),
        _ => {}
    }
    let constant = |k| matches!(reader.held(node, k), Some(Held::Constant(_)));
    match (constant(0), constant(1), node.inputs.len()) {
        (false, true, 2) => with_constant(reader, node, name, [0, 1]),
        (true, false, 2) => with_constant(reader, node, name, [1, 0]),
        _ => of_values(reader, node, name),
    }
}

fn with_constant<'a>(
    reader: &mut Reader<'a, '_>,
    node: &Node<'a>,
    name: &'static str,
    [at, other]: [usize; 2],
) -> Made<'a> {
    let (x, origin) = (reader.value(node, at)?, reader.constant(node, other)?.origin);
    let (dims, values) = reader.floats(node, other)?;
    if name == "add" && x.expr == Expr::X && added(reader, node, &x, at, (origin, &dims, &values)) {
        return Ok(vec![Held::Value(x)]);
    }
    if matches!(name, "add" | "mul")
        && x.expr == Expr::X
        && scaled(reader, node, &x, at, (name, origin, &dims, &values))
    {
        return Ok(vec![Held::Value(x)]);
    }
    if name == "add" && values.len() > 1 && sizes_without_ones(&dims).len() == 2 {
        return positions(reader, &x, origin, &dims, values);
    }
    let constant = operand(reader, &x, &dims, values)?;
    let expr = if at == 0 { x.expr.binary(name, constant) } else { constant.binary(name, x.expr) };
    Ok(vec![Held::Value(Value { expr, ..x })])
}

fn sizes_without_ones(dims: &[usize]) -> Vec<usize> {
    dims.iter().copied().filter(|dim| *dim != 1).collect()
}

/// Numbers for all, or for each index of one dimension.
fn operand(reader: &Reader, x: &Value, dims: &[usize], values: Vec<f32>) -> Result<Expr, String> {
    if values.iter().all(|value| *value == values[0]) && dims.len() <= x.view.len() && !values.is_empty() {
        return Ok(Expr::Number(values[0]));
    }
    let refused =
        || format!("expected a number for all, or for each index of one dimension, found constants of {dims:?}");
    let behind = x.view.len().checked_sub(dims.len()).ok_or_else(refused)?;
    let mut long = dims.iter().enumerate().filter(|(_, dim)| **dim != 1);
    let (Some((i, len)), None) = (long.next(), long.next()) else { return Err(refused()) };
    match reader.axis(x, behind + i) {
        Some(axis) if reader.network.shapes[x.base][axis] == *len => Ok(Expr::Vector { axis, values }),
        _ => Err(refused()),
    }
}

/// Whether the constant is the bias of the layer before it, which had none.
fn added(
    reader: &mut Reader,
    node: &Node,
    x: &Value,
    at: usize,
    (origin, dims, values): (&str, &[usize], &[f32]),
) -> bool {
    if x.part.is_some() {
        return false;
    }
    let read = reader.readers.get(node.inputs[at]).copied().unwrap_or(0);
    // Which dimension the constant meets: the last one, or that of the channels.
    let last = x.view.last() == reader.network.axes[x.base].last();
    let behind = |k: usize| dims.len().checked_sub(k).map(|i| dims[i]);
    let site = reader.network.sites.iter_mut().find(|site| site.y == x.base);
    let Some(site) = site.filter(|site| read == 1 && site.lone && site.shares.is_none()) else { return false };
    let Some(units) = site.params.first().map(|weight| weight.dims[0]) else { return false };
    let of_units = match site.kind.as_str() {
        "Dense" | "DensePerStep" => behind(1) == Some(units) && last,
        "Conv1d" => behind(2) == Some(units) && !last,
        "Conv2d" | "DepthwiseConv2d" => behind(3) == Some(units) && last,
        _ => false,
    };
    if !of_units || values.len() != units || site.params.len() != 1 || !site.args.contains("bias = false") {
        return false;
    }
    site.args = site.args.replace(", bias = false", "");
    site.params.push(Param::new("bias", &[units], values.to_vec()));
    if !crate::import::labels::means_something(&site.hint) {
        site.hint = origin.to_owned();
    }
    site.origin += origin;
    true
}

/// Whether the constant is the weight or the bias of the group norm before it, which exporters write so.
fn scaled(
    reader: &mut Reader,
    node: &Node,
    x: &Value,
    at: usize,
    (name, origin, dims, values): (&str, &str, &[usize], &[f32]),
) -> bool {
    let read = reader.readers.get(node.inputs[at]).copied().unwrap_or(0);
    if x.part.is_some() {
        return false;
    }
    let channels = reader.network.shapes[x.base].first().copied().unwrap_or(0);
    // It meets the channels, and nothing else.
    let meets = x.view.len() > 1 && reader.axis(x, 1) == Some(0);
    let meets = meets && dims.len() + 1 == x.view.len() && dims[0] == channels && values.len() == channels;
    let site = reader.network.sites.iter_mut().find(|site| site.y == x.base);
    let Some(site) = site.filter(|site| meets && read == 1 && site.lone && site.kind == "GroupNorm") else {
        return false;
    };
    match (name, &mut site.params[..]) {
        ("mul", []) => {
            site.args = site.args.replace(", affine = false", "");
            let param = |name, values: Vec<f32>| Param::new(name, &[channels], values);
            site.params = vec![param("weight", values.to_vec()), param("bias", vec![0.0; channels])];
            site.hint = origin.to_owned();
            true
        }
        ("add", [_, bias]) if bias.values.iter().all(|value| *value == 0.0) => {
            bias.values = values.to_vec();
            true
        }
        _ => false,
    }
}

/// A table added to every sequence.
fn positions<'a>(reader: &mut Reader<'a, '_>, x: &Value, origin: &str, dims: &[usize], values: Vec<f32>) -> Made<'a> {
    let from = reader.plain(x)?;
    let shape = reader.network.shapes[from].clone();
    if shape.len() != 2 || sizes_without_ones(dims) != shape {
        return Err(format!("expected a table of {shape:?} to add, found constants of {dims:?}"));
    }
    let y = reader.network.layer("PositionalEncoding", "learnt = true", &[from], &shape);
    reader.network.axes[y] = reader.network.axes[from].clone();
    reader.network.params(origin, origin.to_owned(), vec![Param::new("weight", &shape, values)]);
    Ok(vec![reader.made(y)])
}

fn of_values<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>, name: &'static str) -> Made<'a> {
    let mut values = Vec::new();
    for k in 0..node.inputs.len() {
        values.push(reader.value(node, k)?);
    }
    let Some((first, others)) = values.split_first() else { return Err("expected an input".to_owned()) };
    let same = |other: &Value| {
        let atoms = &reader.network.atoms;
        other.base == first.base && atoms.whole_view(&other.view) == atoms.whole_view(&first.view)
    };
    let trivial = values.iter().all(|value| value.expr == Expr::X);
    if others.iter().all(same) && !trivial {
        let expr = others.iter().fold(first.expr.clone(), |expr, other| expr.binary(name, other.expr.clone()));
        return Ok(vec![Held::Value(Value { expr, ..first.clone() })]);
    }
    let kind = match name {
        "add" | "sub" => "Sum",
        "mul" => "Product",
        _ => return Err("of two values\nhelp: the nearest are `Sum` and `Product`".to_owned()),
    };
    if name == "sub" {
        let last = values.len() - 1;
        values[last].expr = values[last].expr.clone().unary("neg", &[]);
    }
    let (x, view) = brought_together(reader, &values)?;
    let shape = reader.network.shapes[x[0]].clone();
    let y = reader.network.layer(kind, "", &x, &shape);
    reader.network.axes[y] = reader.network.axes[x[0]].clone();
    Ok(vec![reader.made_as(y, view)])
}

/// Values of one shape, whose view is that of the first.
fn brought_together(reader: &mut Reader, values: &[Value]) -> Result<(Vec<usize>, View), String> {
    // Laid out in the same way: nothing has to be moved.
    let alike: Option<Vec<_>> = values.iter().map(|value| places(reader, value)).collect();
    let mut x = Vec::new();
    if alike.is_some_and(|alike| alike.windows(2).all(|pair| pair[0] == pair[1])) {
        for value in values {
            x.push(reader.settled(value)?);
        }
        return Ok((x, values[0].view.clone()));
    }
    for value in values {
        x.push(reader.plain(value)?);
    }
    let shapes: Vec<Vec<usize>> = x.iter().map(|value| reader.network.shapes[*value].clone()).collect();
    let largest = shapes.iter().max_by_key(|shape| shape.iter().product::<usize>()).cloned().unwrap_or_default();
    for (x, shape) in x.iter_mut().zip(&shapes) {
        if *shape != largest {
            // One number for each channel, which meets every pixel.
            match (&shape[..], &largest[..]) {
                ([channels, 1, 1], [c, h, w]) if channels == c => {
                    *x = reader.network.layer("Upsample", &format!("1, scale_hw = [{h}, {w}]"), &[*x], &largest);
                }
                _ => return Err(format!("expected values of one shape, found {shape:?} and {largest:?}")),
            }
        }
    }
    let first = shapes.iter().position(|shape| *shape == largest).unwrap_or(0);
    let view = reader.network.plain(x[first]);
    x.swap(0, first);
    Ok((x, view))
}

/// Where in the value's own dimensions each of its view's is, and its shape.
fn places(reader: &Reader, value: &Value) -> Option<(Vec<usize>, Vec<Option<usize>>)> {
    let places = (0..value.view.len()).map(|dim| match &value.view[dim][..] {
        [] => None,
        atoms if view::size(atoms) == 1 => Some(None),
        _ => Some(Some(reader.axis(value, dim)?)),
    });
    Some((reader.network.shapes[value.base].clone(), places.collect::<Option<Vec<_>>>()?))
}

pub fn prelu<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let (x, origin) = (reader.value(node, 0)?, reader.constant(node, 1)?.origin);
    let (dims, values) = reader.floats(node, 1)?;
    let base = reader.settled(&x)?;
    let shape = reader.network.shapes[base].clone();
    let (args, values) = match operand(reader, &x, &dims, values)? {
        Expr::Vector { axis, values } => {
            let default = if shape.len() == 2 { 1 } else { 0 };
            let axis = if axis == default { String::new() } else { format!(", axis = {axis}") };
            (format!("per_channel = true{axis}"), values)
        }
        Expr::Number(value) => (String::new(), vec![value]),
        _ => return Err("expected slopes".to_owned()),
    };
    let y = reader.network.layer("Prelu", &args, &[base], &shape);
    reader.network.axes[y] = reader.network.axes[base].clone();
    reader.network.params(origin, origin.to_owned(), vec![Param::new("weight", &[values.len()], values)]);
    Ok(vec![reader.made_as(y, x.view)])
}
