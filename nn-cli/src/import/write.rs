//! The declaration as text, for people to own: a line for each layer with parameters, values bound where they
//! are read twice. In: a labelled network; out: source.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::labels::free;
use super::network::{Network, Site};

/// The declaration, and the formulas before it.
pub fn declaration(network: &Network, name: &str) -> String {
    let mut text = String::from("use nn_runtime::prelude::*;\n\n");
    for (formula, body) in &network.formulas {
        let _ = writeln!(text, "activation! {{\n    pub {formula}(x) = {body}\n}}");
    }
    text += &Writer::new(network).network(name);
    text
}

struct Writer<'n> {
    network: &'n Network,
    sites: Vec<&'n Site>,
    readers: BTreeMap<usize, usize>,
    names: BTreeMap<usize, String>,
    taken: BTreeSet<String>,
}

impl<'n> Writer<'n> {
    fn new(network: &'n Network) -> Self {
        let sites: Vec<&Site> = network.sites.iter().collect();
        let mut readers = BTreeMap::new();
        let reads = sites.iter().flat_map(|site| &site.x).chain(network.outputs.iter().map(|(_, value)| value));
        reads.for_each(|value| *readers.entry(*value).or_insert(0) += 1);
        Writer { network, sites, readers, names: BTreeMap::new(), taken: BTreeSet::new() }
    }

    fn network(mut self, name: &str) -> String {
        let network = self.network;
        let inputs: Vec<String> = match &network.inputs[..] {
            [_] => vec![free("input", &mut self.taken)],
            inputs => inputs.iter().map(|name| free(&ident(name), &mut self.taken)).collect(),
        };
        let several = network.outputs.len() > 1;
        for (value, name) in inputs.iter().enumerate() {
            self.names.insert(value, name.clone());
        }
        let mut outputs = Vec::new();
        for (name, value) in network.outputs.iter().filter(|_| several) {
            let name = free(&ident(name), &mut self.taken);
            self.names.entry(*value).or_insert_with(|| name.clone());
            outputs.push(name);
        }
        let shape = |value: &usize| format!("{:?}", network.shapes[*value]);
        let ports = |names: &[String], values: &[usize]| match values {
            [one] => shape(one),
            _ => {
                let ports: Vec<String> =
                    names.iter().zip(values).map(|(name, value)| format!("{name}: {}", shape(value))).collect();
                format!("({})", ports.join(", "))
            }
        };
        let from = ports(&inputs, &(0..inputs.len()).collect::<Vec<_>>());
        let results: Vec<usize> = network.outputs.iter().map(|(_, value)| *value).collect();
        let to = ports(&outputs, &results);
        let mut text = format!("network! {{\n    pub struct {name}: {from} -> {to} {{\n");
        for line in self.lines(several) {
            let _ = writeln!(text, "        {line};");
        }
        text + "    }\n}\n"
    }

    /// The statements, without their ends.
    fn lines(&mut self, several: bool) -> Vec<String> {
        let sites = self.sites.clone();
        let goes_on = |i: usize| {
            let Some(next) = sites.get(i + 1) else { return false };
            sites[i].made == 1 && next.x == [sites[i].y] && self.readers.get(&sites[i].y) == Some(&1)
        };
        let goes_on: Vec<bool> = (0..sites.len()).map(goes_on).collect();
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        // Where the chain begins, what is read is said; but for the only input at the very beginning.
        let mut begins = true;
        for (i, site) in sites.iter().enumerate() {
            if !begins && !site.label.is_empty() && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            if begins && !(i == 0 && self.network.inputs.len() == 1) {
                let x: Vec<&str> = site.x.iter().map(|x| self.names.get(x).map_or("input", String::as_str)).collect();
                line = if let [one] = x[..] { one.to_owned() } else { format!("({})", x.join(", ")) };
            }
            if !line.is_empty() {
                line += " -> ";
            }
            line += &self.step(site);
            begins = !goes_on[i];
            if begins {
                let last = i + 1 == sites.len() && !several;
                let bound = if last { String::new() } else { self.bound(site) };
                lines.push(format!("{bound}{}", std::mem::take(&mut line)));
            }
        }
        lines
    }

    /// `let name = `
    fn bound(&mut self, site: &Site) -> String {
        let names: Vec<String> = (site.y..site.y + site.made)
            .map(|value| {
                let wanted = if site.label.is_empty() { format!("v{}", self.names.len()) } else { site.label.clone() };
                match self.names.get(&value) {
                    Some(name) => name.clone(),
                    None if !self.readers.contains_key(&value) => "_".to_owned(),
                    None => {
                        let name = free(&wanted, &mut self.taken);
                        self.names.insert(value, name.clone());
                        name
                    }
                }
            })
            .collect();
        match &names[..] {
            [one] => format!("let {one} = "),
            _ => format!("let ({}) = ", names.join(", ")),
        }
    }

    fn step(&self, site: &Site) -> String {
        if let Some(earlier) = site.shares {
            return format!("share({})", self.network.sites[earlier].label);
        }
        let label = if site.label.is_empty() { String::new() } else { format!("{}: ", site.label) };
        let args = if site.args.is_empty() { String::new() } else { format!("({})", site.args) };
        format!("{label}{}{args}", site.kind)
    }
}

/// A name of the graph as one of Rust's.
fn ident(name: &str) -> String {
    let text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).take(40).collect();
    match text.chars().next() {
        Some(c) if c.is_ascii_digit() => format!("x_{text}"),
        _ => text.trim_end_matches('_').to_owned(),
    }
}
