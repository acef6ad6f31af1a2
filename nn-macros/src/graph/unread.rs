//! Values that are dropped: `let (a, _) = Split(2);`. In: sites in order; out: the same sites and, behind
//! each that makes some values which nothing reads, one that hands the others on and gives those a gradient
//! of zeros. The runtime is never asked for the gradient of a value that nothing reads.

use std::borrow::Cow;

use quote::quote_spanned;
use syn::parse_quote;

use super::{Item, Site};
use crate::ast::Layer;

/// Joins what nothing reads to what something reads; the results are renumbered with it.
pub fn join(items: &mut Vec<Item>, values: &mut usize, inputs: usize, mut results: Vec<usize>) -> Vec<usize> {
    let mut at = 0;
    while at < items.len() {
        let made = match &items[at] {
            Item::Site(site) if site.made > 1 => site.y..site.y + site.made,
            _ => 0..0,
        };
        let read = |value: usize| {
            results.contains(&value)
                || items.iter().any(|item| matches!(item, Item::Site(site) if site.x.contains(&value)))
        };
        let (kept, dropped): (Vec<usize>, Vec<usize>) = made.partition(|value| read(*value));
        if let (Some(&kept), false) = (kept.first(), dropped.is_empty()) {
            let id = items.iter().filter(|item| matches!(item, Item::Site(_))).count();
            let joined = *values;
            *values += 1;
            for item in &mut items[at + 1..] {
                rename(item, kept, joined);
            }
            results.iter_mut().filter(|result| **result == kept).for_each(|result| *result = joined);
            let Item::Site(site) = &items[at] else { return results };
            let span = site.layer.kind().span();
            let layer = Layer { path: parse_quote!(__nn::Unread), args: None, times: None };
            let unread = Site {
                id,
                step: 0,
                name: format!("{}_unread", site.name),
                layer: Cow::Owned(layer),
                reads: [kept].iter().chain(&dropped).map(|_| "…".to_owned()).collect(),
                x: [kept].into_iter().chain(dropped).collect(),
                y: joined,
                made: 1,
                frozen: false,
                shares: None,
                place: quote_spanned!(span=> _),
            };
            items.insert(at + 1, Item::Site(unread));
        }
        at += 1;
    }
    in_order(items, values, inputs, results)
}

fn rename(item: &mut Item, from: usize, to: usize) {
    match item {
        Item::Site(site) => site.x.iter_mut().filter(|value| **value == from).for_each(|value| *value = to),
        Item::Shape { value, .. } if *value == from => *value = to,
        Item::Shape { .. } => {}
    }
}

/// Numbers sites and values in the order in which they run.
fn in_order(items: &mut [Item], values: &mut usize, inputs: usize, mut results: Vec<usize>) -> Vec<usize> {
    let mut sites = vec![0; items.len()];
    let mut numbers: Vec<usize> = (0..*values).collect();
    let (mut id, mut next) = (0, inputs);
    for item in items.iter_mut() {
        match item {
            Item::Site(site) => {
                sites[site.id] = id;
                site.id = id;
                id += 1;
                site.x.iter_mut().for_each(|value| *value = numbers[*value]);
                for j in 0..site.made {
                    numbers[site.y + j] = next + j;
                }
                site.y = next;
                next += site.made;
                if let Some(shared) = &mut site.shares {
                    shared.site = sites[shared.site];
                }
            }
            Item::Shape { value, .. } => *value = numbers[*value],
        }
    }
    results.iter_mut().for_each(|result| *result = numbers[*result]);
    results
}
