//! A step of a network in which each layer makes one value of one other, without a pass. In: a network, once;
//! parameters and a step of several voices; out: the step's outputs, with the bits that a pass would give, or
//! the chain that a single stream is run by. Everything that a pass looks up or checks for each layer is
//! settled when the stream is made, which is most of what a step of a few units takes.

use alloc::vec::Vec;
use core::ops::Range;

use super::step_memory::StepMemory;
use crate::graph::{BufferRef, CompiledNetwork, Fusion, Node, NodePlan};
use crate::spec::{CarriedStep, InPlace, OneStep, Pass, StepOp, StepSite};
use nn_kernels::matrix::{Panels, product};
use nn_kernels::simd::Isa;
use nn_kernels::stream_chain::{StreamChain, StreamFunction, StreamOp, StreamPlace};
use nn_kernels::workspace::Region;

/// The layers of a network, as a step runs them.
pub(super) struct Steps {
    voices: usize,
    /// Numbers that are carried, which lie before all others.
    carried: usize,
    layers: Vec<StepLayer>,
    /// Of all layers, one after the other.
    functions: Vec<StreamFunction>,
}

/// One layer and the functions after it, and where everything of it lies.
struct StepLayer {
    op: Op,
    x: StepPlace,
    y: StepPlace,
    site: StepSite,
    floor: f32,
    functions: Range<usize>,
    /// Outputs of each voice.
    each: usize,
    /// They are those of a step, not of what all steps come to.
    per_step: bool,
}

enum Op {
    Product(Panels),
    Carries(fn(OneStep), CarriedStep),
    /// The same numbers.
    Copy,
}

/// An input or output by its number, or a part of what lies behind that which is carried.
#[derive(Clone, PartialEq)]
enum StepPlace {
    Outside(usize),
    Within(Range<usize>),
}

impl Steps {
    /// None where a layer cannot be run so.
    pub(super) fn of(network: &'static CompiledNetwork, voices: usize) -> Option<Steps> {
        if network.streaming.stride > 1 || network.step.copies.iter().any(Option::is_some) {
            return None;
        }
        let carried = network.step.kept * voices;
        let mut steps = Steps { voices, carried, layers: Vec::new(), functions: Vec::new() };
        for (node, plan) in network.nodes.iter().zip(network.step.node_plan) {
            let one = node.n == 1 && node.spec.output_shapes().len() == 1 && matches!(plan.fusion, Fusion::No);
            if !one || plan.x[0].is_output() {
                return None;
            }
            let alone = network.nodes.iter().filter(|reader| reader.x[..reader.n].contains(&node.x[0])).count() == 1;
            steps.push(node, plan, alone)?;
        }
        Some(steps)
    }

    /// Adds what runs a node, which may be alone in reading what it reads.
    fn push(&mut self, node: &'static Node, plan: &'static NodePlan, alone: bool) -> Option<()> {
        let op = node.spec.step_op(plan.pass)?;
        let (x, y) = (self.place(plan.x[0])?, self.place(plan.y[0])?);
        // What the layer before has written for this one alone, it can write where this one would.
        let takes = !matches!(op, StepOp::Product(_) | StepOp::Carries { .. });
        // An input and an output of the same number are two places.
        let within = matches!(x, StepPlace::Within(_));
        if self.layers.last().is_none_or(|before| !(alone && takes && within && before.y == x)) {
            if let (StepPlace::Within(x), StepPlace::Within(y)) = (&x, &y)
                && x.end > y.start
            {
                return None;
            }
            self.layers.push(self.layer(node, plan, op)?);
        }
        let layer = self.layers.last_mut()?;
        layer.y = y;
        layer.per_step &= matches!(plan.pass, Pass::Step);
        match op {
            StepOp::Floor(floor) if layer.functions.is_empty() && matches!(layer.op, Op::Product(_)) => {
                layer.floor = layer.floor.max(floor);
            }
            StepOp::Floor(floor) => self.functions.push((InPlace::floor(floor), None)),
            StepOp::InPlace(function) => self.functions.push((function, node.spec.chain_curve())),
            StepOp::Product(_) | StepOp::Carries { .. } | StepOp::Same => {}
        }
        layer.functions.end = self.functions.len();
        Some(())
    }

    /// A layer without functions after it.
    fn layer(&self, node: &'static Node, plan: &'static NodePlan, op: StepOp) -> Option<StepLayer> {
        let spec = node.spec;
        let (each, saved) = (plan.y[0].len as usize, plan.saved.of_batch(self.voices));
        let mut site = StepSite {
            sizes: [0; 4],
            weight: 0..0,
            bias: 0..0,
            prepared: node.prepared..node.prepared + spec.prepared_len(),
            carried: saved.offset..saved.offset + saved.len,
        };
        for (to, param) in [&mut site.weight, &mut site.bias].into_iter().zip(spec.params.list()) {
            let start = node.params + param.offset;
            *to = start..start + param.len;
        }
        let op = match op {
            StepOp::Product(panels) => Op::Product(panels),
            StepOp::Carries { run, sizes, kind } => {
                site.sizes = sizes;
                Op::Carries(run, kind)
            }
            _ => Op::Copy,
        };
        let functions = self.functions.len()..self.functions.len();
        let (x, y) = (self.place(plan.x[0])?, self.place(plan.y[0])?);
        Some(StepLayer { op, x, y, site, floor: f32::NEG_INFINITY, functions, each, per_step: true })
    }

