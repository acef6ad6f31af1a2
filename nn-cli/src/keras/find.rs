//! The layers in a file of weights. In: the tree of its names; out: each layer that has arrays, with its
//! class as far as the file tells it.

use serde_json::Value;

use super::{Layer, class_of};
use crate::hdf5::{Dataset, Group};

/// What is beside the network's layers.
const OTHERS: &[&str] = &["optimizer", "metrics", "loss_tracker", "seed_generator", "compile_metrics"];

pub fn layers<'t>(tree: &'t Group, config: Option<&Value>) -> Result<Vec<Layer<'t>>, String> {
    let mut layers = Vec::new();
    if let Some(old) = tree.group("model_weights") {
        before(old, config, &mut layers)?;
    } else if !tree.texts("layer_names").is_empty() {
        before(tree, config, &mut layers)?;
    } else {
        walk(tree, &mut Vec::new(), "", config, &mut layers);
    }
    if let Some(config) = config {
        let mut order = Vec::new();
        names(config, &mut order);
        let place = |layer: &Layer| order.iter().position(|name| *name == layer.name).unwrap_or(usize::MAX);
        layers.sort_by_key(place);
    }
    Ok(layers)
}

/// The names of all layers, in the order of the configuration.
fn names<'c>(config: &'c Value, order: &mut Vec<&'c str>) {
    for layer in config.pointer("/config/layers").and_then(Value::as_array).into_iter().flatten() {
        order.extend(layer.pointer("/config/name").and_then(Value::as_str));
        names(layer, order);
    }
}

/// A layer's class and settings in a network's.
fn entry<'c>(network: &'c Value, name: &str) -> Option<&'c Value> {
    let layers = network.pointer("/config/layers")?.as_array()?;
    layers.iter().find_map(|layer| match layer.pointer("/config/name")?.as_str()? == name {
        true => Some(layer),
        false => entry(layer, name),
    })
}

/// A layer's settings.
pub fn config<'c>(network: &'c Value, name: &str) -> Option<&'c Value> {
    entry(network, name)?.get("config")
}

/// Its class as it is called here, with the cell of one that goes both ways.
fn class(network: Option<&Value>, name: &str) -> Option<String> {
    let layer = entry(network?, name)?;
    let class = layer.get("class_name")?.as_str()?;
    match class {
        "Bidirectional" => Some(format!("{class} {}", layer.pointer("/config/layer/class_name")?.as_str()?)),
        _ => Some(class.to_owned()),
    }
}

/// The arrays of a layer of `.weights.h5`, in order.
fn arrays<'t>(group: &'t Group, at: &[&str]) -> Vec<(String, &'t Dataset)> {
    let found = at.iter().try_fold(group, |group, name| group.group(name));
    let Some(vars) = found.and_then(|group| group.group("vars")) else { return Vec::new() };
    let mut arrays: Vec<(String, &Dataset)> = vars
        .datasets()
        .map(|(name, dataset)| {
            let path: Vec<&str> = at.iter().copied().chain(["vars", name]).collect();
            (path.join("/"), dataset)
        })
        .collect();
    // Names are numbers, and sorted as text.
    arrays.sort_by_key(|(name, _)| name.rsplit('/').next().and_then(|name| name.parse().ok()).unwrap_or(usize::MAX));
    arrays
}

const PROJECTIONS: [&str; 4] = ["query_dense", "key_dense", "value_dense", "output_dense"];

