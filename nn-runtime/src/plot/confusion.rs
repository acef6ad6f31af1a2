//! A confusion matrix as a picture. In: counts, names of classes; out: a square for each pair.

use std::format;
use std::string::{String, ToString};

use super::{Anchor, INK, PAPER, Picture};
use crate::train::metrics::ConfusionMatrix;

/// Classes up to which there is room for numbers.
const NUMBERED: usize = 30;
/// Letters of a name that are shown, and their width.
const LETTERS: usize = 14;
const LETTER: f64 = 7.0;

/// How often each class (rows) was answered as which (columns), the darker the larger its share of the row,
/// with numbers as long as there is room. Classes without a name are called by their number.
pub fn confusion_matrix(matrix: &ConfusionMatrix, names: &[impl AsRef<str>]) -> Picture {
    let classes = matrix.classes();
    let name = |class: usize| -> String {
        let name = names.get(class).map_or_else(|| class.to_string(), |name| name.as_ref().to_string());
        match name.char_indices().nth(LETTERS) {
            Some((end, _)) => format!("{}…", &name[..end]),
            None => name,
        }
    };
    let cell = if classes <= NUMBERED { 42.0 } else { 12.0 };
    let longest = (0..classes).map(|class| name(class).chars().count()).max().unwrap_or(0);
    let (left, top) = (longest as f64 * LETTER + 44.0, 30.0);
    let upright = longest as f64 * LETTER > cell;
    let below = if upright { longest as f64 * LETTER + 44.0 } else { 52.0 };
    let side = classes as f64 * cell;
    let mut picture = Picture::new(left + side + 16.0, top + side + below);
    for (actual, row) in matrix.rows().into_iter().enumerate() {
        let sum: f64 = row.iter().sum();
        let y = top + actual as f64 * cell;
        picture.text([left - 8.0, y + cell / 2.0 + 4.0], 12.0, Anchor::End, INK, &name(actual));
        for (answered, count) in row.into_iter().enumerate() {
            let x = left + answered as f64 * cell;
            let share = if sum > 0.0 { count / sum } else { 0.0 };
            // From white to a dark blue.
            let color = [8.0, 69.0, 148.0].map(|to: f64| (255.0 + share * (to - 255.0)).round() as u8);
            picture.rectangle([x, y, cell - 1.0, cell - 1.0], color);
            if classes <= NUMBERED && count > 0.0 {
                let color = if share > 0.5 { PAPER } else { INK };
                picture.text([x + cell / 2.0, y + cell / 2.0 + 4.0], 11.0, Anchor::Middle, color, &short(count));
            }
        }
    }
    for class in 0..classes {
        let (x, y) = (left + (class as f64 + 0.5) * cell, top + side);
        match upright {
            true => picture.upright_text([x + 4.0, y + 8.0], 12.0, Anchor::End, &name(class)),
            false => picture.text([x, y + 18.0], 12.0, Anchor::Middle, INK, &name(class)),
        }
    }
    picture.text([left + side / 2.0, top + side + below - 10.0], 12.0, Anchor::Middle, INK, "answered");
    picture.upright_text([16.0, top + side / 2.0], 12.0, Anchor::Middle, "actual");
    picture
}

/// A count, or a sum of weights, in five letters.
fn short(count: f64) -> String {
    match count {
        _ if count.fract() == 0.0 && count < 1e5 => count.to_string(),
        _ if count >= 1e3 => format!("{count:.0e}"),
        _ => format!("{count:.1}"),
    }
}