    /// What runs a single stream. None where sums are divided.
    pub(super) fn chain(&self) -> Option<StreamChain> {
        let mut chain = StreamChain::new();
        for StepLayer { op, x, y, site, floor, functions, each, per_step } in &self.layers {
            let place = |place: &StepPlace| match place {
                StepPlace::Outside(i) => StreamPlace::Outside(*i),
                StepPlace::Within(at) => StreamPlace::Within(at.start),
            };
            let bias = (!site.bias.is_empty()).then(|| site.bias.clone());
            let (weight, carried) = (site.weight.clone(), site.carried.clone());
            let [features, second, dilation, _] = site.sizes;
            let op = match *op {
                Op::Product(panels) => StreamOp::Product { panels, weight, bias },
                Op::Carries(_, CarriedStep::Causal(panels)) => {
                    StreamOp::Causal { features, kernel: second, dilation, panels, weight, bias, carried }
                }
                Op::Carries(_, CarriedStep::Cell(kind)) => {
                    StreamOp::Cell { kind, features, units: second, prepared: site.prepared.clone(), carried }
                }
                Op::Copy => StreamOp::Copy { len: *each },
            };
            chain = chain.then(op, [place(x), place(y)], *floor, &self.functions[functions.clone()], *per_step)?;
        }
        Some(chain)
    }

    fn place(&self, of: BufferRef) -> Option<StepPlace> {
        let of = of.of_batch(self.voices);
        match of.region {
            Region::Work => {
                let start = of.offset.checked_sub(self.carried)?;
                Some(StepPlace::Within(start..start + of.len))
            }
            _ => Some(StepPlace::Outside(of.index)),
        }
    }

    /// One step of all voices.
    pub(super) fn run(&self, isa: Isa, memory: StepMemory, x: &[&[f32]], y: &mut [&mut [f32]]) {
        let StepMemory { params, prepared, saved, scratch } = memory;
        let (carried, values) = saved.split_at_mut(self.carried);
        for layer in &self.layers {
            let to = layer.each * self.voices;
            let (from, to): (&[f32], &mut [f32]) = match (&layer.x, &layer.y) {
                (StepPlace::Outside(i), StepPlace::Outside(j)) => (x[*i], &mut *y[*j]),
                (StepPlace::Outside(i), StepPlace::Within(at)) => (x[*i], &mut values[at.start..][..to]),
                (StepPlace::Within(from), StepPlace::Outside(j)) => (&values[from.start..from.end], &mut *y[*j]),
                (StepPlace::Within(from), StepPlace::Within(at)) => {
                    let (before, after) = values.split_at_mut(at.start);
                    (&before[from.start..from.end], &mut after[..to])
                }
            };
            let site = &layer.site;
            match layer.op {
                Op::Copy => to.copy_from_slice(from),
                Op::Product(panels) => {
                    let (weight, bias) = (site.weight(params), site.bias(params));
                    product(isa, panels, from, weight, bias, layer.floor, to);
                }
                Op::Carries(run, _) => {
                    let voices = self.voices;
                    run(OneStep { isa, voices, site, params, prepared, carried, scratch, x: from, y: to });
                }
            }
            for (function, _) in &self.functions[layer.functions.start..layer.functions.end] {
                to.chunks_exact_mut(layer.each).for_each(|y| function.apply(isa, y));
            }
        }
    }

    /// Where what a voice carries lies: within what a single stream carries, and within what all voices do.
    pub(super) fn carried_by(&self, voice: usize) -> impl Iterator<Item = [Range<usize>; 2]> {
        self.layers.iter().map(move |StepLayer { site: StepSite { carried, .. }, .. }| {
            let (alone, each) = (carried.start / self.voices, carried.len() / self.voices);
            let among = carried.start + voice * each;
            [alone..alone + each, among..among + each]
        })
    }

    /// A value of the last step that is not finite, of all that lie in `saved`.
    #[cold]
    pub(super) fn not_finite(&self, saved: &[f32]) -> Option<f32> {
        self.layers.iter().find_map(|layer| match &layer.y {
            StepPlace::Within(y) => {
                let y = &saved[self.carried + y.start..][..layer.each * self.voices];
                y.iter().copied().find(|y| !y.is_finite())
            }
            StepPlace::Outside(_) => None,
        })
    }
}
