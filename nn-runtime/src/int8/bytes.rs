//! A quantised model as bytes. In a file stand the steps, the constants and the scales of all values; it says
//! the same on every machine. What was read is whole, or refused: the steps follow from the network, as they
//! did when it was quantised, and must be those of the file.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::file::{COUNTS, HEADER, Int8File, KIND, MAGIC, STEP, checksum, outline};
use super::owned::{Program, StepLayout};
use super::program::{CodePort, StepKind};
use super::{QuantizationReport, QuantizeError, QuantizeErrorKind, Quantized, check, emit, lower};
use crate::model::Network;
use nn_kernels::int8::CodeScale;

impl<N: Network> Quantized<N> {
    /// The model as bytes, for [`from_bytes`](Quantized::from_bytes) and [`int8_model!`](crate::int8_model):
    /// about a byte a parameter. The report is not among them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = FileWords::of(&self.program);
        let mut body: Vec<u8> =
            words.counts(&self.program, self.scales.len()).iter().flat_map(|n| n.to_le_bytes()).collect();
        let all = words.plan.iter().chain(&words.biases).chain(&words.scales);
        body.extend(all.flat_map(|word| word.to_le_bytes()));
        body.extend(self.program.exponentials.iter().flatten().flat_map(|number| number.to_le_bytes()));
        body.extend(self.scales.iter().flat_map(|scale| scale_words(*scale)).flat_map(u32::to_le_bytes));
        body.extend(words.weights.iter().map(|weight| *weight as u8));
        body.extend(self.program.tables.iter().flatten());
        let mut bytes = MAGIC.to_vec();
        bytes.extend(outline(N::COMPILED).to_le_bytes());
        bytes.extend(checksum(&body, 0).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// A model that [`to_bytes`](Quantized::to_bytes) has written, here or on another machine.
    ///
    /// # Errors
    /// Bytes of something else, of another network, or not as they were written.
    ///
    /// # Panics
    /// Never at run time; see [`quantize`](Quantized::quantize) for what stops the build.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuantizeError> {
        const { check(N::COMPILED) };
        Self::read(bytes).map_err(|text| QuantizeError::new(QuantizeErrorKind::Bytes, text))
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let network = N::COMPILED;
        let file = Int8File::open(network, bytes).map_err(|fault| match fault {
            Some(text) => String::from(text),
            None => format!(
                "expected a quantised model of `{}`, found one of another network\nhelp: quantise the model again",
                network.name
            ),
        })?;
        let mut floats = lower::lower(network, &vec![0.0; network.params_len]);
        floats.fold();
        let mut scales = Vec::new();
        let [.., count] = *file.lens();
        for value in 0..count {
            let CodeScale { scale, zero } = file.value_scale(value);
            if !(scale > 0.0 && scale < f32::INFINITY) {
                return Err(format!(
                    "expected a scale above 0, found {scale} of value {value}\nhelp: copy the file again"
                ));
            }
            scales.push(CodeScale { scale, zero });
        }
        let other = || String::from("expected the steps of this network, found others\nhelp: quantise the model again");
        if count != floats.lens.len() {
            return Err(other());
        }
        let (mut program, _) = emit::emit(&floats, &scales, [network.inputs, network.outputs])?;
        let words = FileWords::of(&program);
        let plan = bytes[HEADER..].as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
        let counts = words.counts(&program, count).map(|count| count as usize);
        if counts != *file.lens() || !plan.take(words.plan.len()).eq(words.plan.iter().copied()) {
            return Err(other());
        }
        program.fill(&file);
        let report = QuantizationReport { layers: Vec::new(), samples: 0 };
        Ok(Quantized { program, scales, report, network: core::marker::PhantomData })
    }
}

/// The parts of a program as a file has them, weights in their standard order.
struct FileWords {
    /// Ports, terms, steps.
    plan: Vec<u32>,
    biases: Vec<u32>,
    scales: Vec<u32>,
    weights: Vec<i8>,
}

fn scale_words(scale: CodeScale) -> [u32; 2] {
    [scale.scale.to_bits(), scale.zero.into()]
}

/// Counts within a network are of 32 bits.
fn words<const L: usize>(numbers: [usize; L]) -> [u32; L] {
    numbers.map(|number| number as u32)
}

