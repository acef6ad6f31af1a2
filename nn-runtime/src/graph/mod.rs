//! Arrows as data: what `network!` writes down about a declaration, and what const code makes of it. In: nodes and the
//! values they read; out: a `CompiledNetwork` with a plan for each pass. Nothing here runs at run time, and nothing knows a layer.

mod allocate;
mod compiled;
mod liveness;
mod plan;
mod stream;
mod trace;

pub use compiled::{CompiledNetwork, MemoryPlan};
pub use plan::{BufferRef, Fusion, Lifetime, NodePlan, Plan};
pub(crate) use stream::Streaming;
pub use stream::{input_step, output_step};
pub use trace::{TracedValue, check, check_frozen, check_input, check_output, check_shape, check_shared, repeat};

use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, MAX_OUTPUTS, Rule, SavedLayout};

/// The most inputs a layer or a network may have.
pub const MAX_INPUTS: usize = 8;

/// A layer at its place: what it reads and writes, by the numbers of values.
///
/// Values are numbered: first the network's inputs, then the outputs of each node in order.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(crate) name: &'static str,
    pub(crate) spec: &'static LayerSpec,
    pub(crate) x: [usize; MAX_INPUTS],
    pub(crate) n: usize,
    pub(crate) y: usize,
    pub(crate) frozen: bool,
    pub(crate) shares: Option<usize>,
    /// Where its parameters begin within the network's.
    pub(crate) params: usize,
}

impl Node {
    /// The layer `name` reads the values `x` and writes the values from `y` on.
    pub const fn new<const N: usize>(name: &'static str, spec: &'static LayerSpec, x: [usize; N], y: usize) -> Node {
        let mut all = [0; MAX_INPUTS];
        let mut i = 0;
        while i < N {
            all[i] = x[i];
            i += 1;
        }
        Node { name, spec, x: all, n: N, y, frozen: false, shares: None, params: 0 }
    }

    /// Its parameters are not learnt.
    pub const fn frozen(mut self) -> Node {
        self.frozen = true;
        self
    }

    /// Its parameters are those of an earlier node.
    pub const fn shares(mut self, node: usize) -> Node {
        self.shares = Some(node);
        self
    }

    pub(crate) const fn m(&self) -> usize {
        self.spec.arity
    }

    /// True if an optimiser has something to do here.
    pub(crate) const fn trains(&self) -> bool {
        !self.frozen && self.spec.trains()
    }

    /// Whether it computes or reads so much for each parameter that gradients of a few samples are worth being pulled and summed first, and what it
    /// saved_layout allows it.
    pub(crate) const fn reuses(&self) -> bool {
        let spec = self.spec;
        let own = spec.inner.is_none() && spec.times == 1;
        let (allowed, reads) = match spec.kept {
            // Nothing is kept, or by the convolution before it where maxima stood: sample after sample.
            SavedLayout::Whole => (spec.saved == 0, 0),
            SavedLayout::Group | SavedLayout::Sample => (true, spec.inputs[0].len()),
        };
        let much = if spec.macs > reads { spec.macs } else { reads };
        self.trains() && spec.params_len > 0 && own && allowed && much >= REUSE * spec.params_len
    }

    /// Whether such gradients are those of all samples that were run together.
    pub(crate) const fn reuses_groups(&self) -> bool {
        self.reuses() && matches!(self.spec.kept, SavedLayout::Group)
    }
}

/// Multiply-adds, or numbers read, for each parameter and sample that are much.
const REUSE: usize = 16;

/// A network's nodes and values: `S` nodes, `V` values.
pub struct Graph<const S: usize, const V: usize> {
    pub(crate) nodes: [Node; S],
    pub(crate) shapes: [Shape; V],
    pub(crate) inputs: usize,
    pub(crate) outputs: [usize; MAX_OUTPUTS],
    pub(crate) m: usize,
    pub(crate) params_len: usize,
}

impl<const S: usize, const V: usize> Graph<S, V> {
    /// Lays the nodes' parameters one after the other.
    pub const fn new<const N: usize, const M: usize>(
        inputs: [Shape; N],
        mut nodes: [Node; S],
        outputs: [usize; M],
    ) -> Self {
        assert!(N <= MAX_INPUTS && M <= MAX_OUTPUTS, "expected at most 8 inputs and 4 outputs");
        let mut shapes = [Shape::UNKNOWN; V];
        let mut i = 0;
        while i < N {
            shapes[i] = inputs[i];
            i += 1;
        }
        let mut params_len = 0;
        let mut s = 0;
        while s < S {
            let spec = nodes[s].spec;
            let mut j = 0;
            while j < spec.arity && nodes[s].y + j < V {
                shapes[nodes[s].y + j] = spec.outputs[j];
                j += 1;
            }
            match nodes[s].shares {
                Some(earlier) => {
                    nodes[s].params = nodes[earlier].params;
                    nodes[s].frozen |= nodes[earlier].frozen;
                }
                None => {
                    nodes[s].params = params_len;
                    params_len += spec.params_len;
                }
            }
            s += 1;
        }
        let mut all = [0; MAX_OUTPUTS];
        let mut j = 0;
        while j < M {
            all[j] = outputs[j];
            j += 1;
        }
        Graph { nodes, shapes, inputs: N, outputs: all, m: M, params_len }
    }

