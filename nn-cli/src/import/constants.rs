//! What is computed from constants and shapes alone: it is computed here. In: nodes whose inputs are known;
//! out: constants.

use std::ops::Range;

use super::graph::{Constant, Held, Reader, attribute, int, ints};
use super::view::Size;
use crate::onnx::{Attribute, Elements, Node, Tensor};

/// The most numbers that are computed here; what is larger is a weight, which is moved only.
const MOST: usize = 1 << 26;

/// What a node makes of constants and shapes; nothing where it reads something else, or is no such node.
pub fn fold<'a>(reader: &Reader<'a, '_>, node: &Node<'a>) -> Option<Result<Vec<Held<'a>>, String>> {
    if node.operator == "Constant" {
        return Some(constant(node).map(|held| vec![held]));
    }
    let all: Option<Vec<&Held<'a>>> =
        (0..node.inputs.len()).filter(|k| !node.inputs[*k].is_empty()).map(|k| reader.held(node, k)).collect();
    let all = all?;
    if all.is_empty() || all.iter().any(|held| matches!(held, Held::Value(_) | Held::Scores(_))) {
        return None;
    }
    if all.iter().any(|held| matches!(held, Held::Zeros)) {
        return Some(Ok(node.outputs.iter().map(|_| Held::Zeros).collect()));
    }
    // Where rows are cut may be said by shapes.
    let cuts = matches!((node.operator, all[0]), ("Slice" | "Split", Held::Constant(_)));
    if !cuts && all.iter().any(|held| matches!(held, Held::Sizes(_))) {
        return Some(sizes(reader, node, &all).map(|held| vec![held]));
    }
    let folded = match node.operator {
        "Split" => split(reader, node),
        _ => folded(reader, node).transpose()?.map(|tensor| vec![tensor]),
    };
    let origin = all.iter().find_map(|held| match held {
        Held::Constant(constant) if !constant.origin.is_empty() => Some(constant.origin),
        _ => None,
    });
    let taken = |tensor: Tensor<'a>| {
        let numbers = match &tensor.elements {
            Elements::Floats(values) => values.len(),
            Elements::Ints(values) => values.len(),
            _ => 0,
        };
        reader.take(numbers).map(|()| Held::Constant(Constant { tensor, origin: origin.unwrap_or("") }))
    };
    Some(folded.and_then(|tensors| tensors.into_iter().map(taken).collect()))
}

/// Rows of a constant: of one matrix for queries, keys and values where these are of two values.
fn split<'a>(reader: &Reader<'a, '_>, node: &Node<'a>) -> Result<Vec<Tensor<'a>>, String> {
    let x = reader.constant(node, 0)?.tensor;
    let (len, parts) = (x.dims.first().copied().unwrap_or(0), node.outputs.len());
    let sizes: Vec<i64> = match (ints(node, "split"), reader.held(node, 1)) {
        (Some(sizes), _) => sizes,
        (None, Some(_)) => reader.ints(node, 1)?,
        (None, None) => {
            let each = len.div_ceil(parts.max(1));
            (0..parts).map(|k| each.min(len.saturating_sub(k * each)) as i64).collect()
        }
    };
    let sizes: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
    let fits = |sizes: &Vec<usize>| {
        sizes.len() == parts && sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size)) == Some(len)
    };
    let sizes = sizes.filter(fits).ok_or("expected sizes of the parts of a constant")?;
    if int(node, "axis", 0) != 0 || len == 0 {
        return Err("expected rows of a constant".to_owned());
    }
    let mut from = 0;
    let mut made = Vec::new();
    for size in sizes {
        made.push(rows(reader, &x, from..from + size)?);
        from += size;
    }
    Ok(made)
}

/// These rows of a constant.
fn rows<'a>(reader: &Reader<'a, '_>, x: &Tensor<'a>, rows: Range<usize>) -> Result<Tensor<'a>, String> {
    let width = x.dims[1..].iter().fold(1usize, |product, dim| product.saturating_mul(*dim));
    let of = rows.start * width..rows.end * width;
    let mut dims = x.dims.clone();
    dims[0] = rows.len();
    let beyond = "expected rows within the constant";
    if x.kind == 7 {
        let values = x.to_ints(reader.fetch).map_err(|error| error.to_string())?;
        return Ok(Tensor::ints(dims, values.get(of).ok_or(beyond)?.to_vec()));
    }
    let values = x.to_floats(reader.fetch).map_err(|error| error.to_string())?;
    Ok(Tensor::floats(dims, values.get(of).ok_or(beyond)?.to_vec()))
}