impl FileWords {
    fn of(program: &Program) -> FileWords {
        let mut to = FileWords { plan: Vec::new(), biases: Vec::new(), scales: Vec::new(), weights: Vec::new() };
        for CodePort { place, scale, channels } in program.inputs.iter().chain(&program.outputs) {
            to.plan.extend(words([place.at, place.len]));
            to.plan.extend(scale_words(*scale));
            to.plan.push(*channels as u32);
        }
        for term in &program.terms {
            to.plan.extend(words([term.place.at, term.place.len, term.run]));
        }
        for step in &program.steps {
            let end = to.plan.len() + STEP;
            to.plan.extend(words([step.x[0], step.x[1], step.y.at, step.y.len]));
            to.plan.push(step.kind.bit().trailing_zeros());
            let kind = to.kind(program, &step.kind);
            debug_assert!(kind.len() <= KIND);
            to.plan.extend(kind);
            to.plan.resize(end, 0);
        }
        to
    }

    /// What stands in the header.
    fn counts(&self, program: &Program, scales: usize) -> [u32; COUNTS] {
        words([
            program.steps.len(),
            program.terms.len(),
            self.weights.len(),
            self.biases.len(),
            program.tables.len(),
            program.exponentials.len(),
            program.inputs.len(),
            program.outputs.len(),
            program.values,
            scales,
        ])
    }

    fn kind(&mut self, program: &Program, kind: &StepKind) -> Vec<u32> {
        match kind {
            StepKind::Linear { conv, zero, weights, codes } => {
                let of = StepLayout::of(*conv);
                let first = words([self.weights.len(), self.biases.len()]);
                for filter in 0..conv.filters {
                    let at = codes.first + of.sum(filter);
                    self.biases.push(program.biases[at] as u32);
                    self.scales.push(program.scales[at].to_bits());
                    let all = &program.weights.all()[weights[0]..];
                    self.weights.extend((0..conv.rows()).map(|i| all[of.weight(filter, i)]));
                }
                let mut to = words([conv.channels, conv.height, conv.width, conv.filters]).to_vec();
                for pair in [conv.kernel, conv.stride] {
                    to.extend(words(pair));
                }
                to.extend(words(conv.pad));
                to.extend(words(conv.dilation));
                to.extend([conv.groups as u32, (*zero).into(), first[0], first[1], codes.zero.into()]);
                to.extend(codes.bounds.map(u32::from));
                to
            }
            StepKind::MaxPool(pool) => pool_words(pool),
            StepKind::AvgPool { pool, count, zero } => {
                let mut to = pool_words(pool);
                to.extend([u32::from(*count), (*zero).into()]);
                to
            }
            StepKind::Mean(scales) => scales.iter().flat_map(|scale| scale_words(*scale)).collect(),
            StepKind::Lookup(table) => vec![*table as u32],
            StepKind::Softmax(width, table) => words([*width, *table]).to_vec(),
            StepKind::Sum(addition) => {
                let mut to = addition.multipliers.map(|multiplier| multiplier as u32).to_vec();
                to.extend([addition.bias as u32, addition.shift, addition.zero.into()]);
                to.extend(addition.bounds.map(u32::from));
                to
            }
            StepKind::Concat => Vec::new(),
            StepKind::Turn(columns) => vec![*columns as u32],
        }
    }
}

fn pool_words(pool: &nn_kernels::pool::Pool) -> Vec<u32> {
    let mut to = words([pool.channels, pool.height, pool.width]).to_vec();
    for pair in [pool.window, pool.stride] {
        to.extend(words(pair));
    }
    to.extend(words(pool.pad));
    to.extend(words(pool.beyond));
    to
}

impl Program {
    /// Takes the constants of a file whose steps are these.
    fn fill(&mut self, file: &Int8File) {
        let (mut sum, mut weight) = (0, 0);
        for step in &self.steps {
            let StepKind::Linear { conv, weights, codes, .. } = step.kind else { continue };
            let of = StepLayout::of(conv);
            for filter in 0..conv.filters {
                let at = codes.first + of.sum(filter);
                (self.biases[at], self.scales[at]) = (file.bias(sum), file.sum_scale(sum));
                sum += 1;
                for i in 0..conv.rows() {
                    self.weights.all_mut()[weights[0] + of.weight(filter, i)] = file.weight(weight);
                    weight += 1;
                }
            }
        }
        for (i, table) in self.tables.iter_mut().enumerate() {
            *table = file.table(i);
        }
        for (i, exponentials) in self.exponentials.iter_mut().enumerate() {
            *exponentials = file.exponentials_of(i);
        }
    }
}
