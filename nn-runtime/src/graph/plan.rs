//! Where in memory everything lies during one pass. In: a `Graph` and what `liveness` says of it; out: a
//! `Plan`, which tells of each node where it finds its inputs and gradients and leaves its outputs. It knows
//! times and sizes, never a float.

use super::allocate::{Buffer, BufferKind, Buffers};
use super::liveness::{Fusion, Liveness};
use super::microbatch::end_of_group;
use super::{Graph, max};
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS, lines};
use crate::spec::{Epilogue, Head, Pass};
use nn_kernels::conv::fused_max_pool::ConvMaxPool;
use nn_kernels::workspace::{BufferRange, Region};

/// Where a value lies: `offset` and `len` are floats per sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BufferRef {
    pub(crate) region: Region,
    pub(crate) index: u8,
    pub(crate) offset: u32,
    pub(crate) len: u32,
}

impl BufferRef {
    pub(crate) const NONE: BufferRef = BufferRef { region: Region::Work, index: 0, offset: 0, len: 0 };

    pub(super) const fn work(offset: usize, len: usize) -> BufferRef {
        assert!(offset + len <= u32::MAX as usize, "expected at most 2^32 numbers per sample in one network");
        BufferRef { region: Region::Work, index: 0, offset: offset as u32, len: len as u32 }
    }

    pub(super) const fn outside(region: Region, index: usize, len: usize) -> BufferRef {
        BufferRef { region, index: index as u8, offset: 0, len: len as u32 }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it is an output of the network itself.
    pub(crate) const fn is_output(&self) -> bool {
        matches!(self.region, Region::Y)
    }

    /// Where it lies of a batch.
    #[inline]
    pub(crate) const fn of_batch(&self, batch: usize) -> BufferRange {
        BufferRange {
            region: self.region,
            index: self.index as usize,
            offset: self.offset as usize * batch,
            len: self.len as usize * batch,
        }
    }
}

/// From one time to another, both included.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetime {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

#[cfg(feature = "alloc")]
impl Lifetime {
    const NEVER: Lifetime = Lifetime { from: 1, to: 0 };

    const fn of(life: &Buffer) -> Lifetime {
        if life.is_none() { Lifetime::NEVER } else { Lifetime { from: life.from as u32, to: life.to as u32 } }
    }

    pub(crate) const fn is_never(&self) -> bool {
        self.from > self.to
    }
}

/// When what one node leaves is in use.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub(crate) y: [Lifetime; MAX_OUTPUTS],
    pub(crate) dy: [Lifetime; MAX_OUTPUTS],
    pub(crate) saved: Lifetime,
}

#[cfg(feature = "alloc")]
impl Lifetimes {
    const NEVER: Lifetimes =
        Lifetimes { y: [Lifetime::NEVER; MAX_OUTPUTS], dy: [Lifetime::NEVER; MAX_OUTPUTS], saved: Lifetime::NEVER };
}

/// Where one node finds and leaves everything.
#[derive(Clone, Copy, Debug)]
pub struct NodePlan {
    pub(crate) x: [BufferRef; MAX_INPUTS],
    pub(crate) y: [BufferRef; MAX_OUTPUTS],
    pub(crate) dy: [BufferRef; MAX_OUTPUTS],
    pub(crate) dx: [BufferRef; MAX_INPUTS],
    /// Where a `dx` that is not the first of its value is added.
    pub(crate) sum: [BufferRef; MAX_INPUTS],
    /// The inputs, one bit each, where `sum` is added to `dx` instead: their sum was deferred until this
    /// node.
    pub(crate) deferred: u8,
    /// `dy` and `dx` are one buffer, which `backward_in_place` overwrites.
    pub(crate) in_place: bool,
    pub(crate) saved: BufferRef,
    /// When each of these is in use, for whoever wants to see the plan: what nobody reads on a
    /// microcontroller.
    #[cfg(feature = "alloc")]
    pub(crate) lives: Lifetimes,
    pub(crate) backward_input: bool,
    pub(crate) trains: bool,
    /// What the node is asked for.
    pub(crate) pass: Pass,
    /// In a stream, how many steps of its inputs come at once: one, but where a layer has a stride.
    pub(crate) steps: u32,
    pub(crate) fusion: Fusion,
    /// What it ends with in the stead of the nodes that are fused into it.
    pub(crate) epilogue: Epilogue,
    /// The outputs, one bit each, whose loss reads what comes in here when it wants scores.
    pub(crate) head: u8,
}

