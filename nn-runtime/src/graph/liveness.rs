//! What follows from a graph for one pass: which gradients are wanted, which nodes are fused, and from when
//! to when each value and gradient is needed. In: a `Graph` and a pass; out: a `Liveness`. It knows times,
//! never a place in memory.
//!
//! Time: node `i` of `S` runs forward at `i` and backward at `2S - 1 - i`; the gradients of its parameters
//! are computed at `Node::params_at`, when all nodes have run backward.

use super::{Graph, Node, max};
use crate::spec::{Epilogue, Fusible, Pass};

/// Whether the layer before does this one's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fusion {
    /// It runs on its own.
    No,
    /// It overwrites its input, which nobody else reads.
    InPlace,
    /// The producer's kernel ends with it.
    ByProducer,
}

/// What is known of the nodes and values of a graph, for one pass.
pub(super) struct Liveness<const S: usize, const V: usize> {
    /// Which output of the network a value is.
    pub(super) output: [Option<usize>; V],
    /// The node that is fused into the writer of a value, which therefore has no place of its own.
    pub(super) fused_node: [Option<usize>; V],
    /// The values whose gradient is wanted: those that depend on something learnt, or all where those of the
    /// inputs are asked for.
    pub(super) wanted: [bool; V],
    /// The nodes whose `backward_input` is called.
    pub(super) backward_input: [bool; S],
    /// The nodes whose `backward_params` is called.
    pub(super) trains: [bool; S],
    /// What a node itself is asked for.
    pub(super) pass: [Pass; S],
    pub(super) fusion: [Fusion; S],
    /// What each node ends with in the stead of those that are fused into it.
    pub(super) epilogue: [Epilogue; S],
    /// The node of the pool that is fused into a convolution.
    pub(super) pool: [Option<usize>; S],
    /// Of a value that a fused pool reads: the pool's output, whose gradient the convolution is given
    /// instead.
    pub(super) pooled: [Option<usize>; V],
    /// The node that writes a value; `None` for an input.
    writer: [Option<usize>; V],
    /// The node into which the writer is fused, so that the value exists from that node on.
    begun_by: [Option<usize>; V],
    readers: [usize; V],
    /// The last reader, and at which of its inputs it first reads the value. Backward, it is the first to
    /// write the value's gradient; the others add to it.
    last: [Option<(usize, usize)>; V],
    /// The reading before that one: the next to add to its gradient.
    next: [Option<(usize, usize)>; V],
    /// The value whose gradient buffer a value's gradient shares: itself, if it has a buffer of its own.
    representative: [usize; V],
    /// The later value whose gradient is this one's too, because its last reader passes gradients on
    /// unchanged (`LayerSpec::passes_gradient`): it need not be written.
    aliased_to: [Option<usize>; V],
    /// Nodes that overwrite the gradient of their output with that of their input.
    pub(super) in_place: [bool; S],
    /// The last time a gradient is read, or one that shares its buffer.
    grad_to: [usize; V],
    /// The last time a value is read.
    to: [usize; V],
}

impl<const S: usize, const V: usize> Graph<S, V> {
    pub(super) const fn liveness(&self, pass: Pass) -> Liveness<S, V> {
        let backward = !matches!(pass, Pass::Infer);
        let asked = matches!(pass, Pass::TrainWithInputGrad);
        let mut live = Liveness {
            output: [None; V],
            fused_node: [None; V],
            wanted: [asked; V],
            backward_input: [false; S],
            trains: [false; S],
            pass: [Pass::Infer; S],
            fusion: [Fusion::No; S],
            epilogue: [Epilogue::NONE; S],
            pool: [None; S],
            pooled: [None; V],
            writer: self.writer,
            begun_by: [None; V],
            readers: self.readers,
            last: [None; V],
            next: [None; V],
            representative: [0; V],
            aliased_to: [None; V],
            in_place: [false; S],
            grad_to: [0; V],
            to: [0; V],
        };
        let mut j = 0;
        while j < self.m {
            live.output[self.outputs[j]] = Some(j);
            j += 1;
        }
        let mut s = 0;
        while s < S {
            live.arrows(s, &self.nodes[s]);
            live.needs(s, &self.nodes[s], backward);
            s += 1;
        }
        let mut s = 0;
        while s < S {
            // How often each value is read is known now.
            if let Some(producer) = live.fused_into(s, &self.nodes, backward) {
                live.fused_node[self.nodes[s].x[0]] = Some(s);
                live.begun_by[self.nodes[s].y] = Some(producer);
                live.fusion[s] = Fusion::InPlace;
                if let Some(Fusible::Floor(floor)) = self.nodes[s].spec.fusion.is {
                    live.fusion[s] = Fusion::ByProducer;
                    live.epilogue[producer].floor = Some(floor);
                }
            } else if let Some(producer) = live.pooling(s, &self.nodes) {
                live.pools(s, producer, &self.nodes);
            }
            s += 1;
        }
        if !backward {
            return live;
        }
        let mut v = 0;
        while v < V {
            live.representative[v] = v;
            live.grad_to[v] = live.grad_end(v, &self.nodes);
            v += 1;
        }
        while s > 0 {
            s -= 1;
            if live.backward_input[s] && self.nodes[s].spec.backward.passes_gradient {
                live.passes_gradient(s, &self.nodes[s]);
            } else if live.backward_input[s] && self.nodes[s].spec.backward.in_place {
                live.backward_in_place(s, &self.nodes[s]);
            }
        }
        live
    }
}

