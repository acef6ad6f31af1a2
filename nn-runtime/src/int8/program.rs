//! A quantised network: steps over places in one block of codes, and the bytes of all weights, owned or
//! within a program. In: codes of the inputs at their places; out: those of the outputs at theirs. Running
//! it allocates nothing and needs no operating system; on the plain path no line of it panics.

use nn_kernels::conv::Conv;
use nn_kernels::int8::{
    self, Addition, CodeScale, Int8Filters, Int8Panels, Int8Product, MAX_TERMS, Requantize, is_pointwise,
};
use nn_kernels::pool::Pool;
use nn_kernels::simd::Isa;

/// Where codes lie.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CodeRange {
    pub(super) at: usize,
    pub(super) len: usize,
}

/// A value that a step reads, and where values are joined, how many of its codes stand together.
#[derive(Clone, Copy, Default, Debug)]
pub struct Term {
    pub(super) place: CodeRange,
    pub(super) run: usize,
}

/// An input or an output.
#[derive(Clone, Copy, Debug)]
pub struct CodePort {
    pub(super) place: CodeRange,
    pub(super) scale: CodeScale,
    /// Channels of an image, which are last here and first outside; else 1.
    pub(super) channels: usize,
}

/// Everything that inference needs.
#[derive(Clone, Copy, Debug)]
pub struct ProgramRef<'a> {
    pub(super) steps: &'a [Step],
    pub(super) terms: &'a [Term],
    pub(super) weights: &'a [i8],
    pub(super) biases: &'a [i32],
    pub(super) scales: &'a [f32],
    pub(super) tables: &'a [[u8; 256]],
    pub(super) exponentials: &'a [[u32; 256]],
    pub(super) inputs: &'a [CodePort],
    pub(super) outputs: &'a [CodePort],
    /// Bytes of all values; behind them is what one step needs.
    pub(super) values: usize,
}

/// One operator.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The first of the terms that it reads, and how many there are.
    pub(super) x: [usize; 2],
    pub(super) y: CodeRange,
    pub(super) kind: StepKind,
}

/// What becomes of sums: where their biases and scales begin, how many they are.
#[derive(Clone, Copy, Debug)]
pub struct SumCodes {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) zero: u8,
    pub(super) bounds: [u8; 2],
}

#[derive(Clone, Copy, Debug)]
pub enum StepKind {
    /// Weighted sums, of a dense layer too, with the code of zero of the input, where the weights begin and
    /// how many bytes they are.
    Linear {
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
    /// As many codes of each value in turn as its term says.
    Concat,
    /// A matrix of so many columns, transposed.
    Turn(usize),
}

impl StepKind {
    /// Its bit among the kinds that a program has.
    pub(super) const fn bit(&self) -> u32 {
        1 << match self {
            StepKind::Linear { .. } => 0,
            StepKind::MaxPool(_) => 1,
            StepKind::AvgPool { .. } => 2,
            StepKind::Mean(_) => 3,
            StepKind::Lookup(_) => 4,
            StepKind::Softmax(..) => 5,
            StepKind::Sum(_) => 6,
            StepKind::Concat => 7,
            StepKind::Turn(_) => 8,
        }
    }
}

/// How a program runs, known when it is compiled.
pub(super) trait ProgramPath {
    /// The kinds of steps there are: what others need is no part of the code.
    const KINDS: u32;
    /// Weights lie in their standard order, and plain loops take them.
    const PLAIN: bool;
}

/// Every kind of step, on the instruction set there is.
pub(super) struct EveryKind;

impl ProgramPath for EveryKind {
    const KINDS: u32 = !0;
    const PLAIN: bool = cfg!(feature = "small");
}

/// How weights of a convolution lie where they are not in standard order.
#[derive(Clone, Copy)]
pub(super) enum LinearForm {
    Depthwise,
    /// A product of all pixels, as they lie.
    Pointwise,
    Windows,
}

impl LinearForm {
    pub(super) fn of(conv: &Conv) -> LinearForm {
        if conv.groups == conv.channels && conv.filters == conv.channels && conv.channels > 1 {
            return LinearForm::Depthwise;
        }
        if is_pointwise(conv) { LinearForm::Pointwise } else { LinearForm::Windows }
    }
}

/// A place that is written, and everything else, which is read.
struct Opened<'a> {
    before: &'a [u8],
    y: &'a mut [u8],
    after: &'a [u8],
}

