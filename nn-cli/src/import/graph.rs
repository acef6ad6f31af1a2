//! The walk over a graph: what each of its names stands for, a constant, a value or a shape. In: a model;
//! out: a network. It knows no operator.

use std::cell::Cell;
use std::collections::HashMap;

use super::expr::{Expr, Known};
use super::network::Network;
use super::view::{Atom, BATCH, Size, View};
use crate::onnx::{Attribute, Damage, Dim, Fetch, Model, Node, Tensor};

/// A constant, and the initialiser it was made of.
#[derive(Clone)]
pub struct Constant<'a> {
    pub tensor: Tensor<'a>,
    pub origin: &'a str,
}

/// A value of the network: what it begins with, what has been done to each number, how it is laid out.
#[derive(Clone)]
pub struct Value {
    pub base: usize,
    pub view: View,
    pub expr: Expr,
    /// A dimension of which this is one index.
    pub part: Option<(Vec<Atom>, usize)>,
}

/// How well queries and keys match, before a softmax and after it.
#[derive(Clone)]
pub struct Scores {
    pub query: Value,
    /// As `[…, steps, features]`.
    pub key: Value,
    pub scale: f32,
    pub causal: bool,
    pub weights: bool,
}

/// What a node makes, or why it is no layer.
pub type Made<'a> = Result<Vec<Held<'a>>, String>;

/// What a name stands for.
#[derive(Clone)]
pub enum Held<'a> {
    Constant(Constant<'a>),
    Value(Value),
    /// Of an attention that is not complete.
    Scores(Box<Scores>),
    /// A shape, or one of its sizes.
    Sizes(Vec<Size>),
    /// Zeros of whatever shape.
    Zeros,
    /// It cannot be said as layers: why.
    Lost(String),
}

pub struct Reader<'a, 'f> {
    pub network: Network,
    pub fetch: &'f Fetch<'f>,
    /// How many nodes and outputs read a name.
    pub readers: HashMap<&'a str, usize>,
    held: HashMap<&'a str, Held<'a>>,
    /// What has been made of an expression already.
    settled: Vec<(usize, Expr, usize)>,
    /// How many numbers may still be computed from constants, or become parameters.
    room: Cell<usize>,
    /// The size of the batch where the file fixes it.
    pub batch: Option<i64>,
}

/// Numbers that a small file may take more than it has bytes.
const ROOM: usize = 1 << 16;

/// The network of a model whose file has so many bytes, and notes about outputs that are left out.
/// What a node makes is for `operator` to say.
pub fn read<'a>(
    model: &Model<'a>,
    size: usize,
    fetch: &Fetch,
    operator: fn(&mut Reader<'a, '_>, &Node<'a>) -> Made<'a>,
) -> Result<(Network, Vec<String>), Damage> {
    let graph = &model.graph;
    let mut readers = HashMap::new();
    let reads = graph.nodes.iter().flat_map(|node| &node.inputs).chain(graph.outputs.iter().map(|port| &port.name));
    reads.for_each(|name| *readers.entry(*name).or_insert(0) += 1);
    let (network, held, settled) = (Network::default(), HashMap::new(), Vec::new());
    let room = Cell::new(size / 2 + ROOM);
    let mut reader = Reader { network, fetch, readers, held, settled, room, batch: None };
    for tensor in &graph.initializers {
        let constant = Constant { tensor: tensor.clone(), origin: tensor.name };
        reader.held.insert(tensor.name, Held::Constant(constant));
    }
    for port in graph.inputs.iter().filter(|port| graph.initializers.iter().all(|tensor| tensor.name != port.name)) {
        reader.input(port.name, &port.dims)?;
    }
    if reader.network.inputs.is_empty() {
        return Err(Damage::saying("expected a graph with an input\nhelp: export the whole model".to_owned()));
    }
    for node in &graph.nodes {
        let before = reader.network.sites.len();
        let lost = node.inputs.iter().find_map(|name| match reader.held.get(name) {
            Some(Held::Lost(why)) => Some(why.clone()),
            _ => None,
        });
        let made = match lost {
            Some(why) => Err(why),
            None => operator(&mut reader, node).map_err(|why| explained(node, &why)),
        };
        if let [one] = node.outputs[..]
            && let Some(site) = reader.network.sites.get_mut(before..).and_then(|new| new.last_mut())
        {
            site.lone = reader.readers.get(one) == Some(&1);
        }
        let params = reader.network.sites[before..].iter().flat_map(|site| &site.params);
        let new: usize = params.map(|param| param.values.len()).sum();
        let made = reader.take(new).and(made);
        let made = made.unwrap_or_else(|why| node.outputs.iter().map(|_| Held::Lost(why.clone())).collect());
        node.outputs.iter().zip(made).for_each(|(name, held)| drop(reader.held.insert(name, held)));
    }
    let mut notes = Vec::new();
    for port in &graph.outputs {
        match reader.declared(port.name) {
            Ok(value) => reader.network.outputs.push((port.name.to_owned(), value)),
            Err(why) => notes.push(why),
        }
    }
    if reader.network.outputs.is_empty() {
        return Err(Damage::saying(notes.into_iter().next().unwrap_or("expected a graph with an output".to_owned())));
    }
    Ok((reader.network, notes.into_iter().map(|why| format!("left out: {why}")).collect()))
}