fn constant<'a>(node: &Node<'a>) -> Result<Held<'a>, String> {
    let tensor = match node.attributes.first() {
        Some((_, Attribute::Tensor(tensor))) => tensor.clone(),
        Some((_, Attribute::Float(value))) => Tensor::floats(Vec::new(), vec![*value]),
        Some((_, Attribute::Int(value))) => Tensor::ints(Vec::new(), vec![*value]),
        Some((_, Attribute::Floats(values))) => Tensor::floats(vec![values.len()], values.clone()),
        Some((_, Attribute::Ints(values))) => Tensor::ints(vec![values.len()], values.clone()),
        _ => return Err("expected a constant of numbers".to_owned()),
    };
    Ok(Held::Constant(Constant { origin: tensor.name, tensor }))
}

/// Shapes: what is cut out of them and put together.
fn sizes<'a>(reader: &Reader<'a, '_>, node: &Node<'a>, all: &[&Held<'a>]) -> Result<Held<'a>, String> {
    let one = |held: &Held<'a>| -> Result<Vec<Size>, String> {
        match held {
            Held::Sizes(sizes) => Ok(sizes.clone()),
            Held::Constant(constant) => {
                let values = constant.tensor.to_ints(reader.fetch).map_err(|error| error.to_string())?;
                Ok(values.into_iter().map(Some).collect())
            }
            _ => Err("expected a shape".to_owned()),
        }
    };
    let x = match node.operator {
        "Expand" => Vec::new(),
        _ => one(all[0])?,
    };
    let place = |at: i64| match at {
        at if at < 0 => at.saturating_add(x.len() as i64).max(0) as usize,
        at => (at as usize).min(x.len()),
    };
    Ok(match node.operator {
        "Cast" | "Identity" | "Unsqueeze" | "Squeeze" | "Reshape" => Held::Sizes(x),
        "Concat" => {
            let parts: Result<Vec<Vec<Size>>, String> = all.iter().map(|held| one(held)).collect();
            Held::Sizes(parts?.concat())
        }
        "Gather" => {
            let at = reader.ints(node, 1)?;
            let found: Option<Vec<Size>> = at.iter().map(|at| x.get(place(*at)).copied()).collect();
            Held::Sizes(found.ok_or("expected an index within the shape")?)
        }
        "Slice" => {
            let (from, to) = (reader.ints(node, 1)?, reader.ints(node, 2)?);
            let [Some(from), Some(to)] = [from.first(), to.first()] else {
                return Err("expected where to cut".to_owned());
            };
            let (from, to) = (place(*from), place(*to));
            Held::Sizes(x.get(from..to.max(from)).unwrap_or(&[]).to_vec())
        }
        "Sqrt" => {
            let all: Option<Vec<f32>> = x.iter().map(|size| size.map(|size| (size as f32).sqrt())).collect();
            let all = all.ok_or("expected sizes that are known, found the batch")?;
            Held::Constant(Constant { tensor: Tensor::floats(vec![all.len()], all), origin: "" })
        }
        // One number at every place is that number, whatever the shape.
        "ConstantOfShape" => match attribute(node, "value") {
            Some(Attribute::Tensor(tensor)) => {
                match tensor.to_floats(reader.fetch).map_err(|error| error.to_string())?[..] {
                    [0.0] => Held::Zeros,
                    [one] => Held::Constant(Constant { tensor: Tensor::floats(Vec::new(), vec![one]), origin: "" }),
                    _ => return Err("expected one number for a whole shape".to_owned()),
                }
            }
            _ => Held::Zeros,
        },
        "Expand" => match all[0] {
            Held::Constant(constant) => {
                let values = constant.tensor.to_floats(reader.fetch).map_err(|error| error.to_string())?;
                match values.iter().all(|value| *value == 0.0) {
                    true => Held::Zeros,
                    false => Held::Constant(constant.clone()),
                }
            }
            _ => Held::Zeros,
        },
        "ReduceProd" => {
            let product = x.iter().try_fold(1i64, |product, size| product.checked_mul((*size)?));
            Held::Sizes(vec![product])
        }
        "Mul" | "Div" | "Add" | "Sub" => {
            let y = one(all.get(1).ok_or("expected two numbers")?)?;
            let both = x.iter().zip(&y).map(|(a, b)| match (node.operator, a, b) {
                ("Mul", Some(a), Some(b)) => a.checked_mul(*b),
                ("Mul", None, Some(1)) | ("Mul", Some(1), None) => None,
                // Some batches side by side: what is left to count.
                ("Mul", None, Some(_)) | ("Mul", Some(_), None) => Some(-1),
                ("Div", Some(a), Some(b)) => a.checked_div(*b),
                ("Add", Some(a), Some(b)) => a.checked_add(*b),
                (_, Some(a), Some(b)) => a.checked_sub(*b),
                _ => None,
            });
            Held::Sizes(both.collect())
        }
        _ => return Err("expected a shape, found numbers that are computed from it".to_owned()),
    })
}

