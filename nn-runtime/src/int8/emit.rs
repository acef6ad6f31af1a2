//! From operators in floats to a program over codes. In: a folded network and the scale of each value; out:
//! weights of one byte, each filter by a scale of its own, and the steps.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::arena::places;
use super::float::{FloatKind, FloatNetwork, Linear};
use super::owned::{AlignedWeights, Program, StepLayout};
use super::program::{CodePort, CodeRange, EveryKind, LinearForm, ProgramPath, Step, StepKind, SumCodes, Term};
use crate::shape::Shape;
use nn_kernels::int8::{Addition, CodeScale, conv_scratch, exponentials};
use nn_kernels::simd::Isa;

/// The scale of probabilities.
const PROBABILITY: CodeScale = CodeScale { scale: 1.0 / 256.0, zero: 0 };
/// A bias may not be larger: with it a sum fits into 32 bits.
const MOST_BIAS: f64 = (1u64 << 30) as f64;

/// A program, and for each operator its last step.
pub(super) fn emit(
    network: &FloatNetwork,
    scales: &[CodeScale],
    [inputs, outputs]: [&[Shape]; 2],
) -> Result<(Program, Vec<usize>), String> {
    let (places, values) = places(network);
    let mut to = Program { values, ..Program::default() };
    let mut weights = Vec::new();
    let port = |value: usize, shape: &Shape| CodePort {
        place: places[value],
        scale: scales[value],
        channels: if shape.rank() == 3 { shape.dim(0) } else { 1 },
    };
    to.inputs = network.inputs.iter().zip(inputs).map(|(value, shape)| port(*value, shape)).collect();
    to.outputs = network.outputs.iter().zip(outputs).map(|(value, shape)| port(*value, shape)).collect();
    let mut last = Vec::new();
    for op in &network.ops {
        let x: Vec<_> = op.x.iter().map(|x| places[*x]).collect();
        let mut runs: &[usize] = &[];
        let (y, of, into) = (places[op.y], scales[op.x[0]], scales[op.y]);
        let kind = match &op.kind {
            FloatKind::Linear(linear) => linear
                .emit(&mut to, &mut weights, [of, into])
                .map_err(|fault| format!("`{}`: {fault}\nhelp: see what the parameter was computed from", op.path))?,
            FloatKind::Floor(_) => unreachable!("floors are folded"),
            FloatKind::Curve(curve, _) => {
                let mut numbers: [f32; 256] = core::array::from_fn(|code| of.number(code as u8));
                curve.apply(Isa::detect(), &mut numbers);
                to.table(numbers.map(|number| away_from_zero(into, number)))
            }
            FloatKind::Softmax(width) => {
                to.exponentials.push(exponentials(of.scale));
                StepKind::Softmax(*width, to.exponentials.len() - 1)
            }
            FloatKind::Sum(floor) => {
                let of: Vec<CodeScale> = op.x.iter().map(|x| scales[*x]).collect();
                StepKind::Sum(Addition::new(&of, into, bounds(into, *floor)))
            }
            FloatKind::Concat(of) => {
                runs = of;
                StepKind::Concat
            }
            FloatKind::MaxPool(pool) => StepKind::MaxPool(*pool),
            FloatKind::AvgPool(pool, count) => StepKind::AvgPool { pool: *pool, count: *count, zero: of.zero },
            FloatKind::Mean(_) => StepKind::Mean([of, into]),
            FloatKind::Turn(columns) => StepKind::Turn(*columns),
        };
        to.step(&x, runs, y, kind);
        if matches!(op.kind, FloatKind::Softmax(_)) && into != PROBABILITY {
            // What it is joined with has a larger range.
            let table = core::array::from_fn(|code| into.code(PROBABILITY.number(code as u8)));
            let kind = to.table(table);
            to.step(&[y], &[], y, kind);
        }
        last.push(to.steps.len() - 1);
    }
    to.weights = AlignedWeights::new(&weights);
    Ok((to, last))
}

/// The code of a number in a table, ties away from zero: LiteRT's rule for tables.
fn away_from_zero(scale: CodeScale, number: f32) -> u8 {
    (libm::roundf(number * (1.0 / scale.scale)) + f32::from(scale.zero)) as u8
}

