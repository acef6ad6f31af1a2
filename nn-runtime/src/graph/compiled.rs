//! All that is known of a network at compile time, as one type whatever its size: what passes, models and
//! other networks read. In: a graph and its plans; out: a `CompiledNetwork`.

#[cfg(feature = "alloc")]
use alloc::string::String;

use super::plan::{BufferRef, NodePlan, Plan};
use super::stream::Streaming;
use super::{Graph, Node};
#[cfg(feature = "train")]
use crate::limits::LINE;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS, lines};
use crate::shape::Shape;
use crate::spec::{Head, NestedSpec, OnnxForm, Pass, PassSizes, Range};

/// All that is known of a network at compile time, whatever its size.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "onnx"), allow(dead_code, reason = "names of ports are for files alone"))]
pub struct CompiledNetwork {
    pub(crate) name: &'static str,
    pub(crate) nodes: &'static [Node],
    pub(crate) inputs: &'static [Shape],
    pub(crate) outputs: &'static [Shape],
    /// What the declaration calls its inputs and outputs.
    pub(crate) names: [&'static [&'static str]; 2],
    /// The numbers of the values that are given out.
    pub(crate) output_values: [usize; MAX_OUTPUTS],
    pub(crate) infer: MemoryPlan,
    pub(crate) train: MemoryPlan,
    pub(crate) train_with_input_grad: MemoryPlan,
    pub(crate) step: MemoryPlan,
    pub(crate) streaming: Streaming,
    /// A stream may not go on past the window.
    pub(crate) bounded: bool,
    /// Of each input that holds token ids, how many there are; 0 for the others.
    pub(crate) ids: [u32; MAX_INPUTS],
    pub(crate) params_len: usize,
    /// Floats of parameters that are laid out once for many passes.
    pub(crate) prepared_len: usize,
    /// Floats per sample that windows carry to those after them where training is stateful.
    pub(crate) carried_len: usize,
    pub(crate) macs: usize,
    pub(crate) head: Head,
    pub(crate) range: Range,
    /// What it is as a layer of another network.
    pub(crate) nested: NestedSpec,
}

/// A plan of one pass, as one type whatever the size of the network.
#[derive(Clone, Copy, Debug)]
pub struct MemoryPlan {
    pub(crate) node_plan: &'static [NodePlan],
    /// Floats per sample of all values, gradients and what layers save.
    pub(crate) work: usize,
    /// Of these the first, which are needed until all samples have run; the others only until their group
    /// has: see `microbatch`.
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

    const fn sizes(&self) -> PassSizes {
        PassSizes { work: self.work, scratch: self.scratch, scratch_fixed: self.scratch_fixed }
    }

