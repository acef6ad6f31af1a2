//! Modules form no circle: what a file is built on is not built on that file. A module and those within it
//! are one thing here, whichever names the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Crate, Edge};
use crate::source::CRATES;

/// Whether one module lies within the other.
fn related(edge: &Edge) -> bool {
    edge.from.starts_with(&edge.to) || edge.to.starts_with(&edge.from)
}

/// The sets of modules each of which is reached from all others of its set, with the edges among them.
fn circles(edges: &[Edge]) -> Vec<(BTreeSet<&[String]>, Vec<&Edge>)> {
    let edges: Vec<&Edge> = edges.iter().filter(|edge| !related(edge)).collect();
    let reach = |from: &[String]| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_vec()]);
        while let Some(at) = next.pop() {
            for edge in edges.iter().filter(|edge| edge.from == at) {
                if seen.insert(&edge.to[..]) {
                    next.push(edge.to.clone());
                }
            }
        }
        seen
    };
    let all: BTreeSet<&[String]> = edges.iter().map(|edge| &edge.from[..]).collect();
    let reached: Vec<(&[String], BTreeSet<&[String]>)> = all.iter().map(|&at| (at, reach(at))).collect();
    let mut sets = BTreeSet::new();
    for (at, from_here) in reached.iter().filter(|(at, from_here)| from_here.contains(at)) {
        let back = |other: &[String]| reached.iter().any(|(from, to)| *from == other && to.contains(at));
        sets.insert(from_here.iter().copied().filter(|other| back(other)).collect::<BTreeSet<_>>());
    }
    let within = |set: &BTreeSet<&[String]>| {
        edges.iter().copied().filter(|edge| set.contains(&edge.from[..]) && set.contains(&edge.to[..])).collect()
    };
    sets.into_iter().map(|set| (within(&set), set)).map(|(edges, set)| (set, edges)).collect()
}

#[test]
fn modules_form_no_circle() {
    let mut all = String::new();
    for folder in CRATES {
        let of = Crate::read(folder);
        for (set, edges) in circles(&of.edges()) {
            let names: Vec<String> = set.iter().map(|module| module.join("::")).collect();
            all += &format!("\n{folder}: a circle of {}\n", names.join(", "));
            let mut pairs = BTreeMap::<_, BTreeSet<String>>::new();
            for edge in edges {
                let name = if edge.name.is_empty() { "itself".to_owned() } else { format!("`{}`", edge.name) };
                pairs.entry((&edge.from, &edge.to)).or_default().insert(name);
            }
            for ((from, to), names) in pairs {
                let names: Vec<String> = names.into_iter().collect();
                let (from, to) = (&of.modules[from].file, &of.modules[to].file);
                all += &format!("  {from} uses {to}: {}\n", names.join(", "));
            }
        }
    }
    assert!(
        all.is_empty(),
        "modules that are built on each other:\n{all}help: move what both need into a module of its own"
    );
}

#[test]
fn a_circle_is_found_and_a_child_is_none() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<String>>();
    let edge = |from: &str, to: &str| Edge { from: module(from), to: module(to), name: String::new() };
    let edges = [edge("a", "b"), edge("b", "c::d"), edge("c::d", "a"), edge("c", "c::d"), edge("c::d", "c")];
    let found = circles(&edges);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0.len(), 3);
    assert_eq!(found[0].1.len(), 3);
    assert!(circles(&edges[1..]).is_empty(), "a module and its child are no circle");
}
