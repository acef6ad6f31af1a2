//! One layer on its own, for tests of one's own layers too. In: a layer, shapes, parameters in standard layout, a batch; out: its
//! outputs and gradients, and whether it keeps the contract. Memory a layer must not rely on is full of NaN. Never for training.

mod check;
mod stream;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::array;
use core::ops::Range;

use crate::fault::Fault;
use crate::graph::spec;
use crate::layer::{Layer, LayerContext, ParamGrad};
use crate::params::Tensor;
use crate::random::Random;
use crate::shape::Shape;
use crate::spec::{Fusible, LayerSpec, Pass, Role, Rule};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;

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
pub struct Gradients<const N: usize> {
    /// With respect to each input, `[batch, …]`.
    pub inputs: [Vec<f32>; N],
    /// With respect to each parameter, in its standard layout, row-major.
    pub params: Vec<Vec<f32>>,
}

/// What a pass is to be.
#[derive(Clone, Copy)]
struct Ask {
    batch: usize,
    first_sample: usize,
    pass: Pass,
    training: bool,
}

/// What one forward and backward pass leaves.
struct PassResult<const N: usize, const M: usize> {
    y: [Vec<f32>; M],
    dx: [Vec<f32>; N],
}

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// A layer on inputs of these shapes; its rule is given by name, as `Dense::rule`. Parameters are drawn from their distributions
    /// with seed 0. The spec live for as long as the program, as those of a network do.
    ///
    /// # Errors
    /// The rule refuses the shapes, or the spec it gives are impossible.
    ///
    /// # Panics
    /// The spec say another number of outputs than the layer has, or belong to a network: that is what a `Model` is for.
    pub fn new(layer: L, rule: impl Fn(&L, [Shape; N]) -> Rule, inputs: [Shape; N]) -> Result<Self, Fault> {
        let rule = rule(&layer, inputs);
        if let Some(fault) = rule.fault() {
            return Err(fault);
        }
        let spec: &'static LayerSpec = Box::leak(Box::new(spec(&rule, inputs)));
        assert!(spec.arity == M, "expected spec with {M} outputs, as the layer has, found {}", spec.arity);
        assert!(spec.inner.is_none(), "expected a layer, found a network\nhelp: use its `Model`");
        let tensors: Vec<Tensor> = spec.params[..spec.param_count]
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
        let mut params = AlignedBuffer::zeroed(spec.params_len);
        for (i, tensor) in tensors.iter().enumerate() {
            let mut standard = vec![0.0; tensor.count()];
            tensor.init.draw(tensor.fans, &mut Random::keyed(i as u64, &[]), &mut standard);
            tensor.write(&standard, &mut params);
        }
        let rng = CounterRng { key: 0 };
        Ok(Probe { layer, spec, tensors, params, isa: Isa::detect(), training: false, rng, first_sample: 0 })
    }

    /// Sets parameter `i` of the rule, row-major in its standard shape: `[outputs, inputs]` for a dense weight.
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

    /// [`forward`](Probe::forward) as in a training step: `cx.is_training()`, and noise of this seed and step. Gradients are always
    /// those of a training step.
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
        matches!(self.spec.fusible, Some(Fusible::Elementwise { .. } | Fusible::Floor(_))).then_some(())
    }

    /// The output computed in place, as when the layer before it absorbs this one; `None` if its rule does not say `elementwise`.
    ///
    /// # Panics
    /// The input has another length.
    pub fn in_place(&self, batch: usize, x: &[f32]) -> Option<Vec<f32>> {
        self.applies()?;
        let mut y = x.to_vec();
        let ask = self.infer(batch);
        let (mut saved, mut scratch) = self.memory(ask);
        let mut cx = self.cx(&self.params, ask, &mut saved, &mut scratch);
        self.layer.apply(&mut cx, &mut y);
        Some(y)
    }

    /// The gradients of a loss whose gradient with respect to the outputs is `dy`, as a training step computes them.
    ///
    /// # Panics
    /// An input or a `dy` has another length.
    pub fn gradients(&self, batch: usize, x: [&[f32]; N], dy: [&[f32]; M]) -> Gradients<N> {
        let mut grad = AlignedBuffer::zeroed(self.spec.params_len);
        let whole = 0..self.spec.params_len;
        let pass = self.pass(0..batch, x, dy, None, &[whole], &mut grad);
        Gradients { inputs: pass.dx, params: self.standard(&grad) }
    }

    /// The outputs with these parameters.
    fn run(&self, params: &[f32], ask: Ask, x: [&[f32]; N]) -> [Vec<f32>; M] {
        self.check_lengths(ask.batch, x, None);
        let (mut saved, mut scratch) = self.memory(ask);
        let mut y = self.outputs(ask.batch);
        let mut cx = self.cx(params, ask, &mut saved, &mut scratch);
        self.layer.forward(&mut cx, x, y.each_mut().map(|y| &mut y[..]));
        y
    }

    /// Forward and backward over some samples of a batch, nobody asking for the gradient of input `skip`. `grad` is that of all
    /// parameters, and is added to range by range.
    fn pass(
        &self,
        samples: Range<usize>,
        x: [&[f32]; N],
        dy: [&[f32]; M],
        skip: Option<usize>,
        ranges: &[Range<usize>],
        grad: &mut AlignedBuffer,
    ) -> PassResult<N, M> {
        let whole =
            x.iter().zip(&self.spec.inputs).map(|(x, shape)| x.len() / shape.len()).next().unwrap_or(samples.end);
        self.check_lengths(whole, x, Some(dy));
        let (x, dy) = (x.map(|x| of(&samples, whole, x)), dy.map(|dy| of(&samples, whole, dy)));
        let ask = self.train(samples);
        let (mut saved, mut scratch) = self.memory(ask);
        let mut y = self.outputs(ask.batch);
        let mut dx = array::from_fn(|k| if Some(k) == skip { Vec::new() } else { vec![f32::NAN; x[k].len()] });
        let mut cx = self.cx(&self.params, ask, &mut saved, &mut scratch);
        self.layer.forward(&mut cx, x, y.each_mut().map(|y| &mut y[..]));
        cx.scratch.fill(f32::NAN);
        let (px, py) = self.pull_reads(x, &y);
        self.layer.backward_input(&mut cx, px, py, dy, dx.each_mut().map(|dx| &mut dx[..]));
        let unlearnt = self.unlearnt();
        for range in ranges {
            cx.scratch.fill(f32::NAN);
            let part = ParamGrad {
                range: range.clone(),
                grad: &mut grad[range.clone()],
                samples: 0..ask.batch,
                overwrite: false,
            };
            self.layer.backward_params(&mut cx.read_only(&unlearnt), x, dy, part);
        }
        PassResult { y, dx }
    }

    /// The parameters as `backward_params` may read them: but for running statistics nothing is there.
    fn unlearnt(&self) -> AlignedBuffer {
        let mut params = self.params.clone();
        for tensor in self.tensors.iter().filter(|tensor| tensor.role != Role::RunningStat) {
            params[tensor.offset..tensor.offset + tensor.len].fill(f32::NAN);
        }
        params
    }

    /// What `backward_input` is given of the inputs and outputs: nothing of what the spec say it does not read.
    fn pull_reads<'a>(&self, x: [&'a [f32]; N], y: &'a [Vec<f32>; M]) -> ([&'a [f32]; N], [&'a [f32]; M]) {
        let x = if self.spec.backward_reads_x { x } else { [&[][..]; N] };
        let y = if self.spec.backward_reads_y { y.each_ref().map(|y| &y[..]) } else { [&[][..]; M] };
        (x, y)
    }

    fn infer(&self, batch: usize) -> Ask {
        Ask { batch, first_sample: self.first_sample, pass: Pass::Infer, training: false }
    }

    fn train(&self, samples: Range<usize>) -> Ask {
        let first_sample = self.first_sample + samples.start;
        Ask { batch: samples.len(), first_sample, pass: Pass::TrainWithInputGrad, training: true }
    }

    fn cx<'a>(&'a self, params: &'a [f32], ask: Ask, saved: &'a mut [f32], scratch: &'a mut [f32]) -> LayerContext<'a> {
        let mut cx = LayerContext::for_layer(self.spec, params, self.isa, ask.batch, ask.pass, saved, scratch);
        cx.first_sample = ask.first_sample;
        if ask.training { cx.training(self.rng, ask.first_sample) } else { cx }
    }

    /// Memory with contents that nobody may rely on.
    fn memory(&self, ask: Ask) -> (AlignedBuffer, AlignedBuffer) {
        let mut saved = AlignedBuffer::zeroed(self.spec.saved_for(ask.pass) * ask.batch);
        let fixed = self.spec.scratch_fixed_for(ask.pass);
        let mut scratch = AlignedBuffer::zeroed(self.spec.scratch_for(ask.pass) * ask.batch + fixed);
        saved.fill(f32::NAN);
        scratch.fill(f32::NAN);
        (saved, scratch)
    }

    fn outputs(&self, batch: usize) -> [Vec<f32>; M] {
        array::from_fn(|j| vec![f32::NAN; batch * self.spec.outputs[j].len()])
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
        for (x, shape) in x.iter().zip(&self.spec.inputs) {
            assert_eq!(x.len(), batch * shape.len(), "expected {batch} samples of {shape}");
        }
        for (dy, shape) in dy.iter().flatten().zip(&self.spec.outputs) {
            assert_eq!(dy.len(), batch * shape.len(), "expected gradients of {batch} samples of {shape}");
        }
    }
}

/// Some samples of a batch.
fn of<'a>(samples: &Range<usize>, batch: usize, all: &'a [f32]) -> &'a [f32] {
    let len = all.len() / batch.max(1);
    &all[samples.start * len..samples.end * len]
}