    /// Whether `backward_input` of any node runs.
    pub(crate) const fn runs_backward_input(&self) -> bool {
        let mut i = 0;
        while i < self.node_plan.len() {
            if self.node_plan[i].backward_input {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Floats of scratch memory for a batch.
    pub(crate) const fn scratch_for(&self, batch: usize) -> usize {
        self.scratch.saturating_mul(batch).saturating_add(self.scratch_fixed)
    }

    /// Floats of workspace for a batch.
    pub(crate) const fn len(&self, batch: usize) -> usize {
        self.work.saturating_mul(batch).saturating_add(self.scratch_for(batch))
    }
}

impl CompiledNetwork {
    /// Whether the gradients of any layer may be summed block by block.
    #[cfg(feature = "train")]
    pub(crate) const fn sums_blocks(&self) -> bool {
        let (mut any, mut i) = (false, 0);
        while i < self.nodes.len() {
            any |= self.nodes[i].reuses();
            i += 1;
        }
        any
    }

    /// Puts a network's graph and its plans together: to predict, to train, to train with gradients of the
    /// inputs, and for one step of a stream.
    pub const fn new<const S: usize, const V: usize>(
        name: &'static str,
        graph: &'static Graph<S, V>,
        declared: (&'static [Shape], &'static [Shape]),
        names: [&'static [&'static str]; 2],
        [infer, train, asked, stream]: [&'static Plan<S>; 4],
    ) -> CompiledNetwork {
        let (mut macs, mut param_count): (usize, usize) = (0, 0);
        let mut trains = false;
        let (mut unsaid, mut int8_fault) = (None, None);
        let (mut bounded, mut depends_on_batch) = (false, false);
        let (mut one_worker, mut statistics, mut draws_normals) = (false, 0, false);
        let mut ids = [0; MAX_INPUTS];
        let mut s = 0;
        while s < S {
            let node = &graph.nodes[s];
            macs = macs.saturating_add(node.spec.macs);
            if unsaid.is_none() {
                unsaid = match node.spec.nested {
                    Some(nested) => nested.unsaid,
                    None if matches!(node.spec.onnx, OnnxForm::Unsaid) => Some(node.name),
                    None => None,
                };
            }
            if int8_fault.is_none() {
                int8_fault = match (node.spec.nested, node.spec.int8_fault()) {
                    (Some(nested), _) => nested.int8_fault,
                    (None, Some(fault)) => Some((node.name, fault)),
                    (None, None) => None,
                };
            }
            param_count = param_count.saturating_add(node.param_count());
            trains |= node.trains();
            draws_normals |= node.draws_normals();
            bounded |= node.spec.stream.bounded;
            // What is frozen runs as if predicting.
            depends_on_batch |= !node.frozen && node.spec.depends_on_batch_anywhere();
            if !node.frozen {
                let own = node.statistics();
                statistics += own;
                let within = match node.spec.nested {
                    Some(nested) => nested.one_worker,
                    None => own > 0,
                };
                one_worker |= within || node.shares.is_some() || node.spec.depends_on_batch_anywhere();
            }
            let mut k = 0;
            while k < node.n {
                let (count, v) = (node.spec.shapes.ids[k], node.x[k]);
                if v < graph.inputs && count > 0 && (ids[v] == 0 || count < ids[v]) {
                    ids[v] = count;
                }
                k += 1;
            }
            s += 1;
        }
        let streaming = graph.streaming();
        let plans = [MemoryPlan::of(infer), MemoryPlan::of(train), MemoryPlan::of(asked), MemoryPlan::of(stream)];
        CompiledNetwork {
            name,
            nodes: &graph.nodes,
            inputs: declared.0,
            outputs: declared.1,
            names,
            output_values: graph.outputs,
            infer: plans[0],
            // Where nobody trains or streams, the program need not hold these plans.
            train: plans[if cfg!(feature = "train") { 1 } else { 0 }],
            train_with_input_grad: plans[if cfg!(feature = "train") { 2 } else { 0 }],
            step: plans[if cfg!(feature = "stream") { 3 } else { 0 }],
            streaming,
            bounded,
            ids,
            params_len: graph.params_len,
            prepared_len: graph.prepared_len,
            carried_len: graph.carried_len,
            macs,
            head: match graph.m {
                // A loss looks through it.
                1 if graph.only_moves() => Head::Same,
                1 => graph.head(0),
                _ => Head::Other,
            },
            range: graph.range(),
            nested: NestedSpec {
                infer: plans[0].sizes(),
                train: plans[1].sizes(),
                train_with_input_grad: plans[2].sizes(),
                step: plans[3].sizes(),
                params_len: graph.params_len,
                param_count,
                prepared_len: graph.prepared_len,
                carried_len: graph.carried_len,
                macs,
                stream: streaming.kind,
                stride: streaming.stride,
                bounded,
                ids,
                trains,
                unsaid,
                int8_fault,
                one_worker,
                statistics,
                draws_normals,
                depends_on_batch,
            },
        }
    }

    /// What stands for a network whose declaration has errors, so that the code around it still type-checks.
    pub const fn stub(name: &'static str, declared: (&'static [Shape], &'static [Shape])) -> CompiledNetwork {
        const GRAPH: &Graph<0, 0> = &Graph::new([], [], []);
        const PLAN: &Plan<0> = &GRAPH.plan(Pass::Infer);
        let empty = CompiledNetwork::new(name, GRAPH, declared, [&[]; 2], [PLAN; 4]);
        CompiledNetwork { streaming: Streaming::NONE, head: Head::Plain, ..empty }
    }

    #[inline]
    pub(crate) const fn plan(&self, pass: Pass) -> &MemoryPlan {
        match pass {
            Pass::Infer => &self.infer,
            Pass::Train => &self.train,
            Pass::TrainWithInputGrad | Pass::Observe => &self.train_with_input_grad,
            Pass::Step | Pass::Prepare => &self.step,
        }
    }

    /// Numbers that one sample of every output takes, each from the beginning of a cache line.
    pub(crate) const fn output_room(&self) -> usize {
        let (mut len, mut j) = (0, 0);
        while j < self.outputs.len() {
            len += lines(self.outputs[j].len());
            j += 1;
        }
        len
    }

    /// Numbers of all parameters as they lie in memory.
    pub const fn params_len(&self) -> usize {
        self.params_len
    }

    /// Numbers of memory to predict so many samples at once.
    pub const fn predict_len(&self, batch: usize) -> usize {
        self.output_room().saturating_add(self.infer.len(batch))
    }

    /// Numbers of memory in which gradients go through it, of so many samples at once: see `Differentiator`.
    #[cfg(feature = "train")]
    pub const fn differentiate_len(&self, batch: usize) -> usize {
        let plan = &self.train_with_input_grad;
        let (mut len, mut j) = (plan.scratch_for(batch), 0);
        len = len.saturating_add(whole_lines(plan.work, batch));
        while j < self.outputs.len() {
            len = len.saturating_add(whole_lines(self.outputs[j].len(), batch).saturating_mul(2));
            j += 1;
        }
        len
    }

    /// Numbers of memory in which it runs one step at a time: see `stream::Engine`.
    #[cfg(feature = "stream")]
    pub const fn stream_len(&self) -> usize {
        let own = [self.prepared_len, self.step.scratch_for(1), self.step.kept, self.step.work];
        let (mut len, mut i) = (0usize, 0);
        while i < own.len() {
            len = len.saturating_add(lines(own[i]));
            i += 1;
        }
        let mut j = 0;
        while j < self.outputs.len() {
            len = len.saturating_add(2 * lines(self.streaming.outputs[j]));
            j += 1;
        }
        len
    }

    /// Whether an input holds token ids.
    pub(crate) const fn reads_ids(&self) -> bool {
        let mut k = 0;
        while k < MAX_INPUTS {
            if self.ids[k] > 0 {
                return true;
            }
            k += 1;
        }
        false
    }

    /// A number that tells this declaration from others: FNV-1a over its name and over the names, shapes and
    /// inputs of its nodes, those of networks within included.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        self.write_down(&mut |bytes| {
            // The length keeps neighbours apart.
            for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        });
        hash
    }

