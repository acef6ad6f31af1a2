//! What a network is made of, to be read by people: Keras's `model.summary()`. In: a `CompiledNetwork`; out:
//! a row for each layer. It computes nothing that is not known at compile time.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::graph::CompiledNetwork;
use crate::params;
use crate::shape::Shape;
use crate::spec::Role;

/// The layers of a network, printed as a table: what each gives, how many parameters it has, and what a
/// prediction costs there. Keras's `model.summary()`; PyTorch has it in `torchinfo`.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Net: [784] -> [10] { hidden: Dense(128) -> Relu -> head: Dense(10) -> Softmax } }
///
/// let summary = Net::summary();
/// let head = &summary.layers()[2];
/// assert_eq!((head.name.as_str(), head.parameters, head.macs), ("head", 128 * 10 + 10, 128 * 10));
/// println!("{summary}");
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    network: &'static str,
    inputs: Vec<Shape>,
    layers: Vec<LayerSummary>,
}

/// One layer of a [`Summary`]; a network used as a layer is one, and so are all copies of a repeated one.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct LayerSummary {
    /// Its label, or the name it was given for want of one: `dense_1`.
    pub name: String,
    /// What it gives, of one sample.
    pub outputs: Vec<Shape>,
    /// How many numbers are learnt or kept; none where they are another layer's.
    pub parameters: usize,
    /// How many of them a step may change.
    pub learnt: usize,
    /// Multiply-adds of one prediction.
    pub macs: usize,
    /// Whose parameters it uses, where they are not its own.
    pub shares: Option<String>,
}

impl Summary {
    pub(crate) fn of(network: &'static CompiledNetwork) -> Summary {
        let tensors = params::tensors(network);
        let layers = network.nodes.iter().map(|node| {
            let shares = node.shares.map(|other| network.nodes[other].name.to_string());
            let within =
                |name: &str| name.strip_prefix(node.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let own = tensors.iter().filter(|tensor| shares.is_none() && within(&tensor.name));
            let learnt = own.clone().filter(|tensor| tensor.role == Role::Trainable && !tensor.frozen);
            LayerSummary {
                name: node.name.into(),
                outputs: node.spec.output_shapes().to_vec(),
                parameters: own.map(params::Tensor::count).sum(),
                learnt: learnt.map(params::Tensor::count).sum(),
                macs: node.spec.macs,
                shares,
            }
        });
        Summary { network: network.name, inputs: network.inputs.to_vec(), layers: layers.collect() }
    }

    /// The layers, in the order they run.
    pub fn layers(&self) -> &[LayerSummary] {
        &self.layers
    }

    /// How many numbers are learnt or kept.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// How many of them a step may change.
    pub fn learnt(&self) -> usize {
        self.layers.iter().map(|layer| layer.learnt).sum()
    }

    /// Multiply-adds of one prediction.
    pub fn macs(&self) -> usize {
        self.layers.iter().fold(0, |sum: usize, layer| sum.saturating_add(layer.macs))
    }
}

/// Shapes side by side.
fn shapes(all: &[Shape]) -> String {
    let all: Vec<String> = all.iter().map(Shape::to_string).collect();
    all.join(", ")
}

/// A number with a comma before every three digits.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |macs: usize| 100.0 * macs as f64 / self.macs().max(1) as f64;
        let row = |layer: &LayerSummary| {
            let parameters = match &layer.shares {
                Some(other) => format!("as {other}"),
                None => grouped(layer.parameters),
            };
            let bytes: usize = layer.outputs.iter().map(|shape| 4 * shape.len()).sum();
            let cost = if layer.macs == 0 { String::new() } else { format!("{:.1} %", share(layer.macs)) };
            [layer.name.clone(), shapes(&layer.outputs), parameters, grouped(layer.macs), cost, grouped(bytes)]
        };
        let head = ["layer", "output", "parameters", "multiply-adds", "share", "bytes"].map(String::from);
        let rows: Vec<[String; 6]> = [head].into_iter().chain(self.layers.iter().map(row)).collect();
        let widths: [usize; 6] =
            core::array::from_fn(|k| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0));
        writeln!(f, "{}: {}", self.network, shapes(&self.inputs))?;
        for [name, output, numbers @ ..] in &rows {
            write!(f, "{name:<0$}  {output:<1$}", widths[0], widths[1])?;
            for (number, width) in numbers.iter().zip(&widths[2..]) {
                write!(f, "  {number:>width$}")?;
            }
            writeln!(f)?;
        }
        let (all, learnt) = (self.parameters(), self.learnt());
        write!(f, "{} parameters ({} learnt), {} multiply-adds", grouped(all), grouped(learnt), grouped(self.macs()))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use crate::prelude::*;

    network! { struct Block: [6] -> [6] { Dense(6) -> Tanh } }
    network! {
        struct Net: [1, 4, 4] -> [3] {
            conv: Conv2d(2, 3) -> BatchNorm -> Relu -> Flatten -> frozen first: Dense(6);
            block: Block * 2;
            head: Dense(3)
        }
    }

    #[test]
    fn every_layer_has_a_row_and_their_sums_are_the_network() {
        let summary = Net::summary();
        assert_eq!(summary.parameters(), Net::param_count());
        assert_eq!(summary.macs(), Net::macs());
        let text = summary.to_string();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "Net: [1, 4, 4]");
        assert_eq!(rows.len(), summary.layers().len() + 3);
        let row = |name: &str| summary.layers().iter().find(|layer| layer.name == name).unwrap();
        assert_eq!((row("conv").parameters, row("conv").macs), (2 * 9 + 2, 2 * 9 * 2 * 2));
        assert_eq!((row("block").parameters, row("block").macs), (2 * (6 * 6 + 6), 2 * 36));
        let (first, norm) = (row("first"), &summary.layers()[1]);
        assert_eq!((first.parameters, first.learnt), (8 * 6 + 6, 0));
        assert_eq!((norm.parameters, norm.learnt), (8, 4), "running statistics are kept, not learnt");
        let learnt = Net::param_count() - first.parameters - 4;
        let macs = Net::macs();
        assert_eq!(
            *rows.last().unwrap(),
            format!("{} parameters ({learnt} learnt), {macs} multiply-adds", Net::param_count())
        );
        assert_eq!(super::grouped(1_234_567), "1,234,567");
        assert_eq!(super::grouped(999), "999");
    }
}
