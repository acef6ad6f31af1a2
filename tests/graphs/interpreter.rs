//! What a program means: outputs in double precision, gradients by differences of them. In: a program,
//! parameters by name, samples; out: numbers to compare with. Independent of the runtime: it walks the sites
//! in order and plans nothing.

use std::collections::BTreeMap;

use crate::formulas;
use crate::graph::{Kind, Program};

/// Parameters by name, one of which may be moved a little wherever it learns.
#[derive(Clone, Default)]
pub struct Params {
    pub all: BTreeMap<String, Vec<f64>>,
    pub moved: Option<(String, usize, f64)>,
}

impl Params {
    /// As a site sees it: what is frozen there does not move.
    fn get(&self, name: &str, frozen: bool) -> Vec<f64> {
        let mut values = self.all.get(name).unwrap_or_else(|| panic!("`{name}` has values")).clone();
        if let Some((moved, i, by)) = &self.moved
            && moved == name
            && !frozen
        {
            values[*i] += by;
        }
        values
    }
}

/// A program at work on single samples.
pub struct Interpreter<'a> {
    pub program: &'a Program,
    /// How near any number has come to where gradients cannot be compared.
    pub margin: f64,
}

impl<'a> Interpreter<'a> {
    pub fn new(program: &'a Program) -> Self {
        Interpreter { program, margin: f64::INFINITY }
    }

    /// The outputs for one sample.
    pub fn outputs(&mut self, params: &Params, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.net(self.program.nets.len() - 1, "", false, params, x)
    }

    fn net(&mut self, which: usize, prefix: &str, frozen: bool, params: &Params, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let net = &self.program.nets[which];
        let mut values = x.to_vec();
        for site in &net.sites {
            let owner = site.shares.as_ref().map_or(site, |(_, owner)| &net.sites[*owner]);
            let frozen = frozen || site.frozen || owner.frozen;
            let mut flow: Vec<Vec<f64>> = site.x.iter().map(|&x| values[x].clone()).collect();
            for c in 0..site.repeats() {
                let name = owner.copy(prefix, c);
                flow = match site.kind {
                    Kind::Net(inner) => self.net(inner, &format!("{name}."), frozen, params, &flow),
                    _ => {
                        let shapes: Vec<_> = site.x.iter().map(|&x| &net.shapes[x]).collect();
                        let own = site.kind.params(shapes[0]);
                        let own: Vec<_> =
                            own.iter().map(|(param, _)| params.get(&format!("{name}.{param}"), frozen)).collect();
                        let x: Vec<&[f64]> = flow.iter().map(|x| &x[..]).collect();
                        formulas::layer(&site.kind, &x, &shapes, &own, &mut self.margin)
                    }
                };
            }
            // So large that what is lost in 32 bits shows after the next products.
            let most = flow.iter().flatten().fold(0.0f64, |most, y| most.max(y.abs()));
            self.margin = self.margin.min(0.004 / most);
            values.extend(flow);
        }
        net.outputs.iter().map(|(_, value)| values[*value].clone()).collect()
    }
}

/// The step of differences.
pub const STEP: f64 = 1e-5;

/// How `f` changes with one number that is moved by the given amount.
pub fn slope(mut f: impl FnMut(f64) -> f64) -> f64 {
    (f(STEP) - f(-STEP)) / (2.0 * STEP)
}