fn folded<'a>(reader: &Reader<'a, '_>, node: &Node<'a>) -> Result<Option<Tensor<'a>>, String> {
    let x = reader.constant(node, 0)?.tensor;
    let count = x.count().map_err(|error| error.to_string())?;
    if count > MOST {
        return Err("expected fewer constant numbers to compute with".to_owned());
    }
    let new_dims = |dims: Vec<usize>| Tensor { dims, ..x.clone() };
    Ok(Some(match node.operator {
        "Identity" => x,
        "Cast" => x,
        "Shape" => Tensor::ints(vec![x.dims.len()], x.dims.iter().map(|dim| *dim as i64).collect()),
        "Reshape" => {
            let wanted = reader.ints(node, 1)?;
            let known: i64 = wanted.iter().filter(|size| **size > 0).product();
            let dims = wanted.iter().enumerate().map(|(i, size)| match size {
                0 => x.dims.get(i).copied().unwrap_or(0),
                -1 => count / (known.max(1) as usize),
                size => usize::try_from(*size).unwrap_or(0),
            });
            let dims: Vec<usize> = dims.collect();
            if dims.iter().product::<usize>() != count {
                return Err("expected a shape of as many numbers".to_owned());
            }
            new_dims(dims)
        }
        "Unsqueeze" => {
            let axes = ints(node, "axes").map_or_else(|| reader.ints(node, 1), Ok)?;
            let rank = (x.dims.len() + axes.len()) as i64;
            let mut dims = x.dims.clone();
            let mut at: Vec<i64> = axes.iter().map(|axis| if *axis < 0 { axis + rank } else { *axis }).collect();
            at.sort_unstable();
            for axis in at {
                let axis = usize::try_from(axis).ok().filter(|axis| *axis <= dims.len());
                dims.insert(axis.ok_or("expected an axis within the shape")?, 1);
            }
            new_dims(dims)
        }
        "Squeeze" => new_dims(x.dims.iter().copied().filter(|dim| *dim != 1).collect()),
        // Pads are put in order so.
        "Transpose" if x.kind == 7 => {
            let axes = ints(node, "perm").unwrap_or_else(|| (0..x.dims.len() as i64).rev().collect());
            let turned = transposed(reader, &x, &axes)?;
            let values = turned.to_floats(reader.fetch).map_err(|error| error.to_string())?;
            Tensor::ints(turned.dims, values.into_iter().map(|value| value as i64).collect())
        }
        "Slice" => sliced(reader, node, &x)?,
        "Mod" => {
            let (a, b) = (reader.ints(node, 0)?, reader.ints(node, 1)?);
            match (&a[..], &b[..]) {
                ([a], [b]) if *b > 0 => Tensor::ints(x.dims.clone(), vec![a.rem_euclid(*b)]),
                _ => return Err("expected the rest of one number".to_owned()),
            }
        }
        "Transpose" => {
            let reversed = || (0..x.dims.len() as i64).rev().collect();
            transposed(reader, &x, &ints(node, "perm").unwrap_or_else(reversed))?
        }
        "Sqrt" | "Neg" | "Reciprocal" | "Exp" => {
            let f = |value: f32| match node.operator {
                "Sqrt" => value.sqrt(),
                "Neg" => -value,
                "Exp" => value.exp(),
                _ => 1.0 / value,
            };
            let values = x.to_floats(reader.fetch).map_err(|error| error.to_string())?;
            Tensor::floats(x.dims.clone(), values.into_iter().map(f).collect())
        }
        "Add" | "Sub" | "Mul" | "Div" => {
            let ((a_dims, a), (b_dims, b)) = (reader.floats(node, 0)?, reader.floats(node, 1)?);
            let dims = match (a.len(), b.len()) {
                (m, n) if m == n => {
                    if a_dims.len() >= b_dims.len() {
                        a_dims
                    } else {
                        b_dims
                    }
                }
                (_, 1) => a_dims,
                (1, _) => b_dims,
                _ => return Err("expected constants of one shape, or a single number".to_owned()),
            };
            let at = |all: &[f32], i: usize| if all.len() == 1 { all[0] } else { all[i] };
            let both = (0..a.len().max(b.len())).map(|i| match node.operator {
                "Add" => at(&a, i) + at(&b, i),
                "Sub" => at(&a, i) - at(&b, i),
                "Mul" => at(&a, i) * at(&b, i),
                _ => at(&a, i) / at(&b, i),
            });
            Tensor::floats(dims, both.collect())
        }
        "Concat" if int(node, "axis", 0) == 0 => {
            let mut values = Vec::new();
            for k in 0..node.inputs.len() {
                values.extend(reader.ints(node, k)?);
            }
            Tensor::ints(vec![values.len()], values)
        }
        "Gather" if x.dims.len() == 1 => {
            let (all, at) = (reader.ints(node, 0)?, reader.ints(node, 1)?);
            let index = |at: i64| usize::try_from(if at < 0 { at + all.len() as i64 } else { at }).ok();
            let found: Option<Vec<i64>> = at.iter().map(|at| all.get(index(*at)?).copied()).collect();
            let dims = reader.constant(node, 1)?.tensor.dims;
            Tensor::ints(dims, found.ok_or("expected an index within the constant")?)
        }
        "ConstantOfShape" => {
            let zero = !matches!(attribute(node, "value"), Some(Attribute::Tensor(tensor))
                if tensor.to_floats(reader.fetch).is_ok_and(|values| values != [0.0]));
            let dims: Vec<usize> = reader.ints(node, 0)?.iter().map(|dim| usize::try_from(*dim).unwrap_or(0)).collect();
            let count = dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
            match count.filter(|count| zero && *count <= 1 << 12) {
                Some(count) => Tensor::floats(dims, vec![0.0; count]),
                None => return Err("expected a few zeros".to_owned()),
            }
        }
        _ => return Ok(None),
    }))
}

