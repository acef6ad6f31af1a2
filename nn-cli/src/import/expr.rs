//! Elementwise operators as one expression of the value they begin with, until it is known which layer they
//! are: an activation by its operator or its formula, a normaliser, or a formula of one's own. In: operators;
//! out: a layer's words.

use super::network::Param;

/// A function of one value, number by number.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    X,
    Number(f32),
    /// A number for each index of an axis, the batch not counted.
    Vector {
        axis: usize,
        values: Vec<f32>,
    },
    /// An operator by its name in formulas, or of its own, with settings.
    Unary(&'static str, Vec<f32>, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
}
use Expr::{Binary, Number, Unary, Vector, X};

/// What an expression is as a layer.
pub enum Known {
    /// Nothing at all.
    Same,
    /// A layer, its arguments, its parameters.
    Layer(&'static str, String, Vec<Param>),
    /// One of the value that another expression makes first.
    After(Expr, Expr),
    /// A formula's text.
    Formula(String),
}

/// How a setting is written: the shortest text that is the number, with a point.
pub fn number(value: f32) -> String {
    format!("{value:?}")
}

impl Expr {
    pub fn unary(self, name: &'static str, settings: &[f32]) -> Expr {
        Unary(name, settings.to_vec(), Box::new(self))
    }

    pub fn binary(self, name: &'static str, other: Expr) -> Expr {
        Binary(name, Box::new(self), Box::new(other))
    }

    /// What it is as a layer of a value of these dimensions.
    ///
    /// # Errors
    /// What cannot be said, in words.
    pub fn known(&self, shape: &[usize]) -> Result<Known, String> {
        if *self == X {
            return Ok(Known::Same);
        }
        if let Some(layer) = self.activation() {
            return Ok(layer);
        }
        if let Some(normalization) = self.normalization(shape) {
            return Ok(normalization);
        }
        if let Unary(name, settings, inner) = self
            && **inner != X
            && (X.unary(name, settings).activation().is_some() || inner.has_vector())
        {
            return Ok(Known::After((**inner).clone(), X.unary(name, settings)));
        }
        if let Some((inner, line)) = self.split()
            && inner != X
            && line.has_vector()
        {
            return Ok(Known::After(inner, line));
        }
        if self.has_vector() {
            return Err("numbers for each feature, joined in a way that no layer does".to_owned());
        }
        self.text().map(Known::Formula)
    }

    /// What a chain of sums and products with constants begins with, and the chain.
    fn split(&self) -> Option<(Expr, Expr)> {
        let constant = |expr: &Expr| matches!(expr, Number(_) | Vector { .. });
        match self {
            Binary(name @ ("add" | "sub" | "mul" | "div"), a, b) if constant(b) => {
                let (inner, line) = a.split()?;
                Some((inner, line.binary(name, (**b).clone())))
            }
            Binary(name @ ("add" | "sub" | "mul"), a, b) if constant(a) => {
                let (inner, line) = b.split()?;
                Some((inner, (**a).clone().binary(name, line)))
            }
            Number(_) | Vector { .. } => None,
            other => Some((other.clone(), X)),
        }
    }

    fn has_vector(&self) -> bool {
        match self {
            Vector { .. } => true,
            X | Number(_) => false,
            Unary(_, _, a) => a.has_vector(),
            Binary(_, a, b) => a.has_vector() || b.has_vector(),
        }
    }