impl<const S: usize, const V: usize> Liveness<S, V> {
    /// Who reads.
    const fn arrows(&mut self, s: usize, node: &Node) {
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            match (self.last[v], self.next[v]) {
                (Some((last, _)), Some((next, _))) if last == s && next == s => {}
                (Some((last, _)), _) if last == s => self.next[v] = Some((s, k)),
                (last, _) => (self.last[v], self.next[v]) = (Some((s, k)), last),
            }
            k += 1;
        }
    }

    /// What is asked of node `s`, and until when it needs what it reads and writes.
    const fn needs(&mut self, s: usize, node: &Node, backward: bool) {
        let trains = backward && node.trains();
        let mut wants_input = false;
        let mut k = 0;
        while k < node.n {
            wants_input |= self.wanted[node.x[k]];
            k += 1;
        }
        let backward_input = backward && (wants_input || node.spec.needs_backward_input() && trains);
        self.trains[s] = trains;
        self.backward_input[s] = backward_input;
        self.pass[s] = match (backward_input && wants_input, trains) {
            (true, _) => Pass::TrainWithInputGrad,
            (false, true) => Pass::Train,
            (false, false) => Pass::Infer,
        };
        let back = 2 * S - 1 - s;
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            self.to[v] = max(self.to[v], s);
            if backward_input && node.spec.backward.reads_x {
                self.to[v] = max(self.to[v], back);
            }
            if trains {
                self.to[v] = max(self.to[v], node.params_at(S));
            }
            k += 1;
        }
        let mut j = 0;
        while j < node.m() {
            let v = node.y + j;
            self.wanted[v] |= backward && (trains || wants_input);
            self.to[v] = max(self.to[v], if backward_input && node.spec.backward.reads_y { back } else { s });
            if self.output[v].is_some() {
                // Where it has a buffer of its own it is copied out when the last node has run.
                self.to[v] = max(self.to[v], S - 1);
            }
            j += 1;
        }
    }

    /// The node into which node `s`, an elementwise function, is fused, if it may be.
    const fn fused_into(&self, s: usize, nodes: &[Node; S], backward: bool) -> Option<usize> {
        let node = &nodes[s];
        let from_output = match node.spec.fusion.is {
            // A layer whose rule is silent about `x` is given it in backward.
            Some(Fusible::Elementwise { from_output }) => from_output && !node.spec.backward.reads_x,
            Some(Fusible::Floor(_)) => true,
            _ => return None,
        };
        if node.n != 1 || node.spec.times != 1 {
            return None;
        }
        let v = node.x[0];
        let Some(before) = self.writer[v] else { return None };
        let producer = nodes[before].spec;
        // A node that is fused itself runs no kernel that could end with more.
        let runs = matches!(self.fusion[before], Fusion::No);
        let free = runs && self.readers[v] == 1 && self.output[v].is_none();
        let fits = producer.fusion.accepts.elementwise && producer.shapes.arity == 1 && producer.times == 1;
        if free && fits && (from_output || !backward || !self.backward_input[s] && !self.trains[s]) {
            Some(before)
        } else {
            None
        }
    }

    /// The convolution into which node `s`, a pool, is fused, if it may be; perhaps with a floor between,
    /// fused already.
    const fn pooling(&self, s: usize, nodes: &[Node; S]) -> Option<usize> {
        let node = &nodes[s];
        if !matches!(node.spec.fusion.is, Some(Fusible::MaxPool(_))) || node.n != 1 {
            return None;
        }
        let v = node.x[0];
        let Some(mut before) = self.writer[v] else { return None };
        // Only a floor: behind a pool the convolution has ended already.
        if matches!(self.fusion[before], Fusion::ByProducer)
            && matches!(nodes[before].spec.fusion.is, Some(Fusible::Floor(_)))
            && let Some(producer) = self.begun_by[v]
        {
            before = producer;
        }
        let free = self.readers[v] == 1 && self.output[v].is_none();
        if free && nodes[before].spec.fusion.accepts.max_pool.is_some() { Some(before) } else { None }
    }

    /// Fuses the pool `s` into `producer`: nothing between them has a buffer of its own, or runs backward.
    const fn pools(&mut self, s: usize, producer: usize, nodes: &[Node; S]) {
        let maxima = nodes[s].y;
        self.begun_by[maxima] = Some(producer);
        self.pool[producer] = Some(s);
        if let Some(Fusible::MaxPool(pool)) = nodes[s].spec.fusion.is {
            self.epilogue[producer].max_pool = Some(pool);
        }
        let mut node = s;
        while node != producer {
            let v = nodes[node].x[0];
            self.fusion[node] = Fusion::ByProducer;
            self.fused_node[v] = Some(node);
            self.pooled[v] = Some(maxima);
            self.backward_input[node] = false;
            self.pass[node] = Pass::Infer;
            node = match self.writer[v] {
                Some(before) => before,
                None => producer,
            };
        }
    }

    /// Node `s` passes the gradient of its output on to its inputs. A gradient that nothing else is added to
    /// shares the output's buffer; one that something is added to becomes a sum of the two when the other is
    /// known, without a copy.
    const fn passes_gradient(&mut self, s: usize, node: &Node) {
        let y = self.representative[node.y];
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            if self.has_own_grad(v) && self.is_first(v, s, k) {
                self.aliased_to[v] = Some(node.y);
                match self.next[v] {
                    None => self.alias(v, y),
                    Some((next, _)) => self.grad_to[y] = max(self.grad_to[y], 2 * S - 1 - next),
                }
            }
            k += 1;
        }
    }

    /// Node `s` overwrites the gradient of its output, if that has a buffer and nobody needs it afterwards.
    const fn backward_in_place(&mut self, s: usize, node: &Node) {
        let (v, y) = (node.x[0], self.representative[node.y]);
        let free = self.has_own_grad(y) && self.grad_to[y] <= 2 * S - 1 - s;
        if free && node.n == 1 && self.has_own_grad(v) && self.is_first(v, s, 0) {
            self.alias(v, y);
            self.in_place[s] = true;
        }
    }

    /// The gradient of `v` shares the buffer of that of `y`.
    const fn alias(&mut self, v: usize, y: usize) {
        self.representative[v] = y;
        self.grad_to[y] = max(self.grad_to[y], self.grad_to[v]);
    }

    /// Whether the gradient of a value has a buffer of its own in the workspace, unless it shares another
    /// one.
    const fn has_own_grad(&self, v: usize) -> bool {
        let outside = self.output[v].is_some() && !self.is_fork(v);
        self.wanted[v] && self.writer[v].is_some() && self.pooled[v].is_none() && !outside
    }

    /// The last time that the gradient of a value is read: by its writer, or the convolution into which that
    /// is fused.
    const fn grad_end(&self, v: usize, nodes: &[Node; S]) -> usize {
        let Some(mut writer) = self.writer[v] else { return 0 };
        if let Some(producer) = self.begun_by[v]
            && let Some(pool) = self.pool[producer]
            && pool == writer
        {
            writer = producer;
        }
        if self.trains[writer] { nodes[writer].params_at(S) } else { 2 * S - 1 - writer }
    }

    /// The value whose gradient buffer holds the gradient of `v`.
    pub(super) const fn grad_of(&self, v: usize) -> usize {
        match self.pooled[v] {
            Some(maxima) => self.representative[maxima],
            None => self.representative[v],
        }
    }

    /// Whether `v` is an output of the network that is read within it too, and so has a buffer in the
    /// workspace.
    pub(super) const fn is_fork(&self, v: usize) -> bool {
        self.output[v].is_some() && self.readers[v] > 0
    }

    /// Whether input `k` of node `s` is the first to write the gradient of `v`; the others are added.
    pub(super) const fn is_first(&self, v: usize, s: usize, k: usize) -> bool {
        !self.is_fork(v) && matches!(self.last[v], Some((last, first)) if last == s && first == k)
    }

    /// Whether node `s` need not write the gradient of `v`, its input `k`, because that is a later value's.
    pub(super) const fn is_aliased(&self, v: usize, s: usize, k: usize) -> bool {
        self.aliased_to[v].is_some() && self.is_first(v, s, k)
    }

    /// The value whose gradient is added to what node `s` writes for `v`, its input `k`: the sum was deferred
    /// until now.
    pub(super) const fn deferred_sum(&self, v: usize, s: usize, k: usize) -> Option<usize> {
        match self.next[v] {
            Some((next, at)) if next == s && at == k => self.aliased_to[v],
            _ => None,
        }
    }

    /// From when to when a value needs a buffer in the workspace.
    pub(super) const fn value_life(&self, v: usize) -> Option<(usize, usize)> {
        let Some(writer) = self.writer[v] else { return None };
        let outside = self.output[v].is_some() && !self.is_fork(v);
        if outside || self.fused_node[v].is_some() {
            return None;
        }
        let from = match self.begun_by[v] {
            Some(producer) => producer,
            None => writer,
        };
        Some((from, self.to[v]))
    }

    /// From when to when a gradient does, and those that share its buffer.
    pub(super) const fn grad_life(&self, v: usize) -> Option<(usize, usize)> {
        if !self.has_own_grad(v) || self.representative[v] != v {
            return None;
        }
        let from = match (self.last[v], self.next[v]) {
            // An output's own gradient is copied there before anything runs backward.
            _ if self.output[v].is_some() => S,
            (_, Some((next, _))) if self.aliased_to[v].is_some() => 2 * S - 1 - next,
            (Some((last, _)), _) => 2 * S - 1 - last,
            (None, _) => return None,
        };
        Some((from, self.grad_to[v]))
    }
}
