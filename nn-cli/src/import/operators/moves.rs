//! Operators that move numbers: most of them change nothing but the view.

use crate::import::graph::{Held, Made, Reader, Value, dim_of, int, ints, is_batch};
use crate::import::view::{self, BATCH, Size, View};
use crate::onnx::Node;

pub fn same<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    Ok(vec![Held::Value(reader.value(node, 0)?)])
}

/// A value in its own shape, as exporters write it where the shape might have been another.
pub fn expand<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let wanted = match reader.held(node, 1) {
        Some(Held::Sizes(sizes)) => sizes.clone(),
        _ => reader.ints(node, 1)?.into_iter().map(Some).collect(),
    };
    let own = view::sizes(&x.view);
    let same = |(own, wanted): (&Size, &Size)| own == wanted || *wanted == Some(1);
    match own.len() == wanted.len() && own.iter().zip(&wanted).all(same) {
        true => Ok(vec![Held::Value(x)]),
        false => Err(format!("expected the value's own shape, found {wanted:?}\nhelp: the nearest is `Upsample`")),
    }
}

pub fn moved<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let rank = x.view.len();
    let seen = reader.network.atoms.whole_view(&x.view);
    let view: View = match node.operator {
        "Shape" => {
            let mut sizes = view::sizes(&x.view);
            // A batch that the file fixes is a number there.
            if let (Some(first), Some(batch)) = (sizes.first_mut(), reader.batch)
                && first.is_none()
                && batch > 1
            {
                *first = Some(batch);
            }
            let end = |name, default| match int(node, name, default) {
                at if at < 0 => (at + rank as i64).max(0) as usize,
                at => (at as usize).min(rank),
            };
            let (start, end) = (end("start", 0), end("end", rank as i64));
            return Ok(vec![Held::Sizes(sizes.get(start..end).unwrap_or(&[]).to_vec())]);
        }
        "Transpose" => {
            let axes = ints(node, "perm").unwrap_or_else(|| (0..rank as i64).rev().collect());
            let turned: Result<View, String> =
                axes.iter().map(|axis| Ok(seen[dim_of(&seen, *axis)?].clone())).collect();
            turned?
        }
        "Squeeze" => {
            let axes = match (ints(node, "axes"), reader.held(node, 1)) {
                (Some(axes), _) => axes,
                (None, Some(_)) => reader.ints(node, 1)?,
                (None, None) => (0..rank as i64).filter(|dim| seen[*dim as usize].is_empty()).collect(),
            };
            let mut gone = Vec::new();
            for axis in axes {
                gone.push(dim_of(&seen, axis)?);
            }
            if gone.iter().any(|dim| !seen[*dim].is_empty()) {
                return Err("expected a dimension of 1".to_owned());
            }
            seen.into_iter().enumerate().filter(|(dim, _)| !gone.contains(dim)).map(|(_, atoms)| atoms).collect()
        }
        "Unsqueeze" => {
            let axes = ints(node, "axes").map_or_else(|| reader.ints(node, 1), Ok)?;
            let mut view = seen;
            let last = (view.len() + axes.len()) as i64;
            let mut axes: Vec<i64> = axes.iter().map(|axis| if *axis < 0 { axis + last } else { *axis }).collect();
            axes.sort_unstable();
            for axis in axes {
                let axis = usize::try_from(axis).ok().filter(|axis| *axis <= view.len()).ok_or("expected an axis")?;
                view.insert(axis, Vec::new());
            }
            view
        }
        "Flatten" => {
            let axis = int(node, "axis", 1);
            if dim_of(&seen, axis)? != 1 {
                return Err(format!("expected all dimensions behind the batch, found axis {axis}"));
            }
            vec![seen[0].clone(), seen[1..].concat()]
        }
        _ => return reshaped(reader, node, &x),
    };
    Ok(vec![Held::Value(Value { view, ..x })])
}

fn reshaped<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>, x: &Value) -> Made<'a> {
    let mut sizes: Vec<Size> = match reader.held(node, 1) {
        Some(Held::Sizes(sizes)) => sizes.clone(),
        _ => reader.ints(node, 1)?.into_iter().map(Some).collect(),
    };
    let own = view::sizes(&x.view);
    let zero_is_zero = int(node, "allowzero", 0) != 0;
    for (i, size) in sizes.iter_mut().enumerate() {
        if *size == Some(0) && !zero_is_zero {
            *size = *own.get(i).ok_or("expected a dimension to take the size of")?;
        }
    }
    // A batch that the file fixes is a number there.
    let fixed = sizes.first().copied().flatten();
    if !sizes.contains(&None) && (fixed == Some(1) || fixed.is_some() && fixed == reader.batch) {
        sizes[0] = None;
    }
    if sizes.iter().flatten().any(|size| *size < -1 || *size > 1 << 40) {
        return Err("expected sizes of at least 1".to_owned());
    }
    if let Some(view) = reader.network.atoms.reshape(&x.view, &sizes) {
        return Ok(vec![Held::Value(Value { view, ..x.clone() })]);
    }
    // The cuts do not meet: the numbers have to be there in this order.
    let from = reader.plain(x)?;
    let all: usize = reader.network.shapes[from].iter().product();
    let known: usize = sizes.iter().skip(1).flatten().filter(|size| **size > 0).map(|size| *size as usize).product();
    let shape: Vec<usize> = sizes
        .iter()
        .skip(1)
        .map(|size| match size {
            Some(size) if *size > 0 => *size as usize,
            _ => all.checked_div(known).unwrap_or(0),
        })
        .collect();
    if shape.is_empty() || shape.iter().product::<usize>() != all || !matches!(sizes[0], None | Some(-1)) {
        return Err(format!("expected a shape of {all} numbers behind the batch, found {sizes:?}"));
    }
    let y = reader.network.layer("Reshape", &format!("{shape:?}"), &[from], &shape);
    Ok(vec![reader.made(y)])
}

