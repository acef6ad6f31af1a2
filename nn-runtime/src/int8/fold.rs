//! What needs no operator of its own: normalisations and floors go into the sums before them, the order of an
//! image's numbers into the weights behind it. In: a `FloatNetwork`; out: the same function in fewer steps.

use alloc::format;
use alloc::vec::Vec;

use super::float::{FloatKind, FloatNetwork, FloatOp, Linear};
use crate::spec::InPlace;

impl FloatNetwork {
    /// Does all there is to do.
    pub(super) fn fold(&mut self) {
        self.turn_weights();
        let readers = self.readers();
        let mut done: Vec<FloatOp> = Vec::new();
        for op in core::mem::take(&mut self.ops) {
            // The operator that writes what this one alone reads.
            let before = done.iter_mut().find(|before| op.x == [before.y] && readers[before.y] == 1);
            if let Some(before) = before
                && before.takes(&op.kind)
            {
                before.path = format!("{} + {}", before.path, op.path);
                before.y = op.y;
            } else {
                done.push(op);
            }
        }
        for op in &mut done {
            if let FloatKind::Floor(floor) = op.kind {
                op.kind = FloatKind::Curve(InPlace::floor(floor), None);
            }
        }
        self.ops = done;
    }

    /// Where an image is turned to be read by dense layers alone, their weights are turned instead.
    fn turn_weights(&mut self) {
        for i in 0..self.ops.len() {
            let FloatKind::Turn(channels) = self.ops[i].kind else { continue };
            let (from, to) = (self.ops[i].x[0], self.ops[i].y);
            let reads = |op: &FloatOp| op.x.contains(&to);
            let dense = self.ops.iter().filter(|op| reads(op)).all(|op| match &op.kind {
                FloatKind::Linear(Linear { conv, .. }) => {
                    conv.groups == 1 && conv.height * conv.width == 1 && conv.kernel == [1, 1]
                }
                _ => false,
            });
            if !dense || self.outputs.contains(&to) {
                continue;
            }
            for op in self.ops.iter_mut().filter(|op| op.x == [to]) {
                op.x[0] = from;
                let FloatKind::Linear(linear) = &mut op.kind else { continue };
                for row in linear.w.chunks_exact_mut(linear.conv.channels) {
                    let pixels = row.len() / channels;
                    let before = row.to_vec();
                    super::program::turn(pixels, &before, row);
                }
            }
        }
        let readers = self.readers();
        self.ops.retain(|op| !matches!(op.kind, FloatKind::Turn(_)) || readers[op.y] > 0);
    }
}

impl FloatOp {
    /// Takes what comes after it into itself, if it can.
    fn takes(&mut self, after: &FloatKind) -> bool {
        match (&mut self.kind, after) {
            (FloatKind::Linear(linear), FloatKind::Floor(floor)) => {
                linear.floor = Some(linear.floor.map_or(*floor, |before| before.max(*floor)));
                true
            }
            (FloatKind::Sum(before), FloatKind::Floor(floor)) => {
                *before = Some(before.map_or(*floor, |before| before.max(*floor)));
                true
            }
            (FloatKind::Linear(linear), FloatKind::Linear(norm)) if linear.floor.is_none() && norm.is_per_channel() => {
                linear.scale(norm)
            }
            _ => false,
        }
    }
}

impl Linear {
    /// A factor and a number that is added, for each channel.
    fn is_per_channel(&self) -> bool {
        self.conv.groups == self.conv.channels
            && self.conv.filters == self.conv.channels
            && self.w.len() == self.conv.channels
    }

    fn scale(&mut self, by: &Linear) -> bool {
        let depth = self.conv.rows();
        if by.conv.channels != self.conv.filters || by.conv.pad != [0; 4] || by.conv.y_len() != self.conv.y_len() {
            return false;
        }
        for (f, filter) in self.w.chunks_exact_mut(depth).enumerate() {
            filter.iter_mut().for_each(|w| *w = (f64::from(*w) * f64::from(by.w[f])) as f32);
            self.bias[f] = (f64::from(self.bias[f]) * f64::from(by.w[f]) + f64::from(by.bias[f])) as f32;
        }
        self.floor = by.floor;
        true
    }
}
