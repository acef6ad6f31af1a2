//! Where everything lies: const code that turns arrows into places, absorbed activations and the way of
//! the gradients. In: a `Graph` and a purpose; out: a `Plan`. It knows times and sizes, never a float.
//!
//! Time: node `i` of `S` runs forward at `i` and is pulled at `2S - 1 - i`; then parameters are pulled, see `params_at`.

use super::lives::{Kind, Life, Lives};
use super::table::{Table, max, params_at};
use super::{Graph, MAX_INPUTS};
use crate::facts::{Head, MAX_OUTPUTS, lines};
use crate::kernels::pool::Pool;
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
    /// The next step of outputs from the next step of inputs.
    Stream,
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

    pub(super) const fn work(offset: usize, len: usize) -> Span {
        assert!(offset + len <= u32::MAX as usize, "expected at most 2^32 numbers per sample in one network");
        Span { region: Region::Work, index: 0, offset: offset as u32, len: len as u32 }
    }

    pub(super) const fn outside(region: Region, index: usize, len: usize) -> Span {
        Span { region, index: index as u8, offset: 0, len: len as u32 }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The place for a batch.
    #[inline]
    pub(crate) const fn of_batch(&self, batch: usize) -> Place {
        Place {
            region: self.region,
            index: self.index as usize,
            offset: self.offset as usize * batch,
            len: self.len as usize * batch,
        }
    }
}

/// From one time to another, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct When {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl When {
    const NEVER: When = When { from: 1, to: 0 };

    const fn of(life: &Life) -> When {
        if life.is_none() { When::NEVER } else { When { from: life.from as u32, to: life.to as u32 } }
    }

    pub(crate) const fn is_never(&self) -> bool {
        self.from > self.to
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
    /// The inputs, one bit each, whose `sum` is added to `dx` instead.
    pub(crate) joins: u8,
    /// The place of `dy` is that of `dx`.
    pub(crate) in_place: bool,
    pub(crate) saved: Span,
    /// When each of these is in use, for whoever wants to see the plan.
    pub(crate) y_life: [When; MAX_OUTPUTS],
    pub(crate) dy_life: [When; MAX_OUTPUTS],
    pub(crate) saved_life: When,
    pub(crate) pull: bool,
    pub(crate) trains: bool,
    /// What a network used as a layer is asked for in its turn.
    pub(crate) purpose: Purpose,
    pub(crate) absorbed: Absorbed,
    pub(crate) floor: f32,
    /// The maxima that a convolution takes on the way.
    pub(crate) pool: Option<Pool>,
    /// The outputs, one bit each, whose loss reads what comes in here when it wants scores.
    pub(crate) head: u8,
}

impl Spots {
    pub(super) const NONE: Spots = Spots {
        x: [Span::NONE; MAX_INPUTS],
        y: [Span::NONE; MAX_OUTPUTS],
        dy: [Span::NONE; MAX_OUTPUTS],
        dx: [Span::NONE; MAX_INPUTS],
        sum: [Span::NONE; MAX_INPUTS],
        joins: 0,
        in_place: false,
        saved: Span::NONE,
        y_life: [When::NEVER; MAX_OUTPUTS],
        dy_life: [When::NEVER; MAX_OUTPUTS],
        saved_life: When::NEVER,
        pull: false,
        trains: false,
        purpose: Purpose::Infer,
        absorbed: Absorbed::No,
        floor: f32::NEG_INFINITY,
        pool: None,
        head: 0,
    };
}

/// The plan of one network for one purpose.
pub struct Plan<const S: usize> {
    pub(crate) spots: [Spots; S],
    /// Floats per sample at the beginning of the workspace that are needed until all samples have been through.
    pub(crate) kept: usize,
    pub(crate) work: usize,
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
    pub(crate) forks: [Option<Span>; MAX_OUTPUTS],
    pub(crate) copies: [Option<Span>; MAX_OUTPUTS],
}

impl<const S: usize, const V: usize> Graph<S, V> {
    /// Plans a pass.
    pub const fn plan(&self, purpose: Purpose) -> Plan<S> {
        let table = self.table(purpose);
        let mut lives = Lives::<V>::NONE;
        let mut v = 0;
        while v < V {
            let len = self.shapes[v].len();
            if let Some((from, to)) = table.value_life(v) {
                lives.set(Kind::Value, v, Life::new(len, from, to));
            }
            if let Some((from, to)) = table.grad_life(v) {
                lives.set(Kind::Grad, v, Life::new(len, from, to));
            }
            v += 1;
        }
        let mut scratch = 0;
        let mut scratch_fixed = 0;
        let mut groups = false;
        let mut s = 0;
        while s < S {
            let facts = self.nodes[s].facts;
            groups |= table.trains[s] && self.nodes[s].reuses();
            let own = table.own[s];
            if !matches!(own, Purpose::Infer) {
                let to = if table.trains[s] { params_at(S, &self.nodes[s]) } else { 2 * S - 1 - s };
                lives.set(Kind::Saved, s, Life::new(self.saved_len(s, &table), s, to));
            }
            let temps = Life::new(self.temps_len(s, &table), 2 * S - 1 - s, 2 * S - 1 - s);
            lives.set(Kind::Temp, s, temps);
            scratch = max(scratch, facts.scratch_for(own));
            scratch_fixed = max(scratch_fixed, facts.scratch_fixed_for(own));
            if let Some(conv) = facts.takes_pool
                && let Some(pool) = self.pool(s, &table)
            {
                scratch_fixed = max(scratch_fixed, conv.pooled_scratch(&pool));
            }
            s += 1;
        }
        // Where nothing is pulled group by group, nothing of a group can be given up.
        let (kept, work) = lives.allocate(if groups { 2 * S } else { usize::MAX - 1 });

        let mut plan = Plan {
            spots: [Spots::NONE; S],
            kept: if groups { kept } else { work },
            work,
            scratch: lines(scratch),
            scratch_fixed: lines(scratch_fixed),
            forks: [None; MAX_OUTPUTS],
            copies: [None; MAX_OUTPUTS],
        };
        let mut s = 0;
        while s < S {
            plan.spots[s] = self.spots(s, &table, &lives);
            s += 1;
        }
        let mut j = 0;
        while j < self.m {
            let v = self.outputs[j];
            if table.is_fork(v) {
                plan.copies[j] = Some(self.value_span(v, &table, &lives));
                if table.wanted[v] {
                    plan.forks[j] = Some(Span::work(lives.of(Kind::Grad, v).offset, self.shapes[v].len()));
                }
            }
            if let Some(s) = self.head_node(j)
                && matches!(self.nodes[s].facts.head, Head::Softmax | Head::LogSoftmax | Head::Sigmoid)
            {
                plan.spots[s].head |= 1 << j;
            }
            j += 1;
        }
        plan
    }

