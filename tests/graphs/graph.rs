//! A declaration as data: networks of sites and numbered values, with the names that the language gives them.
//! In: what `draw` decides; out: what `codegen` writes and `interpreter` computes. It knows no syntax and no
//! float.

mod recurrent;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kinds::Operation;
use crate::random_formulas::{Formula, Setting};

pub use recurrent::{Cell, Direction, Recurrent};

pub type Shape = Vec<usize>;

/// Several networks; the last one is what is tested, the others are layers of those after them.
pub struct Program {
    /// Formulas declared beside them.
    pub formulas: Vec<Arc<Formula>>,
    pub nets: Vec<Net>,
}

impl Program {
    /// Whether a layer of this word is in it.
    pub fn holds(&self, word: &str) -> bool {
        self.nets.iter().flat_map(|net| &net.sites).any(|site| site.kind.is(word))
    }

    pub fn top(&self) -> &Net {
        self.nets.last().expect("a program has a network")
    }
}

/// What the numbers of an input are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ValueKind {
    Numbers,
    /// 1 a step, 0 padding.
    Mask,
    /// Whole numbers below this.
    Ids(usize),
}

/// Values are numbered: first the inputs, then what each site makes.
#[derive(Default)]
pub struct Net {
    pub name: String,
    pub inputs: Vec<String>,
    /// What each input holds.
    pub value_kinds: Vec<ValueKind>,
    pub outputs: Vec<(String, usize)>,
    /// The only input, or output, has no name in the declaration.
    pub plain: [bool; 2],
    pub sites: Vec<Site>,
    pub shapes: Vec<Shape>,
    /// A softmax is somewhere in it.
    pub soft: bool,
}

#[derive(Clone)]
pub struct Site {
    pub name: String,
    pub label: Option<String>,
    pub kind: Kind,
    pub x: Vec<usize>,
    /// The first value made, and how many there are.
    pub y: usize,
    pub made: usize,
    /// Repeated so often in a row; `None` says nothing of it, which is once.
    pub times: Option<usize>,
    pub frozen: bool,
    /// The label it shares, and the site whose parameters these are.
    pub shares: Option<(String, usize)>,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Dense {
        units: usize,
        bias: bool,
    },
    DensePerStep {
        units: usize,
    },
    Flatten,
    Reshape(Shape),
    Curve(Curve),
    Softmax,
    LogSoftmax,
    Sum,
    Product,
    Concat {
        axis: usize,
    },
    Split {
        sizes: Vec<usize>,
        axis: usize,
    },
    /// Of a sequence, and perhaps a mask.
    Recurrent(Recurrent),
    /// Of a sequence, perhaps a memory, perhaps a mask.
    Attention {
        heads: usize,
        causal: bool,
        bias: bool,
    },
    CausalConv {
        filters: usize,
        kernel: usize,
        dilation: usize,
    },
    PositionalEncoding {
        learnt: bool,
    },
    LayerNorm,
    LastStep,
    GlobalAvgPool,
    Embedding {
        vocabulary: usize,
        features: usize,
    },
    /// One of those with a file of their own.
    Operation(Arc<dyn Operation>),
    /// A formula of the program, perhaps with its constant given.
    Formula(Arc<Formula>, Option<f64>),
    Net(usize),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Curve {
    Relu,
    LeakyRelu,
    Elu,
    Gelu,
    Silu,
    Sigmoid,
    Softplus,
    Tanh,
}

impl Curve {
    pub const ALL: [Curve; 8] = [
        Curve::Relu,
        Curve::LeakyRelu,
        Curve::Elu,
        Curve::Gelu,
        Curve::Silu,
        Curve::Sigmoid,
        Curve::Softplus,
        Curve::Tanh,
    ];
}

/// Unary parameter tensor: its name, its shape, and whether training leaves it alone.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    pub name: String,
    pub shape: Shape,
    pub frozen: bool,
    /// It follows the batches instead of its gradient.
    pub running: bool,
}

impl Site {
    pub fn repeats(&self) -> usize {
        self.times.unwrap_or(1)
    }

    /// The names of its copies: a single one has no number.
    pub fn copy(&self, prefix: &str, c: usize) -> String {
        match self.repeats() {
            1 => format!("{prefix}{}", self.name),
            _ => format!("{prefix}{}.{c}", self.name),
        }
    }
}

impl Net {
    /// Names every site: its label, or its kind and running count among those without.
    pub fn name_sites(&mut self, nets: &[Net]) {
        let mut counts = BTreeMap::<String, usize>::new();
        for site in &mut self.sites {
            site.name = match &site.label {
                Some(label) => label.clone(),
                None => {
                    let kind = snake(&site.kind.word(nets));
                    let count = counts.entry(kind.clone()).or_default();
                    *count += 1;
                    format!("{kind}_{count}")
                }
            };
        }
    }

    /// How often a value is read within the network.
    pub fn readers(&self, value: usize) -> usize {
        self.sites.iter().flat_map(|site| &site.x).filter(|&&x| x == value).count()
    }

    pub fn writer(&self, value: usize) -> Option<&Site> {
        self.sites.iter().find(|site| (site.y..site.y + site.made).contains(&value))
    }

    /// Any numbers: neither a mask nor ids.
    pub fn is_any(&self, value: usize) -> bool {
        self.value_kinds.get(value).is_none_or(|value_kind| *value_kind == ValueKind::Numbers)
    }

    pub fn input_shapes(&self) -> &[Shape] {
        &self.shapes[..self.inputs.len()]
    }

    pub fn output_shapes(&self) -> Vec<Shape> {
        self.outputs.iter().map(|(_, value)| self.shapes[*value].clone()).collect()
    }

