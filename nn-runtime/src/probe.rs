//! One layer on its own, for tests of one's own layers too. In: a layer, shapes, parameters in standard
//! layout, a batch; out: its outputs and gradients, and whether it keeps the contract. Memory a layer must
//! not rely on is full of NaN. Never for training.

mod check;
mod claims;
mod differences;
mod stream;
#[cfg(test)]
mod tests;
mod trial;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::fault::Fault;
use crate::graph::{Rule, site};
use crate::layer::Layer;
use crate::params::Tensor;
use crate::random::Random;
use crate::shape::Shape;
use crate::spec::{Epilogue, Fusible, LayerSpec, Role};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;
use trial::{Ask, Trial};

/// A layer on its own, with `N` inputs and `M` outputs.
///
/// ```
/// use nn_runtime::layers::Dense;
/// use nn_runtime::{Probe, Shape};
///
/// let dense = Probe::new(Dense::new(1), Dense::rule, [Shape::of([2])]).unwrap();
/// let dense = dense.param(0, &[2.0, 3.0]).param(1, &[0.5]);
/// let x = [1.0, 1.0, 0.0, -1.0];                                  // two samples
/// assert_eq!(dense.forward(2, [&x]), [[5.5, -2.5]]);
///
/// let dy = [1.0, 10.0];
/// let gradients = dense.gradients(2, [&x], [&dy]);
/// assert_eq!(gradients.inputs, [[2.0, 3.0, 20.0, 30.0]]);
/// assert_eq!(gradients.params, [vec![1.0, -9.0], vec![11.0]]);
///
/// dense.check_contract(2, [&x], [&dy]).unwrap();
/// dense.check_gradients(2, [&x], [&dy], 1e-2).unwrap();
/// ```
pub struct Probe<L, const N: usize = 1, const M: usize = 1> {
    layer: L,
    spec: &'static LayerSpec,
    tensors: Vec<Tensor>,
    params: AlignedBuffer,
    isa: Isa,
    training: bool,
    rng: CounterRng,
    first_sample: usize,
}

