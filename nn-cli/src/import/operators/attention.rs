//! Attention, which exporters write as what it is made of: products of the steps, cut into heads; scores of
//! queries and keys; weights; sums of values. In: a product of two computed values; out: one layer.

use crate::import::expr::Expr;
use crate::import::graph::{Held, Made, Reader, Scores, Value};
use crate::import::network::{Network, Param};
use crate::import::view::{self, Atom, BATCH, View};
use crate::onnx::Node;

/// A product of two computed values: scores, or sums of values by weights.
pub fn product<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    match reader.held(node, 0).cloned() {
        Some(Held::Scores(scores)) if scores.weights => {
            let value = reader.value(node, 1)?;
            attend(reader, &scores, &value).map(|held| vec![held])
        }
        Some(Held::Value(query)) => {
            let mut key = reader.value(node, 1)?;
            let last = key.view.len().saturating_sub(1);
            if last < 2 || query.view.len() != key.view.len() {
                return Err(refused("expected queries and keys of heads"));
            }
            key.view.swap(last - 1, last);
            let scores = Scores { query, key, scale: 1.0, causal: false, weights: false };
            Ok(vec![Held::Scores(Box::new(scores))])
        }
        _ => Err(refused("a product of two computed values")),
    }
}

fn refused(what: &str) -> String {
    let help =
        "help: the nearest is `MultiHeadAttention`, whose weights are saved as `in_proj_weight` and `out_proj.weight`";
    format!("{what}\n{help}")
}

/// Scores times a number, or with what comes later hidden.
pub fn changed<'a>(reader: &Reader<'a, '_>, node: &Node<'a>, name: &str, mut scores: Scores, k: usize) -> Made<'a> {
    let (dims, values) = reader.floats(node, k)?;
    let number = values.first().copied().unwrap_or(0.0);
    let one = values.len() == 1;
    match name {
        _ if scores.weights => return Err("expected weights as the softmax gives them".to_owned()),
        "mul" if one => scores.scale *= number,
        "div" if one => scores.scale /= number,
        "add" if values.iter().all(|value| *value == 0.0) => {}
        "add" if is_causal(&dims, &values) => scores.causal = true,
        _ => return Err(refused("expected scores that are scaled, or hide what comes later")),
    }
    Ok(vec![Held::Scores(Box::new(scores))])
}

fn is_causal(dims: &[usize], values: &[f32]) -> bool {
    let Some([rows, columns]) = dims.last_chunk::<2>() else { return false };
    let hides = |(i, value): (usize, &f32)| match i % columns <= i / columns {
        true => *value == 0.0,
        false => *value <= -1e4,
    };
    rows == columns && values.len() == rows * columns && values.iter().enumerate().all(hides)
}

/// What the steps were multiplied by: the steps, rows of a matrix, a bias.
struct Projection {
    x: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    hint: String,
}

/// Heads and their features, as atoms: `[batch, heads, steps, features]`, the first two perhaps as one.
fn heads(reader: &Reader, value: &Value) -> Result<[Vec<Atom>; 3], String> {
    let view = reader.network.atoms.whole_view(&value.view);
    let [lead @ .., steps, features] = &view[..] else { return Err(refused("expected heads")) };
    match &lead.concat()[..] {
        [BATCH, heads @ ..] => Ok([heads.to_vec(), steps.clone(), features.clone()]),
        _ => Err(refused("expected the batch before the heads")),
    }
}

/// The number that a value was multiplied by.
fn factor(expr: &Expr) -> Option<f32> {
    match expr {
        Expr::X => Some(1.0),
        Expr::Binary("mul", a, b) => match (&**a, &**b) {
            (a, Expr::Number(number)) | (Expr::Number(number), a) => Some(factor(a)? * number),
            _ => None,
        },
        Expr::Binary("div", a, b) => match &**b {
            Expr::Number(number) => Some(factor(a)? / number),
            _ => None,
        },
        _ => None,
    }
}

fn projection(reader: &Reader, value: &Value) -> Result<Projection, String> {
    let atoms = &reader.network.atoms;
    let [heads, steps, features] = heads(reader, value)?;
    let width = view::size(&heads) * view::size(&features);
    let own: Vec<Vec<Atom>> = reader.network.axes[value.base].iter().map(|axis| atoms.whole(axis)).collect();
    let (part, index) = value.part.clone().unwrap_or_default();
    let wanted = [atoms.whole(&part), heads, features].concat();
    if own != [steps, wanted] {
        return Err(refused("expected heads side by side in the features of steps"));
    }
    let factor = factor(&value.expr).ok_or_else(|| refused("expected queries, keys and values as they were made"))?;
    let mut made = projected(&reader.network, value.base, index * width, width)?;
    made.weight.iter_mut().chain(&mut made.bias).for_each(|value| *value *= factor);
    Ok(made)
}

