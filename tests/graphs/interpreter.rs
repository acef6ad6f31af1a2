//! What a program means: outputs in double precision, gradients by differences of them. In: a program,
//! parameters by name, samples; out: numbers to compare with. Independent of the runtime: it walks the sites
//! in order and plans nothing.

use std::collections::BTreeMap;

use crate::formulas;
use crate::graph::{Kind, Net, Program, Site};

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

/// A program at work.
pub struct Interpreter<'a> {
    pub program: &'a Program,
    /// How near any number has come to where gradients cannot be compared.
    pub margin: f64,
    /// Running statistics as the last batch left them, by name.
    pub running: BTreeMap<String, Vec<f64>>,
    training: bool,
}

/// Values of all samples: by sample, then by value.
type Batch = Vec<Vec<Vec<f64>>>;

impl<'a> Interpreter<'a> {
    pub fn new(program: &'a Program) -> Self {
        Interpreter { program, margin: f64::INFINITY, running: BTreeMap::new(), training: false }
    }

    /// What is predicted for one sample.
    pub fn outputs(&mut self, params: &Params, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.training = false;
        self.running.clear();
        self.net(self.program.nets.len() - 1, "", false, params, &[x.to_vec()]).remove(0)
    }

    /// What a batch comes to when training, where layers may look at all of it.
    pub fn train(&mut self, params: &Params, x: &[Vec<Vec<f64>>]) -> Batch {
        self.training = true;
        self.running.clear();
        self.net(self.program.nets.len() - 1, "", false, params, x)
    }

    fn net(&mut self, which: usize, prefix: &str, frozen: bool, params: &Params, x: &[Vec<Vec<f64>>]) -> Batch {
        let net = &self.program.nets[which];
        let mut values = x.to_vec();
        for site in &net.sites {
            let owner = site.shares.as_ref().map_or(site, |(_, owner)| &net.sites[*owner]);
            let frozen = frozen || site.frozen || owner.frozen;
            let read = |values: &Vec<Vec<f64>>| site.x.iter().map(|&x| values[x].clone()).collect();
            let mut flow: Batch = values.iter().map(read).collect();
            for c in 0..site.repeats() {
                let name = owner.copy(prefix, c);
                flow = match site.kind {
                    Kind::Net(inner) => self.net(inner, &format!("{name}."), frozen, params, &flow),
                    _ => self.layer(net, site, &name, frozen, params, &flow),
                };
            }
            // So large that what is lost in 32 bits shows after the next products.
            let most = flow.iter().flatten().flatten().fold(0.0f64, |most, y| most.max(y.abs()));
            self.margin = self.margin.min(0.004 / most);
            values.iter_mut().zip(flow).for_each(|(values, made)| values.extend(made));
        }
        let outputs = |values: &Vec<Vec<f64>>| net.outputs.iter().map(|(_, value)| values[*value].clone()).collect();
        values.iter().map(outputs).collect()
    }

    /// One layer on all samples.
    fn layer(&mut self, net: &Net, site: &Site, name: &str, frozen: bool, params: &Params, x: &Batch) -> Batch {
        let shapes: Vec<_> = site.x.iter().map(|&x| &net.shapes[x]).collect();
        let learnt = site.kind.params(shapes[0]).into_iter();
        let mut own: Vec<_> = learnt.map(|(param, _)| params.get(&format!("{name}.{param}"), frozen)).collect();
        let running: Vec<String> =
            site.kind.running(shapes[0]).iter().map(|(param, _)| format!("{name}.{param}")).collect();
        // A site that shares them goes on from where the one before left them.
        own.extend(running.iter().map(|name| self.running.get(name).unwrap_or_else(|| &params.all[name]).clone()));
        if let Kind::Operation(of) = &site.kind
            && self.training
            && !frozen
        {
            let first: Vec<&[f64]> = x.iter().map(|x| &x[0][..]).collect();
            if let Some(y) = of.train(&first, shapes[0], &mut own, &mut self.margin) {
                let after = own.split_off(own.len() - running.len());
                self.running.extend(running.into_iter().zip(after));
                return y.into_iter().map(|y| vec![y]).collect();
            }
        }
        let one = |x: &Vec<Vec<f64>>| {
            let x: Vec<&[f64]> = x.iter().map(|x| &x[..]).collect();
            formulas::layer(&site.kind, &x, &shapes, &own, &mut self.margin)
        };
        x.iter().map(one).collect()
    }
}

/// The step of differences.
pub const STEP: f64 = 1e-5;

/// How `f` changes with one number that is moved by the given amount.
pub fn slope(mut f: impl FnMut(f64) -> f64) -> f64 {
    (f(STEP) - f(-STEP)) / (2.0 * STEP)
}
