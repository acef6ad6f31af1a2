//! Learning curves. In: a history; out: a panel for loss, accuracy and each metric, over the epochs.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Anchor, Color, GRID, INK, Mark, Picture};
use crate::train::History;

/// Sizes of a panel and of the room around its axes.
const PANEL: [f64; 2] = [420.0, 280.0];
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 40.0;
/// Panels side by side.
const COLUMNS: usize = 3;
/// Of training and validation, told apart by who sees few colours too.
const COLORS: [Color; 2] = [[0x1f, 0x77, 0xb4], [0xff, 0x7f, 0x0e]];

/// Loss, accuracy and metrics over the epochs, those of training and validation samples in one panel each; a
/// dashed line marks the epoch that was [kept](crate::train::Fit::keep_best). What is not finite is left out.
pub fn learning_curves(history: &History) -> Picture {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in history.epochs.iter().flat_map(|epoch| epoch.numbers()) {
        let name = name.strip_prefix("val_").unwrap_or(name);
        if names.iter().all(|known| known != name) {
            names.push(name.to_string());
        }
    }
    let columns = names.len().clamp(1, COLUMNS);
    let rows = names.len().div_ceil(columns).max(1);
    let mut picture = Picture::new(PANEL[0] * columns as f64, PANEL[1] * rows as f64);
    for (i, name) in names.iter().enumerate() {
        let at = [(i % columns) as f64 * PANEL[0], (i / columns) as f64 * PANEL[1]];
        panel(&mut picture, at, history, name);
    }
    picture
}

fn panel(picture: &mut Picture, [left, top]: [f64; 2], history: &History, name: &str) {
    let validation = format!("val_{name}");
    let curve = |name: &str| -> Vec<(f64, f64)> {
        let points = history.epochs.iter().map(|epoch| (epoch.number as f64, epoch.get(name).unwrap_or(f64::NAN)));
        points.collect()
    };
    let curves = [("training", curve(name)), ("validation", curve(&validation))];
    let numbers = || curves.iter().flat_map(|(_, curve)| curve).map(|(_, y)| *y).filter(|y| y.is_finite());
    let (low, high) = numbers().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    picture.text([left + LEFT, top + 22.0], 14.0, Anchor::Start, INK, name);
    if low > high {
        return;
    }
    let ys = ticks(low, high, 5);
    let (low, high) = (ys[0], ys[ys.len() - 1]);
    let epochs = history.epochs.len() as f64;
    let (width, height) = (PANEL[0] - LEFT - RIGHT, PANEL[1] - TOP - BOTTOM);
    // One epoch stands in the middle.
    let x = |epoch: f64| {
        let share = if epochs > 1.0 { (epoch - 1.0) / (epochs - 1.0) } else { 0.5 };
        left + LEFT + share * width
    };
    let y = |value: f64| top + TOP + height * (1.0 - (value - low) / (high - low));
    let (right, bottom) = (left + LEFT + width, top + TOP + height);
    let step = ys[1] - ys[0];
    for &tick in &ys {
        picture.line([[left + LEFT, y(tick)], [right, y(tick)]], GRID, false);
        picture.text([left + LEFT - 6.0, y(tick) + 4.0], 11.0, Anchor::End, INK, &label(tick, step));
    }
    for tick in ticks(1.0, epochs.max(2.0), 6).into_iter().filter(|tick| tick.fract() == 0.0) {
        if (1.0..=epochs).contains(&tick) {
            picture.text([x(tick), bottom + 16.0], 11.0, Anchor::Middle, INK, &tick.to_string());
        }
    }
    picture.text([left + LEFT + width / 2.0, bottom + 32.0], 11.0, Anchor::Middle, INK, "epoch");
    if let Some(best) = history.best {
        picture.line([[x(best as f64), top + TOP], [x(best as f64), bottom]], INK, true);
    }
    let mut legend = right;
    for ((title, curve), color) in curves.iter().zip(COLORS).rev() {
        if curve.iter().all(|(_, y)| !y.is_finite()) {
            continue;
        }
        picture.text([legend, top + 22.0], 11.0, Anchor::End, color, title);
        legend -= 72.0;
        for points in curve.split(|(_, y)| !y.is_finite()).filter(|points| !points.is_empty()) {
            let points: Vec<[f64; 2]> = points.iter().map(|&(e, v)| [x(e), y(v)]).collect();
            let dots = points.len() == 1 || epochs <= 30.0;
            let dots = points.iter().filter(|_| dots).map(|&at| Mark::Dot { at, color });
            let dots: Vec<Mark> = dots.collect();
            picture.marks.push(Mark::Curve { points, color });
            picture.marks.extend(dots);
        }
    }
}

/// About `count` round numbers, evenly spaced, the first at most `low` and the last at least `high`; two or
/// more. Steps are 1, 2 or 5 times a power of ten.
pub(super) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    // Of equal numbers a little more, so that there is a range.
    let range = (high - low).max(low.abs().max(high.abs()) * 1e-6).max(1e-12);
    let power = libm::pow(10.0, libm::floor(libm::log10(range / count as f64)));
    let factors = [1.0, 2.0, 5.0, 10.0];
    let step = factors.into_iter().map(|factor| factor * power).find(|step| range / step <= count as f64);
    let step = step.unwrap_or(10.0 * power);
    let first = libm::floor(low / step + 1e-9);
    let last = libm::ceil(high / step - 1e-9).max(first + 1.0);
    (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect()
}

/// A number at a tick, with as many digits as tell it from the next.
fn label(number: f64, step: f64) -> String {
    let digits = (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize;
    match number.abs() >= 1e6 || digits > 6 {
        true => format!("{number:.2e}"),
        false => format!("{number:.digits$}"),
    }
}
