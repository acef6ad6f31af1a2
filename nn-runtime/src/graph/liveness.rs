//! What follows from the arrows for one pass: who writes and reads each value, what is wanted, pulled, absorbed, and how long it
//! all lives. In: a `Graph` and a pass; out: a `Liveness`, made in one walk over the nodes. It knows times, never a place.
//!
//! Time: node `i` of `S` runs forward at `i` and is pulled at `2S - 1 - i`; then parameters are pulled, see `params_at`.

use super::plan::Fusion;
use super::{Graph, Node};
use crate::spec::{Epilogue, Fusible, Pass};

/// LayerSpec about nodes and values, for one pass.
pub(super) struct Liveness<const S: usize, const V: usize> {
    /// Which output of the network a value is.
    pub(super) output: [Option<usize>; V],
    /// The node that absorbs itself into the writer of a value.
    pub(super) absorber: [Option<usize>; V],
    /// The values whose gradient somebody wants: those behind something that learns, or all where the inputs' are asked for.
    pub(super) wanted: [bool; V],
    /// The nodes whose `backward_input` is called.
    pub(super) pulled: [bool; S],
    /// The nodes whose `backward_params` is called.
    pub(super) trains: [bool; S],
    /// What a node itself is asked for.
    pub(super) own: [Pass; S],
    pub(super) fusion: [Fusion; S],
    /// What each node ends with in the stead of those that are fused into it.
    pub(super) epilogue: [Epilogue; S],
    /// The pool that a convolution ends with.
    pub(super) pool: [Option<usize>; S],
    /// The maxima whose gradient stands for that of a value, as the value's writer ends with the pool.
    pub(super) maxima: [Option<usize>; V],
    /// The node that writes a value; `None` for an input.
    writer: [Option<usize>; V],
    /// The node that the writer is absorbed by, so that the value begins earlier.
    begun_by: [Option<usize>; V],
    readers: [usize; V],
    /// The last reader, and at which of its inputs it first reads the value: the first to write its gradient.
    last: [Option<(usize, usize)>; V],
    /// The reading before that one: the next to write its gradient.
    next: [Option<(usize, usize)>; V],
    /// The value in whose gradient's place that of a value lies: its own, or that of a later one which nobody else needs, or which it is.
    root: [usize; V],
    /// Where the last reader's gradient is that of a later value as it is, and is not written: that value.
    handed: [Option<usize>; V],
    /// Nodes that overwrite the gradient of their output with that of their input.
    pub(super) in_place: [bool; S],
    /// The last time a gradient is read, or those that lie in its place.
    grad_to: [usize; V],
    /// The last time a value is read.
    to: [usize; V],
}

/// Lifetime the parameters of one of so many nodes are pulled: right after a group of samples has been, or when all samples have.
pub(super) const fn params_at(nodes: usize, node: &Node) -> usize {
    2 * nodes + if node.reuses() { 0 } else { 1 }
}

pub(super) const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

impl<const S: usize, const V: usize> Graph<S, V> {
    pub(super) const fn table(&self, pass: Pass) -> Liveness<S, V> {
        let backward = !matches!(pass, Pass::Infer);
        let asked = matches!(pass, Pass::TrainWithInputGrad);
        let mut table = Liveness {
            output: [None; V],
            absorber: [None; V],
            wanted: [asked; V],
            pulled: [false; S],
            trains: [false; S],
            own: [Pass::Infer; S],
            fusion: [Fusion::No; S],
            epilogue: [Epilogue::NONE; S],
            pool: [None; S],
            maxima: [None; V],
            writer: [None; V],
            begun_by: [None; V],
            readers: [0; V],
            last: [None; V],
            next: [None; V],
            root: [0; V],
            handed: [None; V],
            in_place: [false; S],
            grad_to: [0; V],
            to: [0; V],
        };
        let mut j = 0;
        while j < self.m {
            table.output[self.outputs[j]] = Some(j);
            j += 1;
        }
        let mut s = 0;
        while s < S {
            table.arrows(s, &self.nodes[s]);
            table.needs(s, &self.nodes[s], backward);
            s += 1;
        }
        let mut s = 0;
        while s < S {
            // Whether a value has one reader only is known now.
            if let Some(producer) = table.absorbing(s, &self.nodes, backward) {
                table.absorber[self.nodes[s].x[0]] = Some(s);
                table.begun_by[self.nodes[s].y] = Some(producer);
                table.fusion[s] = Fusion::InPlace;
                if let Some(Fusible::Floor(floor)) = self.nodes[s].spec.fusible {
                    table.fusion[s] = Fusion::ByProducer;
                    table.epilogue[producer].floor = Some(floor);
                }
            } else if let Some(producer) = table.pooling(s, &self.nodes) {
                table.pools(s, producer, &self.nodes);
            }
            s += 1;
        }
        let mut v = 0;
        while v < V {
            table.root[v] = v;
            table.grad_to[v] = table.grad_end(v, &self.nodes);
            v += 1;
        }
        while s > 0 {
            s -= 1;
            if table.pulled[s] && self.nodes[s].spec.passes_gradient {
                table.passes_gradient(s, &self.nodes[s]);
            } else if table.pulled[s] && self.nodes[s].spec.backward_in_place {
                table.backward_in_place(s, &self.nodes[s]);
            }
        }
        table
    }
}