    /// The layer of an operator, or of the formula by which exporters write it.
    fn activation(&self) -> Option<Known> {
        let plain = |name| Some(Known::Layer(name, String::new(), Vec::new()));
        let with = |name, setting: &str, value: f32, default: f32| {
            let args = if value == default { String::new() } else { format!("{setting} = {}", number(value)) };
            Some(Known::Layer(name, args, Vec::new()))
        };
        if let Unary(name, settings, inner) = self
            && **inner == X
        {
            match (*name, &settings[..]) {
                ("relu", _) => return plain("Relu"),
                ("sigmoid", _) => return plain("Sigmoid"),
                ("tanh", _) => return plain("Tanh"),
                ("softplus", _) => return plain("Softplus"),
                ("leaky_relu", [slope]) => return with("LeakyRelu", "slope", *slope, 0.01),
                ("elu", [alpha]) => return with("Elu", "alpha", *alpha, 1.0),
                ("selu", [alpha, gamma]) if near(*alpha, 1.673_263_2) && near(*gamma, 1.050_701) => {
                    return plain("Selu");
                }
                ("hard_sigmoid", [alpha, beta]) if near(*alpha, 1.0 / 6.0) && *beta == 0.5 => {
                    return plain("HardSigmoid");
                }
                ("gelu", [approximate]) if *approximate == 0.0 => return plain("Gelu"),
                ("gelu", _) => return Some(Known::Layer("Gelu", "approximate = true".to_owned(), Vec::new())),
                ("hard_swish", _) => return plain("HardSwish"),
                ("mish", _) => return plain("Mish"),
                ("silu", [beta]) if *beta == 1.0 => return plain("Silu"),
                _ => {}
            }
        }
        match self.shown().as_str() {
            "sigmoid(x)·x" => plain("Silu"),
            "tanh(softplus(x))·x" => plain("Mish"),
            "0.500·(1.00+erf(0.707·x))·x" => plain("Gelu"),
            "0.500·(1.00+tanh(0.798·(0.0447·x·x·x+x)))·x" | "0.500·(1.00+tanh(0.798·(1.00+0.0447·x·x)·x))·x" => {
                Some(Known::Layer("Gelu", "approximate = true".to_owned(), Vec::new()))
            }
            "hard_sigmoid[0.167, 0.500](x)·x" | "0.167·clip[0.00, 6.00]((3.00+x))·x" => plain("HardSwish"),
            "0.167·clip[0.00, 6.00]((3.00+x))" => plain("HardSigmoid"),
            "clip[0.00, inf](x)" => plain("Relu"),
            _ => None,
        }
    }

    /// `(x - mean) / std` of each channel, where numbers for each index of one axis are in it.
    fn normalization(&self, shape: &[usize]) -> Option<Known> {
        let axis = self.axis()?;
        let len = *shape.get(axis)?;
        let exact = match self {
            Binary("div", a, b) => a.centre().zip(Some(b.each(len)?)),
            Binary("mul", a, b) => match (a.centre(), b.each(len)) {
                (Some(mean), Some(factor)) => Some((mean, factor.iter().map(|factor| 1.0 / factor).collect())),
                _ => None,
            },
            _ => None,
        };
        let exact = exact.and_then(|(mean, std)| Some((mean.each(len)?, std)));
        let Some((mean, std)) = exact else { return self.scale(len, axis, shape.len()) };
        if !mean.iter().chain(&std).all(|value: &f32| value.is_finite()) || std.iter().any(|std| *std < 0.0) {
            return None;
        }
        let args = axis_arg(axis, shape.len());
        let params = [Param::new("mean", &[len], mean), Param::new("std", &[len], std)];
        Some(Known::Layer("Normalization", args, params.into()))
    }

    /// A line of its own for each channel, as exporters write a batch normalisation.
    fn scale(&self, len: usize, axis: usize, rank: usize) -> Option<Known> {
        let [factor, more] = self.line(len)?.map(|part| part.iter().map(|value| *value as f32).collect::<Vec<f32>>());
        let params = [
            Param::new("weight", &[len], factor),
            Param::new("bias", &[len], more),
            Param::new("running_mean", &[len], vec![0.0; len]),
            // With eps it is 1.
            Param::new("running_var", &[len], vec![1.0 - 1e-5; len]),
        ];
        Some(Known::Layer("BatchNorm", axis_arg(axis, rank), params.into()))
    }

