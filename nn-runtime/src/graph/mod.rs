//! A network as data, and what const code makes of it. In: what `network!` writes down about a declaration,
//! nodes and the values they read; out: a `CompiledNetwork` with a plan for each pass. All of it runs at
//! compile time.

mod allocate;
mod compiled;
mod head;
mod liveness;
mod microbatch;
mod plan;
mod rule;
mod stream;
mod trace;
mod tree;

pub use compiled::{CompiledNetwork, MemoryPlan};
pub use liveness::Fusion;
#[cfg(feature = "alloc")]
pub use plan::Lifetime;
pub use plan::{BufferRef, NodePlan, Plan};
pub(crate) use rule::{OfNetwork, outputs};
pub use rule::{Rule, Site, site};
pub use stream::{input_step, output_step};
pub use trace::{TracedValue, check, check_frozen, check_input, check_output, check_shape, check_shared, repeat};
pub use tree::NetworkTree;

pub use crate::limits::MAX_INPUTS;
use crate::limits::MAX_OUTPUTS;
use crate::shape::Shape;
use crate::spec::LayerSpec;
use crate::spec::Role;

/// A layer at its place: what it reads and writes, by the numbers of values.
///
/// Values are numbered: first the network's inputs, then the outputs of each node in order.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(crate) name: &'static str,
    pub(crate) spec: &'static LayerSpec,
    /// The network that is used as a layer here.
    pub(crate) network: Option<OfNetwork>,
    pub(crate) x: [usize; MAX_INPUTS],
    pub(crate) n: usize,
    pub(crate) y: usize,
    pub(crate) frozen: bool,
    pub(crate) shares: Option<usize>,
    /// Where its parameters begin within the network's, what is prepared of them, and what it carries over.
    pub(crate) params: usize,
    pub(crate) prepared: usize,
    pub(crate) carried: usize,
}

impl Node {
    /// The layer `name` reads the values `x` and writes the values from `y` on.
    pub const fn new<const N: usize>(name: &'static str, site: &'static Site, x: [usize; N], y: usize) -> Node {
        let mut all = [0; MAX_INPUTS];
        let mut i = 0;
        while i < N {
            all[i] = x[i];
            i += 1;
        }
        let (spec, network) = (&site.spec, site.network);
        Node { name, spec, network, x: all, n: N, y, frozen: false, shares: None, params: 0, prepared: 0, carried: 0 }
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
        self.spec.shapes.arity
    }

    /// How many numbers of its own are learnt or kept, as the field counts them.
    pub(crate) const fn param_count(&self) -> usize {
        if self.shares.is_some() { 0 } else { self.spec.param_count() }
    }

    /// True if an optimiser has something to do here.
    pub(crate) const fn trains(&self) -> bool {
        !self.frozen && self.spec.trains()
    }

    /// Numbers of running statistics, those of networks within included.
    pub(crate) const fn statistics(&self) -> usize {
        if let Some(nested) = self.spec.nested {
            return nested.statistics * self.spec.times;
        }
        let (list, mut len, mut k) = (self.spec.params.list(), 0, 0);
        while k < list.len() {
            if matches!(list[k].role, Role::RunningStat) {
                len += list[k].len;
            }
            k += 1;
        }
        len
    }

    /// Whether some of its parameters begin with normal numbers.
    pub(crate) const fn draws_normals(&self) -> bool {
        if let Some(nested) = self.spec.nested {
            return nested.draws_normals;
        }
        let (list, mut k) = (self.spec.params.list(), 0);
        while k < list.len() {
            if list[k].init.draws_normals() {
                return true;
            }
            k += 1;
        }
        false
    }
}

/// A network's nodes and values: `S` nodes, `V` values.
pub struct Graph<const S: usize, const V: usize> {
    pub(crate) nodes: [Node; S],
    pub(crate) shapes: [Shape; V],
    /// How many numbers a value has.
    lens: [usize; V],
    /// The node that writes a value; `None` for an input.
    writer: [Option<usize>; V],
    /// How often a value is read.
    readers: [usize; V],
    pub(crate) inputs: usize,
    pub(crate) outputs: [usize; MAX_OUTPUTS],
    pub(crate) m: usize,
    pub(crate) params_len: usize,
    pub(crate) prepared_len: usize,
    pub(crate) carried_len: usize,
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
        let (mut lens, mut writer, mut readers) = ([0; V], [None; V], [0; V]);
        let mut i = 0;
        while i < N {
            shapes[i] = inputs[i];
            lens[i] = inputs[i].len();
            i += 1;
        }
        let (mut params_len, mut prepared_len, mut carried_len) = (0, 0, 0);
        let mut s = 0;
        while s < S {
            let spec = nodes[s].spec;
            nodes[s].prepared = prepared_len;
            prepared_len += spec.prepared_len();
            nodes[s].carried = carried_len;
            carried_len += spec.carried_len();
            let mut k = 0;
            while k < nodes[s].n {
                readers[nodes[s].x[k]] += 1;
                k += 1;
            }
            let mut j = 0;
            while j < spec.shapes.arity && nodes[s].y + j < V {
                let v = nodes[s].y + j;
                shapes[v] = spec.shapes.outputs[j];
                lens[v] = shapes[v].len();
                writer[v] = Some(s);
                j += 1;
            }
            match nodes[s].shares {
                Some(earlier) => {
                    nodes[s].params = nodes[earlier].params;
                    nodes[s].frozen |= nodes[earlier].frozen;
                }
                None => {
                    nodes[s].params = params_len;
                    params_len += spec.params.len;
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
        Graph {
            nodes,
            shapes,
            lens,
            writer,
            readers,
            inputs: N,
            outputs: all,
            m: M,
            params_len,
            prepared_len,
            carried_len,
        }
    }
}

/// The larger one, for const code.
const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
