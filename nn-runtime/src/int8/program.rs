//! A quantised network: steps over places in one block of codes, and the bytes of all weights. In: codes of
//! the inputs at their places; out: those of the outputs at theirs. Running it allocates nothing and needs no
//! operating system.

use alloc::vec::Vec;

use super::float::{concat, turn};
use nn_kernels::conv::Conv;
use nn_kernels::int8::{
    self, Addition, CodeScale, Int8Filters, Int8Panels, Int8Product, MAX_TERMS, Requantize, avg_pool, lookup, max_pool,
    mean,
};
use nn_kernels::pool::Pool;
use nn_kernels::simd::Isa;

/// Where codes lie.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct CodeRange {
    pub(super) at: usize,
    pub(super) len: usize,
}

/// An input or an output.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodePort {
    pub(super) place: CodeRange,
    pub(super) scale: CodeScale,
    /// Channels of an image, which are last here and first outside; else 1.
    pub(super) channels: usize,
}

/// Everything that inference needs.
#[derive(Default, Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) weights: AlignedWeights,
    pub(super) biases: Vec<i32>,
    pub(super) scales: Vec<f32>,
    pub(super) tables: Vec<[u8; 256]>,
    pub(super) exponentials: Vec<[u32; 256]>,
    pub(super) inputs: Vec<CodePort>,
    pub(super) outputs: Vec<CodePort>,
    /// Bytes of all values, and of what one step needs behind them.
    pub(super) values: usize,
    pub(super) scratch: usize,
}

/// Weights of all steps, each step's at a multiple of a cache line: a vector of them never lies across two.
#[derive(Default, Debug)]
pub(super) struct AlignedWeights {
    /// With room to begin at an address that is a multiple of a line.
    room: Vec<i8>,
    first: usize,
}

impl AlignedWeights {
    /// Bytes of a cache line.
    pub(super) const LINE: usize = 64;

    pub(super) fn new(weights: &[i8]) -> AlignedWeights {
        let mut room = alloc::vec![0; weights.len() + Self::LINE - 1];
        let first = room.as_ptr().align_offset(Self::LINE).min(Self::LINE - 1);
        room[first..first + weights.len()].copy_from_slice(weights);
        AlignedWeights { room, first }
    }

    fn len(&self) -> usize {
        // Before there are any, there is no room either.
        (self.room.len() + 1).saturating_sub(Self::LINE)
    }

    pub(super) fn all(&self) -> &[i8] {
        &self.room[self.first..][..self.len()]
    }

    pub(super) fn all_mut(&mut self) -> &mut [i8] {
        let len = self.len();
        &mut self.room[self.first..][..len]
    }
}

/// One operator.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) x: Vec<CodeRange>,
    pub(super) y: CodeRange,
    pub(super) kind: StepKind,
}

/// What becomes of sums: where their biases and scales begin, how many they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct SumCodes {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) zero: u8,
    pub(super) bounds: [u8; 2],
}

#[derive(Clone, Debug)]
pub(super) enum StepKind {
    /// So many rows times a matrix whose weights begin there.
    Product {
        panels: Int8Panels,
        rows: usize,
        weights: usize,
        codes: SumCodes,
    },
    /// … with the code of zero of the input, and how many weights there are.
    Conv {
        conv: Conv,
        zero: u8,
        weights: [usize; 2],
        codes: SumCodes,
    },
    Depthwise {
        conv: Conv,
        zero: u8,
        weights: [usize; 2],
        codes: SumCodes,
    },
    MaxPool(Pool),
    AvgPool {
        pool: Pool,
        count: bool,
        zero: u8,
    },
    Mean([CodeScale; 2]),
    /// The table of this number.
    Lookup(usize),
    /// Of rows so long, by the table of this number.
    Softmax(usize, usize),
    Sum(Addition),
    /// As many codes of each value in turn.
    Concat(Vec<usize>),
    /// A matrix of so many columns, transposed.
    Turn(usize),
}

/// A place that is written, and everything else, which is read.
struct Opened<'a> {
    before: &'a [u8],
    y: &'a mut [u8],
    after: &'a [u8],
}