fn explained(node: &Node, why: &str) -> String {
    let name = if node.name.is_empty() { node.outputs.first().copied().unwrap_or("") } else { node.name };
    format!("node `{name}`, `{}`: {why}", node.operator)
}

impl<'a> Reader<'a, '_> {
    fn input(&mut self, name: &'a str, dims: &[Dim]) -> Result<(), Damage> {
        let mut shape = Vec::new();
        for (i, dim) in dims.iter().enumerate() {
            match dim {
                Dim::Size(size) if i == 0 => self.batch = Some(*size),
                Dim::Named(_) if i == 0 => {}
                Dim::Size(size) if (1..1 << 24).contains(size) => shape.push(*size as usize),
                _ => {
                    let text = format!("`{name}`: expected a size for dimension {i} of the input, found {dim:?}");
                    return Err(Damage::saying(text + "\nhelp: export it with all sizes but the batch fixed"));
                }
            }
        }
        // A single number for each sample.
        if shape.is_empty() {
            shape.push(1);
        }
        if shape.len() > 6 {
            return Err(Damage::saying(format!("`{name}`: expected at most 6 dimensions beside the batch")));
        }
        let value = self.network.value(&shape);
        self.network.inputs.push(name.to_owned());
        let mut view = self.network.plain(value);
        view.truncate(dims.len().max(1));
        self.held.insert(name, Held::Value(Value { base: value, view, expr: Expr::X, part: None }));
        Ok(())
    }

    /// What an input of a node stands for; nothing where it is left out.
    pub fn held(&self, node: &Node<'a>, k: usize) -> Option<&Held<'a>> {
        self.held.get(node.inputs.get(k).copied().filter(|name| !name.is_empty())?)
    }

    pub fn value(&self, node: &Node<'a>, k: usize) -> Result<Value, String> {
        match self.held(node, k) {
            Some(Held::Value(value)) => Ok(value.clone()),
            _ => Err(format!("expected a value of the network as input {k}")),
        }
    }

    pub fn constant(&self, node: &Node<'a>, k: usize) -> Result<Constant<'a>, String> {
        match self.held(node, k) {
            Some(Held::Constant(constant)) => Ok(constant.clone()),
            _ => Err(format!("expected constant numbers as input {k}, found what is computed from an input")),
        }
    }

    /// Refuses what is much larger than the file: copies of one constant, again and again.
    pub fn take(&self, numbers: usize) -> Result<(), String> {
        match self.room.get().checked_sub(numbers) {
            Some(rest) => {
                self.room.set(rest);
                Ok(())
            }
            None => {
                Err("expected fewer numbers than the file holds\nhelp: export it with its constants folded".to_owned())
            }
        }
    }

    /// The numbers and dimensions of a constant input.
    pub fn floats(&self, node: &Node<'a>, k: usize) -> Result<(Vec<usize>, Vec<f32>), String> {
        let constant = self.constant(node, k)?;
        let values = constant.tensor.to_floats(self.fetch).map_err(|error| error.to_string())?;
        Ok((constant.tensor.dims, values))
    }

    /// Whole numbers of an input that is a constant, or sizes that do not depend on the batch.
    pub fn ints(&self, node: &Node<'a>, k: usize) -> Result<Vec<i64>, String> {
        if let Some(Held::Sizes(sizes)) = self.held(node, k)
            && let Some(sizes) = sizes.iter().copied().collect()
        {
            return Ok(sizes);
        }
        self.constant(node, k)?.tensor.to_ints(self.fetch).map_err(|error| error.to_string())
    }

    /// The value behind an expression, with its layers added.
    pub fn settled(&mut self, value: &Value) -> Result<usize, String> {
        if value.part.is_some() {
            return Err("expected all of a value, found one index of it\nhelp: the nearest is `Split`".to_owned());
        }
        self.settle(value.base, &value.expr)
    }

    fn settle(&mut self, base: usize, expr: &Expr) -> Result<usize, String> {
        if let Some((_, _, made)) = self.settled.iter().find(|(from, known, _)| *from == base && known == expr) {
            return Ok(*made);
        }
        let shape = self.network.shapes[base].clone();
        let made = match expr.known(&shape)? {
            Known::Same => return Ok(base),
            Known::After(first, then) => {
                let first = self.settle(base, &first)?;
                self.settle(first, &then)?
            }
            Known::Layer(kind, args, params) => {
                let y = self.network.layer(kind, &args, &[base], &shape);
                if !params.is_empty() {
                    self.network.params("norm", String::new(), params);
                }
                y
            }
            Known::Formula(text) => {
                let formulas = &mut self.network.formulas;
                let name = match formulas.iter().find(|(_, other)| *other == text) {
                    Some((name, _)) => name.clone(),
                    None => {
                        formulas.push((format!("Formula{}", formulas.len() + 1), text));
                        formulas[formulas.len() - 1].0.clone()
                    }
                };
                self.network.layer(&name, "", &[base], &shape)
            }
        };
        if self.network.shapes[made] == shape {
            self.network.axes[made] = self.network.axes[base].clone();
        }
        self.settled.push((base, expr.clone(), made));
        Ok(made)
    }

    /// A value with all its layers, in these dimensions behind the batch.
    pub fn laid_out(&mut self, value: &Value, view: &View) -> Result<usize, String> {
        let settled = self.settled(value)?;
        self.network.laid_out(settled, view).ok_or_else(|| "expected the batch as the first dimension".to_owned())
    }

    /// A value as its own view has it.
    pub fn plain(&mut self, value: &Value) -> Result<usize, String> {
        self.laid_out(value, &value.view.clone())
    }

    fn declared(&mut self, name: &str) -> Result<usize, String> {
        match self.held.get(name).cloned() {
            Some(Held::Value(value)) => {
                let made = self.plain(&value)?;
                match self.network.sites.iter().any(|site| (site.y..site.y + site.made).contains(&made)) {
                    true => Ok(made),
                    false => Err(format!("output `{name}`: expected a value that a layer makes, found an input")),
                }
            }
            Some(Held::Lost(why)) => Err(why),
            _ => Err(format!("output `{name}`: expected a value of the network, found a constant")),
        }
    }

    /// What a layer has made, as it is.
    pub fn made(&self, value: usize) -> Held<'a> {
        self.made_as(value, self.network.plain(value))
    }

    pub fn made_as(&self, base: usize, view: View) -> Held<'a> {
        Held::Value(Value { base, view, expr: Expr::X, part: None })
    }

    /// The axis of a value's own dimensions that a dimension of its view is.
    pub fn axis(&self, value: &Value, dim: usize) -> Option<usize> {
        let wanted = self.network.atoms.whole(value.view.get(dim)?);
        let own = &self.network.axes[value.base];
        own.iter().position(|axis| !wanted.is_empty() && self.network.atoms.whole(axis) == wanted)
    }
}

