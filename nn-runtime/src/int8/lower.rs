//! From a compiled network to operators. In: its nodes, with the form that each layer says of itself, and
//! parameters; out: a `FloatNetwork`. No layer is known here but by its form.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::float::{FloatKind, FloatNetwork, FloatOp, Linear};
use crate::graph::CompiledNetwork;
use crate::shape::Shape;
use crate::spec::{FormulaStep, LayerSpec, OnnxForm, channel_axis};
use nn_kernels::conv::Conv;
use nn_kernels::pool::Pool;

/// Lays a network open.
pub(super) fn lower(network: &'static CompiledNetwork, params: &[f32]) -> FloatNetwork {
    let mut to = FloatNetwork::default();
    to.inputs = network.inputs.iter().map(|shape| to.value(shape.len())).collect();
    let inputs = to.inputs.clone();
    to.outputs = to.network(network, "", params, &inputs);
    to
}

/// A layer that is being lowered.
struct FloatSite<'a> {
    to: &'a mut FloatNetwork,
    spec: &'a LayerSpec,
    path: String,
    x: Vec<usize>,
    block: &'a [f32],
}

impl FloatNetwork {
    pub(super) fn value(&mut self, len: usize) -> usize {
        self.lens.push(len);
        self.lens.len() - 1
    }

    fn network(
        &mut self,
        network: &'static CompiledNetwork,
        prefix: &str,
        params: &[f32],
        inputs: &[usize],
    ) -> Vec<usize> {
        let mut values = inputs.to_vec();
        for node in network.nodes {
            let mut x: Vec<usize> = node.x[..node.n].iter().map(|x| values[*x]).collect();
            let (times, each) = (node.spec.times, node.spec.params.len / node.spec.times);
            for copy in 0..times {
                let path = match times {
                    1 => format!("{prefix}{}", node.name),
                    _ => format!("{prefix}{}.{copy}", node.name),
                };
                let block = &params[node.params + copy * each..][..each];
                x = match node.network {
                    Some(inner) => self.network(inner(), &format!("{path}."), block, &x),
                    None => vec![FloatSite { to: self, spec: node.spec, path, x, block }.lower()],
                };
            }
            values.extend(x);
        }
        network.output_values[..network.outputs.len()].iter().map(|value| values[*value]).collect()
    }
}

/// `[channels, height, width]` whose order in memory is another, channels last: channels and pixels.
fn turned(shape: &Shape) -> Option<[usize; 2]> {
    let [channels, height, width] = shape.dims()?;
    (channels > 1 && height * width > 1).then_some([channels, height * width])
}

