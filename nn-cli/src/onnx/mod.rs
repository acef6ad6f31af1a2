//! ONNX files, read in place. In: bytes, which may be anything; out: nodes, tensors, ports, or what is wrong
//! with the file. It follows no name and computes nothing.

mod protobuf;
mod tensor;

use std::fmt;

use protobuf::{Field, Message};
pub use tensor::{Elements, Fetch, Tensor};

/// Inputs, outputs, attributes and dimensions that a file may have in all. Real networks have thousands; with
/// a limit, what is read of a file is no larger than the file.
const MOST: usize = 200_000;

/// What is wrong with a file, or cannot be read.
#[derive(Clone, PartialEq, Debug)]
pub struct Damage(String);

impl Damage {
    /// Expected, found: nothing of the kind.
    pub(crate) fn new(expected: &str) -> Damage {
        Damage(format!("expected {expected}\nhelp: the file is damaged, or no ONNX file: export it again"))
    }

    pub(crate) fn saying(text: String) -> Damage {
        Damage(text)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Damage {}

/// A model file.
#[derive(Default)]
pub struct Model<'a> {
    pub ir_version: i64,
    pub producer: &'a str,
    pub producer_version: &'a str,
    /// Domains and versions of operators; the standard domain is "".
    pub opsets: Vec<(&'a str, i64)>,
    pub graph: Graph<'a>,
}

#[derive(Default)]
pub struct Graph<'a> {
    pub name: &'a str,
    pub nodes: Vec<Node<'a>>,
    pub initializers: Vec<Tensor<'a>>,
    pub inputs: Vec<Port<'a>>,
    pub outputs: Vec<Port<'a>>,
}

#[derive(Default)]
pub struct Node<'a> {
    pub operator: &'a str,
    pub domain: &'a str,
    pub name: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub attributes: Vec<(&'a str, Attribute<'a>)>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Attribute<'a> {
    Float(f32),
    Int(i64),
    Text(&'a str),
    Tensor(Tensor<'a>),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<&'a str>),
    /// A graph, or another kind that no layer needs.
    Other,
}

/// An input or output of the graph.
#[derive(Default)]
pub struct Port<'a> {
    pub name: &'a str,
    pub element: i64,
    /// A number, or the name of one that is not fixed.
    pub dims: Vec<Dim<'a>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Dim<'a> {
    Size(i64),
    Named(&'a str),
}

/// How much may still be read.
struct Budget(usize);

impl Budget {
    fn take(&mut self, count: usize) -> Result<(), Damage> {
        self.0 = self.0.checked_sub(count).ok_or_else(|| {
            Damage(format!("expected at most {MOST} names, attributes and dimensions in all\nhelp: export it again"))
        })?;
        Ok(())
    }
}

impl<'a> Model<'a> {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// The bytes are no ONNX file, or one with more parts than any network has.
    pub fn read(bytes: &'a [u8]) -> Result<Model<'a>, Damage> {
        let mut budget = Budget(MOST);
        let mut model = Model::default();
        let mut message = Message::new(bytes);
        let mut graphs = 0;
        while let Some(field) = message.field() {
            match field? {
                (1, field) => model.ir_version = field.int()?,
                (2, field) => model.producer = field.text()?,
                (3, field) => model.producer_version = field.text()?,
                (7, field) => {
                    graphs += 1;
                    model.graph = Graph::read(field.message()?, &mut budget)?;
                }
                (8, field) => {
                    budget.take(1)?;
                    model.opsets.push(opset(field.message()?)?);
                }
                _ => {}
            }
        }
        match graphs {
            1 => Ok(model),
            _ => Err(Damage::new("a model with one graph")),
        }
    }
}

fn opset(mut message: Message<'_>) -> Result<(&str, i64), Damage> {
    let (mut domain, mut version) = ("", 0);
    while let Some(field) = message.field() {
        match field? {
            (1, field) => domain = field.text()?,
            (2, field) => version = field.int()?,
            _ => {}
        }
    }
    Ok((if domain == "ai.onnx" { "" } else { domain }, version))
}

impl<'a> Graph<'a> {
    fn read(mut message: Message<'a>, budget: &mut Budget) -> Result<Graph<'a>, Damage> {
        let mut graph = Graph::default();
        while let Some(field) = message.field() {
            let (number, field) = field?;
            if matches!(number, 1 | 5 | 11 | 12) {
                budget.take(1)?;
            }
            match number {
                1 => graph.nodes.push(Node::read(field.message()?, budget)?),
                2 => graph.name = field.text()?,
                5 => graph.initializers.push(Tensor::read(field.message()?, budget)?),
                11 => graph.inputs.push(Port::read(field.message()?, budget)?),
                12 => graph.outputs.push(Port::read(field.message()?, budget)?),
                _ => {}
            }
        }
        Ok(graph)
    }
}

impl<'a> Node<'a> {
    fn read(mut message: Message<'a>, budget: &mut Budget) -> Result<Node<'a>, Damage> {
        let mut node = Node::default();
        while let Some(field) = message.field() {
            let (number, field) = field?;
            if matches!(number, 1 | 2 | 5) {
                budget.take(1)?;
            }
            match number {
                1 => node.inputs.push(field.text()?),
                2 => node.outputs.push(field.text()?),
                3 => node.name = field.text()?,
                4 => node.operator = field.text()?,
                5 => node.attributes.push(attribute(field.message()?, budget)?),
                7 => node.domain = field.text()?,
                _ => {}
            }
        }
        if node.domain == "ai.onnx" {
            node.domain = "";
        }
        Ok(node)
    }
}

fn attribute<'a>(mut message: Message<'a>, budget: &mut Budget) -> Result<(&'a str, Attribute<'a>), Damage> {
    let (mut name, mut kind) = ("", 0);
    let (mut float, mut int, mut text, mut tensor) = (0.0, 0, None, None);
    let (mut floats, mut whole, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(field) = message.field() {
        match field? {
            (1, field) => name = field.text()?,
            (2, field) => float = field.float()?,
            (3, field) => int = field.int()?,
            (4, field) => text = Some(field),
            (5, field) => tensor = Some(field),
            (7, field) => repeated(field, budget, &mut floats, |field| field.float())?,
            (8, field) => repeated(field, budget, &mut whole, |field| field.int())?,
            (9, field) => {
                budget.take(1)?;
                texts.push(field.text()?);
            }
            (20, field) => kind = field.int()?,
            _ => {}
        }
    }
    let value = match kind {
        1 => Attribute::Float(float),
        2 => Attribute::Int(int),
        3 => Attribute::Text(text.map_or(Ok(""), Field::text)?),
        4 => match tensor {
            Some(tensor) => Attribute::Tensor(Tensor::read(tensor.message()?, budget)?),
            None => Attribute::Other,
        },
        6 => Attribute::Floats(floats),
        7 => Attribute::Ints(whole),
        8 => Attribute::Texts(texts),
        _ => Attribute::Other,
    };
    Ok((name, value))
}

/// Numbers one by one, or packed side by side in one field.
fn repeated<'a, T>(
    field: Field<'a>,
    budget: &mut Budget,
    to: &mut Vec<T>,
    read: impl Fn(Field<'a>) -> Result<T, Damage>,
) -> Result<(), Damage> {
    let Field::Bytes(bytes) = field else {
        budget.take(1)?;
        to.push(read(field)?);
        return Ok(());
    };
    let mut rest = Message::new(bytes);
    while !rest.is_empty() {
        budget.take(1)?;
        let field = match read(Field::Varint(0)).is_ok() {
            true => Field::Varint(rest.varint()?),
            false => Field::Bytes4(rest.array()?),
        };
        to.push(read(field)?);
    }
    Ok(())
}

impl<'a> Port<'a> {
    fn read(mut message: Message<'a>, budget: &mut Budget) -> Result<Port<'a>, Damage> {
        let mut port = Port::default();
        while let Some(field) = message.field() {
            match field? {
                (1, field) => port.name = field.text()?,
                (2, field) => {
                    let mut kind = field.message()?;
                    while let Some(field) = kind.field() {
                        if let (1, field) = field? {
                            port.read_tensor_type(field.message()?, budget)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(port)
    }

    fn read_tensor_type(&mut self, mut message: Message<'a>, budget: &mut Budget) -> Result<(), Damage> {
        while let Some(field) = message.field() {
            match field? {
                (1, field) => self.element = field.int()?,
                (2, field) => {
                    let mut shape = field.message()?;
                    while let Some(field) = shape.field() {
                        if let (1, field) = field? {
                            budget.take(1)?;
                            self.dims.push(dim(field.message()?)?);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn dim(mut message: Message<'_>) -> Result<Dim<'_>, Damage> {
    let mut dim = Dim::Named("");
    while let Some(field) = message.field() {
        match field? {
            (1, field) => dim = Dim::Size(field.int()?),
            (2, field) => dim = Dim::Named(field.text()?),
            _ => {}
        }
    }
    Ok(dim)
}
