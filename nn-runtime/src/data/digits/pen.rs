//! The pen: a glyph becomes pixels from 0 to 1, each time a little differently.

use super::SIDE;
use super::glyphs::{GLYPHS, Glyph};
use crate::random::Random;

type Position = [f32; 2];

/// Straight pieces between two points of a curve.
const PIECES: usize = 6;
/// Points that no glyph, and no stroke, has more of.
const MAX_POINTS: usize = 16;
/// How far a pixel's worth of ink reaches across the edge of a stroke: the ramp that smooths it.
const RAMP: f32 = 1.4;

/// Draws `glyph` into `image`, `[SIDE, SIDE]`, which is overwritten.
pub(super) fn draw(glyph: &Glyph, random: &mut Random, image: &mut [f32]) {
    let hand = Hand::new(random);
    let mut points = [[0.0; 2]; MAX_POINTS];
    for (to, point) in points.iter_mut().zip(glyph.points) {
        *to = hand.place(point.map(|hundredths| f32::from(hundredths) / 100.0), random);
    }
    image.fill(f32::NEG_INFINITY);
    for stroke in glyph.strokes {
        let mut through = [[0.0; 2]; MAX_POINTS];
        for (to, &i) in through.iter_mut().zip(*stroke) {
            *to = points[usize::from(i)];
        }
        let (start, end) = (hand.radius * random.between(0.8, 1.2), hand.radius * random.between(0.8, 1.2));
        let curve = Spline::new(&through[..stroke.len()]);
        let pieces = curve.pieces();
        for i in 0..pieces {
            let radius = start + (end - start) * (i as f32 / pieces as f32);
            ink(image, curve.at(i), curve.at(i + 1), radius);
        }
    }
    for pixel in image {
        let ink = (*pixel / RAMP + 0.5).clamp(0.0, 1.0) * hand.darkness;
        *pixel = (ink + hand.noise * random.bell()).clamp(0.0, 1.0);
    }
}

/// How one digit is written: from the box of a glyph to pixels.
struct Hand {
    wobble: f32,
    bend: Position,
    turn: [Position; 2], // scale, slant and rotation, as a matrix
    centre: Position,
    radius: f32,
    darkness: f32,
    noise: f32,
}

impl Hand {
    fn new(random: &mut Random) -> Self {
        let height = 8.8 * (1.0 + 0.08 * random.bell().clamp(-2.0, 1.6));
        let width = 10.0 * (1.0 + 0.13 * random.bell().clamp(-2.0, 1.8));
        let slant = 0.12 + 0.26 * random.bell();
        // A rotation by rational numbers: with t = tan(angle / 2) no sine is needed.
        let t = 0.06 * random.bell();
        let (cos, sin) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
        // Slanted in the box (up goes right), scaled to pixels, then turned.
        let [a, b] = [width, -slant * height];
        let turn = [[cos * a, cos * b - sin * height], [sin * a, sin * b + cos * height]];
        Self {
            wobble: 0.045,
            bend: [0.05 * random.bell(), 0.05 * random.bell()],
            turn,
            centre: [13.5 + 1.2 * random.bell(), 13.5 + 1.2 * random.bell()],
            radius: random.between(1.0, 1.9),
            darkness: random.between(0.8, 1.0),
            noise: random.between(0.0, 0.05),
        }
    }

    fn place(&self, [x, y]: Position, random: &mut Random) -> Position {
        let [x, y] = [x + self.wobble * random.bell(), y + self.wobble * random.bell()];
        let [x, y] = [x + self.bend[0] * y * y, y + self.bend[1] * 2.0 * x * x];
        let [[a, b], [c, d]] = self.turn;
        [a * x + b * y + self.centre[0], c * x + d * y + self.centre[1]]
    }
}

// So that no glyph is drawn in part.
const _: () = {
    let mut class = 0;
    while class < GLYPHS.len() {
        let mut variant = 0;
        while variant < GLYPHS[class].len() {
            let glyph = &GLYPHS[class][variant];
            assert!(glyph.points.len() <= MAX_POINTS, "expected a glyph of fewer points");
            let mut stroke = 0;
            while stroke < glyph.strokes.len() {
                assert!(glyph.strokes[stroke].len() <= MAX_POINTS, "expected a stroke of fewer points");
                stroke += 1;
            }
            variant += 1;
        }
        class += 1;
    }
};

/// A Catmull–Rom spline through points (at least two), as short straight pieces.
struct Spline<'a> {
    points: &'a [Position],
    before: Position,
    after: Position,
}