impl<const S: usize, const V: usize> Liveness<S, V> {
    /// Who writes and who reads.
    const fn arrows(&mut self, s: usize, node: &Node) {
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            self.readers[v] += 1;
            match (self.last[v], self.next[v]) {
                (Some((last, _)), Some((next, _))) if last == s && next == s => {}
                (Some((last, _)), _) if last == s => self.next[v] = Some((s, k)),
                (last, _) => (self.last[v], self.next[v]) = (Some((s, k)), last),
            }
            k += 1;
        }
        let mut j = 0;
        while j < node.m() {
            self.writer[node.y + j] = Some(s);
            j += 1;
        }
    }

    /// What is wanted of node `s`, and until when it needs what it reads and writes.
    const fn needs(&mut self, s: usize, node: &Node, backward: bool) {
        let trains = backward && node.trains();
        let mut wants_input = false;
        let mut k = 0;
        while k < node.n {
            wants_input |= self.wanted[node.x[k]];
            k += 1;
        }
        let pulled = backward && (wants_input || node.spec.needs_backward_input() && trains);
        self.trains[s] = trains;
        self.pulled[s] = pulled;
        self.own[s] = match (pulled && wants_input, trains) {
            (true, _) => Pass::TrainWithInputGrad,
            (false, true) => Pass::Train,
            (false, false) => Pass::Infer,
        };
        let back = 2 * S - 1 - s;
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            self.to[v] = max(self.to[v], s);
            if pulled && node.spec.backward_reads_x {
                self.to[v] = max(self.to[v], back);
            }
            if trains {
                self.to[v] = max(self.to[v], params_at(S, node));
            }
            k += 1;
        }
        let mut j = 0;
        while j < node.m() {
            let v = node.y + j;
            self.wanted[v] |= backward && (trains || wants_input);
            self.to[v] = max(self.to[v], if pulled && node.spec.backward_reads_y { back } else { s });
            if self.output[v].is_some() {
                // Where it has a place of its own it is copied out when the last node has run.
                self.to[v] = max(self.to[v], S - 1);
            }
            j += 1;
        }
    }

    /// The producer that absorbs node `s`, if it may.
    const fn absorbing(&self, s: usize, nodes: &[Node; S], backward: bool) -> Option<usize> {
        let node = &nodes[s];
        let from_output = match node.spec.fusible {
            Some(Fusible::Elementwise { from_output }) => from_output,
            Some(Fusible::Floor(_)) => true,
            _ => return None,
        };
        if node.n != 1 || node.spec.times != 1 {
            return None;
        }
        let v = node.x[0];
        let Some(before) = self.writer[v] else { return None };
        let producer = nodes[before].spec;
        let free = self.readers[v] == 1 && self.output[v].is_none();
        let fits = producer.accepts.elementwise && producer.arity == 1 && producer.times == 1;
        if free && fits && (from_output || !backward || !self.pulled[s]) { Some(before) } else { None }
    }

    /// The convolution that takes the maxima of node `s` itself, if it may: there may be a floor between, which it has absorbed.
    const fn pooling(&self, s: usize, nodes: &[Node; S]) -> Option<usize> {
        let node = &nodes[s];
        if !matches!(node.spec.fusible, Some(Fusible::MaxPool(_))) || node.n != 1 {
            return None;
        }
        let v = node.x[0];
        let Some(mut before) = self.writer[v] else { return None };
        if matches!(self.fusion[before], Fusion::ByProducer)
            && let Some(producer) = self.begun_by[v]
        {
            before = producer;
        }
        let free = self.readers[v] == 1 && self.output[v].is_none();
        if free && nodes[before].spec.accepts.max_pool.is_some() { Some(before) } else { None }
    }

    /// Node `s` is left to `producer`: nothing between them has a place of its own, nor is pulled.
    const fn pools(&mut self, s: usize, producer: usize, nodes: &[Node; S]) {
        let maxima = nodes[s].y;
        self.begun_by[maxima] = Some(producer);
        self.pool[producer] = Some(s);
        if let Some(Fusible::MaxPool(pool)) = nodes[s].spec.fusible {
            self.epilogue[producer].max_pool = Some(pool);
        }
        let mut node = s;
        while node != producer {
            let v = nodes[node].x[0];
            self.fusion[node] = Fusion::ByProducer;
            self.absorber[v] = Some(node);
            self.maxima[v] = Some(maxima);
            self.pulled[node] = false;
            self.own[node] = Pass::Infer;
            node = match self.writer[v] {
                Some(before) => before,
                None => producer,
            };
        }
    }

    /// The gradients of what node `s` reads are that of what it writes: one that nobody adds to lies in the same place, and to one that somebody
    /// adds to it is added when that is known, instead of being copied first.
    const fn passes_gradient(&mut self, s: usize, node: &Node) {
        let y = self.root[node.y];
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            if self.has_own_grad(v) && self.is_first(v, s, k) {
                self.handed[v] = Some(node.y);
                match self.next[v] {
                    None => self.lies_in(v, y),
                    Some((next, _)) => self.grad_to[y] = max(self.grad_to[y], 2 * S - 1 - next),
                }
            }
            k += 1;
        }
    }

    /// Node `s` overwrites the gradient of its output, where that has a place and nobody needs it afterwards.
    const fn backward_in_place(&mut self, s: usize, node: &Node) {
        let (v, y) = (node.x[0], self.root[node.y]);
        let free = self.has_own_grad(y) && self.grad_to[y] <= 2 * S - 1 - s;
        if free && node.n == 1 && self.has_own_grad(v) && self.is_first(v, s, 0) {
            self.lies_in(v, y);
            self.in_place[s] = true;
        }
    }

    const fn lies_in(&mut self, v: usize, y: usize) {
        self.root[v] = y;
        self.grad_to[y] = max(self.grad_to[y], self.grad_to[v]);
    }

    /// Whether the gradient of a value would have a place of its own in the workspace.
    const fn has_own_grad(&self, v: usize) -> bool {
        let outside = self.output[v].is_some() && !self.is_fork(v);
        self.wanted[v] && self.writer[v].is_some() && self.maxima[v].is_none() && !outside
    }

    /// The last time that the gradient of a value is read: by its writer, or the convolution that did the writer's work.
    const fn grad_end(&self, v: usize, nodes: &[Node; S]) -> usize {
        let Some(mut writer) = self.writer[v] else { return 0 };
        if let Some(producer) = self.begun_by[v]
            && let Some(pool) = self.pool[producer]
            && pool == writer
        {
            writer = producer;
        }
        if self.trains[writer] { params_at(S, &nodes[writer]) } else { 2 * S - 1 - writer }
    }

    /// The value in the place of whose gradient that of `v` lies.
    pub(super) const fn grad_of(&self, v: usize) -> usize {
        match self.maxima[v] {
            Some(maxima) => self.root[maxima],
            None => self.root[v],
        }
    }

    /// An output of the network that is read within it too has a place of its own in the workspace.
    pub(super) const fn is_fork(&self, v: usize) -> bool {
        self.output[v].is_some() && self.readers[v] > 0
    }

    /// True where the gradient of `v` begins with that of input `k` of node `s`; the others are added.
    pub(super) const fn is_first(&self, v: usize, s: usize, k: usize) -> bool {
        !self.is_fork(v) && matches!(self.last[v], Some((last, first)) if last == s && first == k)
    }

    /// True where node `s` need not write the gradient of `v`, its input `k`, as it lies elsewhere.
    pub(super) const fn is_handed(&self, v: usize, s: usize, k: usize) -> bool {
        self.handed[v].is_some() && self.is_first(v, s, k)
    }

    /// The value whose gradient is added to what node `s` writes, where `v`, its input `k`, begins with both.
    pub(super) const fn joined(&self, v: usize, s: usize, k: usize) -> Option<usize> {
        match self.next[v] {
            Some((next, at)) if next == s && at == k => self.handed[v],
            _ => None,
        }
    }

    /// From when to when a value needs a place in the workspace.
    pub(super) const fn value_life(&self, v: usize) -> Option<(usize, usize)> {
        let Some(writer) = self.writer[v] else { return None };
        let outside = self.output[v].is_some() && !self.is_fork(v);
        if outside || self.absorber[v].is_some() {
            return None;
        }
        let from = match self.begun_by[v] {
            Some(producer) => producer,
            None => writer,
        };
        Some((from, self.to[v]))
    }

    /// From when to when a gradient does, and those in its place.
    pub(super) const fn grad_life(&self, v: usize) -> Option<(usize, usize)> {
        if !self.has_own_grad(v) || self.root[v] != v {
            return None;
        }
        let from = match (self.last[v], self.next[v]) {
            // An output's own gradient is put there before anything is pulled.
            _ if self.output[v].is_some() => S,
            (_, Some((next, _))) if self.handed[v].is_some() => 2 * S - 1 - next,
            (Some((last, _)), _) => 2 * S - 1 - last,
            (None, _) => return None,
        };
        Some((from, self.grad_to[v]))
    }
}