fn walk<'t>(group: &'t Group, path: &mut Vec<&'t str>, outer: &str, config: Option<&Value>, to: &mut Vec<Layer<'t>>) {
    let last = path.last().copied().unwrap_or("");
    let named = group.group("vars").and_then(|vars| vars.text("name")).unwrap_or(last);
    // Models that are a class of their own have their attributes as paths, and names that are made up.
    let in_layers = path.len() > 1 && path[path.len() - 2] == "layers";
    let own = if in_layers || path.is_empty() { named } else { last };
    let label = [outer, own].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(".");
    let both = ["forward_layer", "backward_layer"];
    let (found, within): (Vec<_>, &[&str]) = if both.iter().all(|name| group.group(name).is_some()) {
        (both.iter().flat_map(|way| arrays(group, &[way, "cell"])).collect(), &both)
    } else if PROJECTIONS.iter().all(|name| group.group(name).is_some()) {
        (PROJECTIONS.iter().flat_map(|name| arrays(group, &[name])).collect(), &PROJECTIONS)
    } else if group.group("cell").is_some_and(|cell| !arrays(cell, &[]).is_empty() && !path.is_empty())
        && class_by_cell(group).is_some()
    {
        (arrays(group, &["cell"]), &["cell"])
    } else {
        (arrays(group, &[]), &[])
    };
    if !found.is_empty() {
        let told =
            class(config, named).or_else(|| class_of(last).map(str::to_owned)).or_else(|| guessed(group, &found));
        let told = match (told, within) {
            // The cell of one that goes both ways is told by its arrays alone.
            (None, ["forward_layer", _]) => {
                group.group("forward_layer").and_then(class_by_cell).map(|of| format!("Bidirectional {of}"))
            }
            (told, _) => told,
        };
        let (class, path) = (told.unwrap_or_default(), path.join("/"));
        to.push(Layer { label: label.clone(), name: named.to_owned(), class, path, arrays: found });
    }
    let outer = if path.is_empty() || last == "layers" || in_layers && group.group("layers").is_none() {
        outer.to_owned()
    } else {
        label
    };
    for (name, inner) in group.groups() {
        let other = path.is_empty() && OTHERS.contains(&name) || name == "seed_generator";
        if name != "vars" && !within.contains(&name) && !other {
            path.push(name);
            walk(inner, path, &outer, config, to);
            path.pop();
        }
    }
}

/// The recurrence whose cell has these arrays: as many gates as its kernel has columns for each unit.
fn class_by_cell(group: &Group) -> Option<&'static str> {
    let found = arrays(group, &["cell"]);
    let [(_, kernel), (_, state), ..] = &found[..] else { return None };
    let ([_, all], [units, again]) = (&kernel.shape[..], &state.shape[..]) else { return None };
    match all.checked_div(*units) {
        Some(4) if all == again => Some("LSTM"),
        Some(3) if all == again => Some("GRU"),
        Some(1) if all == again => Some("SimpleRNN"),
        _ => None,
    }
}

/// The class of an attribute of a model of one's own, where its arrays leave no other.
fn guessed(group: &Group, found: &[(String, &Dataset)]) -> Option<String> {
    if PROJECTIONS.iter().all(|name| group.group(name).is_some()) {
        return Some("MultiHeadAttention".to_owned());
    }
    if let Some(class) = class_by_cell(group) {
        return Some(class.to_owned());
    }
    let shapes: Vec<&[usize]> = found.iter().map(|(_, dataset)| &dataset.shape[..]).collect();
    match shapes[..] {
        [[_, units], [bias]] if units == bias => Some("Dense".to_owned()),
        [[_, _, filters], [bias]] if filters == bias => Some("Conv1D".to_owned()),
        [[a], [b], [c], [d]] if a == b && b == c && c == d => Some("BatchNormalization".to_owned()),
        _ => None,
    }
}

/// The layers of an `.h5` model, or of `.h5` weights, as they were before `.keras`.
fn before<'t>(group: &'t Group, config: Option<&Value>, to: &mut Vec<Layer<'t>>) -> Result<(), String> {
    for name in group.texts("layer_names") {
        let Some(layer) = group.group(name) else { continue };
        let mut arrays = Vec::new();
        for path in layer.texts("weight_names") {
            let missing = || format!("`{}`: expected an array of this name", path.escape_debug());
            let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
            let folder = folder.split('/').filter(|part| !part.is_empty());
            let found = folder.into_iter().try_fold(layer, |group, name| group.group(name)).ok_or_else(missing)?;
            let dataset = found.datasets().find(|(name, _)| *name == last).ok_or_else(missing)?.1;
            arrays.push((path.clone(), dataset));
        }
        if arrays.is_empty() {
            continue;
        }
        let told = class(config, name).or_else(|| class_of(name).map(str::to_owned));
        let class = told.unwrap_or_default();
        to.push(Layer { label: name.clone(), name: name.clone(), class, path: name.clone(), arrays });
    }
    Ok(())
}
