//! A network run one step at a time: what is a sequence, what each layer carries, and where it all lies. In:
//! a `Graph`; out: a `Plan` for one step, and the node that needs the whole window, if one does. Nothing
//! shares memory here: a step is small, and what is carried must stay.

use super::plan::{BufferRef, NodePlan, Plan};
use super::{Graph, max};
use crate::limits::{MAX_OUTPUTS, lines};
use crate::shape::Shape;
use crate::spec::{Pass, Stream};
use nn_kernels::workspace::Region;

/// What a network is to a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streaming {
    /// As a layer of another network.
    pub(crate) kind: Stream,
    /// The node that cannot be streamed.
    pub(crate) stop: Option<usize>,
    /// Steps of the inputs that are taken at once: as many as there are to one step of the value that has the
    /// fewest.
    pub(crate) stride: usize,
    /// Numbers of each output after so many steps.
    pub(crate) outputs: [usize; MAX_OUTPUTS],
    /// How many steps of the output these are; 1 where it is no sequence.
    pub(crate) steps: [usize; MAX_OUTPUTS],
}

impl Streaming {
    /// Of a network that nobody streams.
    pub(super) const NONE: Streaming =
        Streaming { kind: Stream::No, stop: None, stride: 1, outputs: [0; MAX_OUTPUTS], steps: [1; MAX_OUTPUTS] };
}

/// Which values are sequences, in the order of the nodes: how many steps of the inputs there are to one of
/// theirs, or 0 of a value that is none.
struct Sequences<const V: usize> {
    every: [usize; V],
    streaming: Streaming,
}

/// Numbers of one step of an input.
pub const fn input_step(shape: Shape) -> usize {
    shape.step_len()
}

/// Numbers of one step of an output, or all of it where it is no sequence: one of two dimensions or more, the
/// first of them the steps of the first input.
pub const fn output_step(shape: Shape, input: Shape) -> usize {
    if is_sequence(shape, input) { input_step(shape) } else { shape.len() }
}

const fn is_sequence(shape: Shape, input: Shape) -> bool {
    shape.rank() > 1 && input.rank() > 0 && shape.dim(0) == input.dim(0) && shape.dim(0) > 0
}

/// More steps than anybody takes at once: what a value needs for so many can still be counted.
const MAX_STRIDE: usize = 1 << 16;

/// The least number that is a multiple of both, or one that is too large.
const fn common_multiple(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    (a / x).saturating_mul(b)
}

impl<const V: usize> Sequences<V> {
    /// Steps of a value that are made at once; 0 of one that is no sequence.
    const fn steps(&self, v: usize) -> usize {
        match self.every[v] {
            0 => 0,
            // Of a network that does not stream they are no matter.
            every if self.streaming.stride < every => 1,
            every => self.streaming.stride / every,
        }
    }
}

impl<const S: usize, const V: usize> Graph<S, V> {
    const fn sequences(&self) -> Sequences<V> {
        let mut every = [0; V];
        let (mut stop, mut stride) = (None, 1);
        let mut v = 0;
        while v < self.inputs {
            every[v] = (self.shapes[v].rank() > 0 && self.shapes[v].dim(0) == self.shapes[0].dim(0)) as usize;
            v += 1;
        }
        let mut s = 0;
        while s < S {
            let node = &self.nodes[s];
            let (mut of_input, mut all, mut apart) = (0, true, false);
            let mut k = 0;
            while k < node.n {
                if every[node.x[k]] > of_input {
                    of_input = every[node.x[k]];
                }
                all &= every[node.x[k]] > 0 && every[node.x[k]] == every[node.x[0]];
                // An input of other steps than the first comes step by step too, and there is no window to
                // put it in.
                apart |= node.x[k] < self.inputs && every[node.x[k]] == 0;
                k += 1;
            }
            let any = of_input > 0;
            let goes_on = any && matches!(node.spec.stream.kind, Stream::PerStep | Stream::Carries(_));
            let stands = !apart && (!any || (all && !matches!(node.spec.stream.kind, Stream::No)));
            let of_output = if goes_on { of_input.saturating_mul(node.spec.stream.stride) } else { 0 };
            if goes_on {
                stride = common_multiple(stride, of_output);
            }
            let mut j = 0;
            while j < node.m() {
                every[node.y + j] = of_output;
                j += 1;
            }
            if !(stands && stride <= MAX_STRIDE) && stop.is_none() {
                stop = Some(s);
            }
            s += 1;
        }
        // What all steps come to is told once for all that are taken together, and so is what follows from
        // it.
        s = 0;
        while s < S {
            let node = &self.nodes[s];
            let ends = every[node.x[0]] > 0 && every[node.y] == 0;
            if ends && every[node.x[0]] != stride && stop.is_none() {
                stop = Some(s);
            }
            s += 1;
        }
        stride = if stop.is_none() { stride } else { 1 };
        let mut sequences = Sequences { every, streaming: Streaming { stop, stride, ..Streaming::NONE } };
        let (mut some, mut all, mut slowest) = (false, true, true);
        let mut carried = 0;
        let mut s = 0;
        while s < S {
            carried += self.carried(s, &sequences) + self.values_of(s, &sequences);
            s += 1;
        }
        let mut j = 0;
        while j < self.m {
            let v = self.outputs[j];
            some |= every[v] > 0;
            all &= every[v] > 0;
            slowest &= every[v] == stride;
            let steps = if every[v] > 0 { self.shapes[0].dim(0).div_ceil(every[v]) } else { 0 };
            let is =
                if every[v] > 1 { self.shapes[v].dim(0) == steps } else { is_sequence(self.shapes[v], self.shapes[0]) };
            if is != (every[v] > 0) && stop.is_none() {
                stop = self.writer[v];
            }
            sequences.streaming.outputs[j] = self.step_len(v, &sequences);
            sequences.streaming.steps[j] = max(sequences.steps(v), 1);
            j += 1;
        }
        sequences.streaming.stop = stop;
        sequences.streaming.kind = match (stop, some, all) {
            // A layer gives one step for each stride.
            _ if stride > 1 && !slowest => Stream::No,
            (None, _, true) => Stream::Carries(carried),
            (None, false, _) => Stream::Ends(carried),
            _ => Stream::No,
        };
        sequences
    }