    fn write_down(&self, to: &mut dyn FnMut(&[u8])) {
        let shapes = |to: &mut dyn FnMut(&[u8]), shapes: &[Shape]| {
            shapes.iter().flat_map(Shape::as_slice).for_each(|dim| to(&(*dim as u64).to_le_bytes()));
        };
        to(self.name.as_bytes());
        shapes(to, self.inputs);
        for node in self.nodes {
            to(node.name.as_bytes());
            node.x[..node.n].iter().for_each(|x| to(&(*x as u64).to_le_bytes()));
            shapes(to, node.spec.output_shapes());
            to(&(node.spec.times as u64).to_le_bytes());
            for param in node.spec.params.list() {
                to(param.name.as_bytes());
                shapes(to, &[param.shape]);
            }
            if let Some(network) = node.network {
                network().write_down(to);
            }
        }
    }

    /// The name of the layer that needs the whole window, found in the networks within too; and its stride,
    /// where it is a network that would stream but for that.
    #[cfg(feature = "alloc")]
    pub(crate) fn stop(&self) -> Option<(String, usize)> {
        let node = &self.nodes[self.streaming.stop?];
        let within = node.network.map(|network| network());
        Some(match within.and_then(CompiledNetwork::stop) {
            Some((name, stride)) => (alloc::format!("{}.{name}", node.name), stride),
            None => (node.name.into(), within.map_or(1, |within| within.streaming.stride)),
        })
    }
}

/// So many numbers of each sample, rounded up to whole cache lines.
#[cfg(feature = "train")]
const fn whole_lines(each: usize, batch: usize) -> usize {
    match each.saturating_mul(batch) {
        len if len < usize::MAX - LINE => lines(len),
        _ => usize::MAX,
    }
}