    /// The node that wrote a value; `None` for an input.
    pub(crate) const fn writer(&self, value: usize) -> Option<usize> {
        let mut s = 0;
        while s < S {
            let node = &self.nodes[s];
            if value >= node.y && value < node.y + node.m() {
                return Some(s);
            }
            s += 1;
        }
        None
    }

    /// How often a value is read.
    const fn readers(&self, value: usize) -> usize {
        let mut count = 0;
        let mut s = 0;
        while s < S {
            let mut k = 0;
            while k < self.nodes[s].n {
                count += (self.nodes[s].x[k] == value) as usize;
                k += 1;
            }
            s += 1;
        }
        count
    }

    const fn is_output(&self, value: usize) -> bool {
        let mut j = 0;
        while j < self.m {
            if self.outputs[j] == value {
                return true;
            }
            j += 1;
        }
        false
    }

    /// The node whose function a loss sees at output `j`: the last one that does more than move numbers. `None` where somebody else
    /// reads what it makes, or it is an output of its own, so that it cannot be left out for the loss.
    pub(crate) const fn head_node(&self, j: usize) -> Option<usize> {
        let mut value = self.outputs[j];
        let mut readers = 0;
        loop {
            let given_out = readers > 0 && self.is_output(value);
            if self.readers(value) > readers || given_out {
                return None;
            }
            match self.writer(value) {
                Some(s) if matches!(self.nodes[s].spec.head, Head::Same) => value = self.nodes[s].x[0],
                other => return other,
            }
            readers = 1;
        }
    }

    /// What the layers before a value make of it.
    const fn function(&self, mut value: usize) -> Head {
        loop {
            match self.writer(value) {
                None => return Head::Plain,
                Some(s) => match self.nodes[s].spec.head {
                    Head::Same => value = self.nodes[s].x[0],
                    head => return head,
                },
            }
        }
    }

    /// Numbers of a row of a value: its last dimension, along which a softmax works and a loss reads.
    const fn row(&self, value: usize) -> usize {
        let shape = &self.shapes[value];
        // Behind a fault a shape has no dimensions: what is wrong is told there.
        if shape.is_known() { shape.dim(shape.rank() - 1) } else { shape.len() }
    }

    /// Whether the rows of output `j` are those that its head worked on, so that a loss on classes finds them: no reshaping between
    /// has cut them anew, and they are steps, not the rows of pictures, whose classes would be channels.
    const fn has_rows(&self, j: usize) -> bool {
        let y = self.outputs[j];
        match self.head_node(j) {
            Some(s) => self.shapes[y].rank() <= 2 && self.row(self.nodes[s].y) == self.row(y),
            None => false,
        }
    }

    /// Whether the network does no more than move the numbers of its only input.
    const fn only_moves(&self) -> bool {
        let mut value = self.outputs[0];
        while let Some(s) = self.writer(value) {
            if !matches!(self.nodes[s].spec.head, Head::Same) {
                return false;
            }
            value = self.nodes[s].x[0];
        }
        self.inputs == 1 && self.m == 1
    }

    /// What a loss sees at output `j`.
    pub const fn head(&self, j: usize) -> Head {
        let head = match self.head_node(j) {
            Some(s) => self.nodes[s].spec.head,
            // What the network reads itself too is plain numbers or nothing a loss on classes could be sure of.
            None if matches!(self.function(self.outputs[j]), Head::Plain) => Head::Plain,
            None => Head::Other,
        };
        match head {
            Head::Softmax | Head::LogSoftmax if !self.has_rows(j) => Head::Other,
            // Neither scores nor a softmax of one class tell classes apart.
            Head::Plain | Head::Value | Head::Softmax | Head::LogSoftmax if self.row(self.outputs[j]) == 1 => {
                Head::Value
            }
            // Plain numbers are scores whatever moved them before; those of three dimensions stand for themselves.
            Head::Plain | Head::Value if self.shapes[self.outputs[j]].rank() > 2 => Head::Value,
            Head::Value => Head::Plain,
            head => head,
        }
    }
}

/// The spec of a rule's answer, with the shapes it was asked about; empty where it refused.
pub const fn spec<const N: usize>(rule: &Rule, x: [Shape; N]) -> LayerSpec {
    let mut spec = match rule {
        Rule::Ok(spec) => match spec.fault() {
            None => *spec,
            Some(_) => LayerSpec::NONE,
        },
        Rule::Err(_) => LayerSpec::NONE,
    };
    let mut i = 0;
    while i < N && i < MAX_INPUTS {
        spec.inputs[i] = x[i];
        i += 1;
    }
    spec
}
