//! A program whose parts are allocated: what quantising makes, and reading a file. In: its parts; out: a
//! `ProgramRef` of them.

use alloc::vec::Vec;

use super::program::{CodePort, EveryKind, LinearForm, ProgramPath, ProgramRef, Step, Term};
use nn_kernels::conv::Conv;
use nn_kernels::int8::{DepthwiseWeights, Int8Panels};

/// Everything that inference needs.
#[derive(Default, Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) terms: Vec<Term>,
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

impl Program {
    pub(super) fn as_ref(&self) -> ProgramRef<'_> {
        ProgramRef {
            steps: &self.steps,
            terms: &self.terms,
            weights: self.weights.all(),
            biases: &self.biases,
            scales: &self.scales,
            tables: &self.tables,
            exponentials: &self.exponentials,
            inputs: &self.inputs,
            outputs: &self.outputs,
            values: self.values,
        }
    }

    /// Bytes of memory that running takes.
    pub(super) fn memory(&self) -> usize {
        self.values + self.scratch
    }
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

/// How the weights, biases and scales of one step lie: as its kernel wants them, in standard order or not.
#[derive(Clone, Copy)]
pub(super) struct StepLayout {
    conv: Conv,
}

impl StepLayout {
    pub(super) const fn of(conv: Conv) -> StepLayout {
        StepLayout { conv }
    }

    /// Filters of a group, and how many there is room for.
    fn filters(&self) -> [usize; 2] {
        let Conv { groups, filters, .. } = self.conv;
        match LinearForm::of(&self.conv) {
            _ if EveryKind::PLAIN => [filters / groups; 2],
            LinearForm::Depthwise => [filters, DepthwiseWeights::of(&self.conv).padded_channels()],
            _ => [filters / groups, self.panels().padded_outputs()],
        }
    }

    fn panels(&self) -> Int8Panels {
        Int8Panels::new(self.conv.rows(), self.conv.filters / self.conv.groups)
    }

    /// Biases and scales.
    pub(super) fn sums(&self) -> usize {
        let [each, room] = self.filters();
        self.conv.filters / each * room
    }

    /// Where those of a filter lie.
    pub(super) fn sum(&self, filter: usize) -> usize {
        let [each, room] = self.filters();
        filter / each * room + filter % each
    }

    /// Bytes of weights.
    pub(super) fn weights(&self) -> usize {
        let Conv { groups, filters, .. } = self.conv;
        match LinearForm::of(&self.conv) {
            _ if EveryKind::PLAIN => filters * self.conv.rows(),
            LinearForm::Depthwise => DepthwiseWeights::of(&self.conv).len(),
            _ => groups * self.panels().len(),
        }
    }

    /// Where that of a filter and of one of its inputs lies.
    pub(super) fn weight(&self, filter: usize, i: usize) -> usize {
        let [each, _] = self.filters();
        match LinearForm::of(&self.conv) {
            _ if EveryKind::PLAIN => filter * self.conv.rows() + i,
            LinearForm::Depthwise => DepthwiseWeights::of(&self.conv).place(filter, i),
            _ => filter / each * self.panels().len() + self.panels().place(filter % each, i),
        }
    }
}
