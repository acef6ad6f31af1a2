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
}

/// Which values are sequences, in the order of the nodes.
struct Sequences<const V: usize> {
    is: [bool; V],
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

impl<const S: usize, const V: usize> Graph<S, V> {
    const fn sequences(&self) -> Sequences<V> {
        let mut is = [false; V];
        let mut stop = None;
        let mut v = 0;
        while v < self.inputs {
            is[v] = self.shapes[v].rank() > 0 && self.shapes[v].dim(0) == self.shapes[0].dim(0);
            v += 1;
        }
        let mut s = 0;
        while s < S {
            let node = &self.nodes[s];
            let (mut any, mut all, mut apart) = (false, true, false);
            let mut k = 0;
            while k < node.n {
                any |= is[node.x[k]];
                all &= is[node.x[k]];
                // An input of other steps than the first comes step by step too, and there is no window to
                // put it in.
                apart |= node.x[k] < self.inputs && !is[node.x[k]];
                k += 1;
            }
            let goes_on = any && matches!(node.spec.stream.kind, Stream::PerStep | Stream::Carries(_));
            let stands = !apart && (!any || (all && !matches!(node.spec.stream.kind, Stream::No)));
            let mut j = 0;
            while j < node.m() {
                is[node.y + j] = goes_on;
                j += 1;
            }
            if !stands && stop.is_none() {
                stop = Some(s);
            }
            s += 1;
        }
        let (mut some, mut every) = (false, true);
        let mut carried = 0;
        let mut s = 0;
        while s < S {
            carried += self.carried(s, &is) + self.values_of(s, &is);
            s += 1;
        }
        let mut j = 0;
        while j < self.m {
            let v = self.outputs[j];
            some |= is[v];
            every &= is[v];
            if is[v] != is_sequence(self.shapes[v], self.shapes[0]) && stop.is_none() {
                stop = self.writer[v];
            }
            j += 1;
        }
        let kind = match (stop, some, every) {
            (None, _, true) => Stream::Carries(carried),
            (None, false, _) => Stream::Ends(carried),
            _ => Stream::No,
        };
        Sequences { is, streaming: Streaming { kind, stop } }
    }

    /// How it takes part in a stream.
    pub(super) const fn streaming(&self) -> Streaming {
        self.sequences().streaming
    }

    const fn step_len(&self, v: usize, is: &[bool; V]) -> usize {
        if is[v] { input_step(self.shapes[v]) } else { self.lens[v] }
    }

    /// Floats that node `s` carries.
    const fn carried(&self, s: usize, is: &[bool; V]) -> usize {
        if is[self.nodes[s].x[0]] { lines(self.nodes[s].spec.saved_for(Pass::Step)) } else { 0 }
    }

    /// Floats of the outputs of node `s` that lie in the workspace.
    const fn values_of(&self, s: usize, is: &[bool; V]) -> usize {
        let (mut floats, mut j) = (0, 0);
        while j < self.nodes[s].m() {
            if self.only_output(self.nodes[s].y + j).is_none() {
                floats += lines(self.step_len(self.nodes[s].y + j, is));
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
        let is = self.sequences().is;
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
            places[v] = BufferRef::outside(Region::X, v, self.step_len(v, &is));
            v += 1;
        }
        let mut s = 0;
        while s < S {
            if is[self.nodes[s].x[0]] {
                let floats = self.nodes[s].spec.saved_for(Pass::Step);
                plan.node_plan[s].saved = BufferRef::work(plan.work, floats);
                plan.work += self.carried(s, &is);
            }
            s += 1;
        }
        plan.kept = plan.work;
        s = 0;
        while s < S {
            let node = &self.nodes[s];
            let node_plan = &mut plan.node_plan[s];
            node_plan.pass = if is[node.x[0]] { Pass::Step } else { Pass::Infer };
            let mut k = 0;
            while k < node.n {
                node_plan.x[k] = places[node.x[k]];
                k += 1;
            }
            let mut j = 0;
            while j < node.m() {
                let len = self.step_len(node.y + j, &is);
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
            plan.scratch = max(plan.scratch, node.spec.scratch_for(node_plan.pass));
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