impl NodePlan {
    pub(super) const NONE: NodePlan = NodePlan {
        x: [BufferRef::NONE; MAX_INPUTS],
        y: [BufferRef::NONE; MAX_OUTPUTS],
        dy: [BufferRef::NONE; MAX_OUTPUTS],
        dx: [BufferRef::NONE; MAX_INPUTS],
        sum: [BufferRef::NONE; MAX_INPUTS],
        deferred: 0,
        in_place: false,
        saved: BufferRef::NONE,
        #[cfg(feature = "alloc")]
        lives: Lifetimes::NEVER,
        backward_input: false,
        trains: false,
        pass: Pass::Infer,
        steps: 1,
        fusion: Fusion::No,
        epilogue: Epilogue::NONE,
        head: 0,
    };
}

/// The plan of one network for one pass.
pub struct Plan<const S: usize> {
    pub(crate) node_plan: [NodePlan; S],
    /// Floats per sample at the beginning of the workspace that are needed until all samples have been
    /// through.
    pub(crate) kept: usize,
    pub(crate) work: usize,
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
    pub(crate) forks: [Option<BufferRef>; MAX_OUTPUTS],
    pub(crate) copies: [Option<BufferRef>; MAX_OUTPUTS],
}

impl<const S: usize, const V: usize> Graph<S, V> {
    /// Plans a pass.
    pub const fn plan(&self, pass: Pass) -> Plan<S> {
        let live = self.liveness(pass);
        let backward = !matches!(pass, Pass::Infer);
        let mut buffers = Buffers::<V>::NONE;
        // In the order of time.
        let mut v = 0;
        while v < V {
            if let Some((from, to)) = live.value_life(v) {
                buffers.set(BufferKind::Value, v, Buffer::new(self.lens[v], from, to));
            }
            v += 1;
        }
        while backward && v > 0 {
            v -= 1;
            if let Some((from, to)) = live.grad_life(v) {
                buffers.set(BufferKind::Grad, v, Buffer::new(self.lens[v], from, to));
            }
        }
        let mut scratch = 0;
        let mut scratch_fixed = 0;
        let mut groups = false;
        let mut s = 0;
        while s < S {
            let spec = self.nodes[s].spec;
            groups |= live.trains[s] && self.nodes[s].reuses();
            let own = live.pass[s];
            if !matches!(own, Pass::Infer) {
                let to = if live.trains[s] { self.nodes[s].params_at(S) } else { 2 * S - 1 - s };
                buffers.set(BufferKind::Saved, s, Buffer::new(self.saved_len(s, &live), s, to));
            }
            if live.backward_input[s] {
                let temps = Buffer::new(self.temps_len(s, &live), 2 * S - 1 - s, 2 * S - 1 - s);
                buffers.set(BufferKind::Temp, s, temps);
            }
            scratch = max(scratch, spec.scratch_for(own));
            scratch_fixed = max(scratch_fixed, spec.scratch_fixed_for(own));
            if let (Some(conv), Some(pool)) = (spec.fusion.accepts.max_pool, live.epilogue[s].max_pool) {
                scratch_fixed = max(scratch_fixed, ConvMaxPool { conv, pool }.scratch());
            }
            s += 1;
        }
        // Where no gradient is computed group by group, nothing of a group can be given up.
        let (kept, work) = buffers.allocate(end_of_group(S), groups);

        let mut plan = Plan {
            node_plan: [NodePlan::NONE; S],
            kept,
            work,
            scratch: lines(scratch),
            scratch_fixed: lines(scratch_fixed),
            forks: [None; MAX_OUTPUTS],
            copies: [None; MAX_OUTPUTS],
        };
        let mut s = 0;
        while s < S {
            plan.node_plan[s] = self.node_plan(s, &live, &buffers);
            s += 1;
        }
        let mut j = 0;
        while j < self.m {
            let v = self.outputs[j];
            if live.is_fork(v) {
                plan.copies[j] = Some(self.value_at(v, &live, &buffers));
                if live.wanted[v] {
                    plan.forks[j] = Some(BufferRef::work(buffers.of(BufferKind::Grad, v).offset, self.lens[v]));
                }
            }
            if let Some(s) = self.head_node(j)
                && matches!(self.nodes[s].spec.head, Head::Softmax | Head::LogSoftmax | Head::Sigmoid)
            {
                plan.node_plan[s].head |= 1 << j;
            }
            j += 1;
        }
        plan
    }

