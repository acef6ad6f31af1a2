//! Where everything lies, and when: const code that turns arrows into lifetimes, offsets, absorbed activations and the way of
//! the gradients. In: a `Graph` and a purpose; out: a `Plan`. It knows times and sizes, never a float.
//!
//! Time: node `i` of `S` runs forward at `i` and is pulled at `2S - 1 - i`; parameters are pulled at `2S`.

use super::{Graph, MAX_INPUTS, Node};
use crate::facts::{Head, MAX_OUTPUTS, lines};
use crate::kernels::split::{Place, Region};

/// What a pass will be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Outputs only.
    Infer,
    /// Outputs and the gradients that parameters need.
    Train,
    /// The gradients of the inputs too.
    TrainAsked,
}

/// A place for one value: `offset` and `len` are floats per sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub(crate) region: Region,
    pub(crate) index: u8,
    pub(crate) offset: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) const NONE: Span = Span { region: Region::Work, index: 0, offset: 0, len: 0 };

    const fn work(offset: usize, len: usize) -> Span {
        assert!(offset + len <= u32::MAX as usize, "expected at most 2^32 numbers per sample in one network");
        Span { region: Region::Work, index: 0, offset: offset as u32, len: len as u32 }
    }

    const fn outside(region: Region, index: usize, len: usize) -> Span {
        Span { region, index: index as u8, offset: 0, len: len as u32 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The place for a batch.
    pub(crate) const fn of_batch(&self, batch: usize) -> Place {
        Place {
            region: self.region,
            index: self.index as usize,
            offset: self.offset as usize * batch,
            len: self.len as usize * batch,
        }
    }
}

/// Whether the layer before does this one's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absorbed {
    /// It runs on its own.
    No,
    /// It overwrites its input, which nobody else reads.
    InPlace,
    /// The producer's kernel ends with it.
    ByProducer,
}

/// Where one node finds and leaves everything.
#[derive(Clone, Copy, Debug)]
pub struct Spots {
    pub(crate) x: [Span; MAX_INPUTS],
    pub(crate) y: [Span; MAX_OUTPUTS],
    pub(crate) dy: [Span; MAX_OUTPUTS],
    pub(crate) dx: [Span; MAX_INPUTS],
    /// Where a `dx` that is not the first of its value is added.
    pub(crate) sum: [Span; MAX_INPUTS],
    pub(crate) saved: Span,
    pub(crate) pull: bool,
    pub(crate) trains: bool,
    /// What a network used as a layer is asked for in its turn.
    pub(crate) purpose: Purpose,
    pub(crate) absorbed: Absorbed,
    pub(crate) floor: f32,
    /// The outputs, one bit each, whose loss reads what comes in here when it wants scores.
    pub(crate) head: u8,
}

impl Spots {
    const NONE: Spots = Spots {
        x: [Span::NONE; MAX_INPUTS],
        y: [Span::NONE; MAX_OUTPUTS],
        dy: [Span::NONE; MAX_OUTPUTS],
        dx: [Span::NONE; MAX_INPUTS],
        sum: [Span::NONE; MAX_INPUTS],
        saved: Span::NONE,
        pull: false,
        trains: false,
        purpose: Purpose::Infer,
        absorbed: Absorbed::No,
        floor: f32::NEG_INFINITY,
        head: 0,
    };
}

/// The plan of one network for one purpose.
pub struct Plan<const S: usize> {
    pub(crate) spots: [Spots; S],
    pub(crate) work: usize,
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
    pub(crate) forks: [Option<Span>; MAX_OUTPUTS],
    pub(crate) copies: [Option<Span>; MAX_OUTPUTS],
}

/// When a buffer is in use, and how long it is.
#[derive(Clone, Copy)]
struct Life {
    len: usize,
    from: usize,
    to: usize,
    offset: usize,
}

impl Life {
    const NONE: Life = Life { len: 0, from: 0, to: 0, offset: 0 };

    const fn new(len: usize, from: usize, to: usize) -> Life {
        Life { len: lines(len), from, to, offset: 0 }
    }
}

/// All buffers of a network; one number space over four arrays, because const code cannot add array lengths.
struct Lives<const S: usize, const V: usize> {
    values: [Life; V],
    grads: [Life; V],
    saved: [Life; S],
    temps: [Life; S],
}

impl<const S: usize, const V: usize> Lives<S, V> {
    const COUNT: usize = 2 * V + 2 * S;

    const fn get(&self, i: usize) -> Life {
        if i < V {
            self.values[i]
        } else if i < 2 * V {
            self.grads[i - V]
        } else if i < 2 * V + S {
            self.saved[i - 2 * V]
        } else {
            self.temps[i - 2 * V - S]
        }
    }

