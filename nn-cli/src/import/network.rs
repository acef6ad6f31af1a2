//! The network that is being made of a graph: layers and the values between them, as `network!` has them. In:
//! layers one after the other; out: all of them. It knows no operator.

use std::collections::BTreeSet;

use super::view::{Atom, Atoms, BATCH, View};

/// A parameter of a layer, in the layout in which it is saved.
#[derive(Clone, PartialEq)]
pub struct Param {
    pub name: &'static str,
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl Param {
    pub fn new(name: &'static str, dims: &[usize], values: Vec<f32>) -> Param {
        Param { name, dims: dims.to_vec(), values }
    }
}

/// A layer at its place.
pub struct Site {
    pub kind: String,
    /// What stands in its brackets.
    pub args: String,
    pub x: Vec<usize>,
    pub y: usize,
    pub made: usize,
    pub params: Vec<Param>,
    /// What its parameters are called in the file.
    pub hint: String,
    pub label: String,
    /// The site whose parameters these are.
    pub shares: Option<usize>,
    /// What the node made is read once, so that what follows may go into the layer.
    pub lone: bool,
    /// Names of the initialisers, by which layers that share them are known.
    pub origin: String,
}

#[derive(Default)]
pub struct Network {
    pub atoms: Atoms,
    pub sites: Vec<Site>,
    /// The dimensions of each value, without the batch.
    pub axes: Vec<Vec<Vec<Atom>>>,
    pub shapes: Vec<Vec<usize>>,
    pub inputs: Vec<String>,
    pub outputs: Vec<(String, usize)>,
    /// Formulas, as they are declared.
    pub formulas: Vec<(String, String)>,
}

impl Network {
    /// A name that means none of the words in the declaration: `Relu` would be the network within itself.
    pub fn free_name(&self, name: &str) -> String {
        let words = self.sites.iter().flat_map(|site| [site.kind.as_str(), site.args.as_str()]);
        let mut words = words.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        let taken = name == "Self" || words.any(|word| word == name);
        if taken { format!("{name}Net") } else { name.to_owned() }
    }

    pub fn value(&mut self, shape: &[usize]) -> usize {
        let axes = shape.iter().map(|size| self.atoms.dimension(*size)).collect();
        self.axes.push(axes);
        self.shapes.push(shape.to_vec());
        self.shapes.len() - 1
    }

    /// The view of a value as it is, behind the batch.
    pub fn plain(&self, value: usize) -> View {
        let mut view = vec![vec![BATCH]];
        view.extend(self.axes[value].iter().map(|dim| self.atoms.whole(dim)));
        view
    }

    /// Adds a layer with one output of this shape.
    pub fn layer(&mut self, kind: &str, args: &str, x: &[usize], shape: &[usize]) -> usize {
        let y = self.value(shape);
        self.site(kind, args, x, y, 1);
        y
    }

    pub fn site(&mut self, kind: &str, args: &str, x: &[usize], y: usize, made: usize) {
        self.sites.push(Site {
            kind: kind.to_owned(),
            args: args.to_owned(),
            x: x.to_vec(),
            y,
            made,
            params: Vec::new(),
            hint: String::new(),
            label: String::new(),
            shares: None,
            lone: false,
            origin: String::new(),
        });
    }

    /// Gives the layer that was added last its parameters. One whose initialisers are those of an earlier
    /// layer of the same kind shares them.
    pub fn params(&mut self, hint: &str, origin: String, params: Vec<Param>) {
        let Some((last, earlier)) = self.sites.split_last_mut() else { return };
        // Rows of one initialiser, or it and its transpose, are not the same.
        let same = |site: &Site| {
            site.origin == origin && site.kind == last.kind && site.args == last.args && site.params == params
        };
        last.shares = earlier.iter().position(|site| !origin.is_empty() && site.shares.is_none() && same(site));
        last.hint = hint.to_owned();
        last.origin = origin;
        if last.shares.is_none() {
            last.params = params;
        }
    }

