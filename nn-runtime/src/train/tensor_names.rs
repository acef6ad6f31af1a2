//! Which tensors a name means to a trainer. In: the name of a tensor, a layer or a network within; out: the
//! learnt tensors it stands for, or what is there instead.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::graph::CompiledNetwork;
use crate::params::{self, Tensor};
use crate::spec::Role;

/// The learnt tensors of a network.
pub(super) fn learnt(map: &'static CompiledNetwork) -> Vec<Tensor> {
    params::tensors(map).into_iter().filter(|tensor| tensor.role == Role::Trainable && !tensor.frozen).collect()
}

/// The learnt tensor of this name, or all within the layer or network of this name.
///
/// # Errors
/// There are none: what `asked` for them is told, and the nearest name.
pub(super) fn find(map: &'static CompiledNetwork, asked: &str, name: &str) -> Result<Vec<Tensor>, String> {
    let all = learnt(map);
    let within = |tensor: &str| tensor.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let found: Vec<Tensor> = all.iter().filter(|tensor| tensor.name == name || within(&tensor.name)).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known = all.iter().flat_map(|tensor| prefixes(&tensor.name));
    let nearest = known.clone().map(|known| (edits(known, name), known)).min_by_key(|(edits, _)| *edits);
    let mut layers: Vec<&str> = known.filter(|known| !known.contains('.')).collect();
    layers.dedup();
    let help = match nearest {
        Some((edits, known)) if edits <= 1 + name.len() / 3 => format!("did you mean `{known}`?"),
        Some(_) => format!("one of {}, or a tensor of theirs, as `{}`", list(&layers), all[0].name),
        None => "nothing of it is trained".into(),
    };
    Err(format!(
        "{asked}: expected the name of a layer or a tensor that is trained in `{}`, found `{name}`\nhelp: {help}",
        map.name
    ))
}

/// Everything a tensor can be meant by: `block`, `block.0`, `block.0.weight`.
fn prefixes(name: &str) -> impl Iterator<Item = &str> + Clone {
    name.match_indices('.').map(|(dot, _)| &name[..dot]).chain([name])
}

pub(super) fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// How many letters have to be changed, added or left out to get from one name to the other.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let replaced = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