    const fn place(&mut self, i: usize, offset: usize) {
        if i < V {
            self.values[i].offset = offset;
        } else if i < 2 * V {
            self.grads[i - V].offset = offset;
        } else if i < 2 * V + S {
            self.saved[i - 2 * V].offset = offset;
        } else {
            self.temps[i - 2 * V - S].offset = offset;
        }
    }

    /// Greedy by size: the longest buffers first, each at the lowest offset that is free for all its life. Returns the peak.
    const fn allocate(&mut self) -> usize {
        let mut peak = 0;
        // Lengths in falling order, found one after the other; buffers of one length in the order of their numbers.
        let mut len = usize::MAX;
        loop {
            let mut next = 0;
            let mut i = 0;
            while i < Self::COUNT {
                let l = self.get(i).len;
                if l < len && l > next {
                    next = l;
                }
                i += 1;
            }
            if next == 0 {
                return peak;
            }
            len = next;
            let mut i = 0;
            while i < Self::COUNT {
                if self.get(i).len == len {
                    let offset = self.lowest(i, len);
                    self.place(i, offset);
                    if offset + len > peak {
                        peak = offset + len;
                    }
                }
                i += 1;
            }
        }
    }

    /// The lowest offset where buffer `i` meets none of those already placed: all longer ones, and those of its length before it.
    const fn lowest(&self, i: usize, len: usize) -> usize {
        let life = self.get(i);
        let mut offset = 0;
        loop {
            let mut moved = false;
            let mut j = 0;
            while j < Self::COUNT {
                let other = self.get(j);
                let placed = other.len > len || (other.len == len && j < i);
                let meets = other.from <= life.to && life.from <= other.to;
                if placed && meets && other.offset < offset + len && offset < other.offset + other.len {
                    offset = other.offset + other.len;
                    moved = true;
                }
                j += 1;
            }
            if !moved {
                return offset;
            }
        }
    }
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

impl<const S: usize, const V: usize> Graph<S, V> {
    /// Plans a pass.
    pub const fn plan(&self, purpose: Purpose) -> Plan<S> {
        let backward = !matches!(purpose, Purpose::Infer);
        let asked = matches!(purpose, Purpose::TrainAsked);
        let wanted = self.wanted(backward, asked);
        let pulled = self.pulled(backward, &wanted);
        let absorbed = self.absorbed(backward, &pulled);

        let mut lives = Lives::<S, V> {
            values: [Life::NONE; V],
            grads: [Life::NONE; V],
            saved: [Life::NONE; S],
            temps: [Life::NONE; S],
        };
        let mut v = 0;
        while v < V {
            lives.values[v] = self.value_life(v, backward, &pulled, &absorbed);
            lives.grads[v] = self.grad_life(v, &wanted);
            v += 1;
        }
        let mut scratch = 0;
        let mut scratch_fixed = 0;
        let mut s = 0;
        while s < S {
            let facts = self.nodes[s].facts;
            let own = self.own_purpose(s, backward, &wanted, &pulled);
            let trains = backward && self.nodes[s].trains();
            if !matches!(own, Purpose::Infer) {
                let to = if trains { 2 * S } else { 2 * S - 1 - s };
                lives.saved[s] = Life::new(facts.saved_for(own), s, to);
            }
            lives.temps[s] = Life::new(self.temps_len(s, &wanted), 2 * S - 1 - s, 2 * S - 1 - s);
            scratch = max(scratch, facts.scratch_for(own));
            scratch_fixed = max(scratch_fixed, facts.scratch_fixed_for(own));
            s += 1;
        }
        let work = lives.allocate();

        let mut plan = Plan {
            spots: [Spots::NONE; S],
            work,
            scratch: lines(scratch),
            scratch_fixed: lines(scratch_fixed),
            forks: [None; MAX_OUTPUTS],
            copies: [None; MAX_OUTPUTS],
        };
        let mut s = 0;
        while s < S {
            plan.spots[s] = self.spots(s, backward, &wanted, &pulled, &absorbed, &lives);
            s += 1;
        }
        let mut j = 0;
        while j < self.m {
            let v = self.outputs[j];
            if self.is_fork(v) {
                plan.copies[j] = Some(self.value_span(v, &absorbed, &lives));
                if wanted[v] {
                    plan.forks[j] = Some(Span::work(lives.grads[v].offset, self.shapes[v].len()));
                }
            }
            j += 1;
        }
        plan
    }

    /// An output of the network that is read within it too has a place of its own in the workspace.
    const fn is_fork(&self, v: usize) -> bool {
        self.output(v).is_some() && self.readers(v) > 0
    }

