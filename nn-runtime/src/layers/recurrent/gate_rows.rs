//! Sums of the gradients of a recurrent layer's parameters over steps and samples. In: the gradients of
//! gates, a row each step of a sample, and what they were made of; out: gradients, in blocks. Masked steps
//! are left out.

use core::ops::Range;

use super::super::mask::is_step;
use nn_kernels::long_sums::{BLOCK, RowSums, Sums};
use nn_kernels::matrix::{Panels, backward_weight};
use nn_kernels::recurrent::weighted_sums;

/// What gradients of the gates, one row a step of a sample, are summed with.
pub(super) struct RowsOfGates<'a> {
    pub(super) mask: Option<&'a [f32]>,
    pub(super) row: usize,
    pub(super) sums: RowSums,
}

impl RowsOfGates<'_> {
    /// These rows in blocks, without masked steps, whose inputs need not be finite: their gradients are 0.
    pub(super) fn blocks(&self, rows: Range<usize>, mut each: impl FnMut(Range<usize>)) {
        let is_masked = |row: &usize| self.mask.is_some_and(|mask| !is_step(&mask[*row]));
        let mut first = rows.start;
        while first < rows.end {
            let mut block = first..rows.end.min(first + BLOCK);
            let end = block.clone().find(is_masked).unwrap_or(block.end);
            block.end = end;
            if block.is_empty() {
                first += 1;
                continue;
            }
            first = block.end;
            each(block);
        }
    }

    /// Adds what a block gives to a range of the gradients of weights.
    pub(super) fn weight(
        &self,
        panels: Panels,
        from: [&[f32]; 2],
        block: &Range<usize>,
        range: &Range<usize>,
        dw: &mut [f32],
        blocks: bool,
    ) {
        if range.is_empty() {
            return;
        }
        let [x, dy] = [(from[0], panels.rows()), (from[1], self.row)].map(|(from, width)| rows_of(from, width, block));
        if panels.rows() > 1 {
            let sums = Sums { overwrite: false, blocks };
            return backward_weight(self.sums.isa, panels, x, dy, range.clone(), dw, sums);
        }
        // The panels of a single input are its weights one after the other, and padding.
        let range = range.start.min(self.row)..range.end.min(self.row);
        weighted_sums(self.sums.isa, self.row, Some(x), dy, range.clone(), &mut dw[..range.len()], blocks);
    }

    /// Adds what a block gives to a range of the gradients of biases.
    pub(super) fn bias(&self, dy: &[f32], block: &Range<usize>, range: &Range<usize>, db: &mut [f32], blocks: bool) {
        if !range.is_empty() {
            weighted_sums(self.sums.isa, self.row, None, rows_of(dy, self.row, block), range.clone(), db, blocks);
        }
    }
}

/// Some rows of a matrix of this width.
fn rows_of<'a>(all: &'a [f32], width: usize, rows: &Range<usize>) -> &'a [f32] {
    &all[rows.start * width..rows.end * width]
}
