//! Layers over steps, drawn. In: a drawing and a value `[steps, features]`; out: one more site, sometimes
//! with a mask or a memory. In a program of streams none of them looks ahead.

use super::Builder;
use crate::graph::{Cell, Direction, Kind, Recurrent};

impl Builder<'_> {
    /// Unary layer for `x`, a sequence.
    pub fn sequence(&mut self, x: usize) {
        let features = self.net.shapes[x][1];
        match self.rng.below(100) {
            0..40 => {
                let last = self.rng.chance(25);
                self.recurrent(x, last);
            }
            40..58 => self.attention(x),
            58..66 => {
                let dilation = self.rng.between(1, 3);
                let kernel = self.rng.between(1, 3);
                let filters = self.rng.between(1, 5);
                self.add(Kind::CausalConv { filters, kernel, dilation }, vec![x]);
            }
            66..78 => {
                let learnt = self.rng.chance(50);
                let times = self.times(10);
                self.add_times(Kind::PositionalEncoding { learnt }, vec![x], times);
            }
            78..85 => self.operation(x),
            85..90 if features > 1 => {
                let times = self.times(5);
                self.add_times(Kind::LayerNorm, vec![x], times);
            }
            _ => {
                self.end(x);
            }
        }
    }

    /// What a sequence comes to.
    pub fn end(&mut self, x: usize) -> usize {
        let mask = self.mask(self.net.shapes[x][0]);
        self.end_masked(x, mask)
    }

    pub fn end_masked(&mut self, x: usize, mask: Option<usize>) -> usize {
        let all = [x].into_iter().chain(mask).collect();
        match self.rng.below(3) {
            0 if self.style.stream.is_none() => self.add(Kind::GlobalAvgPool, all),
            1 => {
                let of = self.cell(x, true);
                self.add(Kind::Recurrent(of), all)
            }
            _ => self.add(Kind::LastStep, all),
        }
    }

    fn recurrent(&mut self, x: usize, last: bool) {
        let [steps, features] = self.net.shapes[x][..] else { unreachable!("a sequence") };
        let mut of = self.cell(x, last);
        let mask = self.mask(steps);
        let times = if last || mask.is_some() || features > 8 { None } else { self.times(25) };
        // What is repeated gives back as many features.
        if times.is_some() {
            if !features.is_multiple_of(2) && of.direction == Direction::Both {
                of.direction = Direction::Backward;
            }
            of.units = features / of.ways().len();
        }
        self.add_times(Kind::Recurrent(of), [x].into_iter().chain(mask).collect(), times);
    }

    fn cell(&mut self, x: usize, last: bool) -> Recurrent {
        let cell = self.rng.pick(&[Cell::Rnn, Cell::Gru, Cell::Lstm]);
        // Now and then more than one vector holds.
        let wide = self.net.shapes[x][1] <= 4 && cell != Cell::Lstm && self.rng.chance(10);
        let units = if wide { self.rng.between(15, 18) } else { self.rng.between(1, 5) };
        let direction = match self.style.stream {
            Some(_) => Direction::Forward,
            None => self.rng.pick(&[Direction::Forward, Direction::Backward, Direction::Both]),
        };
        Recurrent { cell, units, direction, last, bias: self.rng.chance(80) }
    }

    /// Of itself or of a memory.
    fn attention(&mut self, x: usize) {
        let [steps, features] = self.net.shapes[x][..] else { unreachable!("a sequence") };
        let fits: Vec<usize> = (1..=features).filter(|&heads| features.is_multiple_of(heads)).collect();
        let heads = self.rng.pick(&fits);
        let stream = self.style.stream.is_some();
        let kind = Kind::Attention { heads, causal: stream || self.rng.chance(40), bias: self.rng.chance(80) };
        if stream {
            self.add(kind, vec![x]);
            return;
        }
        let mut all = vec![x];
        let mut keys = steps;
        if self.rng.chance(35) {
            let other = self.value();
            keys = match self.net.shapes[other][..] {
                [keys, _] => keys,
                _ => self.rng.between(1, 4),
            };
            all.push(self.fit(other, &[keys, features]));
        }
        all.extend(self.mask(keys));
        let times = if all.len() == 1 { self.times(15) } else { None };
        self.add_times(kind, all, times);
    }
}
