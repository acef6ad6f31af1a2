//! A program as `network!` declarations, in one of the many ways to write the same. In: a `Program` and a
//! seed; out: Rust source. Whichever way is drawn, it means the program.

use crate::formulas::LEAK;
use crate::graph::{Cell, Curve, Direction, Kind, Net, Program, Recurrent, Site};
use crate::random_formulas::Setting;
use crate::rng::Rng;

/// The declarations of the formulas that are used, and of all networks.
pub fn source(program: &Program, seed: u64) -> String {
    let mut rng = Rng::new(seed ^ 0x5e11);
    let used = |word: &str| {
        let mut sites = program.nets.iter().flat_map(|net| &net.sites);
        sites.any(|site| matches!(&site.kind, Kind::Formula(formula, _) if formula.word == word))
    };
    let formulas = program.formulas.iter().filter(|formula| used(formula.word)).map(|formula| formula.source());
    let mut text: String = formulas.collect();
    text.extend(program.nets.iter().map(|net| Writer::new(net, &program.nets, &mut rng).declaration()));
    text
}

/// How a statement begins.
#[derive(Clone, Copy, PartialEq)]
enum Begin {
    /// Not at all: `… -> Layer` goes on in the same one.
    Arrow,
    /// `Layer`, from what the statement before made.
    On,
    /// `value -> Layer`
    Value,
}

struct Writer<'a> {
    net: &'a Net,
    nets: &'a [Net],
    rng: &'a mut Rng,
    begins: Vec<Begin>,
    /// What a value is called where it is read; empty for those without a name.
    names: Vec<String>,
    aliases: Vec<Option<String>>,
}

impl<'a> Writer<'a> {
    fn new(net: &'a Net, nets: &'a [Net], rng: &'a mut Rng) -> Self {
        let begins: Vec<Begin> = (0..net.sites.len()).map(|s| begin(net, s, rng)).collect();
        let mut names = vec![String::new(); net.shapes.len()];
        for (value, name) in names.iter_mut().enumerate() {
            let output = net.outputs.iter().find(|(_, output)| *output == value).filter(|_| !net.plain[1]);
            let by_name =
                net.sites.iter().zip(&begins).any(|(site, begin)| *begin == Begin::Value && site.x.contains(&value));
            let part = net.writer(value).is_some_and(|site| site.made > 1);
            *name = match (net.inputs.get(value), output) {
                (Some(input), _) => input.clone(),
                (None, Some((output, _))) => output.clone(),
                (None, None) if by_name || part || rng.chance(10) && net.readers(value) > 0 => format!("v{value}"),
                (None, None) => String::new(),
            };
        }
        let aliases = (0..names.len())
            .map(|value| {
                let read =
                    net.sites.iter().zip(&begins).any(|(s, begin)| *begin == Begin::Value && s.x.contains(&value));
                let alone = net.writer(value).is_none_or(|site| site.made == 1);
                (read && alone && rng.chance(8)).then(|| format!("u{value}"))
            })
            .collect();
        let mut writer = Writer { net, nets, rng, begins, names, aliases };
        for s in 1..net.sites.len() {
            // What has a name ends its statement.
            if writer.begins[s] == Begin::Arrow && !writer.names[net.sites[s].x[0]].is_empty() {
                writer.begins[s] = Begin::On;
            }
        }
        writer
    }

    fn declaration(mut self) -> String {
        let net = self.net;
        let mut text = format!("network! {{\n    pub struct {}: ", net.name);
        text += &ports(net.plain[0], net.inputs.iter().enumerate().map(|(value, name)| (name, &net.shapes[value])));
        text += " -> ";
        text += &ports(net.plain[1], net.outputs.iter().map(|(name, value)| (name, &net.shapes[*value])));
        text += " {\n";
        for input in 0..net.inputs.len() {
            self.alias(input, &mut text);
        }
        for s in 0..net.sites.len() {
            self.site(s, &mut text);
        }
        text + "    }\n}\n"
    }

    fn site(&mut self, s: usize, text: &mut String) {
        let site = &self.net.sites[s];
        match self.begins[s] {
            Begin::Arrow => text.push_str(" -> "),
            _ => {
                text.push_str("        ");
                // The names belong to what the statement ends with.
                let last =
                    (s + 1..self.net.sites.len()).take_while(|&s| self.begins[s] == Begin::Arrow).last().unwrap_or(s);
                let end = &self.net.sites[last];
                let names: Vec<&str> = self.names[end.y..end.y + end.made].iter().map(String::as_str).collect();
                match names[..] {
                    [""] => {}
                    [name] => *text += &format!("let {name} = "),
                    _ => *text += &format!("let ({}) = ", names.join(", ")),
                }
                if self.begins[s] == Begin::Value {
                    let names: Vec<&str> = site.x.iter().map(|&x| self.read(x)).collect();
                    match names[..] {
                        [name] => *text += &format!("{name} -> "),
                        _ => *text += &format!("({}) -> ", names.join(", ")),
                    }
                    if site.x.len() == 1 && self.rng.chance(8) {
                        *text += &format!("{:?} -> ", self.net.shapes[site.x[0]]);
                    }
                }
            }
        }
        let step = self.step(site);
        text.push_str(&step);
        if site.made == 1 && self.rng.chance(12) {
            *text += &format!(" -> {:?}", self.net.shapes[site.y]);
        }
        if self.begins.get(s + 1) != Some(&Begin::Arrow) {
            text.push_str(";\n");
            if site.made == 1 {
                self.alias(site.y, text);
            }
        }
    }