    /// How it takes part in a stream.
    pub(super) const fn streaming(&self) -> Streaming {
        self.sequences().streaming
    }

    /// Numbers of a value in the steps that are taken at once.
    const fn step_len(&self, v: usize, sequences: &Sequences<V>) -> usize {
        match sequences.steps(v) {
            0 => self.lens[v],
            steps => input_step(self.shapes[v]) * steps,
        }
    }

    /// Floats that node `s` carries.
    const fn carried(&self, s: usize, sequences: &Sequences<V>) -> usize {
        if sequences.every[self.nodes[s].x[0]] > 0 { lines(self.nodes[s].spec.saved_for(Pass::Step)) } else { 0 }
    }

    /// Floats of the outputs of node `s` that lie in the workspace.
    const fn values_of(&self, s: usize, sequences: &Sequences<V>) -> usize {
        let (mut floats, mut j) = (0, 0);
        while j < self.nodes[s].m() {
            if self.only_output(self.nodes[s].y + j).is_none() {
                floats += lines(self.step_len(self.nodes[s].y + j, sequences));
            }
            j += 1;
        }
        floats
    }

    /// The output of the network that a value is, where no node reads it, and no other output is it: it is
    /// written where it belongs.
    const fn only_output(&self, value: usize) -> Option<usize> {
        if self.readers[value] > 0 {
            return None;
        }
        let mut found = None;
        let mut j = 0;
        while j < self.m {
            if self.outputs[j] == value {
                if found.is_some() {
                    return None;
                }
                found = Some(j);
            }
            j += 1;
        }
        found
    }

    /// Plans one step: first what is carried, then the values. Of a network that cannot be streamed it is
    /// never used.
    pub const fn stream(&self) -> Plan<S> {
        let sequences = self.sequences();
        let mut plan = Plan {
            node_plan: [NodePlan::NONE; S],
            kept: 0,
            work: 0,
            scratch: 0,
            scratch_fixed: 0,
            forks: [None; MAX_OUTPUTS],
            copies: [None; MAX_OUTPUTS],
        };
        // Where each value begins.
        let mut places = [BufferRef::NONE; V];
        let mut v = 0;
        while v < self.inputs {
            places[v] = BufferRef::outside(Region::X, v, self.step_len(v, &sequences));
            v += 1;
        }
        let mut s = 0;
        while s < S {
            if sequences.every[self.nodes[s].x[0]] > 0 {
                let floats = self.nodes[s].spec.saved_for(Pass::Step);
                plan.node_plan[s].saved = BufferRef::work(plan.work, floats);
                plan.work += self.carried(s, &sequences);
            }
            s += 1;
        }
        plan.kept = plan.work;
        s = 0;
        while s < S {
            let node = &self.nodes[s];
            let node_plan = &mut plan.node_plan[s];
            let steps = sequences.steps(node.x[0]);
            node_plan.pass = if steps > 0 { Pass::Step } else { Pass::Infer };
            node_plan.steps = max(steps, 1) as u32;
            let mut k = 0;
            while k < node.n {
                node_plan.x[k] = places[node.x[k]];
                k += 1;
            }
            let mut j = 0;
            while j < node.m() {
                let len = self.step_len(node.y + j, &sequences);
                places[node.y + j] = match self.only_output(node.y + j) {
                    Some(output) => BufferRef::outside(Region::Y, output, len),
                    None => {
                        let place = BufferRef::work(plan.work, len);
                        plan.work += lines(len);
                        place
                    }
                };
                node_plan.y[j] = places[node.y + j];
                j += 1;
            }
            plan.scratch =
                max(plan.scratch, node.spec.scratch_for(node_plan.pass).saturating_mul(node_plan.steps as usize));
            plan.scratch_fixed = max(plan.scratch_fixed, node.spec.scratch_fixed_for(node_plan.pass));
            s += 1;
        }
        plan.scratch = lines(plan.scratch);
        plan.scratch_fixed = lines(plan.scratch_fixed);
        let mut j = 0;
        while j < self.m {
            if self.only_output(self.outputs[j]).is_none() {
                plan.copies[j] = Some(places[self.outputs[j]]);
            }
            j += 1;
        }
        plan
    }
}
