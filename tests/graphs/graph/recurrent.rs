//! A recurrence as data: its cell, its directions, its parameters by name.

use super::Shape;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Recurrent {
    pub cell: Cell,
    pub units: usize,
    pub direction: Direction,
    pub last: bool,
    pub bias: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cell {
    Rnn,
    Gru,
    Lstm,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Direction {
    Forward,
    Backward,
    Both,
}

impl Recurrent {
    /// Which ways it goes, each in reverse or not.
    pub fn ways(&self) -> &'static [bool] {
        match self.direction {
            Direction::Forward => &[false],
            Direction::Backward => &[true],
            Direction::Both => &[false, true],
        }
    }

    /// Parameters of each way.
    pub fn tensors(&self) -> usize {
        if self.bias { 4 } else { 2 }
    }

    pub fn gates(&self) -> usize {
        match self.cell {
            Cell::Rnn => 1,
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }

    pub fn params(&self, features: usize) -> Vec<(&'static str, Shape)> {
        let names = [
            ["weight_ih", "weight_hh", "bias_ih", "bias_hh"],
            ["weight_ih_reverse", "weight_hh_reverse", "bias_ih_reverse", "bias_hh_reverse"],
        ];
        let row = self.gates() * self.units;
        let shapes = [vec![row, features], vec![row, self.units], vec![row], vec![row]];
        let way = |names: [&'static str; 4]| names.into_iter().zip(shapes.clone()).take(self.tensors());
        names.into_iter().take(self.ways().len()).flat_map(way).collect()
    }
}