impl FloatSite<'_> {
    fn lower(mut self) -> usize {
        let x = self.spec.shapes.inputs[0];
        match self.spec.onnx {
            OnnxForm::Same => self.x[0],
            OnnxForm::Reshape => self.reshape(&x),
            OnnxForm::Dense => self.linear("", ["weight", "bias"], Conv::new([x.len(), 1, 1], self.y().len(), [1, 1])),
            OnnxForm::DensePerStep => {
                let [steps, features] = [x.dim(0), x.dim(1)];
                self.linear("", ["weight", "bias"], Conv::new([features, 1, steps], self.y().dim(1), [1, 1]))
            }
            OnnxForm::Conv(conv) => self.linear("", ["weight", "bias"], conv),
            OnnxForm::Separable(along) => {
                self.x = vec![self.linear(".depthwise", ["depthwise.weight", "depthwise.bias"], along)];
                let [height, width] = along.output();
                let across = Conv::new([along.filters, height, width], self.y().dim(0), [1, 1]);
                self.linear(".pointwise", ["pointwise.weight", "pointwise.bias"], across)
            }
            OnnxForm::MaxPool(pool) => self.op(FloatKind::MaxPool(last(pool))),
            OnnxForm::AvgPool(pool, counts) => self.op(FloatKind::AvgPool(last(pool), counts)),
            OnnxForm::GlobalPool("ReduceMean") => self.op(FloatKind::Mean(self.y().len())),
            OnnxForm::GlobalPool(_) => {
                let (channels, pixels) = (self.y().len(), x.len() / self.y().len());
                self.op(FloatKind::MaxPool(last(Pool::new([channels, 1, pixels], [1, pixels]))))
            }
            OnnxForm::BatchNorm(_, eps) => {
                let [mean, var] = ["running_mean", "running_var"].map(|name| self.numbers(name));
                let scale = var.iter().map(|var| 1.0 / libm::sqrt(f64::from(*var) + f64::from(eps)));
                self.per_channel(&x, scale.collect(), &mean)
            }
            OnnxForm::Normalization(_) => {
                let [mean, std] = ["mean", "std"].map(|name| self.numbers(name));
                let scale = std.iter().map(|std| if *std == 0.0 { 1.0 } else { 1.0 / f64::from(*std) });
                self.per_channel(&x, scale.collect(), &mean)
            }
            OnnxForm::AlongAxis("Softmax", _) => self.op(FloatKind::Softmax(x.dim(x.rank() - 1))),
            OnnxForm::AlongAxis(_, axis) => self.concat(axis as usize - 1),
            OnnxForm::Operator("Sum") => self.op(FloatKind::Sum(None)),
            form => match self.spec.fusion.is {
                Some(crate::spec::Fusible::Floor(floor)) => self.op(FloatKind::Floor(floor)),
                _ => match self.spec.int8_curve() {
                    Some(curve) => self.op(FloatKind::Curve(curve, known_range(&form))),
                    None => unreachable!("a network with such a layer does not compile"),
                },
            },
        }
    }

    fn y(&self) -> Shape {
        self.spec.output_shapes()[0]
    }

    fn op(&mut self, kind: FloatKind) -> usize {
        let (x, path) = (core::mem::take(&mut self.x), self.path.clone());
        let y = self.to.value(self.spec.output_shapes()[0].len());
        self.to.ops.push(FloatOp { path, kind, x, y });
        y
    }

    /// A parameter, row-major in its standard shape; empty where there is none.
    fn numbers(&self, name: &str) -> Vec<f32> {
        let Some(param) = self.spec.params.list().iter().find(|param| param.name == name) else { return Vec::new() };
        let mut values = vec![0.0; param.shape.len()];
        param.layout.read(&self.block[param.offset..param.offset + param.len], &mut values);
        values
    }

    fn linear(&mut self, part: &str, names: [&str; 2], conv: Conv) -> usize {
        let conv = Conv { channels_last: true, ..conv };
        let [weight, mut bias] = names.map(|name| self.numbers(name));
        bias.resize(conv.filters, 0.0);
        // Of each filter the channels go behind the places of the kernel.
        let (places, channels) = (conv.kernel[0] * conv.kernel[1], conv.channels / conv.groups);
        let mut w = vec![0.0; weight.len()];
        for (from, to) in weight.chunks_exact(places * channels).zip(w.chunks_exact_mut(places * channels)) {
            super::program::turn(places, from, to);
        }
        let (x, path) = (core::mem::take(&mut self.x), format!("{}{part}", self.path));
        let y = self.to.value(conv.y_len());
        self.to.ops.push(FloatOp { path, kind: FloatKind::Linear(Linear { conv, w, bias, floor: None }), x, y });
        y
    }

    /// `(x - mean) · scale · weight + bias`, by channels.
    fn per_channel(&mut self, x: &Shape, mut scale: Vec<f64>, mean: &[f32]) -> usize {
        let channels = x.dim(channel_axis(x));
        let pixels = x.len() / channels;
        for (scale, weight) in scale.iter_mut().zip(self.numbers("weight")) {
            *scale *= f64::from(weight);
        }
        let mut bias = self.numbers("bias");
        bias.resize(channels, 0.0);
        let shift = bias
            .iter()
            .zip(mean)
            .zip(&scale)
            .map(|((bias, mean), scale)| (f64::from(*bias) - f64::from(*mean) * scale) as f32);
        let bias = shift.collect();
        let conv = Conv { groups: channels, channels_last: true, ..Conv::new([channels, 1, pixels], channels, [1, 1]) };
        let w = scale.iter().map(|scale| *scale as f32).collect();
        self.op(FloatKind::Linear(Linear { conv, w, bias, floor: None }))
    }

    /// The same numbers in another shape: in memory too, but for images, whose channels are last there.
    fn reshape(&mut self, x: &Shape) -> usize {
        let y = self.y();
        if x.equals(&y) {
            return self.x[0];
        }
        if let Some([channels, _]) = turned(x) {
            self.x = vec![self.op(FloatKind::Turn(channels))];
        }
        match turned(&y) {
            Some([_, pixels]) => self.op(FloatKind::Turn(pixels)),
            None => self.x[0],
        }
    }

    /// Joins along an axis of the declared shape.
    fn concat(&mut self, axis: usize) -> usize {
        let runs = (0..self.x.len()).map(|k| {
            let shape = self.spec.shapes.inputs[k];
            let in_memory = match shape.dims() {
                Some([channels, height, width]) => [height, width, channels].to_vec(),
                None => shape.as_slice().to_vec(),
            };
            let axis = if shape.rank() == 3 { (axis + 2) % 3 } else { axis };
            in_memory[axis..].iter().product()
        });
        let runs = runs.collect();
        self.op(FloatKind::Concat(runs))
    }
}

fn last(pool: Pool) -> Pool {
    Pool { channels_last: true, ..pool }
}

/// The whole range of a function that LiteRT gives a fixed scale.
fn known_range(form: &OnnxForm) -> Option<[f32; 2]> {
    match form {
        OnnxForm::Operator("Sigmoid") => Some([0.0, 255.0 / 256.0]),
        OnnxForm::Formula([FormulaStep::X, FormulaStep::Unary("tanh", 0)], _) => Some([-1.0, 127.0 / 128.0]),
        _ => None,
    }
}