    fn read(&self, value: usize) -> &str {
        self.aliases[value].as_ref().unwrap_or(&self.names[value])
    }

    fn alias(&self, value: usize, text: &mut String) {
        if let Some(alias) = &self.aliases[value] {
            *text += &format!("        let {alias} = {};\n", self.names[value]);
        }
    }

    fn step(&mut self, site: &Site) -> String {
        let mut text = String::new();
        if site.frozen {
            text += "frozen ";
        }
        if let Some(label) = &site.label {
            text += &format!("{label}: ");
        }
        if let Some((label, _)) = &site.shares {
            text += &format!("share({label})");
            return text;
        }
        text += &site.kind.word(self.nets);
        text += &match &site.kind {
            Kind::Dense { units, bias: false } => format!("({units}, bias = false)"),
            Kind::Dense { units, .. } | Kind::DensePerStep { units } => format!("({})", self.number(*units)),
            Kind::Reshape(shape) => format!("({shape:?})"),
            Kind::Concat { axis: 0 } => String::new(),
            Kind::Concat { axis } => format!("(axis = {axis})"),
            Kind::Curve(Curve::LeakyRelu) => format!("(slope = {LEAK:?})"),
            Kind::Split { sizes, axis } => format!("({}, sizes = {sizes:?}, axis = {axis})", sizes.len()),
            Kind::Recurrent(of) => recurrent(of, site.x.len() == 2 || site.label.is_some()),
            Kind::Attention { heads, causal, bias } => {
                let bias = if *bias { "" } else { ", bias = false" };
                format!("({heads}{}{bias})", if *causal { ", causal = true" } else { "" })
            }
            Kind::CausalConv { filters, kernel, dilation } => {
                let dilation = if *dilation == 1 { String::new() } else { format!(", dilation = {dilation}") };
                format!("({filters}, {kernel}, padding = Causal{dilation})")
            }
            Kind::PositionalEncoding { learnt: true } => "(learnt = true)".to_owned(),
            Kind::Embedding { vocabulary, features } => format!("({}, {features})", self.number(*vocabulary)),
            Kind::Operation(of) => of.arguments(),
            Kind::Formula(formula, Some(given)) => match formula.setting {
                Setting::Learnt(_) => format!("({} = {given:?})", Setting::LEARNT),
                _ => format!("({} = {given:?})", Setting::CONSTANT),
            },
            _ => String::new(),
        };
        if let Some(times) = site.times {
            text += " * ";
            let times = self.number(times);
            text += &if times.contains('-') { format!("({times})") } else { times };
        }
        text
    }

    /// A number, or what comes to the same.
    fn number(&mut self, n: usize) -> String {
        if self.rng.chance(10) { format!("{} - 2", n + 2) } else { n.to_string() }
    }
}

/// `(4, direction = Both, last = true)`; where a mask may be given, here or where it is shared, it says that
/// it is no state, which may be of the same shape.
fn recurrent(of: &Recurrent, masked: bool) -> String {
    let mut text = format!("({}", of.units);
    if of.direction != Direction::Forward {
        text += &format!(", direction = {:?}", of.direction);
    }
    if of.last {
        text += ", last = true";
    }
    if masked && of.cell != Cell::Lstm {
        text += ", initial = false";
    }
    if !of.bias {
        text += ", bias = false";
    }
    text + ")"
}

/// Unary of the ways in which site `s` may begin.
fn begin(net: &Net, s: usize, rng: &mut Rng) -> Begin {
    let [x] = net.sites[s].x[..] else { return Begin::Value };
    let before = match s.checked_sub(1) {
        None => net.inputs.len() == 1 && x == 0,
        Some(before) => net.sites[before].made == 1 && net.sites[before].y == x,
    };
    match rng.below(10) {
        0..=4 if before && s > 0 => Begin::Arrow,
        0..=7 if before => Begin::On,
        _ => Begin::Value,
    }
}

/// `[3]`, or `(a: [3], b: [2])`
fn ports<'a>(plain: bool, all: impl Iterator<Item = (&'a String, &'a Vec<usize>)>) -> String {
    let ports: Vec<(&String, &Vec<usize>)> = all.collect();
    match ports[..] {
        [(_, shape)] if plain => format!("{shape:?}"),
        _ => {
            let ports: Vec<String> = ports.iter().map(|(name, shape)| format!("{name}: {shape:?}")).collect();
            format!("({})", ports.join(", "))
        }
    }
}