    /// The numbers that are taken from `x`, where nothing else is done.
    fn centre(&self) -> Option<Expr> {
        match self {
            Binary("sub", a, b) if **a == X => Some((**b).clone()),
            X => Some(Number(0.0)),
            _ => None,
        }
    }

    fn each(&self, len: usize) -> Option<Vec<f32>> {
        match self {
            Number(value) => Some(vec![*value; len]),
            Vector { values, .. } if values.len() == len => Some(values.clone()),
            _ => None,
        }
    }

    fn axis(&self) -> Option<usize> {
        match self {
            Vector { axis, .. } => Some(*axis),
            X | Number(_) => None,
            Unary(_, _, a) => a.axis(),
            Binary(_, a, b) => a.axis().or_else(|| b.axis()),
        }
    }

    /// `factor · x + more` for each index, if it is such a line.
    fn line(&self, len: usize) -> Option<[Vec<f64>; 2]> {
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
        match self {
            X => Some([vec![1.0; len], vec![0.0; len]]),
            Number(_) | Vector { .. } => Some([vec![0.0; len], wide(self.each(len)?)]),
            Unary("neg", _, a) => Some(a.line(len)?.map(|part| part.iter().map(|value| -value).collect())),
            Unary(..) => None,
            Binary(name, a, b) => {
                let ([a, c], [b, d]) = (a.line(len)?, b.line(len)?);
                let constant = |part: &[f64]| part.iter().all(|value| *value == 0.0);
                let each = |f: &dyn Fn(usize) -> [f64; 2]| {
                    let both: Vec<[f64; 2]> = (0..len).map(f).collect();
                    [0, 1].map(|k| both.iter().map(|both| both[k]).collect())
                };
                match *name {
                    "add" => Some(each(&|i| [a[i] + b[i], c[i] + d[i]])),
                    "sub" => Some(each(&|i| [a[i] - b[i], c[i] - d[i]])),
                    "mul" if constant(&b) => Some(each(&|i| [a[i] * d[i], c[i] * d[i]])),
                    "mul" if constant(&a) => Some(each(&|i| [b[i] * c[i], d[i] * c[i]])),
                    "div" if constant(&b) => Some(each(&|i| [a[i] / d[i], c[i] / d[i]])),
                    _ => None,
                }
            }
        }
    }

