//! The file of a quantised model, as const code reads it: a header, words of 32 bits, bytes. In: the bytes of
//! a file and a network; out: its parts, or what is wrong with it. Weights stand in their standard order,
//! `[filters, rows, columns, channels of the group]`, whatever a kernel wants.

use super::program::{CodePort, CodeRange, Step, StepKind, SumCodes, Term};
use crate::graph::CompiledNetwork;
use crate::shape::Shape;
use nn_kernels::conv::Conv;
use nn_kernels::int8::{Addition, CodeScale, MAX_TERMS};
use nn_kernels::pool::Pool;

/// Which kind of file it is, and which edition of it.
pub(super) const MAGIC: [u8; 8] = *b"nn-int8\x02";

/// What is counted in the header, in this order.
pub(super) const COUNTS: usize = 10;
const STEPS: usize = 0;
const TERMS: usize = 1;
const WEIGHTS: usize = 2;
/// Biases, and as many scales.
const SUMS: usize = 3;
const TABLES: usize = 4;
const EXPONENTIALS: usize = 5;
const INPUTS: usize = 6;
const OUTPUTS: usize = 7;
/// Bytes that all values take.
const ROOM: usize = 8;
/// Scales of all values.
const SCALES: usize = 9;

/// Bytes before the words: what it is, an outline of the network, a checksum of all that follows, the counts.
pub(super) const HEADER: usize = 24 + 4 * COUNTS;
/// Words of a port, a term, a step (what it reads, where it writes, which kind), and of its kind.
const PORT: usize = 5;
const TERM: usize = 3;
pub(super) const STEP: usize = 5 + KIND;
pub(super) const KIND: usize = 21;

/// A file whose header fits its length.
#[derive(Clone, Copy)]
pub struct Int8File<'a> {
    bytes: &'a [u8],
    counts: [usize; COUNTS],
}