/// What [`Probe::gradients`] finds.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerGradients<const N: usize> {
    /// With respect to each input, `[batch, …]`.
    pub inputs: [Vec<f32>; N],
    /// With respect to each parameter, in its standard layout, row-major.
    pub params: Vec<Vec<f32>>,
}

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// A layer on inputs of these shapes; its rule is given by name, as `Dense::rule`. Parameters are drawn
    /// from their distributions with seed 0. What the rule says lives for as long as the program, as it does
    /// in a network.
    ///
    /// # Errors
    /// The rule refuses the shapes, or what it says is impossible.
    ///
    /// # Panics
    /// The rule says another number of outputs than the layer has, or is that of a network: use its `Model`.
    pub fn new(layer: L, rule: impl Fn(&L, [Shape; N]) -> Rule, inputs: [Shape; N]) -> Result<Self, Fault> {
        let rule = rule(&layer, inputs);
        if let Some(fault) = rule.fault() {
            return Err(fault);
        }
        let spec: &'static LayerSpec = &Box::leak(Box::new(site(&rule, inputs))).spec;
        assert!(
            spec.shapes.arity == M,
            "expected a rule of {M} outputs, as the layer has, found {}",
            spec.shapes.arity
        );
        assert!(spec.nested.is_none(), "expected a layer, found a network\nhelp: use its `Model`");
        let tensors: Vec<Tensor> = spec
            .params
            .list()
            .iter()
            .map(|param| Tensor {
                name: param.name.into(),
                shape: param.shape,
                role: param.role,
                frozen: param.role == Role::Constant,
                init: param.init,
                fans: param.fans,
                fixed: 0..0,
                layout: param.layout,
                offset: param.offset,
                len: param.len,
            })
            .collect();
        let mut params = AlignedBuffer::zeroed(spec.params.len);
        for (i, tensor) in tensors.iter().enumerate() {
            let mut standard = vec![0.0; tensor.count()];
            tensor.init.draw::<true>(&tensor.shape, tensor.fans, &mut Random::keyed(i as u64, &[]), &mut |i, x| {
                standard[i] = x
            });
            tensor.write(&standard, &mut params);
        }
        let rng = CounterRng { key: 0 };
        Ok(Probe { layer, spec, tensors, params, isa: Isa::detect(), training: false, rng, first_sample: 0 })
    }

    /// Sets parameter `i` of the rule, row-major in its standard shape: `[outputs, inputs]` for a dense
    /// weight.
    ///
    /// # Panics
    /// There is no such parameter, or it has another number of values.
    pub fn param(mut self, i: usize, values: &[f32]) -> Self {
        let tensor = &self.tensors[i];
        assert_eq!(values.len(), tensor.count(), "expected as many values as `{}`, {}, has", tensor.name, tensor.shape);
        tensor.write(values, &mut self.params);
        self
    }

    /// Computes with this instruction set.
    pub fn isa(mut self, isa: Isa) -> Self {
        self.isa = isa;
        self
    }

    /// [`forward`](Probe::forward) as in a training step: `cx.is_training()`, and noise of this seed and
    /// step. Gradients are always those of a training step.
    pub fn training(mut self, seed: u64, step: u64) -> Self {
        self.training = true;
        self.rng = CounterRng { key: seed }.fold_in(&[step]);
        self
    }

    /// The number of the first sample within its batch, for layers with noise.
    pub fn first_sample(mut self, first_sample: usize) -> Self {
        self.first_sample = first_sample;
        self
    }

    /// What the rule said.
    pub fn spec(&self) -> &'static LayerSpec {
        self.spec
    }

    /// Every parameter, row-major in its standard shape.
    pub fn params(&self) -> Vec<Vec<f32>> {
        self.standard(&self.params)
    }

    /// The outputs for `batch` samples; each `x` is `[batch, …]`, as is each output.
    ///
    /// # Panics
    /// An input has another length.
    pub fn forward(&self, batch: usize, x: [&[f32]; N]) -> [Vec<f32>; M] {
        let ask = if self.training { self.train(0..batch) } else { self.infer(batch) };
        self.run(&self.params, ask, x)
    }

    /// Whether the layer says that it computes in place.
    fn applies(&self) -> Option<()> {
        matches!(self.spec.fusion.is, Some(Fusible::Elementwise { .. } | Fusible::Floor(_))).then_some(())
    }

    /// The output computed in place, as when the layer before it absorbs this one; `None` if its rule does
    /// not say `elementwise`.
    ///
    /// # Panics
    /// The input has another length.
    pub fn in_place(&self, batch: usize, x: &[f32]) -> Option<Vec<f32>> {
        self.applies()?;
        let mut y = x.to_vec();
        let ask = self.infer(batch);
        let (mut saved, mut scratch) = self.memory(ask, &Epilogue::NONE);
        let mut cx = self.cx(&self.params, ask, &mut saved, &mut scratch);
        self.layer.apply(&mut cx, &mut y);
        Some(y)
    }

    /// The gradients of a loss whose gradient with respect to the outputs is `dy`, as a training step
    /// computes them.
    ///
    /// # Panics
    /// An input or a `dy` has another length.
    pub fn gradients(&self, batch: usize, x: [&[f32]; N], dy: [&[f32]; M]) -> LayerGradients<N> {
        self.check_lengths(batch, x, Some(dy));
        let mut grad = AlignedBuffer::zeroed(self.spec.params.len);
        let whole = Trial { sum_unit: usize::MAX, ..self.ordinary(batch) };
        let found = self.run_trial(&whole, x, dy, &mut grad);
        LayerGradients { inputs: found.dx, params: self.standard(&grad) }
    }

    /// The outputs with these parameters.
    fn run(&self, params: &[f32], ask: Ask, x: [&[f32]; N]) -> [Vec<f32>; M] {
        self.check_lengths(ask.batch, x, None);
        let (mut saved, mut scratch) = self.memory(ask, &Epilogue::NONE);
        let mut y = self.outputs(ask.batch);
        let mut cx = self.cx(params, ask, &mut saved, &mut scratch);
        self.layer.forward(&mut cx, x, y.each_mut().map(|y| &mut y[..]));
        y
    }

    fn standard(&self, block: &[f32]) -> Vec<Vec<f32>> {
        let read = |tensor: &Tensor| {
            let mut values = vec![0.0; tensor.count()];
            tensor.read(block, &mut values);
            values
        };
        self.tensors.iter().map(read).collect()
    }

    #[track_caller]
    fn check_lengths(&self, batch: usize, x: [&[f32]; N], dy: Option<[&[f32]; M]>) {
        for (x, shape) in x.iter().zip(&self.spec.shapes.inputs) {
            assert_eq!(x.len(), batch * shape.len(), "expected {batch} samples of {shape}");
        }
        for (dy, shape) in dy.iter().flatten().zip(&self.spec.shapes.outputs) {
            assert_eq!(dy.len(), batch * shape.len(), "expected gradients of {batch} samples of {shape}");
        }
    }
}