    /// The formula, as `activation!` takes it.
    fn text(&self) -> Result<String, String> {
        Ok(match self {
            X => "x".to_owned(),
            Number(value) if *value < 0.0 => format!("({})", number(*value)),
            Number(value) => number(*value),
            Vector { .. } => return Err("numbers for each feature in a formula".to_owned()),
            Unary(name, settings, a) => {
                let a = a.text()?;
                match (*name, &settings[..]) {
                    ("relu", _) => format!("max({a}, 0.0)"),
                    ("clip", [low, high]) => clipped(&a, *low, *high),
                    ("leaky_relu", [slope]) => format!("if {a} > 0.0 {{ {a} }} else {{ {} * {a} }}", number(*slope)),
                    ("hard_sigmoid", [alpha, beta]) => {
                        clipped(&format!("({} * {a} + {})", number(*alpha), number(*beta)), 0.0, 1.0)
                    }
                    ("neg", _) => format!("(-{a})"),
                    (
                        "exp" | "ln" | "sqrt" | "abs" | "sin" | "cos" | "sinh" | "cosh" | "tanh" | "sigmoid"
                        | "softplus" | "erf",
                        _,
                    ) => format!("{name}({a})"),
                    _ => return Err(format!("`{name}` within a formula")),
                }
            }
            Binary(name, a, b) => {
                let (a, b) = (a.text()?, b.text()?);
                match *name {
                    "add" => format!("({a} + {b})"),
                    "sub" => format!("({a} - {b})"),
                    "mul" => format!("({a} * {b})"),
                    "div" => format!("({a} / {b})"),
                    "max" | "min" | "powf" => format!("{name}({a}, {b})"),
                    _ => return Err(format!("`{name}` within a formula")),
                }
            }
        })
    }
}

/// The axis of the channels, where it is not the one that layers take of themselves.
fn axis_arg(axis: usize, rank: usize) -> String {
    let default = if rank == 2 { 1 } else { 0 };
    if axis == default { String::new() } else { format!("axis = {axis}") }
}

fn clipped(a: &str, low: f32, high: f32) -> String {
    let mut text = a.to_owned();
    if low > f32::MIN {
        text = format!("max({text}, {})", number(low));
    }
    if high < f32::MAX {
        text = format!("min({text}, {})", number(high));
    }
    text
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-5 * b.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(expr: &Expr) -> String {
        match expr.known(&[4]).unwrap() {
            Known::Layer(name, args, _) => format!("{name}({args})"),
            Known::Formula(text) => text,
            Known::Same => "x".to_owned(),
            Known::After(first, then) => format!("{} -> {}", layer(&first), layer(&then)),
        }
    }

    #[test]
    fn exporters_formulas_are_layers() {
        let n = Number;
        let erf = X.binary("div", n(2f32.sqrt())).unary("erf", &[]).binary("add", n(1.0));
        assert_eq!(layer(&X.binary("mul", erf.clone()).binary("mul", n(0.5))), "Gelu()");
        assert_eq!(layer(&n(0.5).binary("mul", X).binary("mul", erf)), "Gelu()");
        let bent = X.binary("add", n(0.044715).binary("mul", X.binary("powf", n(3.0)))).binary("mul", n(0.797_884_6));
        let gelu = n(0.5).binary("mul", X).binary("mul", n(1.0).binary("add", bent.unary("tanh", &[])));
        assert_eq!(layer(&gelu), "Gelu(approximate = true)");
        assert_eq!(layer(&X.unary("sigmoid", &[]).binary("mul", X)), "Silu()");
        assert_eq!(layer(&X.binary("mul", X.unary("softplus", &[]).unary("tanh", &[]))), "Mish()");
        let clip = X.binary("add", n(3.0)).unary("clip", &[0.0, 6.0]);
        assert_eq!(layer(&X.binary("mul", clip.clone()).binary("div", n(6.0))), "HardSwish()");
        assert_eq!(layer(&clip.binary("div", n(6.0))), "HardSigmoid()");
        assert_eq!(layer(&X.unary("softplus", &[]).unary("tanh", &[])), "Softplus() -> Tanh()");
        assert_eq!(layer(&X.binary("mul", X).binary("add", n(-1.0))), "((x * x) + (-1.0))");
        assert_eq!(layer(&X.unary("leaky_relu", &[0.2])), "LeakyRelu(slope = 0.2)");
    }

    #[test]
    fn normalisers_are_found_however_they_are_written() {
        let vector = |values: [f32; 4]| Vector { axis: 0, values: values.into() };
        let (mean, std) = ([1.0, -2.0, 0.5, 0.0], [2.0, 4.0, 0.5, 1.0]);
        let centred = X.binary("sub", vector(mean));
        let divided = centred.clone().binary("div", vector(std));
        let multiplied = centred.binary("mul", vector(std.map(|std| 1.0 / std)));
        let more: [f32; 4] = std::array::from_fn(|i| -mean[i] / std[i]);
        let line = X.binary("mul", vector(std.map(|std| 1.0 / std))).binary("add", vector(more));
        let Ok(Known::Layer("BatchNorm", _, params)) = line.known(&[4]) else { panic!("{line:?}") };
        assert_eq!(params[0].values, std.map(|std| 1.0 / std));
        assert_eq!(params[1].values, more);
        assert!(matches!(line.clone().unary("relu", &[]).binary("mul", vector(std)).known(&[4]), Ok(Known::After(..))));
        for expr in [divided, multiplied] {
            let Ok(Known::Layer("Normalization", _, params)) = expr.known(&[4]) else { panic!("{expr:?}") };
            assert_eq!(params[0].values, mean);
            assert_eq!(params[1].values, std);
        }
    }
}
