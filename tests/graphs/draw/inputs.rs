//! What comes into a drawn network and how values are made to fit: shapes, masks and ids. In: a drawing; out: inputs, values of a wanted
//! shape. A mask or ids are only ever an input: nothing computes them.

use super::{Drawing, Style};
use crate::dice::Dice;
use crate::graph::{Kind, Nature, Net, Shape};

/// So many inputs and, of sequences, perhaps their masks.
pub fn inputs(dice: &mut Dice, style: &Style, nets: &[Net], count: usize) -> Vec<(Shape, Nature)> {
    // What a network before it takes that nothing can make, it can only be handed on.
    let special: Vec<&Net> =
        nets.iter().filter(|net| net.natures.iter().any(|&nature| nature != Nature::Any)).collect();
    if !special.is_empty() && dice.chance(70) {
        let net = dice.pick(&special);
        return net.input_shapes().iter().cloned().zip(net.natures.clone()).collect();
    }
    let mut all = Vec::new();
    for _ in 0..count {
        let shape = shape(dice, style);
        let [steps, features] = shape[..] else {
            all.push((shape, Nature::Any));
            continue;
        };
        match dice.chance(25) {
            true => all.push((vec![steps], Nature::Ids(1 + features))),
            false => all.push((shape, Nature::Any)),
        }
        if all.len() < 3 && dice.chance(35) {
            all.push((vec![steps], Nature::Mask));
        }
    }
    all.truncate(4);
    all
}

/// Mostly a handful of numbers; now and then more than one vector holds.
fn shape(dice: &mut Dice, style: &Style) -> Shape {
    if let Some(steps) = style.stream {
        return vec![steps, features(dice)];
    }
    match dice.below(16) {
        0..=5 => vec![dice.between(1, 6)],
        6 => vec![dice.between(15, 19)],
        7..=14 => vec![dice.between(1, 6), features(dice)],
        _ => vec![dice.between(1, 2), dice.between(1, 3), dice.between(1, 3)],
    }
}

fn features(dice: &mut Dice) -> usize {
    if dice.chance(80) { dice.between(1, 6) } else { dice.between(7, 19) }
}

impl Drawing<'_> {
    /// Inputs of ids become sequences.
    pub fn embed_ids(&mut self) {
        for input in 0..self.net.inputs.len() {
            if let Nature::Ids(ids) = self.net.natures[input] {
                let kind =
                    Kind::Embedding { vocabulary: ids + self.dice.pick(&[0, 0, 3]), features: features(self.dice) };
                self.add(kind, vec![input]);
            }
        }
    }

    /// Masks that nothing has read end a sequence.
    pub fn use_masks(&mut self) {
        for input in 0..self.net.inputs.len() {
            if self.net.natures[input] == Nature::Mask && self.net.readers(input) == 0 {
                let steps = self.net.shapes[input][0];
                let fits = |v: &usize| matches!(self.net.shapes[*v][..], [all, _] if all == steps);
                let sequences: Vec<usize> = (0..self.net.shapes.len()).filter(fits).collect();
                let x = self.dice.pick(&sequences);
                self.end_masked(x, Some(input));
            }
        }
    }

    /// A mask for so many steps, if there is one, more often than not.
    pub fn mask(&mut self, steps: usize) -> Option<usize> {
        let of = |k: &usize| self.net.natures[*k] == Nature::Mask && self.net.shapes[*k] == [steps];
        let masks: Vec<usize> = (0..self.net.inputs.len()).filter(of).collect();
        (!masks.is_empty() && self.dice.chance(65)).then(|| self.dice.pick(&masks))
    }

    /// The inputs that serve as masks and ids of these shapes; `None` where one is missing.
    pub fn supplies(&self, shapes: &[Shape], natures: &[Nature]) -> Option<Vec<Option<usize>>> {
        let serves = |own: Nature, wanted: Nature| match (own, wanted) {
            (Nature::Ids(own), Nature::Ids(wanted)) => own <= wanted,
            _ => own == wanted,
        };
        let supply = |(shape, &wanted): (&Shape, &Nature)| {
            let mut own = (0..self.net.inputs.len())
                .filter(|&k| self.net.shapes[k] == *shape && serves(self.net.natures[k], wanted));
            match wanted {
                Nature::Any => Some(None),
                _ => own.next().map(Some),
            }
        };
        shapes.iter().zip(natures).map(supply).collect()
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
