//! How weights of one byte lie in memory, and how long a sum of their products may be.

/// Outputs side by side.
pub(super) const WIDTH: usize = 16;
/// Inputs of an output, one behind the other.
pub(super) const DEEP: usize = 4;

/// Writes the first bytes of a vector, as many as there is room for: without a call, which would take longer
/// than they do.
#[inline(always)]
pub(super) fn store_part(codes: [u8; WIDTH], to: &mut [u8]) {
    if let Some(to) = to.first_chunk_mut::<WIDTH>() {
        *to = codes;
        return;
    }
    let mut at = 0;
    macro_rules! next {
        ($($count:literal)*) => {$(
            if to.len() & $count != 0
                && let (Some(room), Some(from)) =
                    (to[at..].first_chunk_mut::<$count>(), codes[at..].first_chunk::<$count>())
            {
                *room = *from;
                at += $count;
            }
        )*};
    }
    next!(8 4 2);
    if to.len() & 1 != 0 {
        to[at] = codes[at];
    }
}

/// Whether no sum of so many products of codes and weights leaves 32 bits, whatever they are, with a bias of
/// at most 2^30: `depth · 255 · 127 <= 2^30`.
///
/// ```
/// use nn_kernels::int8::fits;
/// const { assert!(fits(33_000) && !fits(34_000)) };
/// ```
pub const fn fits(depth: usize) -> bool {
    depth <= (1 << 30) / (255 * 127)
}

/// A matrix of one byte a weight: panels of 16 outputs, in groups of 8 panels (the last ones of 4, 2 and 1).
/// In a group blocks of 4 inputs follow each other, in a block the panels, in a panel the outputs, each with
/// its 4 weights: one row of the input reads a group from the beginning to the end. Missing inputs and
/// outputs are zeros.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Int8Panels {
    depth: usize,
    outputs: usize,
}

impl Int8Panels {
    /// A matrix from so many inputs to so many outputs.
    ///
    /// # Panics
    /// One of them is 0, or `!fits(depth)`.
    pub const fn new(depth: usize, outputs: usize) -> Int8Panels {
        assert!(depth > 0 && outputs > 0, "expected at least 1 input and 1 output");
        assert!(fits(depth), "expected sums of at most 33,155 products, which fit into 32 bits");
        Int8Panels { depth, outputs }
    }

    /// Inputs.
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Outputs.
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Outputs in whole panels: how many biases and scales there are.
    pub const fn padded_outputs(&self) -> usize {
        self.outputs.next_multiple_of(WIDTH)
    }

    /// Blocks of inputs.
    pub(super) const fn blocks(&self) -> usize {
        self.depth.div_ceil(DEEP)
    }

    /// Bytes of storage.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> usize {
        self.padded_outputs() * self.blocks() * DEEP
    }

    /// The group of panels that begins at a panel where one begins: how many panels it has.
    #[inline(always)]
    pub(super) const fn group(&self, first: usize) -> usize {
        match self.padded_outputs() / WIDTH - first {
            8.. => 8,
            4.. => 4,
            2.. => 2,
            _ => 1,
        }
    }

    /// Fills the storage from a `[outputs, depth]` matrix.
    ///
    /// # Panics
    /// `standard.len() != outputs * depth || storage.len() != self.len()`.
    pub fn pack(&self, standard: &[i8], storage: &mut [i8]) {
        assert!(
            standard.len() == self.outputs * self.depth && storage.len() == self.len(),
            "expected a matrix of {} numbers and {} bytes of storage, found {} and {}",
            self.outputs * self.depth,
            self.len(),
            standard.len(),
            storage.len()
        );
        storage.fill(0);
        for (output, weights) in standard.chunks_exact(self.depth).enumerate() {
            for (i, weight) in weights.iter().enumerate() {
                storage[self.place(output, i)] = *weight;
            }
        }
    }

    /// Where in the storage a weight lies.
    pub const fn place(&self, output: usize, input: usize) -> usize {
        let panel = output / WIDTH;
        let mut first = panel / 8 * 8;
        while panel >= first + self.group(first) {
            first += self.group(first);
        }
        let (group, width) = (first * self.blocks() * DEEP * WIDTH, self.group(first));
        group + ((input / DEEP * width + panel - first) * WIDTH + output % WIDTH) * DEEP + input % DEEP
    }
}