impl<'a> Opened<'a> {
    fn new(values: &'a mut [u8], y: CodeRange) -> Option<Self> {
        let (before, rest) = values.split_at_mut_checked(y.at)?;
        let (y, after) = rest.split_at_mut_checked(y.len)?;
        Some(Opened { before, y, after })
    }

    /// Nothing where it is what is written.
    fn read(&self, x: CodeRange) -> &'a [u8] {
        let found = match x.at.checked_sub(self.before.len() + self.y.len()) {
            Some(at) => self.after.get(at..at + x.len),
            None => self.before.get(x.at..x.at + x.len),
        };
        found.unwrap_or_default()
    }
}

impl ProgramRef<'_> {
    /// Runs all steps.
    pub(super) fn run<P: ProgramPath>(&self, isa: Isa, memory: &mut [u8]) {
        for step in self.steps {
            self.run_step::<P>(isa, step, memory);
        }
    }

    pub(super) fn run_step<P: ProgramPath>(&self, isa: Isa, step: &Step, memory: &mut [u8]) {
        let [first, count] = step.x;
        let (Some(terms), Some((values, scratch))) =
            (self.terms.get(first..first + count), memory.split_at_mut_checked(self.values))
        else {
            return;
        };
        if P::KINDS & step.kind.bit() == 0 {
            return;
        }
        let place = terms.first().copied().unwrap_or_default().place;
        if let StepKind::Lookup(table) = step.kind
            && place == step.y
        {
            if let (Some(table), Some(codes)) = (self.tables.get(table), values.get_mut(place.at..place.at + place.len))
            {
                codes.iter_mut().for_each(|code| *code = table[usize::from(*code)]);
            }
            return;
        }
        let Some(of) = Opened::new(values, step.y) else { return };
        let x = of.read(place);
        let mut all = [&[][..]; MAX_TERMS];
        terms.iter().zip(&mut all).for_each(|(term, x)| *x = of.read(term.place));
        let all = all.get(..terms.len()).unwrap_or_default();
        match &step.kind {
            StepKind::Linear { conv, zero, weights: [first, count], codes } => {
                if let (Some(w), Some(requantize)) = (self.weights.get(*first..first + count), self.requantize(codes)) {
                    let filters = Int8Filters { w, zero: *zero, requantize };
                    linear::<P>(isa, conv, x, filters, of.y, scratch);
                }
            }
            StepKind::MaxPool(pool) if const { P::PLAIN } => int8::plain_max_pool(pool, x, of.y),
            StepKind::MaxPool(pool) => int8::max_pool(pool, x, of.y),
            StepKind::AvgPool { pool, count, zero } if const { P::PLAIN } => {
                int8::plain_avg_pool(pool, *count, *zero, x, of.y);
            }
            StepKind::AvgPool { pool, count, zero } => int8::avg_pool(pool, *count, *zero, x, of.y),
            StepKind::Mean(scales) if const { P::PLAIN } => int8::plain_mean(*scales, x, of.y),
            StepKind::Mean(scales) => int8::mean(*scales, x, of.y),
            StepKind::Lookup(table) => {
                if let Some(table) = self.tables.get(*table) {
                    of.y.iter_mut().zip(x).for_each(|(y, x)| *y = table[usize::from(*x)]);
                }
            }
            StepKind::Softmax(width, table) => {
                if let Some(table) = self.exponentials.get(*table) {
                    let softmax = if const { P::PLAIN } { int8::plain_softmax } else { int8::softmax };
                    softmax(table, *width, x, of.y);
                }
            }
            StepKind::Sum(addition) if const { P::PLAIN } => int8::plain_add(addition, all, of.y),
            StepKind::Sum(addition) => int8::add(isa, addition, all, of.y),
            StepKind::Concat => concat(terms, all, of.y),
            StepKind::Turn(columns) => turn(*columns, x, of.y),
        }
    }

    fn requantize(&self, codes: &SumCodes) -> Option<Requantize<'_>> {
        let of = codes.first..codes.first + codes.count;
        let (bias, scale) = (self.biases.get(of.clone())?, self.scales.get(of)?);
        Some(Requantize { bias, scale, zero: codes.zero, bounds: codes.bounds })
    }

    /// Puts a sample where the program reads it; false where a number is NaN, which no code says.
    pub(super) fn quantize<P: ProgramPath>(&self, isa: Isa, x: &[&[f32]], memory: &mut [u8]) -> bool {
        let mut numbers = true;
        for (port, x) in self.inputs.iter().zip(x) {
            numbers &= x.iter().fold(true, |numbers, x| numbers & !x.is_nan());
            let Some(y) = memory.get_mut(port.place.at..port.place.at + port.place.len) else { return false };
            match const { P::PLAIN } {
                true => int8::plain_quantize(port.scale, port.channels, x, y),
                false => int8::quantize(isa, port.scale, port.channels, x, y),
            }
        }
        numbers
    }

    /// The numbers of an output's codes; NaN where an input was.
    pub(super) fn dequantize<P: ProgramPath>(&self, output: usize, numbers: bool, memory: &[u8], y: &mut [f32]) {
        let Some(port) = self.outputs.get(output) else { return };
        let Some(x) = memory.get(port.place.at..port.place.at + port.place.len) else { return };
        match const { P::PLAIN } {
            true => int8::plain_dequantize(port.scale, port.channels, x, y),
            false => int8::dequantize(port.scale, port.channels, x, y),
        }
        if !numbers {
            y.fill(f32::NAN);
        }
    }

    /// Bytes of everything that is not changed: weights, biases, scales, tables.
    pub const fn constants(&self) -> usize {
        self.weights.len()
            + 4 * (self.biases.len() + self.scales.len())
            + 256 * (self.tables.len() + 4 * self.exponentials.len())
    }
}

