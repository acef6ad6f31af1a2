//! Offsets for buffers with known lifetimes, so that buffers that are never in use at the same time share
//! memory. It is greedy-by-size offset assignment: Pisarchyk & Lee, "Efficient Memory Management for Deep
//! Neural Net Inference", 2020. In: lengths and lifetimes; out: offsets and their peak. It knows no node and
//! no value.

// Written for networks of a thousand layers, which rustc evaluates: what all live at one time is stacked, and
// of the others those that take turns at one place are looked at as one.

use crate::limits::lines;

/// How long a buffer is, from when to when it is in use, and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) len: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) offset: usize,
    /// The next buffer of those to be placed; then the one that took the same place before.
    next: usize,
    /// Of the first at a place: the next place, by offset, the last buffer that took this one, and from when
    /// to when any of them is in use.
    above: usize,
    newest: usize,
    used: (usize, usize),
}

/// The end of a list.
const END: usize = usize::MAX;

impl Buffer {
    pub(super) const NONE: Buffer = Buffer::new(0, 0, 0);

    pub(super) const fn new(len: usize, from: usize, to: usize) -> Buffer {
        let len = if len == 0 { 0 } else { lines(len) };
        Buffer { len, from, to, offset: 0, next: END, above: END, newest: END, used: (from, to) }
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

/// All buffers of a network of `V` values, which are at least as many as its nodes. In const code a call
/// costs more than all else here.
pub(super) struct Buffers<const V: usize> {
    all: [[Buffer; KINDS]; V],
    /// The list of those that are not placed yet.
    first: usize,
}

/// Where buffers may lie: from `base` on; up to `top` there is a stack of those that are in use to the end,
/// the last begun lowest. `begun[t / 2][t % 2]` is where those end that begin at time `t` or later.
struct BufferStack<const V: usize> {
    base: usize,
    top: usize,
    begun: [[usize; 2]; V],
}

impl<const V: usize> Buffers<V> {
    pub(super) const NONE: Self = Buffers { all: [[Buffer::NONE; KINDS]; V], first: END };

    pub(super) const fn of(&self, kind: BufferKind, i: usize) -> &Buffer {
        &self.all[i][kind as usize]
    }

    pub(super) const fn set(&mut self, kind: BufferKind, i: usize, life: Buffer) {
        if life.len > 0 {
            self.all[i][kind as usize] = Buffer { next: self.first, ..life };
            self.first = KINDS * i + kind as usize;
        }
    }

    const fn at(&mut self, i: usize) -> &mut Buffer {
        &mut self.all[i / KINDS][i % KINDS]
    }

    /// Places all buffers. Those that are in use at the time `end` and after it come first, before all others
    /// in memory if they are `kept` (see `microbatch`). Returns the peak of what is kept, and that of all.
    pub(super) const fn allocate(&mut self, end: usize, kept: bool) -> (usize, usize) {
        let mut room = BufferStack { base: 0, top: 0, begun: [[0; 2]; V] };
        if kept {
            room = self.stack(end + 1, 0);
        }
        let base = room.top;
        room = self.stack(end, base);
        let mut peak = room.top;
        let (mut i, mut lowest) = (self.by_size(), END);
        while i != END {
            let next = self.at(i).next;
            lowest = self.place(i, &room, lowest);
            let end = self.at(i).offset + self.at(i).len;
            peak = if end > peak { end } else { peak };
            i = next;
        }
        (if kept { base } else { peak }, peak)
    }

    /// Takes from the list what is in use at this time and to the end of all, and puts one on the other.
    const fn stack(&mut self, time: usize, base: usize) -> BufferStack<V> {
        let mut begun = [[0; 2]; V];
        let mut i = self.first;
        while i != END {
            let Buffer { len, from, to, next, .. } = *self.at(i);
            if to >= time {
                begun[from / 2][from % 2] += len;
            }
            i = next;
        }
        let mut top = base;
        let mut t = 2 * V;
        while t > 0 {
            t -= 1;
            let len = begun[t / 2][t % 2];
            begun[t / 2][t % 2] = top;
            top += len;
        }
        let mut rest = END;
        let mut i = self.first;
        while i != END {
            let buffer = self.at(i);
            let next = buffer.next;
            if buffer.to >= time {
                let place = &mut begun[buffer.from / 2][buffer.from % 2];
                buffer.offset = *place;
                *place += buffer.len;
            } else {
                buffer.next = rest;
                rest = i;
            }
            i = next;
        }
        self.first = rest;
        BufferStack { base, top, begun }
    }

    /// The list with the longest first; those of one length as they stand: a merge sort of the runs there
    /// are.
    const fn by_size(&mut self) -> usize {
        let mut first = self.first;
        loop {
            let mut runs = 0;
            let mut rest = first;
            let mut last = END;
            while rest != END {
                let mut a = rest;
                let mut b = self.cut_run(a);
                runs += 1;
                if b == END {
                    if last == END {
                        first = a;
                    } else {
                        self.at(last).next = a;
                    }
                    break;
                }
                rest = self.cut_run(b);
                while a != END || b != END {
                    let longer = a == END || b != END && self.at(b).len > self.at(a).len;
                    let i = if longer { b } else { a };
                    if longer {
                        b = self.at(i).next;
                    } else {
                        a = self.at(i).next;
                    }
                    if last == END {
                        first = i;
                    } else {
                        self.at(last).next = i;
                    }
                    last = i;
                }
            }
            if runs <= 1 {
                return first;
            }
        }
    }

    /// Ends the list where a longer buffer follows, and returns that.
    const fn cut_run(&mut self, mut i: usize) -> usize {
        loop {
            let Buffer { len, next, .. } = *self.at(i);
            if next == END || self.at(next).len > len {
                self.at(i).next = END;
                return next;
            }
            i = next;
        }
    }

    /// Gives buffer `i`, which is no longer than those placed before, the lowest offset where it overlaps
    /// none of them. Returns the lowest place.
    const fn place(&mut self, i: usize, room: &BufferStack<V>, lowest: usize) -> usize {
        let Buffer { len, from, to, .. } = *self.at(i);
        // What begins later is not there yet.
        let free = if to + 1 < 2 * V { room.begun[to.div_ceil(2)][(to + 1) % 2] } else { room.base };
        let mut offset = if room.base + len <= free { room.base } else { room.top };
        let mut below = END;
        let mut place = lowest;
        while place != END {
            let Buffer { offset: begin, len: width, above, newest, used, .. } = *self.at(place);
            if begin >= offset + len {
                break;
            }
            if used.0 <= to && from <= used.1 && begin + width > offset {
                let mut other = newest;
                while other != END {
                    let Buffer { len: l, from: f, to: t, next, .. } = *self.at(other);
                    if f <= to && from <= t && begin + l > offset {
                        offset = begin + l;
                    }
                    // No other reaches further.
                    other = if offset >= begin + width { END } else { next };
                }
                if offset + len > free && offset < room.top {
                    offset = room.top;
                }
            }
            if begin <= offset {
                below = place;
            }
            place = above;
        }
        self.at(i).offset = offset;
        if below != END && self.at(below).offset == offset {
            self.at(i).next = self.at(below).newest;
            let place = self.at(below);
            place.newest = i;
            place.used = (
                if from < place.used.0 { from } else { place.used.0 },
                if to > place.used.1 { to } else { place.used.1 },
            );
            return lowest;
        }
        let above = if below == END { lowest } else { self.at(below).above };
        let own = self.at(i);
        (own.above, own.newest, own.next) = (above, i, END);
        if below == END {
            return i;
        }
        self.at(below).above = i;
        lowest
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, BufferKind, Buffers, KINDS};

    const V: usize = 40;
    const KIND: [BufferKind; KINDS] = [BufferKind::Value, BufferKind::Grad, BufferKind::Saved, BufferKind::Temp];

    /// A linear congruential generator (Knuth, MMIX), its upper bits.
    fn below(state: &mut u64, end: usize) -> usize {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (*state >> 33) as usize % end
    }

    #[test]
    fn what_is_in_use_together_lies_apart() {
        let mut state = 5;
        let mut spared = 0.0;
        for round in 0..400 {
            let (end, kept) = (2 * V - 2, round % 2 == 0);
            let mut buffers = Buffers::<V>::NONE;
            let (lengths, to_the_end) = (1 + round % 7, 1 + round % 5);
            for (v, kind) in (0..V).flat_map(|v| KIND.map(|kind| (v, kind))) {
                if below(&mut state, 3) > 0 {
                    continue;
                }
                let from = below(&mut state, end);
                let life = match below(&mut state, to_the_end) {
                    0 => end - from + below(&mut state, 2),
                    _ => below(&mut state, 6).min(end - 1 - from),
                };
                buffers.set(kind, v, Buffer::new(16 * below(&mut state, 1 + lengths), from, from + life));
            }
            let (keeps, peak) = buffers.allocate(end, kept);
            let all: Vec<Buffer> = buffers.all.iter().flatten().filter(|b| !b.is_none()).copied().collect();
            for (i, a) in all.iter().enumerate() {
                assert!(a.offset + a.len <= peak);
                assert!(!kept || (a.to > end) == (a.offset < keeps), "what outlives its group is kept, and only that");
                for b in &all[..i] {
                    let together = a.from <= b.to && b.from <= a.to;
                    let apart = a.offset + a.len <= b.offset || b.offset + b.len <= a.offset;
                    assert!(apart || !together, "round {round}");
                }
            }
            // The most that is in use at one time is the least that any plan needs.
            let in_use = |t: usize| all.iter().filter(|b| b.from <= t && t <= b.to).map(|b| b.len).sum::<usize>();
            let least = (0..=end + 1).map(in_use).max().unwrap_or(0);
            assert!(kept || peak <= least + least / 2 + 64, "round {round}: {peak} of {least}");
            spared += peak as f64 / least.max(1) as f64 / 400.0;
        }
        assert!(spared < 1.2, "{spared} times the least, on average");
    }
}
