//! Layers over images, drawn. In: a drawing and a value `[channels, height, width]`; out: one more site, or
//! the two or three that a planner may make one of.

use super::Builder;
use crate::graph::{Curve, Kind};
use crate::kinds;

impl Builder<'_> {
    /// A layer with a file of its own, if one fits.
    pub fn operation(&mut self, x: usize) {
        let stream = self.style.stream.is_some();
        let Some(of) = kinds::draw(self.rng, &self.net.shapes[x], stream) else { return self.dense(x) };
        let stays = of.output(&self.net.shapes[x]) == self.net.shapes[x];
        let times = if stays { self.times(10) } else { None };
        self.add_times(Kind::Operation(of), vec![x], times);
    }

    /// A layer over an image; behind a convolution often a rectifier, a pool, or both.
    pub fn image(&mut self, x: usize) {
        if self.rng.chance(20) && self.share_statistics() {
            return;
        }
        self.operation(x);
        let (mut y, last) = (self.net.shapes.len() - 1, self.net.sites.len() - 1);
        if self.net.shapes[y].len() != 3 || self.net.sites[last].kind.word(self.nets) != "Conv2d" {
            return;
        }
        if self.rng.chance(65) {
            y = self.add(Kind::Curve(Curve::Relu), vec![y]);
        }
        if self.rng.chance(75)
            && let Some(of) = kinds::draw_pool2d(self.rng, &self.net.shapes[y], false)
        {
            self.add(Kind::Operation(of), vec![y]);
        }
    }
}
