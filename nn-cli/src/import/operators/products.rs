//! Products with constant matrices, and tables.

use crate::import::constants;
use crate::import::graph::{Constant, Held, Made, Reader, Value, dim_of, float, int, is_batch};
use crate::import::network::Param;
use crate::import::view::{self, BATCH};
use crate::onnx::Node;

pub fn gemm<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    if int(node, "transA", 0) != 0 {
        return Err("expected an input that is not transposed".to_owned());
    }
    let [alpha, beta] = ["alpha", "beta"].map(|name| float(node, name, 1.0));
    let weight = matrix(reader, node, int(node, "transB", 0) != 0, alpha)?;
    let bias = match reader.held(node, 2) {
        Some(_) => {
            let (_, values) = reader.floats(node, 2)?;
            let units = weight.1[0];
            let values = if values.len() == 1 { vec![values[0]; units] } else { values };
            if values.len() != units {
                return Err(format!("expected a bias of {units} numbers, found {}", values.len()));
            }
            Some((reader.constant(node, 2)?.origin, values.iter().map(|value| value * beta).collect()))
        }
        None => None,
    };
    dense(reader, node, weight, bias)
}

pub fn matmul<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    if !matches!(reader.held(node, 1), Some(Held::Constant(_))) {
        return super::attention::product(reader, node);
    }
    let weight = matrix(reader, node, false, 1.0)?;
    dense(reader, node, weight, None)
}

/// A matrix as `[units, features]`: the name it came under, its dimensions, its numbers.
type Matrix<'a> = (&'a str, [usize; 2], Vec<f32>);

fn matrix<'a>(reader: &Reader<'a, '_>, node: &Node<'a>, turned: bool, scale: f32) -> Result<Matrix<'a>, String> {
    let Constant { mut tensor, origin } = reader.constant(node, 1)?;
    if tensor.dims.len() != 2 {
        return Err(format!("expected a matrix, found a constant of {:?}", tensor.dims));
    }
    if !turned {
        tensor = constants::transposed(reader, &tensor, &[1, 0])?;
    }
    let mut values = tensor.to_floats(reader.fetch).map_err(|error| error.to_string())?;
    if scale != 1.0 {
        values.iter_mut().for_each(|value| *value *= scale);
    }
    Ok((origin, [tensor.dims[0], tensor.dims[1]], values))
}

fn dense<'a>(
    reader: &mut Reader<'a, '_>,
    node: &Node<'a>,
    (origin, [units, features], values): Matrix<'a>,
    bias: Option<(&'a str, Vec<f32>)>,
) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let view = reader.network.atoms.whole_view(&x.view);
    let Some((last, rows)) = view.split_last() else { return Err("expected a value with dimensions".to_owned()) };
    if view::size(last) != features || !rows.concat().contains(&BATCH) {
        return Err(format!("expected rows of {features} numbers, found {:?}", view::sizes(&view)));
    }
    // All dimensions between the batch and the features are steps.
    let steps: Vec<_> = rows.concat().into_iter().filter(|atom| *atom != BATCH).collect();
    let mut laid = vec![vec![BATCH]];
    if !steps.is_empty() {
        laid.push(steps.clone());
    }
    laid.push(last.clone());
    let from = reader.laid_out(&x, &laid)?;
    let (kind, mut shape) =
        if steps.is_empty() { ("Dense", vec![]) } else { ("DensePerStep", vec![view::size(&steps)]) };
    shape.push(units);
    let args = if bias.is_some() { units.to_string() } else { format!("{units}, bias = false") };
    let y = reader.network.layer(kind, &args, &[from], &shape);
    if !steps.is_empty() {
        reader.network.axes[y][0] = steps;
    }
    let mut params = vec![Param::new("weight", &[units, features], values)];
    let bias_origin = bias.as_ref().map_or("", |(origin, _)| *origin);
    let hint = if crate::import::labels::means_something(origin) { origin } else { bias_origin };
    params.extend(bias.map(|(_, values)| Param::new("bias", &[units], values)));
    reader.network.params(hint, shared(origin, bias_origin), params);
    let mut made = rows.to_vec();
    made.push(reader.network.axes[y].last().cloned().unwrap_or_default());
    Ok(vec![reader.made_as(y, made)])
}