fn linear<P: ProgramPath>(isa: Isa, conv: &Conv, x: &[u8], filters: Int8Filters, y: &mut [u8], scratch: &mut [u8]) {
    if const { P::PLAIN } {
        return int8::plain_conv(conv, x, filters, y);
    }
    match LinearForm::of(conv) {
        LinearForm::Depthwise => int8::depthwise(isa, conv, x, filters, y),
        LinearForm::Pointwise => {
            let Int8Filters { w, requantize, .. } = filters;
            let panels = Int8Panels::new(conv.rows(), conv.filters);
            let (rows, x_stride, y_stride) = (conv.height * conv.width, panels.depth(), panels.outputs());
            int8::product(isa, Int8Product { panels, rows, x, x_stride, w, requantize, y, y_stride });
        }
        LinearForm::Windows => int8::conv(isa, conv, x, filters, y, scratch),
    }
}

/// Joins as many codes of each value as its run is long, in turn.
fn concat(terms: &[Term], x: &[&[u8]], y: &mut [u8]) {
    let total: usize = terms.iter().map(|term| term.run).sum();
    let mut before = 0;
    for (term, x) in terms.iter().zip(x) {
        let rows = y.chunks_exact_mut(total.max(1)).zip(x.chunks_exact(term.run.max(1)));
        for (y, x) in rows {
            y.iter_mut().skip(before).zip(x).for_each(|(y, x)| *y = *x);
        }
        before += term.run;
    }
}

/// Transposes a matrix of so many columns.
pub(super) fn turn<T: Copy>(columns: usize, x: &[T], y: &mut [T]) {
    let rows = (x.len() / columns.max(1)).max(1);
    for (i, row) in x.chunks_exact(columns.max(1)).enumerate() {
        y.iter_mut().skip(i).step_by(rows).zip(row).for_each(|(y, x)| *y = *x);
    }
}
