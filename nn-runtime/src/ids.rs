//! Token ids at the edge: whether what comes into a network as ids are ids. In: a `CompiledNetwork` and inputs; out: the first number that is none, with
//! its place.

use alloc::string::String;

use crate::graph::{CompiledNetwork, MAX_INPUTS};

/// The first number of an input of token ids that is none; `width` tells how many numbers a sample of an input has.
#[inline]
pub(crate) fn fault(map: &CompiledNetwork, x: &[&[f32]], width: impl Fn(usize) -> usize) -> Option<String> {
    // Most networks read none, which is known where this is compiled.
    if map.ids == [0; MAX_INPUTS] { None } else { find(map, x, width) }
}

fn find(map: &CompiledNetwork, x: &[&[f32]], width: impl Fn(usize) -> usize) -> Option<String> {
    for k in (0..map.inputs.len()).filter(|k| map.ids[*k] > 0) {
        let count = map.ids[k];
        let none = |id: &f32| !(*id >= 0.0 && *id < count as f32 && *id == *id as u32 as f32);
        if let Some(at) = x[k].iter().position(none) {
            let (sample, element) = (at / width(k), at % width(k));
            return Some(alloc::format!(
                "sample {sample}, input {k}, element {element}: expected a token id, a whole number from 0 to {}, found {}\nhelp: map what is \
                 unknown to an id of its own, or make the vocabulary larger",
                count - 1,
                x[k][at]
            ));
        }
    }
    None
}