/// Rows from `from` on of the matrix that made a value; the value itself where none did.
fn projected(network: &Network, base: usize, from: usize, width: usize) -> Result<Projection, String> {
    let site = network.sites.iter().find(|site| (site.y..site.y + site.made).contains(&base));
    match site {
        Some(site) if site.kind == "Split" => {
            let before: usize = (site.y..base).map(|part| network.shapes[part][1]).sum();
            match network.shapes[site.x[0]].len() == 2 && site.args.contains("axis = 1") {
                true => projected(network, site.x[0], before + from, width),
                false => Err(refused("expected parts of the features")),
            }
        }
        Some(site) if site.kind == "DensePerStep" && site.shares.is_none() => {
            let (weight, bias) = (&site.params[0], site.params.get(1));
            let columns = weight.dims[1];
            let rows = weight.values.get(from * columns..(from + width) * columns);
            let bias = match bias {
                Some(bias) => bias.values.get(from..from + width).map(<[f32]>::to_vec),
                None => Some(vec![0.0; width]),
            };
            let (Some(rows), Some(bias)) = (rows, bias) else { return Err(refused("expected a row for each feature")) };
            Ok(Projection { x: site.x[0], weight: rows.to_vec(), bias, hint: site.hint.clone() })
        }
        _ if from == 0 && network.shapes[base].last() == Some(&width) => {
            let (weight, bias) = (identity(width), vec![0.0; width]);
            Ok(Projection { x: base, weight, bias, hint: String::new() })
        }
        _ => Err(refused("expected queries, keys and values that are products of the steps")),
    }
}

fn identity(width: usize) -> Vec<f32> {
    (0..width * width).map(|i| if i / width == i % width { 1.0 } else { 0.0 }).collect()
}

fn attend<'a>(reader: &mut Reader<'a, '_>, scores: &Scores, value: &Value) -> Result<Held<'a>, String> {
    let [heads_of, steps, features] = heads(reader, &scores.query)?;
    let (count, each, long) = (view::size(&heads_of), view::size(&features), view::size(&steps));
    let width = count * each;
    if width > 1 << 14 {
        return Err("expected at most 2^14 features".to_owned());
    }
    reader.take(5 * width * width)?;
    let mut parts = [&scores.query, &scores.key, value].map(|value| projection(reader, value));
    let [Ok(query), Ok(key), Ok(value)] = &mut parts else {
        return Err(parts.into_iter().find_map(Result::err).unwrap_or_default());
    };
    // The layer divides by the root of a head's features, whatever was done here.
    let more = scores.scale * (each as f32).sqrt();
    if (more - 1.0).abs() > 1e-6 {
        query.weight.iter_mut().chain(&mut query.bias).for_each(|value| *value *= more);
    }
    let fits = |x: usize| reader.network.shapes[x].get(1) == Some(&width);
    if ![query.x, key.x, value.x].into_iter().all(fits) || key.x != value.x {
        return Err(refused("expected heads that share the features of the steps"));
    }
    let x = if query.x == key.x { vec![query.x] } else { vec![query.x, key.x] };
    let args = format!("{count}{}", if scores.causal { ", causal = true" } else { "" });
    let joined = |parts: [&Vec<f32>; 3]| parts.into_iter().flatten().copied().collect::<Vec<f32>>();
    let params = vec![
        Param::new("in_proj_weight", &[3 * width, width], joined([&query.weight, &key.weight, &value.weight])),
        Param::new("in_proj_bias", &[3 * width], joined([&query.bias, &key.bias, &value.bias])),
        Param::new("out_proj.weight", &[width, width], identity(width)),
        Param::new("out_proj.bias", &[width], vec![0.0; width]),
    ];
    let hint = of_layer(&query.hint);
    let y = reader.network.layer("MultiHeadAttention", &args, &x, &[long, width]);
    reader.network.params(&hint, String::new(), params);
    let [h, s, d] = [count, long, each].map(|size| reader.network.atoms.dimension(size));
    reader.network.axes[y] = vec![s.clone(), [h.clone(), d.clone()].concat()];
    let lead: View = match scores.query.view.len() {
        3 => vec![[vec![BATCH], h].concat()],
        _ => vec![vec![BATCH], h],
    };
    Ok(reader.made_as(y, [lead, vec![s, d]].concat()))
}

/// `attn.in_proj_bias` as `attn`.
fn of_layer(hint: &str) -> String {
    let ends = [".in_proj_weight", ".in_proj_bias", ".out_proj.weight", ".out_proj.bias"];
    ends.iter().find_map(|end| hint.strip_suffix(end)).unwrap_or(hint).to_owned()
}

/// Puts the product behind an attention into it, where nothing else reads it.
pub fn finish(network: &mut Network) {
    for i in 0..network.sites.len() {
        let (y, open) = {
            let site = &network.sites[i];
            let width = site.params.get(3).map_or(0, |bias| bias.values.len());
            let open =
                site.kind == "MultiHeadAttention" && site.params.get(2).is_some_and(|w| w.values == identity(width));
            (site.y, open)
        };
        let read = network.sites.iter().flat_map(|site| &site.x).chain(network.outputs.iter().map(|(_, value)| value));
        if !open || read.filter(|value| **value == y).count() != 1 {
            continue;
        }
        let shared: Vec<usize> = network.sites.iter().filter_map(|site| site.shares).collect();
        let wide = network.shapes[y][1];
        let next = network.sites.iter().position(|site| site.x == [y]);
        let Some(next) = next.filter(|next| !shared.contains(next)) else { continue };
        let after = &mut network.sites[next];
        if after.kind != "DensePerStep" || after.shares.is_some() || after.params[0].dims != [wide, wide] {
            continue;
        }
        let (y, params) = (after.y, std::mem::take(&mut after.params));
        let hint = of_layer(&after.hint);
        // Nothing is left of it.
        (after.made, after.x) = (0, Vec::new());
        let site = &mut network.sites[i];
        let mut params = params.into_iter();
        site.y = y;
        for (at, name) in [(2, "out_proj.weight"), (3, "out_proj.bias")] {
            if let Some(param) = params.next() {
                site.params[at] = Param { name, ..param };
            }
        }
        if !crate::import::labels::means_something(&site.hint) {
            site.hint = hint;
        }
    }
}