/// FNV-1a, a byte or a number at a time.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const NEW: Hash = Hash(0xcbf2_9ce4_8422_2325);

    const fn byte(self, byte: u8) -> Hash {
        Hash((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }

    const fn bytes(mut self, bytes: &[u8], from: usize) -> Hash {
        let mut i = from;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Hash {
        self.bytes(&(number as u64).to_le_bytes(), 0)
    }

    const fn shapes(mut self, shapes: &[Shape]) -> Hash {
        let mut i = 0;
        while i < shapes.len() {
            let mut axis = 0;
            self = self.number(shapes[i].rank());
            while axis < shapes[i].rank() {
                self = self.number(shapes[i].dim(axis));
                axis += 1;
            }
            i += 1;
        }
        self
    }
}

/// Of the bytes from a place on.
pub(super) const fn checksum(bytes: &[u8], from: usize) -> u64 {
    Hash::NEW.bytes(bytes, from).0
}

/// A number that tells a declaration from others: of its name, its inputs, and the names, shapes, parameters
/// and costs of its layers.
pub(super) const fn outline(network: &CompiledNetwork) -> u64 {
    let mut hash = Hash::NEW.bytes(network.name.as_bytes(), 0).shapes(network.inputs);
    let mut i = 0;
    while i < network.nodes.len() {
        let node = &network.nodes[i];
        hash = hash.bytes(node.name.as_bytes(), 0).number(node.n);
        let mut k = 0;
        while k < node.n {
            hash = hash.number(node.x[k]);
            k += 1;
        }
        hash = hash.shapes(node.spec.output_shapes()).number(node.spec.times).number(node.spec.macs);
        hash = hash.number(node.param_count());
        let (list, mut k) = (node.spec.params.list(), 0);
        while k < list.len() {
            hash = hash.bytes(list[k].name.as_bytes(), 0).shapes(&[list[k].shape]);
            k += 1;
        }
        i += 1;
    }
    hash.0
}

impl<'a> Int8File<'a> {
    /// Nothing.
    pub(super) const EMPTY: Int8File<'static> = Int8File { bytes: &[], counts: [0; COUNTS] };

    /// What is wrong is said as *expected, found, help*; `None` stands for another network.
    pub(super) const fn open(network: &CompiledNetwork, bytes: &'a [u8]) -> Result<Int8File<'a>, Option<&'static str>> {
        let Some(magic) = bytes.first_chunk::<8>() else {
            return Err(Some("expected more bytes, found the end\nhelp: copy the file again"));
        };
        if u64::from_le_bytes(*magic) != u64::from_le_bytes(MAGIC) {
            return Err(Some("expected the bytes of a quantised model, found others\nhelp: give what `to_bytes` made"));
        }
        if bytes.len() < HEADER {
            return Err(Some("expected more bytes, found the end\nhelp: copy the file again"));
        }
        if long(bytes, 8) != outline(network) {
            return Err(None);
        }
        if long(bytes, 16) != checksum(bytes, 24) {
            return Err(Some("expected the bytes as they were written, found others\nhelp: copy the file again"));
        }
        let mut file = Int8File { bytes, counts: [0; COUNTS] };
        let mut i = 0;
        while i < COUNTS {
            file.counts[i] = word_at(bytes, 24 + 4 * i) as usize;
            // Products of such are no longer than a number.
            if file.counts[i] > bytes.len() && i != ROOM {
                return Err(Some("expected more bytes, found the end\nhelp: copy the file again"));
            }
            i += 1;
        }
        if file.tables_at() as u64 + 256 * file.counts[TABLES] as u64 != bytes.len() as u64 {
            return Err(Some("expected as many bytes as were written, found others\nhelp: copy the file again"));
        }
        Ok(file)
    }

    /// How many there are of each part, in the order of the header.
    pub const fn lens(&self) -> &[usize; COUNTS] {
        &self.counts
    }

    /// Where the words of a section begin, counted from the first one.
    const fn section(&self, section: usize) -> usize {
        let c = &self.counts;
        let lens = [
            PORT * (c[INPUTS] + c[OUTPUTS]),
            TERM * c[TERMS],
            STEP * c[STEPS],
            c[SUMS],
            c[SUMS],
            256 * c[EXPONENTIALS],
        ];
        let (mut at, mut i) = (0, 0);
        while i < section {
            at += lens[i];
            i += 1;
        }
        at
    }

    const fn word(&self, at: usize) -> u32 {
        word_at(self.bytes, HEADER + 4 * at)
    }

    const fn number(&self, at: usize) -> usize {
        self.word(at) as usize
    }

    const fn range(&self, at: usize) -> CodeRange {
        CodeRange { at: self.number(at), len: self.number(at + 1) }
    }

    const fn scale_at(&self, at: usize) -> CodeScale {
        CodeScale { scale: f32::from_bits(self.word(at)), zero: self.word(at + 1) as u8 }
    }

    const fn port(&self, at: usize) -> CodePort {
        CodePort { place: self.range(at), scale: self.scale_at(at + 2), channels: self.number(at + 4) }
    }

    pub(super) const fn input(&self, i: usize) -> CodePort {
        self.port(PORT * i)
    }

    pub(super) const fn output(&self, i: usize) -> CodePort {
        self.port(PORT * (self.counts[INPUTS] + i))
    }

    pub(super) const fn term(&self, i: usize) -> Term {
        let at = self.section(1) + TERM * i;
        Term { place: self.range(at), run: self.number(at + 2) }
    }

    pub(super) const fn step(&self, i: usize) -> Step {
        let at = self.section(2) + STEP * i;
        let mut of = [0; KIND];
        let mut k = 0;
        while k < KIND {
            of[k] = self.word(at + 5 + k);
            k += 1;
        }
        let kind = kind(self.word(at + 4), &of);
        Step { x: [self.number(at), self.number(at + 1)], y: self.range(at + 2), kind }
    }

    pub(super) const fn bias(&self, i: usize) -> i32 {
        self.word(self.section(3) + i) as i32
    }

    pub(super) const fn sum_scale(&self, i: usize) -> f32 {
        f32::from_bits(self.word(self.section(4) + i))
    }

    pub(super) const fn exponentials_of(&self, i: usize) -> [u32; 256] {
        let (mut all, mut distance) = ([0; 256], 0);
        while distance < 256 {
            all[distance] = self.word(self.section(5) + 256 * i + distance);
            distance += 1;
        }
        all
    }

    pub(super) const fn value_scale(&self, i: usize) -> CodeScale {
        self.scale_at(self.section(6) + 2 * i)
    }

    const fn weights_at(&self) -> usize {
        HEADER + 4 * (self.section(6) + 2 * self.counts[SCALES])
    }

    const fn tables_at(&self) -> usize {
        self.weights_at() + self.counts[WEIGHTS]
    }

    pub(super) const fn weight(&self, i: usize) -> i8 {
        self.bytes[self.weights_at() + i] as i8
    }

    pub(super) const fn table(&self, i: usize) -> [u8; 256] {
        let (mut all, mut code) = ([0; 256], 0);
        while code < 256 {
            all[code] = self.bytes[self.tables_at() + 256 * i + code];
            code += 1;
        }
        all
    }
}

const fn word_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

const fn long(bytes: &[u8], at: usize) -> u64 {
    word_at(bytes, at) as u64 | (word_at(bytes, at + 4) as u64) << 32
}

/// What a step computes, from its words; what no word stands for is a copy.
const fn kind(which: u32, of: &[u32; KIND]) -> StepKind {
    let mut n = [0; KIND];
    let mut k = 0;
    while k < KIND {
        n[k] = of[k] as usize;
        k += 1;
    }
    let conv = Conv {
        channels: n[0],
        height: n[1],
        width: n[2],
        filters: n[3],
        kernel: [n[4], n[5]],
        stride: [n[6], n[7]],
        pad: [n[8], n[9], n[10], n[11]],
        dilation: [n[12], n[13]],
        groups: n[14],
        channels_last: true,
    };
    let pool = Pool {
        channels: n[0],
        height: n[1],
        width: n[2],
        window: [n[3], n[4]],
        stride: [n[5], n[6]],
        pad: [n[7], n[8], n[9], n[10]],
        beyond: [n[11], n[12]],
        channels_last: true,
    };
    match which {
        0 => {
            let depth = n[4]
                * n[5]
                * match n[0].checked_div(n[14]) {
                    Some(channels) => channels,
                    None => 0,
                };
            let codes =
                SumCodes { first: n[17], count: n[3], zero: of[18] as u8, bounds: [of[19] as u8, of[20] as u8] };
            StepKind::Linear { conv, zero: of[15] as u8, weights: [n[16], n[3] * depth], codes }
        }
        1 => StepKind::MaxPool(pool),
        2 => StepKind::AvgPool { pool, count: of[13] != 0, zero: of[14] as u8 },
        3 => StepKind::Mean([scale_of(of, 0), scale_of(of, 2)]),
        4 => StepKind::Lookup(n[0]),
        5 => StepKind::Softmax(n[0], n[1]),
        6 => {
            let mut multipliers = [0; MAX_TERMS];
            let mut k = 0;
            while k < MAX_TERMS {
                multipliers[k] = of[k] as i32;
                k += 1;
            }
            let bounds = [of[MAX_TERMS + 3] as u8, of[MAX_TERMS + 4] as u8];
            let (bias, shift, zero) = (of[MAX_TERMS] as i32, of[MAX_TERMS + 1], of[MAX_TERMS + 2] as u8);
            StepKind::Sum(Addition { multipliers, bias, shift, zero, bounds })
        }
        7 => StepKind::Concat,
        _ => StepKind::Turn(n[0]),
    }
}

const fn scale_of(of: &[u32; KIND], at: usize) -> CodeScale {
    CodeScale { scale: f32::from_bits(of[at]), zero: of[at + 1] as u8 }
}
