//! Offsets for buffers with known lifetimes, so that buffers that are never in use at the same time share
//! memory. It is greedy-by-size offset assignment: Pisarchyk & Lee, "Efficient Memory Management for Deep
//! Neural Net Inference", 2020. In: lengths and lifetimes; out: offsets and their peak. It knows no node and
//! no value.

use crate::limits::lines;

/// How long a buffer is, from when to when it is in use, and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) len: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) offset: usize,
    /// The next buffer in the list of those placed, by offset.
    next: usize,
}

/// The end of a list.
const END: usize = usize::MAX;

impl Buffer {
    pub(super) const NONE: Buffer = Buffer { len: 0, from: 0, to: 0, offset: 0, next: END };

    pub(super) const fn new(len: usize, from: usize, to: usize) -> Buffer {
        Buffer { len: lines(len), from, to, offset: 0, next: END }
    }

    pub(super) const fn is_none(&self) -> bool {
        self.len == 0
    }
}

/// What a buffer holds: of a value, or of the node of the same number.
#[derive(Clone, Copy)]
pub(super) enum BufferKind {
    Value,
    Grad,
    /// What a node keeps in `cx.saved`.
    Saved,
    /// Gradients that are added to others as soon as they are computed.
    Temp,
}

/// How many kinds there are.
const KINDS: usize = 4;

/// All buffers of a network of `V` values, which are at least as many as its nodes. Walked without a call for
/// each buffer: in const code a call costs more than all else here.
pub(super) struct Buffers<const V: usize>([[Buffer; KINDS]; V]);

impl<const V: usize> Buffers<V> {
    pub(super) const NONE: Self = Buffers([[Buffer::NONE; KINDS]; V]);

    pub(super) const fn of(&self, kind: BufferKind, i: usize) -> &Buffer {
        &self.0[i][kind as usize]
    }

    pub(super) const fn set(&mut self, kind: BufferKind, i: usize, life: Buffer) {
        self.0[i][kind as usize] = life;
    }

    /// Places all buffers: first, and before all others in memory, those that live beyond a time (see
    /// `microbatch`). Returns the peak of these, and that of all.
    pub(super) const fn allocate(&mut self, beyond: usize) -> (usize, usize) {
        let (kept, first) = self.place_those(beyond + 1, usize::MAX, 0, END);
        let (peak, _) = self.place_those(0, beyond, kept, first);
        (kept, peak)
    }

    /// Places the buffers whose last time is one of these, from offset `base` on: the longest first, each at
    /// the lowest offset that is free for all its life. Returns the peak, and the first of the list of all.
    const fn place_those(&mut self, least: usize, most: usize, base: usize, mut first: usize) -> (usize, usize) {
        let mut peak = base;
        // Lengths in falling order, found one after the other; buffers of one length in the order of their
        // numbers.
        let mut len = usize::MAX;
        loop {
            let mut next = 0;
            let mut i = 0;
            while i < KINDS * V {
                let Buffer { len: l, to, .. } = self.0[i / KINDS][i % KINDS];
                if l < len && l > next && to >= least && to <= most {
                    next = l;
                }
                i += 1;
            }
            if next == 0 {
                return (peak, first);
            }
            len = next;
            let mut i = 0;
            while i < KINDS * V {
                let Buffer { len: l, to, .. } = self.0[i / KINDS][i % KINDS];
                if l == len && to >= least && to <= most {
                    first = self.place(i, base, first);
                    let end = self.0[i / KINDS][i % KINDS].offset + len;
                    peak = if end > peak { end } else { peak };
                }
                i += 1;
            }
        }
    }

    /// Gives buffer `i` the lowest offset from `base` on where it overlaps none of those placed already, and
    /// puts it in their list, which is sorted by offset. Returns the first of the list.
    const fn place(&mut self, i: usize, base: usize, first: usize) -> usize {
        let Buffer { len, from, to, .. } = self.0[i / KINDS][i % KINDS];
        let mut offset = base;
        let mut before = END;
        let mut at = first;
        while at != END {
            let other = &self.0[at / KINDS][at % KINDS];
            if other.offset >= offset + len {
                break;
            }
            if other.from <= to && from <= other.to && other.offset + other.len > offset {
                offset = other.offset + other.len;
            }
            if other.offset <= offset {
                before = at;
            }
            at = other.next;
        }
        let next = if before == END { first } else { self.0[before / KINDS][before % KINDS].next };
        let life = &mut self.0[i / KINDS][i % KINDS];
        life.offset = offset;
        life.next = next;
        if before == END {
            return i;
        }
        self.0[before / KINDS][before % KINDS].next = i;
        first
    }
}
