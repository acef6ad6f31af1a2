//! All that is known of a network, its size forgotten: what passes, models and other networks read. In: a graph and its plans; out: a `CompiledNetwork`.

use super::{BufferRef, Graph, MAX_INPUTS, Node, NodePlan, Plan, Streaming};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, MAX_OUTPUTS, Pass, Rule, Stream};

/// All that is known of a network at compile time, whatever its size.
#[derive(Clone, Copy, Debug)]
pub struct CompiledNetwork {
    pub(crate) name: &'static str,
    pub(crate) nodes: &'static [Node],
    pub(crate) inputs: &'static [Shape],
    pub(crate) outputs: &'static [Shape],
    pub(crate) infer: MemoryPlan,
    pub(crate) train: MemoryPlan,
    pub(crate) asked: MemoryPlan,
    pub(crate) stream: MemoryPlan,
    pub(crate) streaming: Streaming,
    /// A stream may not go on past the window.
    pub(crate) bounded: bool,
    /// Of each input that holds token ids, how many there are; 0 for the others.
    pub(crate) ids: [u32; MAX_INPUTS],
    pub(crate) params_len: usize,
    pub(crate) macs: usize,
    pub(crate) trains: bool,
    pub(crate) head: Head,
}

/// One plan, its size forgotten.
#[derive(Clone, Copy, Debug)]
pub struct MemoryPlan {
    pub(crate) node_plan: &'static [NodePlan],
    /// Floats per sample of all values, gradients and what layers save.
    pub(crate) work: usize,
    /// Of these the first, which are needed until all samples have been through; the others only until their group has.
    pub(crate) kept: usize,
    /// Floats per sample, and whatever the batch, that one layer at a time uses.
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
    /// Outputs that are read within the network too: their gradient begins with the one that is given.
    pub(crate) forks: &'static [Option<BufferRef>; MAX_OUTPUTS],
    /// … and they are copied out at the end.
    pub(crate) copies: &'static [Option<BufferRef>; MAX_OUTPUTS],
}

impl MemoryPlan {
    const fn of<const S: usize>(plan: &'static Plan<S>) -> MemoryPlan {
        MemoryPlan {
            node_plan: &plan.node_plan,
            work: plan.work,
            kept: plan.kept,
            scratch: plan.scratch,
            scratch_fixed: plan.scratch_fixed,
            forks: &plan.forks,
            copies: &plan.copies,
        }
    }

    /// Whether any node is asked for the gradient of what it reads, or for what it needs to pull its parameters.
    pub(crate) const fn pulls(&self) -> bool {
        let mut i = 0;
        while i < self.node_plan.len() {
            if self.node_plan[i].pull {
                return true;
            }
            i += 1;
        }
        false
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

impl CompiledNetwork {
    /// Puts a network's graph and its plans together: to predict, to train, to train with gradients of the inputs, and for one step of a
    /// stream.
    pub const fn new<const S: usize, const V: usize>(
        name: &'static str,
        graph: &'static Graph<S, V>,
        declared: (&'static [Shape], &'static [Shape]),
        [infer, train, asked, stream]: [&'static Plan<S>; 4],
    ) -> CompiledNetwork {
        let mut macs: usize = 0;
        let mut trains = false;
        let mut bounded = false;
        let mut ids = [0; MAX_INPUTS];
        let mut s = 0;
        while s < S {
            let node = &graph.nodes[s];
            macs = macs.saturating_add(node.spec.macs);
            trains |= node.trains();
            bounded |= node.spec.bounded;
            let mut k = 0;
            while k < node.n {
                let (count, v) = (node.spec.ids[k], node.x[k]);
                if v < graph.inputs && count > 0 && (ids[v] == 0 || count < ids[v]) {
                    ids[v] = count;
                }
                k += 1;
            }
            s += 1;
        }
        CompiledNetwork {
            name,
            nodes: &graph.nodes,
            inputs: declared.0,
            outputs: declared.1,
            infer: MemoryPlan::of(infer),
            train: MemoryPlan::of(train),
            asked: MemoryPlan::of(asked),
            stream: MemoryPlan::of(stream),
            streaming: graph.streaming(),
            bounded,
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
    pub const fn stub(name: &'static str, declared: (&'static [Shape], &'static [Shape])) -> CompiledNetwork {
        const EMPTY: &Plan<0> = &Graph::<0, 0>::new([], [], []).plan(Pass::Infer);
        let schedule = MemoryPlan::of(EMPTY);
        CompiledNetwork {
            name,
            nodes: &[],
            inputs: declared.0,
            outputs: declared.1,
            infer: schedule,
            train: schedule,
            asked: schedule,
            stream: schedule,
            streaming: Streaming { kind: Stream::No, stop: None },
            bounded: false,
            ids: [0; MAX_INPUTS],
            params_len: 0,
            macs: 0,
            trains: false,
            head: Head::Plain,
        }
    }

    #[inline]
    pub(crate) const fn schedule(&self, pass: Pass) -> &MemoryPlan {
        match pass {
            Pass::Infer => &self.infer,
            Pass::Train => &self.train,
            Pass::TrainWithInputGrad => &self.asked,
            Pass::Step => &self.stream,
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
        let spec = match self.outputs.len() {
            1 => LayerSpec::output(self.outputs[0]),
            2 => LayerSpec::outputs([self.outputs[0], self.outputs[1]]),
            3 => LayerSpec::outputs([self.outputs[0], self.outputs[1], self.outputs[2]]),
            _ => LayerSpec::outputs([self.outputs[0], self.outputs[1], self.outputs[2], self.outputs[3]]),
        };
        Rule::Ok(spec.network(self).head(self.head))
    }
}
