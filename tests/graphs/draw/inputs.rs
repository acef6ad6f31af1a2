//! What comes into a drawn network and how values are made to fit: shapes, masks and ids. In: a drawing; out:
//! inputs, values of a wanted shape. A mask or ids are only ever an input: nothing computes them.

use super::{Builder, Style};
use crate::graph::{Kind, Net, Shape, ValueKind};
use crate::rng::Rng;

/// So many inputs and, of sequences, perhaps their masks.
pub fn inputs(rng: &mut Rng, style: &Style, nets: &[Net], count: usize) -> Vec<(Shape, ValueKind)> {
    // What a network before it takes that nothing can make, it can only be handed on.
    let special: Vec<&Net> =
        nets.iter().filter(|net| net.value_kinds.iter().any(|&value_kind| value_kind != ValueKind::Numbers)).collect();
    if !special.is_empty() && rng.chance(70) {
        let net = rng.pick(&special);
        return net.input_shapes().iter().cloned().zip(net.value_kinds.clone()).collect();
    }
    let mut all = Vec::new();
    for _ in 0..count {
        let shape = shape(rng, style);
        let [steps, features] = shape[..] else {
            all.push((shape, ValueKind::Numbers));
            continue;
        };
        match rng.chance(25) {
            true => all.push((vec![steps], ValueKind::Ids(1 + features))),
            false => all.push((shape, ValueKind::Numbers)),
        }
        if all.len() < 3 && rng.chance(45) {
            all.push((vec![steps], ValueKind::Mask));
        }
    }
    all.truncate(4);
    all
}

/// Mostly a handful of numbers; now and then more than one vector holds.
fn shape(rng: &mut Rng, style: &Style) -> Shape {
    if let Some(steps) = style.stream {
        return vec![steps, features(rng)];
    }
    if style.images && rng.chance(80) {
        return vec![rng.between(1, 3), rng.between(2, 7), rng.between(2, 7)];
    }
    match rng.below(16) {
        0..=5 => vec![rng.between(1, 6)],
        6 => vec![rng.between(15, 19)],
        7..=14 => vec![rng.between(1, 6), features(rng)],
        _ => vec![rng.between(1, 2), rng.between(1, 3), rng.between(1, 3)],
    }
}

fn features(rng: &mut Rng) -> usize {
    if rng.chance(80) { rng.between(1, 6) } else { rng.between(7, 19) }
}

impl Builder<'_> {
    /// Inputs of ids become sequences.
    pub fn embed_ids(&mut self) {
        for input in 0..self.net.inputs.len() {
            if let ValueKind::Ids(ids) = self.net.value_kinds[input] {
                let kind =
                    Kind::Embedding { vocabulary: ids + self.rng.pick(&[0, 0, 3]), features: features(self.rng) };
                self.add(kind, vec![input]);
            }
        }
    }

    /// Masks that nothing has read end a sequence.
    pub fn use_masks(&mut self) {
        for input in 0..self.net.inputs.len() {
            if self.net.value_kinds[input] == ValueKind::Mask && self.net.readers(input) == 0 {
                let steps = self.net.shapes[input][0];
                let fits = |v: &usize| matches!(self.net.shapes[*v][..], [all, _] if all == steps);
                let sequences: Vec<usize> = (0..self.net.shapes.len()).filter(fits).collect();
                let x = self.rng.pick(&sequences);
                self.end_masked(x, Some(input));
            }
        }
    }

    /// A mask for so many steps, if there is one, more often than not.
    pub fn mask(&mut self, steps: usize) -> Option<usize> {
        let of = |k: &usize| self.net.value_kinds[*k] == ValueKind::Mask && self.net.shapes[*k] == [steps];
        let masks: Vec<usize> = (0..self.net.inputs.len()).filter(of).collect();
        (!masks.is_empty() && self.rng.chance(75)).then(|| self.rng.pick(&masks))
    }

    /// The inputs that serve as masks and ids of these shapes; `None` where one is missing.
    pub fn supplies(&self, shapes: &[Shape], value_kinds: &[ValueKind]) -> Option<Vec<Option<usize>>> {
        let serves = |own: ValueKind, wanted: ValueKind| match (own, wanted) {
            (ValueKind::Ids(own), ValueKind::Ids(wanted)) => own <= wanted,
            _ => own == wanted,
        };
        let supply = |(shape, &wanted): (&Shape, &ValueKind)| {
            let mut own = (0..self.net.inputs.len())
                .filter(|&k| self.net.shapes[k] == *shape && serves(self.net.value_kinds[k], wanted));
            match wanted {
                ValueKind::Numbers => Some(None),
                _ => own.next().map(Some),
            }
        };
        shapes.iter().zip(value_kinds).map(supply).collect()
    }

    /// Values of these shapes, the first one made of `x`; some of them fixed.
    pub fn several(&mut self, x: usize, shapes: &[Shape], fixed: &[Option<usize>]) -> Vec<usize> {
        let mut next = Some(x);
        let mut all = Vec::new();
        for (shape, fixed) in shapes.iter().zip(fixed) {
            all.push(match fixed {
                Some(input) => *input,
                None => {
                    let x = next.take().unwrap_or_else(|| self.value());
                    self.fit(x, shape)
                }
            });
        }
        all
    }

    /// A value of this shape, made of `x`.
    pub fn fit(&mut self, mut x: usize, shape: &[usize]) -> usize {
        let len = shape.iter().product();
        if self.net.shapes[x] == shape {
            return x;
        }
        if let ([steps, _], [wanted, features]) = (&self.net.shapes[x][..], shape)
            && steps == wanted
        {
            return self.add(Kind::DensePerStep { units: *features }, vec![x]);
        }
        let from: usize = self.net.shapes[x].iter().product();
        if self.net.shapes[x].len() == 2 && (self.style.stream.is_some() || from > 12) {
            x = self.end(x);
        }
        if self.net.shapes[x].len() == 3 && from > 24 {
            x = self.add(Kind::GlobalAvgPool, vec![x]);
        }
        if self.net.shapes[x].len() > 1 {
            x = self.add(Kind::Flatten, vec![x]);
        }
        if self.net.shapes[x] != [len] {
            x = self.add(Kind::Dense { units: len, bias: true }, vec![x]);
        }
        if shape.len() > 1 {
            x = self.add(Kind::Reshape(shape.to_vec()), vec![x]);
        }
        x
    }
}