    pub(super) const fn readers(&self, v: usize) -> usize {
        let mut count = 0;
        let mut s = 0;
        while s < S {
            let mut k = 0;
            while k < self.nodes[s].n {
                count += (self.nodes[s].x[k] == v) as usize;
                k += 1;
            }
            s += 1;
        }
        count
    }

    /// The values whose gradient somebody wants: those behind something that learns, or all where the inputs' are asked for.
    const fn wanted(&self, backward: bool, asked: bool) -> [bool; V] {
        let mut wanted = [asked; V];
        let mut s = 0;
        while s < S && backward {
            let node = &self.nodes[s];
            let mut any = node.trains();
            let mut k = 0;
            while k < node.n {
                any |= wanted[node.x[k]];
                k += 1;
            }
            let mut j = 0;
            while j < node.m() {
                wanted[node.y + j] = any;
                j += 1;
            }
            s += 1;
        }
        wanted
    }

    /// The nodes whose `pull_input` is called.
    const fn pulled(&self, backward: bool, wanted: &[bool; V]) -> [bool; S] {
        let mut pulled = [false; S];
        let mut s = 0;
        while s < S && backward {
            let node = &self.nodes[s];
            pulled[s] = node.facts.prepares() && node.trains() || self.wants_input(s, wanted);
            s += 1;
        }
        pulled
    }

    const fn wants_input(&self, s: usize, wanted: &[bool; V]) -> bool {
        let node = &self.nodes[s];
        let mut k = 0;
        while k < node.n {
            if wanted[node.x[k]] {
                return true;
            }
            k += 1;
        }
        false
    }

    /// What the node itself is asked for.
    const fn own_purpose(&self, s: usize, backward: bool, wanted: &[bool; V], pulled: &[bool; S]) -> Purpose {
        if pulled[s] && self.wants_input(s, wanted) {
            Purpose::TrainAsked
        } else if backward && self.nodes[s].trains() {
            Purpose::Train
        } else {
            Purpose::Infer
        }
    }

    /// Which nodes are absorbed by the one before.
    const fn absorbed(&self, backward: bool, pulled: &[bool; S]) -> [Absorbed; S] {
        let mut absorbed = [Absorbed::No; S];
        let mut s = 0;
        while s < S {
            let node = &self.nodes[s];
            if let Some(act) = node.facts.act
                && node.n == 1
                && node.facts.times == 1
                && let Some(before) = self.writer(node.x[0])
            {
                let producer: &Node = &self.nodes[before];
                let free = self.readers(node.x[0]) == 1 && self.output(node.x[0]).is_none();
                let fits = producer.facts.takes_act && producer.facts.arity == 1 && producer.facts.times == 1;
                if free && fits && (act.from_output || !backward || !pulled[s]) {
                    absorbed[s] = if act.floor.is_some() { Absorbed::ByProducer } else { Absorbed::InPlace };
                }
            }
            s += 1;
        }
        absorbed
    }

    /// The node that absorbs itself into the writer of `v`, if any.
    const fn absorber(&self, v: usize, absorbed: &[Absorbed; S]) -> Option<usize> {
        let mut s = 0;
        while s < S {
            if self.nodes[s].x[0] == v && !matches!(absorbed[s], Absorbed::No) {
                return Some(s);
            }
            s += 1;
        }
        None
    }

    /// The last time value `v` is read.
    const fn last_use(&self, v: usize, backward: bool, pulled: &[bool; S]) -> usize {
        let mut to = 0;
        let mut s = 0;
        while s < S {
            let node = &self.nodes[s];
            let mut k = 0;
            while k < node.n {
                if node.x[k] == v {
                    to = max(to, s);
                    if pulled[s] && node.facts.pulls_with_x {
                        to = max(to, 2 * S - 1 - s);
                    }
                    if backward && node.trains() {
                        to = 2 * S;
                    }
                }
                k += 1;
            }
            s += 1;
        }
        if let Some(s) = self.writer(v) {
            to = max(to, s);
            if pulled[s] && self.nodes[s].facts.pulls_with_y {
                to = max(to, 2 * S - 1 - s);
            }
        }
        to
    }

    const fn value_life(&self, v: usize, backward: bool, pulled: &[bool; S], absorbed: &[Absorbed; S]) -> Life {
        let Some(writer) = self.writer(v) else { return Life::NONE };
        let outside = self.output(v).is_some() && !self.is_fork(v);
        if outside || self.absorber(v, absorbed).is_some() {
            return Life::NONE;
        }
        let mut from = writer;
        if !matches!(absorbed[writer], Absorbed::No)
            && let Some(producer) = self.writer(self.nodes[writer].x[0])
        {
            from = producer;
        }
        let mut to = self.last_use(v, backward, pulled);
        if self.output(v).is_some() {
            // Copied out when the last node has run.
            to = max(to, S - 1);
        }
        Life::new(self.shapes[v].len(), from, to)
    }