    /// Drops what leads to no output. Parameters that a dropped layer shared go to the first that is left.
    pub fn keep_needed(&mut self) {
        let mut needed: BTreeSet<usize> = self.outputs.iter().map(|(_, value)| *value).collect();
        let mut lives = vec![false; self.sites.len()];
        for (site, lives) in self.sites.iter().zip(&mut lives).rev() {
            *lives = (site.y..site.y + site.made).any(|value| needed.contains(&value));
            if *lives {
                needed.extend(&site.x);
            }
        }
        let mut all: Vec<Option<Site>> = std::mem::take(&mut self.sites).into_iter().map(Some).collect();
        // Where the parameters of each layer are now.
        let mut owner = vec![None; all.len()];
        for i in 0..all.len() {
            let Some(mut site) = all[i].take_if(|_| lives[i]) else { continue };
            let of = site.shares.unwrap_or(i);
            site.shares = owner[of];
            if owner[of].is_none() {
                owner[of] = Some(self.sites.len());
                if let Some(earlier) = &mut all[of] {
                    site.params = std::mem::take(&mut earlier.params);
                }
            }
            self.sites.push(site);
        }
        let sites = &self.sites;
        self.formulas.retain(|(name, _)| sites.iter().any(|site| site.kind == *name));
    }

    /// The value as a declared one whose dimensions are those of the view; layers that move numbers are added
    /// where they are needed. Nothing where the batch does not come first.
    pub fn laid_out(&mut self, value: usize, view: &View) -> Option<usize> {
        let view = self.atoms.whole_view(view);
        let (batch, wanted) = view.split_first()?;
        if *batch != [BATCH] || wanted.iter().any(|dim| dim.contains(&BATCH)) {
            return None;
        }
        let own: Vec<Vec<Atom>> = self.axes[value].iter().map(|dim| self.atoms.whole(dim)).collect();
        let shape: Vec<usize> = wanted.iter().map(|dim| super::view::size(dim)).collect();
        if own == wanted && self.shapes[value] == shape {
            return Some(value);
        }
        let (from, to) = (own.concat(), wanted.concat());
        if from == to {
            return Some(self.reshaped(value, wanted));
        }
        // Whole dimensions in another order; else cut into atoms first.
        let order = |own: &[Vec<Atom>]| {
            let mut rest = &to[..];
            let mut order = Vec::new();
            while !rest.is_empty() {
                let at = own.iter().position(|dim| !dim.is_empty() && rest.starts_with(dim))?;
                rest = &rest[own[at].len()..];
                order.push(at);
            }
            order.extend((0..own.len()).filter(|i| own[*i].is_empty()));
            (order.len() == own.len()).then_some(order)
        };
        let (value, own, order) = match order(&own) {
            Some(order) => (value, own, order),
            None => {
                let cut: Vec<Vec<Atom>> = from.iter().map(|atom| vec![*atom]).collect();
                let order = order(&cut)?;
                (self.reshaped(value, &cut), cut, order)
            }
        };
        let turned: Vec<Vec<Atom>> = order.iter().map(|at| own[*at].clone()).collect();
        let shape: Vec<usize> = order.iter().map(|at| self.shapes[value][*at]).collect();
        let y = self.layer("Permute", &format!("{order:?}"), &[value], &shape);
        self.axes[y].clone_from(&turned);
        Some(if turned == wanted { y } else { self.reshaped(y, wanted) })
    }

    fn reshaped(&mut self, value: usize, wanted: &[Vec<Atom>]) -> usize {
        let shape: Vec<usize> = wanted.iter().map(|dim| super::view::size(dim)).collect();
        let y = match shape.len() {
            1 => self.layer("Flatten", "", &[value], &shape),
            _ => self.layer("Reshape", &format!("{shape:?}"), &[value], &shape),
        };
        self.axes[y] = wanted.to_vec();
        y
    }
}
