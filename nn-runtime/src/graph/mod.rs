//! Arrows as data: what `network!` writes down about a declaration, and what const code makes of it. In: nodes and the
//! values they read; out: a `Map` with a plan for each purpose. Nothing here runs at run time, and nothing knows a layer.

mod flow;
mod lives;
mod plan;
mod stream;
mod table;

pub use flow::{Flow, check, check_frozen, check_input, check_output, check_shape, check_shared, repeat};
pub use plan::{Absorbed, Plan, Purpose, Span, Spots, When};
pub(crate) use stream::Streaming;
pub use stream::{input_step, output_step};

use crate::facts::{Facts, Head, MAX_OUTPUTS, Rule, Stream};
use crate::shape::Shape;

/// The most inputs a layer or a network may have.
pub const MAX_INPUTS: usize = 8;

/// A layer at its place: what it reads and writes, by the numbers of values.
///
/// Values are numbered: first the network's inputs, then the outputs of each node in order.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(crate) name: &'static str,
    pub(crate) facts: &'static Facts,
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
    pub const fn new<const N: usize>(name: &'static str, facts: &'static Facts, x: [usize; N], y: usize) -> Node {
        let mut all = [0; MAX_INPUTS];
        let mut i = 0;
        while i < N {
            all[i] = x[i];
            i += 1;
        }
        Node { name, facts, x: all, n: N, y, frozen: false, shares: None, params: 0 }
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
        self.facts.arity
    }

    /// True if an optimiser has something to do here.
    pub(crate) const fn trains(&self) -> bool {
        !self.frozen && self.facts.trains()
    }
}

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
            let facts = nodes[s].facts;
            let mut j = 0;
            while j < facts.arity && nodes[s].y + j < V {
                shapes[nodes[s].y + j] = facts.outputs[j];
                j += 1;
            }
            match nodes[s].shares {
                Some(earlier) => {
                    nodes[s].params = nodes[earlier].params;
                    nodes[s].frozen |= nodes[earlier].frozen;
                }
                None => {
                    nodes[s].params = params_len;
                    params_len += facts.params_len;
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
                Some(s) if matches!(self.nodes[s].facts.head, Head::Same) => value = self.nodes[s].x[0],
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
                Some(s) => match self.nodes[s].facts.head {
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
            if !matches!(self.nodes[s].facts.head, Head::Same) {
                return false;
            }
            value = self.nodes[s].x[0];
        }
        self.inputs == 1 && self.m == 1
    }

    /// What a loss sees at output `j`.
    pub const fn head(&self, j: usize) -> Head {
        let head = match self.head_node(j) {
            Some(s) => self.nodes[s].facts.head,
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

/// All that is known of a network at compile time, whatever its size.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    pub(crate) name: &'static str,
    pub(crate) nodes: &'static [Node],
    pub(crate) inputs: &'static [Shape],
    pub(crate) outputs: &'static [Shape],
    pub(crate) infer: Schedule,
    pub(crate) train: Schedule,
    pub(crate) asked: Schedule,
    pub(crate) stream: Schedule,
    pub(crate) streaming: Streaming,
    /// A stream may not go on past the window.
    pub(crate) windowed: bool,
    /// Of each input that holds token ids, how many there are; 0 for the others.
    pub(crate) ids: [u32; MAX_INPUTS],
    pub(crate) params_len: usize,
    pub(crate) macs: usize,
    pub(crate) trains: bool,
    pub(crate) head: Head,
}

/// One plan, its size forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub(crate) spots: &'static [Spots],
    /// Floats per sample of all values, gradients and what layers save.
    pub(crate) work: usize,
    /// Floats per sample, and whatever the batch, that one layer at a time uses.
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
    /// Outputs that are read within the network too: their gradient begins with the one that is given.
    pub(crate) forks: &'static [Option<Span>; MAX_OUTPUTS],
    /// … and they are copied out at the end.
    pub(crate) copies: &'static [Option<Span>; MAX_OUTPUTS],
}

impl Schedule {
    const fn of<const S: usize>(plan: &'static Plan<S>) -> Schedule {
        Schedule {
            spots: &plan.spots,
            work: plan.work,
            scratch: plan.scratch,
            scratch_fixed: plan.scratch_fixed,
            forks: &plan.forks,
            copies: &plan.copies,
        }
    }

    /// Floats of scratch memory for a batch.
    pub(crate) const fn scratch_for(&self, batch: usize) -> usize {
        self.scratch * batch + self.scratch_fixed
    }

    /// Floats of workspace for a batch.
    pub(crate) const fn len(&self, batch: usize) -> usize {
        self.work * batch + self.scratch_for(batch)
    }
}

impl Map {
    /// Puts a network's graph and its plans together: to predict, to train, to train with gradients of the inputs, and for one step of a
    /// stream.
    pub const fn new<const S: usize, const V: usize>(
        name: &'static str,
        graph: &'static Graph<S, V>,
        declared: (&'static [Shape], &'static [Shape]),
        [infer, train, asked, stream]: [&'static Plan<S>; 4],
    ) -> Map {
        let mut macs: usize = 0;
        let mut trains = false;
        let mut windowed = false;
        let mut ids = [0; MAX_INPUTS];
        let mut s = 0;
        while s < S {
            let node = &graph.nodes[s];
            macs = macs.saturating_add(node.facts.macs);
            trains |= node.trains();
            windowed |= node.facts.windowed;
            let mut k = 0;
            while k < node.n {
                let (count, v) = (node.facts.ids[k], node.x[k]);
                if v < graph.inputs && count > 0 && (ids[v] == 0 || count < ids[v]) {
                    ids[v] = count;
                }
                k += 1;
            }
            s += 1;
        }
        Map {
            name,
            nodes: &graph.nodes,
            inputs: declared.0,
            outputs: declared.1,
            infer: Schedule::of(infer),
            train: Schedule::of(train),
            asked: Schedule::of(asked),
            stream: Schedule::of(stream),
            streaming: graph.streaming(),
            windowed,
            ids,
            params_len: graph.params_len,
            macs,
            trains,
            head: match graph.m {
                // A loss looks through it.
                1 if graph.only_moves() => Head::Same,
                1 => graph.head(0),
                _ => Head::Other,
            },
        }
    }

    /// What stands for a network whose declaration has errors, so that the code around it still type-checks.
    pub const fn stub(name: &'static str, declared: (&'static [Shape], &'static [Shape])) -> Map {
        const EMPTY: &Plan<0> = &Graph::<0, 0>::new([], [], []).plan(Purpose::Infer);
        let schedule = Schedule::of(EMPTY);
        Map {
            name,
            nodes: &[],
            inputs: declared.0,
            outputs: declared.1,
            infer: schedule,
            train: schedule,
            asked: schedule,
            stream: schedule,
            streaming: Streaming { kind: Stream::No, stop: None },
            windowed: false,
            ids: [0; MAX_INPUTS],
            params_len: 0,
            macs: 0,
            trains: false,
            head: Head::Plain,
        }
    }

    pub(crate) const fn schedule(&self, purpose: Purpose) -> &Schedule {
        match purpose {
            Purpose::Infer => &self.infer,
            Purpose::Train => &self.train,
            Purpose::TrainAsked => &self.asked,
            Purpose::Stream => &self.stream,
        }
    }

    /// The rule of the network as a layer.
    pub const fn rule<const N: usize>(&'static self, x: [Shape; N]) -> Rule {
        use crate::fault::Fault;
        let mut i = 0;
        while i < N {
            if !x[i].equals(&self.inputs[i]) {
                let fault = Fault::expected("an input of ")
                    .shape(self.inputs[i])
                    .str(", as `")
                    .str(self.name)
                    .str("` declares")
                    .found(x[i]);
                return Rule::Err(
                    fault.help("change the shape before it, or the declaration of `").str(self.name).str("`"),
                );
            }
            i += 1;
        }
        let facts = match self.outputs.len() {
            1 => Facts::output(self.outputs[0]),
            2 => Facts::outputs([self.outputs[0], self.outputs[1]]),
            3 => Facts::outputs([self.outputs[0], self.outputs[1], self.outputs[2]]),
            _ => Facts::outputs([self.outputs[0], self.outputs[1], self.outputs[2], self.outputs[3]]),
        };
        Rule::Ok(facts.network(self).head(self.head))
    }
}

/// The facts of a rule's answer, with the shapes it was asked about; empty where it refused.
pub const fn facts<const N: usize>(rule: &Rule, x: [Shape; N]) -> Facts {
    let mut facts = match rule {
        Rule::Ok(facts) => match facts.fault() {
            None => *facts,
            Some(_) => Facts::NONE,
        },
        Rule::Err(_) => Facts::NONE,
    };
    let mut i = 0;
    while i < N && i < MAX_INPUTS {
        facts.inputs[i] = x[i];
        i += 1;
    }
    facts
}
