//! Borders of images and of sequences: `ReflectionPad2d`, `ReplicationPad2d`, `CircularPad2d`, `ZeroPad1d`,
//! `ReflectionPad1d`, `ReplicationPad1d`, `CircularPad1d`.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Border {
    /// 0 of zeros, 1 reflected, 2 held, 3 around.
    how: usize,
    of_images: bool,
    /// Of rows and columns; of a sequence columns have none.
    sides: [[usize; 2]; 2],
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    let (of_images, size) = match *x {
        [_, height, width] => (true, [height, width]),
        [steps, features] if !stream => (false, [steps, features]),
        _ => return None,
    };
    let how = rng.between(usize::from(of_images), 3);
    let mut sides = [[0; 2]; 2].map(|side| side.map(|_: usize| rng.pick(&[0, 1, 1, 2])));
    if !of_images {
        sides[1] = [0; 2];
    }
    let fits = size.iter().zip(sides).all(|(size, [before, after])| {
        let most = [9, size - 1, 9, *size][how];
        before <= most && after <= most && size + before + after < 9
    });
    fits.then(|| Arc::new(Border { how, of_images, sides }) as Arc<dyn Operation>)
}

impl Operation for Border {
    fn word(&self) -> &'static str {
        match self.of_images {
            true => ["", "ReflectionPad2d", "ReplicationPad2d", "CircularPad2d"][self.how],
            false => ["ZeroPad1d", "ReflectionPad1d", "ReplicationPad1d", "CircularPad1d"][self.how],
        }
    }

    fn arguments(&self) -> String {
        let [[top, bottom], [left, right]] = self.sides;
        match self.of_images {
            true => format!("({left}, top = {top}, bottom = {bottom}, right = {right})"),
            false if top == bottom => format!("({top})"),
            false => format!("({bottom}, before = {top})"),
        }
    }

    fn output(&self, x: &[usize]) -> Shape {
        let mut y = x.to_vec();
        let from = x.len() - 2;
        y[from..].iter_mut().zip(self.sides).for_each(|(size, sides)| *size += sides.iter().sum::<usize>());
        y
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let from = shape.len() - 2;
        let [h, w] = [shape[from] as i64, shape[from + 1] as i64];
        let [[top, bottom], [left, right]] = self.sides.map(|side| side.map(|n| n as i64));
        let source = |at: i64, size: i64| match self.how {
            _ if (0..size).contains(&at) => Some(at),
            0 => None,
            1 => Some(if at < 0 { -at } else { 2 * size - 2 - at }),
            2 => Some(at.clamp(0, size - 1)),
            _ => Some((at + size) % size),
        };
        let mut y = Vec::new();
        for x in x.chunks((h * w) as usize) {
            for i in -top..h + bottom {
                for j in -left..w + right {
                    let at = source(i, h).zip(source(j, w));
                    y.push(at.map_or(0.0, |(i, j)| x[(i * w + j) as usize]));
                }
            }
        }
        y
    }
}