/// What layers that share their parameters have in common.
pub fn shared(weight: &str, bias: &str) -> String {
    if weight.is_empty() { String::new() } else { format!("{weight}+{bias}") }
}

/// A row of a constant table for each id; or the last step of a sequence.
pub fn gather<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    if matches!(reader.held(node, 0), Some(Held::Constant(_))) {
        return embedding(reader, node);
    }
    let x = reader.value(node, 0)?;
    let axis = dim_of(&x.view, int(node, "axis", 0))?;
    let (at, size) = (reader.ints(node, 1)?, view::size(&x.view[axis]) as i64);
    let others = (0..x.view.len()).filter(|dim| *dim != axis && !is_batch(&x.view[*dim]) && !x.view[*dim].is_empty());
    match at[..] {
        // One of several products that were made as one.
        [at] if others.count() > 1 && (0..size).contains(&at) && x.part.is_none() && !is_batch(&x.view[axis]) => {
            let mut view = x.view.clone();
            let part = Some((view.remove(axis), at as usize));
            Ok(vec![Held::Value(Value { view, part, ..x })])
        }
        [at] if at == -1 || at == size - 1 => last_step(reader, &x, axis),
        _ => Err(format!("expected the last step, found indices {at:?}\nhelp: the nearest is `LastStep`, or `Split`")),
    }
}

/// The last index of a dimension, which goes.
pub fn last_step<'a>(reader: &mut Reader<'a, '_>, x: &Value, axis: usize) -> Made<'a> {
    let view = reader.network.atoms.whole_view(&x.view);
    let mut rest = view.clone();
    let steps = rest.remove(axis);
    if steps.is_empty() {
        return Ok(vec![Held::Value(Value { view: rest, ..x.clone() })]);
    }
    let others: Vec<_> = rest.iter().filter(|dim| !is_batch(dim) && !dim.is_empty()).cloned().collect();
    if others.len() > 1 {
        return Err("expected [steps, features]\nhelp: the nearest is `LastStep`, or `Split`".to_owned());
    }
    let features = others.concat();
    let from = reader.laid_out(x, &vec![vec![BATCH], steps, features.clone()])?;
    let y = reader.network.layer("LastStep", "", &[from], &[view::size(&features)]);
    reader.network.axes[y] = vec![features];
    Ok(vec![reader.made_as(y, rest)])
}

fn embedding<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let (origin, (dims, values)) = (reader.constant(node, 0)?.origin, reader.floats(node, 0)?);
    let [vocabulary, features] = dims[..] else { return Err(format!("expected a table of rows, found {dims:?}")) };
    if int(node, "axis", 0) != 0 {
        return Err("expected rows of a table".to_owned());
    }
    let ids = reader.value(node, 1)?;
    let mut view = reader.network.atoms.whole_view(&ids.view);
    let from = match view.len() {
        1 | 2 => reader.laid_out(&ids, &ids.view.clone())?,
        _ => return Err("expected ids of [batch, steps]".to_owned()),
    };
    let steps = reader.network.shapes[from].first().copied().unwrap_or(1);
    let y = reader.network.layer("Embedding", &format!("{vocabulary}, {features}"), &[from], &[steps, features]);
    reader.network.params(origin, shared(origin, ""), vec![Param::new("weight", &dims, values)]);
    if let Some(steps) = view.get(1) {
        reader.network.axes[y][0] = steps.clone();
    }
    view.push(reader.network.axes[y][1].clone());
    Ok(vec![reader.made_as(y, view)])
}