/// Whole rows of a constant; of whole numbers perhaps from the last to the first.
fn sliced<'a>(reader: &Reader<'a, '_>, node: &Node<'a>, x: &Tensor<'a>) -> Result<Tensor<'a>, String> {
    let one = |k: usize, default: i64| match reader.held(node, k) {
        None => Ok(default),
        Some(_) => match reader.ints(node, k)?[..] {
            [one] => Ok(one),
            ref several => Err(format!("expected a cut along one axis, found {several:?}")),
        },
    };
    let (from, to, axis, step) = (one(1, 0)?, one(2, i64::MAX)?, one(3, 0)?, one(4, 1)?);
    let len = x.dims.first().copied().unwrap_or(0) as i64;
    let numbers = x.kind != 7;
    if x.dims.is_empty() || axis != 0 || step != 1 && (step != -1 || numbers) {
        return Err("expected rows of a constant".to_owned());
    }
    let within = |at: i64, last: i64| (if at < 0 { at.saturating_add(len).max(-1) } else { at }).min(last);
    if numbers {
        let (from, to) = (within(from, len).max(0), within(to, len).max(0));
        return rows(reader, x, from as usize..to.max(from) as usize);
    }
    let rows: Vec<i64> = match step {
        1 => (within(from, len).max(0)..within(to, len).max(0)).collect(),
        _ => (within(to, len - 1) + 1..=within(from, len - 1)).rev().collect(),
    };
    let values = reader.ints(node, 0)?;
    let width = values.len() / (len.max(1) as usize);
    let cut: Vec<i64> = rows.iter().flat_map(|row| values[*row as usize * width..][..width].to_vec()).collect();
    let mut dims = x.dims.clone();
    dims[0] = rows.len();
    Ok(Tensor::ints(dims, cut))
}

/// A constant with its dimensions in another order.
pub fn transposed<'a>(reader: &Reader<'a, '_>, x: &Tensor<'a>, axes: &[i64]) -> Result<Tensor<'a>, String> {
    let rank = x.dims.len();
    let mut axes_of: Vec<usize> = Vec::new();
    for axis in axes {
        match usize::try_from(*axis).ok().filter(|axis| *axis < rank && !axes_of.contains(axis)) {
            Some(axis) => axes_of.push(axis),
            None => return Err("expected each axis once".to_owned()),
        }
    }
    if axes_of.len() != rank {
        return Err("expected as many axes as dimensions".to_owned());
    }
    let values = x.to_floats(reader.fetch).map_err(|error| error.to_string())?;
    let strides: Vec<usize> = (0..rank).map(|i| x.dims[i + 1..].iter().product()).collect();
    let dims: Vec<usize> = axes_of.iter().map(|axis| x.dims[*axis]).collect();
    let mut turned = Vec::with_capacity(values.len());
    let mut index = vec![0; rank];
    for _ in 0..values.len() {
        turned.push(values[index.iter().zip(&axes_of).map(|(i, axis)| i * strides[*axis]).sum::<usize>()]);
        for i in (0..rank).rev() {
            index[i] += 1;
            if index[i] < dims[i] {
                break;
            }
            index[i] = 0;
        }
    }
    Ok(Tensor::floats(dims, turned))
}