/// A dimension of a view, counted from the end where the number is negative.
pub fn dim_of(view: &View, axis: i64) -> Result<usize, String> {
    let rank = view.len() as i64;
    let at = if axis < 0 { axis + rank } else { axis };
    if (0..rank).contains(&at) { Ok(at as usize) } else { Err(format!("expected an axis below {rank}, found {axis}")) }
}

pub fn is_batch(dim: &[Atom]) -> bool {
    *dim == [BATCH]
}

/// A node's attribute as a whole number.
pub fn int(node: &Node, name: &str, default: i64) -> i64 {
    match attribute(node, name) {
        Some(Attribute::Int(value)) => *value,
        _ => default,
    }
}

pub fn float(node: &Node, name: &str, default: f32) -> f32 {
    match attribute(node, name) {
        Some(Attribute::Float(value)) => *value,
        _ => default,
    }
}

pub fn text<'a>(node: &Node<'a>, name: &str, default: &'a str) -> &'a str {
    match attribute(node, name) {
        Some(Attribute::Text(value)) => value,
        _ => default,
    }
}

pub fn ints(node: &Node, name: &str) -> Option<Vec<i64>> {
    match attribute(node, name) {
        Some(Attribute::Ints(values)) => Some(values.clone()),
        _ => None,
    }
}

pub fn attribute<'n, 'a>(node: &'n Node<'a>, name: &str) -> Option<&'n Attribute<'a>> {
    node.attributes.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
}