pub fn concat<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let mut x = Vec::new();
    let mut axis = 0;
    for k in 0..node.inputs.len() {
        let value = reader.value(node, k)?;
        axis = dim_of(&value.view, int(node, "axis", 0))?;
        if is_batch(&value.view[axis]) {
            return Err("along the batch".to_owned());
        }
        x.push(reader.plain(&value)?);
    }
    let shapes: Vec<&Vec<usize>> = x.iter().map(|x| &reader.network.shapes[*x]).collect();
    let Some(first) = shapes.first().filter(|first| axis >= 1 && axis <= first.len()) else {
        return Err("expected values with this axis".to_owned());
    };
    let mut shape = (*first).clone();
    let fits = shapes.iter().all(|other| {
        other.len() == shape.len() && (0..shape.len()).all(|dim| dim == axis - 1 || other[dim] == shape[dim])
    });
    if !fits {
        return Err(format!("expected values that differ in one axis alone, found {shapes:?}"));
    }
    shape[axis - 1] = shapes.iter().map(|shape| shape[axis - 1]).sum();
    let args = if axis == 1 { String::new() } else { format!("axis = {}", axis - 1) };
    if x.len() == 1 {
        return Ok(vec![reader.made(x[0])]);
    }
    if x.len() > 8 {
        return Err("expected at most 8 values".to_owned());
    }
    let y = reader.network.layer("Concat", &args, &x, &shape);
    Ok(vec![reader.made(y)])
}

pub fn split<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let axis = dim_of(&x.view, int(node, "axis", 0))?;
    if axis == 0 {
        return Err("along the batch".to_owned());
    }
    let from = reader.plain(&x)?;
    let shape = reader.network.shapes[from].clone();
    let (len, parts) = (shape[axis - 1], node.outputs.len());
    let sizes = match (ints(node, "split"), reader.held(node, 1)) {
        (Some(sizes), _) => sizes,
        (None, Some(_)) => reader.ints(node, 1)?,
        (None, None) => {
            let each = len.div_ceil(parts.max(1));
            (0..parts).map(|k| each.min(len.saturating_sub(k * each)) as i64).collect()
        }
    };
    let sizes: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
    let sizes = sizes.filter(|sizes| sizes.len() == parts && sizes.iter().sum::<usize>() == len);
    let sizes = sizes.ok_or("expected sizes of the parts")?;
    if !(2..=4).contains(&parts) {
        return Err(format!("expected 2 to 4 parts, found {parts}"));
    }
    let mut args = parts.to_string();
    if sizes.iter().any(|size| *size != sizes[0]) {
        args += &format!(", sizes = {sizes:?}");
    }
    if axis > 1 {
        args += &format!(", axis = {}", axis - 1);
    }
    let mut made = Vec::new();
    for size in &sizes {
        let mut part = shape.clone();
        part[axis - 1] = *size;
        made.push(reader.network.value(&part));
    }
    reader.network.site("Split", &args, &[from], made[0], parts);
    Ok(made.into_iter().map(|value| reader.made(value)).collect())
}

pub fn softmax<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    if let Some(Held::Scores(scores)) = reader.held(node, 0)
        && int(node, "axis", -1).rem_euclid(4) == 3
        && node.operator == "Softmax"
    {
        let mut scores = scores.clone();
        scores.weights = true;
        return Ok(vec![Held::Scores(scores)]);
    }
    let x = reader.value(node, 0)?;
    let axis = dim_of(&x.view, int(node, "axis", -1))?;
    if is_batch(&x.view[axis]) {
        return Err("along the batch".to_owned());
    }
    // The axis comes last, and goes back where it was.
    let mut view = reader.network.atoms.whole_view(&x.view);
    let along = view.remove(axis);
    view.push(along);
    if view[0] != [BATCH] {
        return Err("expected the batch as the first dimension".to_owned());
    }
    let from = reader.laid_out(&x, &view)?;
    let shape = reader.network.shapes[from].clone();
    let y = reader.network.layer(node.operator, "", &[from], &shape);
    reader.network.axes[y] = reader.network.axes[from].clone();
    let mut view = reader.network.plain(y);
    let along = view.pop().unwrap_or_default();
    view.insert(axis, along);
    Ok(vec![reader.made_as(y, view)])
}