impl<'a> Spline<'a> {
    fn new(points: &'a [Position]) -> Spline<'a> {
        let last = points.len() - 1;
        let closed = points[0] == points[last];
        let before = if closed { points[last - 1] } else { mirror(points[0], points[1]) };
        let after = if closed { points[1] } else { mirror(points[last], points[last - 1]) };
        Spline { points, before, after }
    }

    /// How many pieces it has.
    fn pieces(&self) -> usize {
        (self.points.len() - 1) * PIECES
    }

    /// Where the k-th piece begins, or the last one ends.
    fn at(&self, k: usize) -> Position {
        let (i, piece) = (k / PIECES, k % PIECES);
        if piece == 0 && i + 1 == self.points.len() {
            return self.points[i];
        }
        let near = |step: usize| match (i + step).checked_sub(1) {
            None => self.before,
            Some(i) => self.points.get(i).copied().unwrap_or(self.after),
        };
        let [p, q, r, s] = core::array::from_fn(near);
        let t = piece as f32 / PIECES as f32;
        [0, 1].map(|axis| {
            let [p, q, r, s] = [p[axis], q[axis], r[axis], s[axis]];
            let cubic = 3.0 * (q - r) + s - p;
            let square = 2.0 * p - 5.0 * q + 4.0 * r - s;
            q + 0.5 * t * (r - p + t * (square + t * cubic))
        })
    }
}

/// `other` seen from `through` the opposite way: an open curve ends without bending back.
fn mirror(through: Position, other: Position) -> Position {
    [2.0 * through[0] - other[0], 2.0 * through[1] - other[1]]
}

/// Raises every pixel near the line from `a` to `b` to its depth below the edge of the stroke, in pixels.
fn ink(image: &mut [f32], a: Position, b: Position, radius: f32) {
    let reach = radius + RAMP;
    let span = |axis: usize| {
        let low = (a[axis].min(b[axis]) - reach).max(0.0);
        let high = (a[axis].max(b[axis]) + reach + 1.0).clamp(0.0, SIDE as f32);
        low as usize..high as usize
    };
    let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    let length = dx * dx + dy * dy;
    for y in span(1) {
        for x in span(0) {
            let [px, py] = [x as f32 - a[0], y as f32 - a[1]];
            let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
            let [ex, ey] = [px - along * dx, py - along * dy];
            let depth = radius - libm::sqrtf(ex * ex + ey * ey);
            let pixel = &mut image[y * SIDE + x];
            *pixel = pixel.max(depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_curve_passes_through_its_points_and_two_make_a_line() {
        let points = [[1.0, 2.0], [4.0, 8.0], [9.0, 3.0], [2.0, 2.0]];
        let curve = Spline::new(&points);
        assert_eq!(curve.pieces(), 3 * PIECES);
        for (i, point) in points.iter().enumerate() {
            assert_eq!(curve.at(i * PIECES), *point);
        }
        let line = Spline::new(&[[0.0, 6.0], [6.0, 0.0]]);
        for (i, [x, y]) in (0..=line.pieces()).map(|i| line.at(i)).enumerate() {
            assert!((x - i as f32).abs() < 1e-5 && (x + y - 6.0).abs() < 1e-5);
        }
    }

    #[test]
    fn depth_is_the_distance_to_the_edge_of_the_stroke() {
        for (a, b) in [
            ([5.0, 7.5], [20.25, 13.0]),
            ([9.0, 9.0], [9.0, 9.0]),
            ([-3.0, 30.0], [40.0, -8.0]),
            ([-50.0, -50.0], [-40.0, -60.0]),
        ] {
            let mut image = vec![f32::NEG_INFINITY; SIDE * SIDE];
            ink(&mut image, a, b, 1.5);
            for (at, &depth) in image.iter().enumerate() {
                let p = [(at % SIDE) as f64, (at / SIDE) as f64];
                // Densely along the line instead of by projection.
                let distance = (0..=10_000).map(|i| {
                    let t = f64::from(i) / 1e4;
                    let [x, y] = [0, 1].map(|k| f64::from(a[k]) * (1.0 - t) + f64::from(b[k]) * t - p[k]);
                    x * x + y * y
                });
                let expected = 1.5 - distance.fold(f64::INFINITY, f64::min).sqrt();
                if expected > -f64::from(RAMP) {
                    assert!((f64::from(depth) - expected).abs() < 1e-2, "{depth} {expected}");
                } else {
                    assert!(f64::from(depth) <= expected + 1e-2);
                }
            }
        }
    }
}
