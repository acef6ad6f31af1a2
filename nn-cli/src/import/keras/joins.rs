//! Layers of several values: sums, products, values side by side, attention.

use super::{Call, Held, Reader};
use crate::import::view::View;

/// What a layer makes of several values; nothing where it is another one.
pub fn join(reader: &mut Reader, call: &Call, x: &[Held]) -> Option<Result<Held, String>> {
    Some(match call.class {
        "Add" => elementwise(reader, "Sum", x, None),
        "Multiply" => elementwise(reader, "Product", x, None),
        "Average" => elementwise(reader, "Sum", x, Some(1.0 / x.len() as f64)),
        "Subtract" => subtract(reader, x),
        "Concatenate" => concat(reader, call, x),
        "MultiHeadAttention" => attention(reader, call, x),
        _ => return None,
    })
}

/// The values in one layout: that of the first, if the others can be laid so.
fn alike(reader: &mut Reader, x: &[Held]) -> Result<(Vec<usize>, Held), String> {
    let first = &x[0];
    let rank = first.view.len() - 1;
    if x.iter().any(|other| other.view.len() != first.view.len()) {
        let sizes: Vec<Vec<usize>> = x.iter().map(|x| reader.sizes(x)).collect();
        return Err(format!("expected values of one shape, found {sizes:?}"));
    }
    // Which of Keras's dimensions each of the first one's own is.
    let own: Vec<Option<usize>> = (0..rank).map(|dim| reader.axis(first, dim)).collect();
    let mut order = vec![usize::MAX; rank];
    own.iter().enumerate().for_each(|(dim, axis)| {
        if let Some(axis) = axis.filter(|axis| *axis < rank) {
            order[axis] = dim;
        }
    });
    let simple = order.iter().all(|dim| *dim < rank);
    let mut laid = Vec::new();
    for value in x {
        let view = reader.network.atoms.whole_view(&value.view);
        let wanted: View = match simple {
            true => [vec![view[0].clone()], order.iter().map(|dim| view[dim + 1].clone()).collect()].concat(),
            false => view,
        };
        laid.push(reader.laid_out(value, &wanted)?);
    }
    let plain = reader.network.plain(laid[0]);
    let view: View = match simple {
        true => {
            let mut view = vec![Vec::new(); rank + 1];
            view[0].clone_from(&plain[0]);
            order.iter().enumerate().for_each(|(axis, dim)| view[dim + 1].clone_from(&plain[axis + 1]));
            view
        }
        false => plain,
    };
    Ok((laid.clone(), Held { base: laid[0], view }))
}

fn elementwise(reader: &mut Reader, kind: &str, x: &[Held], scale: Option<f64>) -> Result<Held, String> {
    let (laid, first) = alike(reader, x)?;
    let shape = reader.shape(laid[0]);
    if laid.iter().any(|other| reader.network.shapes[*other] != shape) {
        let sizes: Vec<Vec<usize>> = x.iter().map(|x| reader.sizes(x)).collect();
        return Err(format!("expected values of one shape, found {sizes:?}"));
    }
    if laid.len() > 8 {
        return Err("expected at most 8 values".to_owned());
    }
    let y = if laid.len() == 1 { laid[0] } else { reader.layer(kind, "", &laid, &shape) };
    let made = reader.like(y, &first);
    match scale {
        Some(scale) => super::activations::formula(reader, &format!("x * {:?}", scale as f32), &made),
        None => Ok(made),
    }
}

fn subtract(reader: &mut Reader, x: &[Held]) -> Result<Held, String> {
    let [a, b] = x else { return Err("expected two values".to_owned()) };
    let negative = super::activations::formula(reader, "-x", b)?;
    elementwise(reader, "Sum", &[a.clone(), negative], None)
}

fn concat(reader: &mut Reader, call: &Call, x: &[Held]) -> Result<Held, String> {
    let rank = x[0].view.len() as i64;
    let axis = call.settings.list("axis").and_then(|list| list.first().copied()).unwrap_or(-1);
    let dim = if axis < 0 { axis + rank } else { axis };
    if !(1..rank).contains(&dim) {
        return Err(format!("expected an axis behind the batch, found {axis}"));
    }
    let (laid, first) = alike(reader, x)?;
    let at = reader.axis(&first, dim as usize - 1).ok_or("expected an axis of the values")?;
    let mut shape = reader.shape(laid[0]);
    let shapes: Vec<Vec<usize>> = laid.iter().map(|x| reader.shape(*x)).collect();
    let fits = |other: &Vec<usize>| (0..shape.len()).all(|i| i == at || other[i] == shape[i]);
    if at >= shape.len() || !shapes.iter().all(fits) {
        return Err(format!("expected values that differ in one axis alone, found {shapes:?}"));
    }
    if laid.len() > 8 {
        return Err("expected at most 8 values".to_owned());
    }
    shape[at] = shapes.iter().map(|shape| shape[at]).sum();
    let args = if at == 0 { String::new() } else { format!("axis = {at}") };
    let y = reader.layer("Concat", &args, &laid, &shape);
    // The dimensions that were not joined are the first one's.
    let (plain, own) = (reader.network.plain(y), reader.network.plain(first.base));
    let place = |dim: &Vec<_>| own.iter().position(|other| other == dim && !dim.is_empty());
    let mut view: View = Vec::new();
    for (i, wanted) in first.view.iter().enumerate() {
        let axis = match i as i64 == dim {
            true => Some(at + 1),
            false => place(wanted).or_else(|| (first.view == own).then_some(i)),
        };
        view.push(axis.map_or(Vec::new(), |axis| plain[axis].clone()));
    }
    Ok(Held { base: y, view })
}

fn attention(reader: &mut Reader, call: &Call, x: &[Held]) -> Result<Held, String> {
    let heads = call.settings.count("num_heads")?;
    let same = |a: &Held, b: &Held| a.base == b.base && a.view == b.view;
    let (query, value) = match x {
        [query, value] => (query, value),
        [query, value, key] if same(value, key) => (query, value),
        [_, _, _] => return Err("expected keys that are the values".to_owned()),
        _ => return Err("expected a query and a value".to_owned()),
    };
    if call.settings.flag("use_gate", false) || call.settings.get("sliding_window").is_some() {
        return Err("expected neither `use_gate` nor `sliding_window`".to_owned());
    }
    if call.settings.list("attention_axes").is_some_and(|axes| axes != [1]) {
        return Err("expected attention along the steps".to_owned());
    }
    if call.kwargs.flag("return_attention_scores", false) {
        return Err("expected the output alone, found that scores are read".to_owned());
    }
    let from = reader.steps(query)?;
    let mut inputs = vec![from];
    if !same(query, value) {
        inputs.push(reader.steps(value)?);
    }
    let mut args = heads.to_string();
    if call.kwargs.flag("use_causal_mask", false) {
        args += ", causal = true";
    }
    if !call.settings.flag("use_bias", true) {
        args += ", bias = false";
    }
    let shape = reader.shape(from);
    let y = reader.layer("MultiHeadAttention", &args, &inputs, &shape);
    reader.params(call)?;
    let from = reader.plain(from);
    Ok(reader.like(y, &from))
}