    /// Floats per sample of the gradients that node `s` writes beside, to be added.
    const fn temps_len(&self, s: usize, table: &Table<S, V>) -> usize {
        let mut len = 0;
        let mut k = 0;
        while k < self.nodes[s].n {
            let v = self.nodes[s].x[k];
            if table.wanted[v] && !table.is_first(v, s, k) && table.joined(v, s, k).is_none() {
                len += lines(self.shapes[v].len());
            }
            k += 1;
        }
        len
    }

    /// The maxima that node `s` takes on the way.
    const fn pool(&self, s: usize, table: &Table<S, V>) -> Option<Pool> {
        match table.pool[s] {
            Some(pool) => self.nodes[pool].facts.pool,
            None => None,
        }
    }

    /// Floats per sample that node `s` keeps, for a pool that it does the work of too.
    const fn saved_len(&self, s: usize, table: &Table<S, V>) -> usize {
        let own = table.own[s];
        let pool = match table.pool[s] {
            Some(pool) => self.nodes[pool].facts.saved_for(own),
            None => 0,
        };
        self.nodes[s].facts.saved_for(own) + pool
    }

    const fn value_span(&self, mut v: usize, table: &Table<S, V>, lives: &Lives<V>) -> Span {
        while let Some(s) = table.absorber[v] {
            v = self.nodes[s].y;
        }
        let len = self.shapes[v].len();
        if v < self.inputs {
            return Span::outside(Region::X, v, len);
        }
        match table.output[v] {
            Some(j) if !table.is_fork(v) => Span::outside(Region::Y, j, len),
            _ => Span::work(lives.of(Kind::Value, v).offset, len),
        }
    }

    const fn grad_span(&self, v: usize, table: &Table<S, V>, lives: &Lives<V>) -> Span {
        if !table.wanted[v] {
            return Span::NONE;
        }
        let v = table.grad_of(v);
        let len = self.shapes[v].len();
        if v < self.inputs {
            return Span::outside(Region::Dx, v, len);
        }
        match table.output[v] {
            Some(j) if !table.is_fork(v) => Span::outside(Region::Dy, j, len),
            _ => Span::work(lives.of(Kind::Grad, v).offset, len),
        }
    }

    const fn spots(&self, s: usize, table: &Table<S, V>, lives: &Lives<V>) -> Spots {
        let node = &self.nodes[s];
        let mut spots = Spots::NONE;
        spots.pull = table.pulled[s];
        spots.trains = table.trains[s];
        spots.purpose = table.own[s];
        spots.absorbed = table.absorbed[s];
        spots.in_place = table.in_place[s];
        spots.pool = self.pool(s, table);
        spots.saved = Span::work(lives.of(Kind::Saved, s).offset, self.saved_len(s, table));
        spots.saved_life = When::of(lives.of(Kind::Saved, s));
        let mut temp = lives.of(Kind::Temp, s).offset;
        let mut k = 0;
        while k < node.n {
            let v = node.x[k];
            spots.x[k] = self.value_span(v, table, lives);
            let target = self.grad_span(v, table, lives);
            if let Some(other) = table.joined(v, s, k) {
                spots.dx[k] = target;
                spots.sum[k] = self.grad_span(other, table, lives);
                spots.joins |= 1 << k;
            } else if table.wanted[v] && !table.is_first(v, s, k) {
                spots.dx[k] = Span::work(temp, self.shapes[v].len());
                spots.sum[k] = target;
                temp += lines(self.shapes[v].len());
            } else if !table.is_handed(v, s, k) {
                spots.dx[k] = target;
            }
            k += 1;
        }
        let mut j = 0;
        while j < node.m() {
            let v = node.y + j;
            spots.y[j] = self.value_span(v, table, lives);
            spots.dy[j] = self.grad_span(v, table, lives);
            spots.y_life[j] = When::of(lives.of(Kind::Value, v));
            spots.dy_life[j] = When::of(lives.of(Kind::Grad, v));
            j += 1;
        }
        if node.m() == 1
            && let Some(act) = table.absorber[node.y]
            && let Some(fact) = self.nodes[act].facts.act
            && let Some(floor) = fact.floor
        {
            spots.floor = floor;
        }
        spots
    }
}