/// The codes of all that is not below the floor.
fn bounds(scale: CodeScale, floor: Option<f32>) -> [u8; 2] {
    [floor.map_or(0, |floor| scale.code(floor)), 255]
}

impl Program {
    fn step(&mut self, x: &[CodeRange], runs: &[usize], y: CodeRange, kind: StepKind) {
        let first = self.terms.len();
        let runs = runs.iter().copied().chain(core::iter::repeat(0));
        self.terms.extend(x.iter().zip(runs).map(|(place, run)| Term { place: *place, run }));
        self.steps.push(Step { x: [first, x.len()], y, kind });
    }

    fn table(&mut self, table: [u8; 256]) -> StepKind {
        self.tables.push(table);
        StepKind::Lookup(self.tables.len() - 1)
    }
}

/// A filter in whole numbers.
struct Filter {
    bias: i32,
    /// From the sum to a code.
    scale: f32,
}

impl Linear {
    fn emit(&self, to: &mut Program, all: &mut Vec<i8>, [of, into]: [CodeScale; 2]) -> Result<StepKind, String> {
        let conv = self.conv;
        let depth = conv.rows();
        let mut codes = vec![0i8; self.w.len()];
        let mut filters = Vec::new();
        for (f, (w, codes)) in self.w.chunks_exact(depth).zip(codes.chunks_exact_mut(depth)).enumerate() {
            if let Some(number) = w.iter().chain([&self.bias[f]]).find(|number| !number.is_finite()) {
                return Err(format!("expected numbers that are finite, found {number} in output {f}"));
            }
            filters.push(filter(w, self.bias[f], [of, into], codes));
        }
        let layout = StepLayout::of(conv);
        if !EveryKind::PLAIN {
            all.resize(all.len().next_multiple_of(AlignedWeights::LINE), 0);
        }
        let first = all.len();
        all.resize(first + layout.weights(), 0);
        let start = to.biases.len();
        to.biases.resize(start + layout.sums(), 0);
        to.scales.resize(start + layout.sums(), 0.0);
        for (f, (filter, codes)) in filters.iter().zip(codes.chunks_exact(depth)).enumerate() {
            to.biases[start + layout.sum(f)] = filter.bias;
            to.scales[start + layout.sum(f)] = filter.scale;
            codes.iter().enumerate().for_each(|(i, code)| all[first + layout.weight(f, i)] = *code);
        }
        let codes = SumCodes {
            first: start,
            count: to.biases.len() - start,
            zero: into.zero,
            bounds: bounds(into, self.floor),
        };
        if !EveryKind::PLAIN && matches!(LinearForm::of(&conv), LinearForm::Windows) {
            to.scratch = to.scratch.max(conv_scratch(&conv));
        }
        Ok(StepKind::Linear { conv, zero: of.zero, weights: [first, all.len() - first], codes })
    }
}

/// Writes the weights of one output as whole numbers from -127 to 127, the largest of them one of the two.
fn filter(w: &[f32], bias: f32, [of, into]: [CodeScale; 2], codes: &mut [i8]) -> Filter {
    let largest = w.iter().fold(0.0, |largest: f32, w| largest.max(w.abs()));
    let mut scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    // A bias that is too large for its unit makes the unit larger, as LiteRT's converter does.
    let unit = f64::from(of.scale) * f64::from(scale);
    if f64::from(bias.abs()) > unit * MOST_BIAS {
        scale = (f64::from(bias.abs()) / MOST_BIAS / f64::from(of.scale)) as f32;
    }
    let mut sum = 0i64;
    for (w, code) in w.iter().zip(codes) {
        // The cast stops at both ends.
        *code = (libm::rintf(w / scale) as i8).max(-127);
        sum += i64::from(*code);
    }
    let bias = libm::rint(f64::from(bias) / (f64::from(of.scale) * f64::from(scale)));
    let bias = bias.clamp(-MOST_BIAS, MOST_BIAS) as i64 - i64::from(of.zero) * sum;
    // Each of the two is at most 2^30, as the depth of the sum is checked.
    Filter { bias: bias as i32, scale: of.scale * scale / into.scale }
}
