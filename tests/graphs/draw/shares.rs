//! Parameters used a second time. In: a drawing; out: one more site that shares those of an earlier one.

use super::Builder;
use crate::graph::{Kind, Shape, Site};

impl Builder<'_> {
    pub fn share(&mut self) {
        let learning: Vec<usize> =
            (0..self.net.sites.len()).filter(|&s| self.net.sites[s].kind.learns(self.nets)).collect();
        if learning.is_empty() {
            let x = self.value();
            return self.dense(x);
        }
        let nets: Vec<usize> =
            learning.iter().copied().filter(|&s| matches!(self.net.sites[s].kind, Kind::Net(_))).collect();
        let s = if nets.is_empty() { self.rng.pick(&learning) } else { self.rng.pick(&nets) };
        self.share_of(s);
    }

    /// A second use of the running statistics of a batch norm, if there is one.
    pub fn share_statistics(&mut self) -> bool {
        let all: Vec<usize> = (0..self.net.sites.len()).filter(|&s| self.net.sites[s].kind.is("BatchNorm")).collect();
        if !all.is_empty() {
            let s = self.rng.pick(&all);
            self.share_of(s);
        }
        !all.is_empty()
    }

    /// One more use of the parameters of site `s`.
    pub fn share_of(&mut self, s: usize) {
        let label = self.net.sites[s].label.clone().unwrap_or_else(|| format!("shared{s}"));
        self.net.sites[s].label = Some(label.clone());
        let Site { kind, times, x, shares, .. } = self.net.sites[s].clone();
        let shapes: Vec<Shape> = x.iter().map(|&x| self.net.shapes[x].clone()).collect();
        // Masks and ids are read again.
        let fixed: Vec<Option<usize>> = x.iter().map(|&x| (!self.net.is_any(x)).then_some(x)).collect();
        let first = self.value();
        let x = self.several(first, &shapes, &fixed);
        let site = shares.map_or(s, |(_, site)| site);
        let site = Site { shares: Some((label, site)), frozen: false, ..self.site(kind, x, times) };
        self.push(site);
    }
}
