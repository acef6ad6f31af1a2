//! Who lies where: buffers with a length and a life find places, so that those whose lives do not meet share. In: lives; out: offsets
//! and their peak. It knows no node and no value.

use crate::facts::lines;

/// When a buffer is in use, how long it is, and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) len: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) offset: usize,
    /// The next one placed, by offset.
    next: Option<usize>,
}

impl Life {
    const NONE: Life = Life { len: 0, from: 0, to: 0, offset: 0, next: None };

    pub(super) const fn new(len: usize, from: usize, to: usize) -> Life {
        Life { len: lines(len), from, to, offset: 0, next: None }
    }

    pub(super) const fn is_none(&self) -> bool {
        self.len == 0
    }
}

/// All buffers of a network; one number space over four arrays, because const code cannot add array lengths.
pub(super) struct Lives<const S: usize, const V: usize> {
    pub(super) values: [Life; V],
    pub(super) grads: [Life; V],
    pub(super) saved: [Life; S],
    /// Gradients that are added to another one at once.
    pub(super) temps: [Life; S],
}

impl<const S: usize, const V: usize> Lives<S, V> {
    pub(super) const NONE: Self =
        Lives { values: [Life::NONE; V], grads: [Life::NONE; V], saved: [Life::NONE; S], temps: [Life::NONE; S] };

    const COUNT: usize = 2 * V + 2 * S;

    const fn get(&self, i: usize) -> &Life {
        if i < V {
            &self.values[i]
        } else if i < 2 * V {
            &self.grads[i - V]
        } else if i < 2 * V + S {
            &self.saved[i - 2 * V]
        } else {
            &self.temps[i - 2 * V - S]
        }
    }

    const fn get_mut(&mut self, i: usize) -> &mut Life {
        if i < V {
            &mut self.values[i]
        } else if i < 2 * V {
            &mut self.grads[i - V]
        } else if i < 2 * V + S {
            &mut self.saved[i - 2 * V]
        } else {
            &mut self.temps[i - 2 * V - S]
        }
    }

    /// Greedy by size: the longest buffers first, each at the lowest offset that is free for all its life. Returns the peak.
    pub(super) const fn allocate(&mut self) -> usize {
        let mut peak = 0;
        let mut first = None;
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
                    first = Some(self.place(i, first));
                    let end = self.get(i).offset + len;
                    peak = if end > peak { end } else { peak };
                }
                i += 1;
            }
        }
    }

    /// Gives buffer `i` the lowest offset where it meets none of those placed already, and puts it in their list, which is kept by
    /// offset. Returns the first of the list.
    const fn place(&mut self, i: usize, first: Option<usize>) -> usize {
        let Life { len, from, to, .. } = *self.get(i);
        let mut offset = 0;
        let mut at = first;
        while let Some(j) = at {
            let other = self.get(j);
            if other.offset >= offset + len {
                break;
            }
            let meets = other.from <= to && from <= other.to;
            if meets && other.offset + other.len > offset {
                offset = other.offset + other.len;
            }
            at = other.next;
        }
        let mut before = None;
        let mut at = first;
        while let Some(j) = at {
            if self.get(j).offset > offset {
                break;
            }
            before = at;
            at = self.get(j).next;
        }
        let life = self.get_mut(i);
        life.offset = offset;
        life.next = at;
        match (before, first) {
            (Some(before), Some(first)) => {
                self.get_mut(before).next = Some(i);
                first
            }
            _ => i,
        }
    }
}