impl<'a> Opened<'a> {
    fn new(values: &'a mut [u8], y: CodeRange) -> Self {
        let (before, rest) = values.split_at_mut(y.at);
        let (y, after) = rest.split_at_mut(y.len);
        Opened { before, y, after }
    }

    fn read(&self, x: CodeRange) -> &'a [u8] {
        let end = self.before.len() + self.y.len();
        match x.at < self.before.len() {
            true => &self.before[x.at..x.at + x.len],
            false => &self.after[x.at - end..x.at - end + x.len],
        }
    }
}

impl Program {
    /// Bytes of memory that running takes.
    pub(super) fn memory(&self) -> usize {
        self.values + self.scratch
    }

    /// Runs all steps.
    pub(super) fn run(&self, isa: Isa, memory: &mut [u8]) {
        for step in &self.steps {
            self.run_step(isa, step, memory);
        }
    }

    pub(super) fn run_step(&self, isa: Isa, step: &Step, memory: &mut [u8]) {
        let (values, scratch) = memory.split_at_mut(self.values);
        if let StepKind::Lookup(table) = step.kind
            && step.x[0] == step.y
        {
            let codes = &mut values[step.y.at..][..step.y.len];
            return codes.iter_mut().for_each(|code| *code = self.tables[table][usize::from(*code)]);
        }
        let of = Opened::new(values, step.y);
        let x = of.read(step.x[0]);
        match &step.kind {
            StepKind::Product { panels, rows, weights, codes } => {
                let w = &self.weights.all()[*weights..][..panels.len()];
                let requantize = self.requantize(codes);
                let (x_stride, y_stride) = (panels.depth(), panels.outputs());
                let (panels, rows, y) = (*panels, *rows, of.y);
                int8::product(isa, Int8Product { panels, rows, x, x_stride, w, requantize, y, y_stride });
            }
            StepKind::Conv { conv, zero, weights: [first, count], codes } => {
                let w = &self.weights.all()[*first..][..*count];
                let filters = Int8Filters { w, zero: *zero, requantize: self.requantize(codes) };
                int8::conv(isa, conv, x, filters, of.y, scratch);
            }
            StepKind::Depthwise { conv, zero, weights: [first, count], codes } => {
                let w = &self.weights.all()[*first..][..*count];
                let filters = Int8Filters { w, zero: *zero, requantize: self.requantize(codes) };
                int8::depthwise(isa, conv, x, filters, of.y);
            }
            StepKind::MaxPool(pool) => max_pool(pool, x, of.y),
            StepKind::AvgPool { pool, count, zero } => avg_pool(pool, *count, *zero, x, of.y),
            StepKind::Mean(scales) => mean(*scales, x, of.y),
            StepKind::Lookup(table) => lookup(&self.tables[*table], x, of.y),
            StepKind::Softmax(width, table) => int8::softmax(&self.exponentials[*table], *width, x, of.y),
            StepKind::Sum(addition) => {
                let mut x = [&[][..]; MAX_TERMS];
                step.x.iter().zip(&mut x).for_each(|(place, x)| *x = of.read(*place));
                int8::add(isa, addition, &x[..step.x.len()], of.y);
            }
            StepKind::Concat(runs) => {
                let mut x = [&[][..]; MAX_TERMS];
                step.x.iter().zip(&mut x).for_each(|(place, x)| *x = of.read(*place));
                concat(&x[..step.x.len()], runs, of.y);
            }
            StepKind::Turn(columns) => turn(*columns, x, of.y),
        }
    }

    fn requantize(&self, codes: &SumCodes) -> Requantize<'_> {
        let of = codes.first..codes.first + codes.count;
        Requantize { bias: &self.biases[of.clone()], scale: &self.scales[of], zero: codes.zero, bounds: codes.bounds }
    }

    /// Bytes of everything that is not changed: weights, biases, scales, tables.
    pub(super) fn constants(&self) -> usize {
        self.weights.len()
            + 4 * (self.biases.len() + self.scales.len())
            + 256 * (self.tables.len() + 4 * self.exponentials.len())
    }
}
