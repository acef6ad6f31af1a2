//! A tensor as a header lists it, and the orders that tensors are looked through in.

pub(crate) const CUT_SHORT: &str = "the file is cut short or damaged: fetch or write it again";

/// A tensor of a file: where its name, its type and its shape stand in the header, and its numbers in the
/// file, from the first byte of it on.
#[derive(Clone, Copy)]
pub struct Entry {
    pub(crate) name: u32,
    pub(crate) dtype: u32,
    pub(crate) shape: u32,
    /// It is a tensor of the network, or passed over.
    pub(crate) used: bool,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Of the name that it has within the network.
    pub(crate) hash: u64,
}

impl Entry {
    pub(crate) const NONE: Entry = Entry { name: 0, dtype: 0, shape: 0, used: false, from: 0, to: 0, hash: 0 };
}

/// What entries are sorted by.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Place,
    Hash,
}

/// A heap sort, since const code has no other.
pub(crate) const fn sort(entries: &mut [Entry], by: By) {
    let mut sorted = true;
    let mut i = 1;
    while i < entries.len() {
        sorted &= !is_before(&entries[i], &entries[i - 1], by);
        i += 1;
    }
    // As files are written.
    if sorted {
        return;
    }
    let len = entries.len();
    let mut root = len / 2;
    while root > 0 {
        root -= 1;
        sift(entries, root, len, by);
    }
    let mut end = len;
    while end > 1 {
        end -= 1;
        entries.swap(0, end);
        sift(entries, 0, end, by);
    }
}

const fn is_before(a: &Entry, b: &Entry, by: By) -> bool {
    match by {
        By::Place => a.from < b.from || a.from == b.from && a.to < b.to,
        By::Hash => a.hash < b.hash,
    }
}

const fn sift(entries: &mut [Entry], from: usize, end: usize, by: By) {
    let mut root = from;
    loop {
        let mut child = 2 * root + 1;
        if child >= end {
            return;
        }
        if child + 1 < end && is_before(&entries[child], &entries[child + 1], by) {
            child += 1;
        }
        if !is_before(&entries[root], &entries[child], by) {
            return;
        }
        entries.swap(root, child);
        root = child;
    }
}