    const fn grad_life(&self, v: usize, wanted: &[bool; V]) -> Life {
        let Some(writer) = self.writer(v) else { return Life::NONE };
        if !wanted[v] || (self.output(v).is_some() && !self.is_fork(v)) {
            return Life::NONE;
        }
        let mut first = if self.output(v).is_some() { S } else { 2 * S };
        let mut s = 0;
        while s < S {
            let mut k = 0;
            while k < self.nodes[s].n {
                if self.nodes[s].x[k] == v && 2 * S - 1 - s < first {
                    first = 2 * S - 1 - s;
                }
                k += 1;
            }
            s += 1;
        }
        let to = if self.nodes[writer].trains() { 2 * S } else { 2 * S - 1 - writer };
        Life::new(self.shapes[v].len(), first, to)
    }

    /// True where node `s` is the first to write the gradient of its input `k`; the others are added.
    const fn is_first(&self, s: usize, k: usize) -> bool {
        let v = self.nodes[s].x[k];
        if self.is_fork(v) {
            return false;
        }
        let mut later = s;
        while later < S {
            let mut i = 0;
            while i < self.nodes[later].n {
                if self.nodes[later].x[i] == v && (later > s || i < k) {
                    return false;
                }
                i += 1;
            }
            later += 1;
        }
        true
    }

    /// Floats per sample of the gradients that node `s` writes beside, to be added.
    const fn temps_len(&self, s: usize, wanted: &[bool; V]) -> usize {
        let mut len = 0;
        let mut k = 0;
        while k < self.nodes[s].n {
            let v = self.nodes[s].x[k];
            if wanted[v] && !self.is_first(s, k) {
                len += lines(self.shapes[v].len());
            }
            k += 1;
        }
        len
    }

    const fn value_span(&self, v: usize, absorbed: &[Absorbed; S], lives: &Lives<S, V>) -> Span {
        let len = self.shapes[v].len();
        if v < self.inputs {
            return Span::outside(Region::X, v, len);
        }
        let v = match self.absorber(v, absorbed) {
            Some(s) => self.nodes[s].y,
            None => v,
        };
        match self.output(v) {
            Some(j) if !self.is_fork(v) => Span::outside(Region::Y, j, len),
            _ => Span::work(lives.values[v].offset, len),
        }
    }

    const fn grad_span(&self, v: usize, wanted: &[bool; V], lives: &Lives<S, V>) -> Span {
        let len = self.shapes[v].len();
        if !wanted[v] {
            return Span::NONE;
        }
        if v < self.inputs {
            return Span::outside(Region::Dx, v, len);
        }
        match self.output(v) {
            Some(j) if !self.is_fork(v) => Span::outside(Region::Dy, j, len),
            _ => Span::work(lives.grads[v].offset, len),
        }
    }

    const fn spots(
        &self,
        s: usize,
        backward: bool,
        wanted: &[bool; V],
        pulled: &[bool; S],
        absorbed: &[Absorbed; S],
        lives: &Lives<S, V>,
    ) -> Spots {
        let node = &self.nodes[s];
        let mut spots = Spots::NONE;
        spots.pull = pulled[s];
        spots.trains = backward && node.trains();
        spots.purpose = self.own_purpose(s, backward, wanted, pulled);
        spots.absorbed = absorbed[s];
        spots.saved = Span::work(lives.saved[s].offset, node.facts.saved_for(spots.purpose));
        let mut temp = lives.temps[s].offset;
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            spots.x[k] = self.value_span(v, absorbed, lives);
            let target = self.grad_span(v, wanted, lives);
            if wanted[v] && !self.is_first(s, k) {
                spots.dx[k] = Span::work(temp, self.shapes[v].len());
                spots.sum[k] = target;
                temp += lines(self.shapes[v].len());
            } else {
                spots.dx[k] = target;
            }
            k += 1;
        }
        let mut j = 0;
        while j < node.m() {
            spots.y[j] = self.value_span(node.y + j, absorbed, lives);
            spots.dy[j] = self.grad_span(node.y + j, wanted, lives);
            j += 1;
        }
        if let Some(act) = self.absorber(node.y, absorbed)
            && node.m() == 1
            && let Some(fact) = self.nodes[act].facts.act
            && let Some(floor) = fact.floor
        {
            spots.floor = floor;
        }
        let mut j = 0;
        while j < self.m {
            if let Some(head) = self.head_node(j)
                && head == s
                && matches!(node.facts.head, Head::Softmax | Head::LogSoftmax | Head::Sigmoid)
            {
                spots.head |= 1 << j;
            }
            j += 1;
        }
        spots
    }
}