    /// Floats per sample of the gradients that node `s` writes to temporary buffers, to be added afterwards.
    const fn temps_len(&self, s: usize, live: &Liveness<S, V>) -> usize {
        let mut len = 0;
        let mut k = 0;
        while k < self.nodes[s].n {
            let v = self.nodes[s].x[k];
            if live.wanted[v] && !live.is_first(v, s, k) && live.deferred_sum(v, s, k).is_none() {
                len += lines(self.lens[v]);
            }
            k += 1;
        }
        len
    }

    /// Floats per sample that node `s` keeps, for a pool that is fused into it too.
    const fn saved_len(&self, s: usize, live: &Liveness<S, V>) -> usize {
        let own = live.pass[s];
        let pool = match live.pool[s] {
            Some(pool) => self.nodes[pool].spec.saved_for(own),
            None => 0,
        };
        self.nodes[s].spec.saved_for(own) + pool
    }

    const fn value_at(&self, mut v: usize, live: &Liveness<S, V>, buffers: &Buffers<V>) -> BufferRef {
        while let Some(s) = live.fused_node[v] {
            v = self.nodes[s].y;
        }
        let len = self.lens[v];
        if v < self.inputs {
            return BufferRef::outside(Region::X, v, len);
        }
        match live.output[v] {
            Some(j) if !live.is_fork(v) => BufferRef::outside(Region::Y, j, len),
            _ => BufferRef::work(buffers.of(BufferKind::Value, v).offset, len),
        }
    }

    const fn grad_at(&self, v: usize, live: &Liveness<S, V>, buffers: &Buffers<V>) -> BufferRef {
        if !live.wanted[v] {
            return BufferRef::NONE;
        }
        let v = live.grad_of(v);
        let len = self.lens[v];
        if v < self.inputs {
            return BufferRef::outside(Region::Dx, v, len);
        }
        match live.output[v] {
            Some(j) if !live.is_fork(v) => BufferRef::outside(Region::Dy, j, len),
            _ => BufferRef::work(buffers.of(BufferKind::Grad, v).offset, len),
        }
    }

    const fn node_plan(&self, s: usize, live: &Liveness<S, V>, buffers: &Buffers<V>) -> NodePlan {
        let node = &self.nodes[s];
        let mut node_plan = NodePlan::NONE;
        node_plan.backward_input = live.backward_input[s];
        node_plan.trains = live.trains[s];
        node_plan.pass = live.pass[s];
        node_plan.fusion = live.fusion[s];
        node_plan.in_place = live.in_place[s];
        node_plan.epilogue = live.epilogue[s];
        node_plan.saved = BufferRef::work(buffers.of(BufferKind::Saved, s).offset, self.saved_len(s, live));
        let mut temp = buffers.of(BufferKind::Temp, s).offset;
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            node_plan.x[k] = self.value_at(v, live, buffers);
            if !live.wanted[v] {
                k += 1;
                continue;
            }
            let target = self.grad_at(v, live, buffers);
            if let Some(other) = live.deferred_sum(v, s, k) {
                node_plan.dx[k] = target;
                node_plan.sum[k] = self.grad_at(other, live, buffers);
                node_plan.deferred |= 1 << k;
            } else if !live.is_first(v, s, k) {
                node_plan.dx[k] = BufferRef::work(temp, self.lens[v]);
                node_plan.sum[k] = target;
                temp += lines(self.lens[v]);
            } else if !live.is_aliased(v, s, k) {
                node_plan.dx[k] = target;
            }
            k += 1;
        }
        let mut j = 0;
        while j < node.m() {
            let v = node.y + j;
            node_plan.y[j] = self.value_at(v, live, buffers);
            if live.wanted[v] {
                node_plan.dy[j] = self.grad_at(v, live, buffers);
            }
            j += 1;
        }
        #[cfg(feature = "alloc")]
        {
            node_plan.lives = self.lifetimes(s, live, buffers);
        }
        node_plan
    }

    #[cfg(feature = "alloc")]
    const fn lifetimes(&self, s: usize, live: &Liveness<S, V>, buffers: &Buffers<V>) -> Lifetimes {
        let mut lives = Lifetimes::NEVER;
        lives.saved = Lifetime::of(buffers.of(BufferKind::Saved, s));
        let mut j = 0;
        while j < self.nodes[s].m() {
            let v = self.nodes[s].y + j;
            lives.y[j] = Lifetime::of(buffers.of(BufferKind::Value, v));
            if live.wanted[v] {
                lives.dy[j] = Lifetime::of(buffers.of(BufferKind::Grad, v));
            }
            j += 1;
        }
        lives
    }
}