    /// All parameters in the order of the sites, those of networks within too.
    pub fn tensors(&self, nets: &[Net], prefix: &str, frozen: bool, all: &mut Vec<Tensor>) {
        for site in self.sites.iter().filter(|site| site.shares.is_none()) {
            let frozen = frozen || site.frozen;
            for c in 0..site.repeats() {
                let name = site.copy(prefix, c);
                if let Kind::Net(inner) = site.kind {
                    nets[inner].tensors(nets, &format!("{name}."), frozen, all);
                }
                let x = &self.shapes[site.x[0]];
                for (param, shape) in site.kind.params(x) {
                    all.push(Tensor { name: format!("{name}.{param}"), shape, frozen, running: false });
                }
                for (param, shape) in site.kind.running(x) {
                    all.push(Tensor { name: format!("{name}.{param}"), shape, frozen, running: true });
                }
            }
        }
    }
}

impl Kind {
    /// As it is written.
    pub fn word(&self, nets: &[Net]) -> String {
        match self {
            Kind::Dense { .. } => "Dense".into(),
            Kind::DensePerStep { .. } => "DensePerStep".into(),
            Kind::Reshape(_) => "Reshape".into(),
            Kind::Concat { .. } => "Concat".into(),
            Kind::Split { .. } => "Split".into(),
            Kind::Curve(curve) => format!("{curve:?}"),
            Kind::Recurrent(of) => format!("{:?}", of.cell),
            Kind::Attention { .. } => "MultiHeadAttention".into(),
            Kind::CausalConv { .. } => "Conv1d".into(),
            Kind::PositionalEncoding { .. } => "PositionalEncoding".into(),
            Kind::Embedding { .. } => "Embedding".into(),
            Kind::Operation(of) => of.word().into(),
            Kind::Formula(formula, _) => formula.word.into(),
            Kind::Net(inner) => nets[*inner].name.clone(),
            simple => format!("{simple:?}"),
        }
    }

    /// Whether it is a layer of this word.
    pub fn is(&self, word: &str) -> bool {
        !matches!(self, Kind::Net(_)) && self.word(&[]) == word
    }

    /// The parameters of one layer on an input of this shape.
    pub fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        let features = x.last().copied().unwrap_or(1);
        match self {
            Kind::Dense { units, bias: true } | Kind::DensePerStep { units } => {
                vec![("weight", vec![*units, features]), ("bias", vec![*units])]
            }
            Kind::Dense { units, bias: false } => vec![("weight", vec![*units, features])],
            Kind::Recurrent(of) => of.params(features),
            Kind::Attention { bias, .. } => {
                let mut all = vec![("in_proj_weight", vec![3 * features, features])];
                all.extend(bias.then(|| ("in_proj_bias", vec![3 * features])));
                all.push(("out_proj.weight", vec![features, features]));
                all.extend(bias.then(|| ("out_proj.bias", vec![features])));
                all
            }
            Kind::CausalConv { filters, kernel, .. } => {
                vec![("weight", vec![*filters, features, *kernel]), ("bias", vec![*filters])]
            }
            Kind::PositionalEncoding { learnt: true } => vec![("weight", x.to_vec())],
            Kind::LayerNorm => vec![("weight", vec![features]), ("bias", vec![features])],
            Kind::Embedding { vocabulary, features } => vec![("weight", vec![*vocabulary, *features])],
            Kind::Operation(of) => of.params(x),
            Kind::Formula(formula, _) => match formula.setting {
                Setting::Learnt(_) => vec![(Setting::LEARNT, vec![1])],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Parameters behind those that follow the batches.
    pub fn running(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        match self {
            Kind::Operation(of) => of.running(x),
            _ => Vec::new(),
        }
    }

    /// True if there is anything to learn, freeze or share.
    pub fn learns(&self, nets: &[Net]) -> bool {
        match self {
            Kind::Net(inner) => nets[*inner].sites.iter().any(|site| site.kind.learns(nets)),
            own => !own.params(&[1, 1, 1]).is_empty(),
        }
    }

    /// The shapes of the outputs.
    pub fn outputs(&self, x: &[&Shape], nets: &[Net]) -> Vec<Shape> {
        let mut y = x[0].clone();
        match self {
            Kind::Dense { units, .. } => y = vec![*units],
            Kind::DensePerStep { units } => y[1] = *units,
            Kind::Flatten => y = vec![y.iter().product()],
            Kind::Reshape(shape) => y.clone_from(shape),
            Kind::Concat { axis } => y[*axis] = x.iter().map(|x| x[*axis]).sum(),
            Kind::Split { sizes, axis } => {
                let part = |size: &usize| {
                    let mut part = y.clone();
                    part[*axis] = *size;
                    part
                };
                return sizes.iter().map(part).collect();
            }
            Kind::Recurrent(of) => {
                y[1] = of.ways().len() * of.units;
                y.drain(..usize::from(of.last));
            }
            Kind::CausalConv { filters, .. } => y[1] = *filters,
            Kind::LastStep => y = vec![y[1]],
            // Of steps the features, of images the channels.
            Kind::GlobalAvgPool => y = vec![if y.len() == 2 { y[1] } else { y[0] }],
            Kind::Embedding { features, .. } => y.push(*features),
            Kind::Operation(of) => y = of.output(&y),
            Kind::Net(inner) => return nets[*inner].output_shapes(),
            Kind::Curve(_)
            | Kind::Softmax
            | Kind::LogSoftmax
            | Kind::Sum
            | Kind::Product
            | Kind::Attention { .. }
            | Kind::PositionalEncoding { .. }
            | Kind::LayerNorm
            | Kind::Formula(..) => {}
        }
        vec![y]
    }
}

/// `DensePerStep` as a name: `dense_per_step`.
fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
