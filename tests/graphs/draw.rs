//! Valid declarations, drawn. In: a seed; out: a `Program` in which every value is used and every shape fits.
//! It may not know how a graph is planned: what it draws is what the language allows.

mod images;
mod inputs;
mod sequences;
mod shares;

use std::sync::Arc;

use crate::graph::{Curve, Kind, Net, Program, Shape, Site, ValueKind};
use crate::random_formulas::{self, Formula, Setting};
use crate::rng::Rng;

/// The networks of one seed.
pub fn program(seed: u64) -> Program {
    let mut rng = Rng::new(seed);
    let formulas: Vec<Arc<Formula>> = match rng.chance(50) {
        true => random_formulas::formulas(&mut rng).into_iter().map(Arc::new).collect(),
        false => Vec::new(),
    };
    // A program of streams: all sequences have as many steps, and no layer looks ahead.
    let stream = rng.chance(30).then(|| rng.between(2, 6));
    let images = stream.is_none() && rng.chance(50);
    let style = Style { formulas: &formulas, stream, images };
    let mut nets: Vec<Net> = Vec::new();
    let inner = rng.pick(&[0, 1, 1, 2, 2, 3]);
    for name in &["Stem", "InnerBlock", "Tower"][..inner] {
        let count = if rng.chance(75) { 1 } else { 2 };
        let inputs = inputs::inputs(&mut rng, &style, &nets, count);
        // What gives back the shape it takes can be repeated.
        let alone = matches!(inputs[..], [(_, ValueKind::Numbers)]);
        let like = (alone && rng.chance(60)).then(|| inputs[0].0.clone());
        let sites = rng.between(1, 4);
        let net = Builder::begin(&mut rng, style, &nets, name, inputs).finish(sites, like);
        nets.push(net);
    }
    let count = rng.pick(&[1, 1, 1, 1, 2, 2, 3]);
    let inputs = inputs::inputs(&mut rng, &style, &nets, count);
    let sites = rng.between(1, 11);
    let top = Builder::begin(&mut rng, style, &nets, "Top", inputs).finish(sites, None);
    nets.push(top);
    Program { formulas, nets }
}

/// What all networks of a program have in common.
#[derive(Clone, Copy)]
struct Style<'a> {
    formulas: &'a [Arc<Formula>],
    /// How many steps all sequences have, where the program is to run as a stream.
    stream: Option<usize>,
    /// Whether most inputs are images.
    images: bool,
}

struct Builder<'a> {
    rng: &'a mut Rng,
    style: Style<'a>,
    nets: &'a [Net],
    net: Net,
    /// Whether a value may hold probabilities: a second softmax there is a mistake that does not compile.
    soft: Vec<bool>,
}

impl<'a> Builder<'a> {
    fn begin(
        rng: &'a mut Rng,
        style: Style<'a>,
        nets: &'a [Net],
        name: &str,
        inputs: Vec<(Shape, ValueKind)>,
    ) -> Builder<'a> {
        let plain = inputs.len() == 1 && rng.chance(80);
        let names = if plain { ["input", "", "", ""] } else { ["a", "b", "c", "d"] };
        let net = Net {
            name: name.to_owned(),
            inputs: names[..inputs.len()].iter().map(|&name| name.to_owned()).collect(),
            plain: [plain, false],
            ..Net::default()
        };
        let soft = vec![false; inputs.len()];
        let (shapes, value_kinds) = inputs.into_iter().unzip();
        Builder { rng, style, nets, soft, net: Net { shapes, value_kinds, ..net } }
    }

    fn finish(mut self, sites: usize, like: Option<Shape>) -> Net {
        self.embed_ids();
        for _ in 0..sites {
            self.step();
        }
        self.use_masks();
        let most = if like.is_some() { 1 } else { self.rng.pick(&[1, 1, 1, 2, 2, 3]) };
        loop {
            let unread = self.unread();
            if unread.len() <= most {
                break;
            }
            // A sequence comes to a vector more easily than the other way round.
            let (a, b) = (unread[0], unread[1]);
            let (to, from) = if self.net.shapes[a].len() <= self.net.shapes[b].len() { (a, b) } else { (b, a) };
            let shape = self.net.shapes[to].clone();
            let x = vec![to, self.fit(from, &shape)];
            let kind = self.rng.pick(&[Kind::Sum, Kind::Product, Kind::Concat { axis: shape.len() - 1 }]);
            self.add(kind, x);
        }
        let inputs = self.net.inputs.len();
        for input in self.unread().into_iter().filter(|&value| value < inputs) {
            let curve = self.curve();
            self.add(curve, vec![input]);
        }
        let free = like.is_none();
        match like {
            Some(shape) => {
                let last = self.unread()[0];
                self.fit(last, &shape);
            }
            None => self.heads(),
        }
        let mut outputs = self.unread();
        // An output that is read within the network too.
        if free && self.rng.chance(30) {
            let read: Vec<usize> =
                (self.net.inputs.len()..self.net.shapes.len()).filter(|value| !outputs.contains(value)).collect();
            if !read.is_empty() {
                outputs.push(self.rng.pick(&read));
            }
        }
        self.rng.shuffle(&mut outputs);
        let plain =
            outputs.len() == 1 && self.net.sites.last().is_some_and(|site| site.made == 1) && self.rng.chance(75);
        let names = if plain { ["output", "", "", ""] } else { ["p", "q", "r", "s"] };
        self.net.outputs = names.iter().map(|&name| name.to_owned()).zip(outputs).collect();
        self.net.plain[1] = plain;
        self.net.name_sites(self.nets);
        self.net
    }

    /// Some outputs end as a loss likes them.
    fn heads(&mut self) {
        for value in self.unread() {
            if self.rng.chance(35) {
                let classes = vec![self.rng.between(2, 4)];
                let value = self.fit(value, &classes);
                let soft = self.soft[value];
                let heads = [Kind::Curve(Curve::Sigmoid), Kind::Softmax, Kind::LogSoftmax];
                let kind = self.rng.pick(&heads[..if soft { 1 } else { 3 }]);
                let value = self.add(kind, vec![value]);
                if self.rng.chance(15) {
                    self.add(Kind::Flatten, vec![value]);
                }
            }
        }
    }

    /// What nothing has read so far.
    fn unread(&self) -> Vec<usize> {
        (0..self.net.shapes.len()).filter(|&value| self.net.readers(value) == 0).collect()
    }

    /// Mostly the newest value, or one that nothing has read; never a mask or ids, which are for those who
    /// know them.
    fn value(&mut self) -> usize {
        let all: Vec<usize> = (0..self.net.shapes.len()).filter(|&value| self.net.is_any(value)).collect();
        match self.rng.below(10) {
            0..=5 => all[all.len() - 1],
            6..=7 => {
                let unread: Vec<usize> = self.unread().into_iter().filter(|&value| self.net.is_any(value)).collect();
                self.rng.pick(&unread)
            }
            _ => self.rng.pick(&all),
        }
    }

    fn step(&mut self) {
        let x = self.value();
        match self.net.shapes[x].len() {
            3 if self.rng.chance(75) => return self.image(x),
            2 if self.rng.chance(45) => return self.sequence(x),
            _ => {}
        }
        match self.rng.below(100) {
            0..24 => {
                let (kind, times) = (self.curve(), self.times(8));
                self.add_times(kind, vec![x], times);
            }
            24..46 => self.dense(x),
            46..50 => self.moves(x),
            50..54 => self.operation(x),
            54..68 => self.join(x),
            68..71 => self.split(x),
            71..86 if !self.nets.is_empty() => self.inner(x),
            86..98 => self.share(),
            // Of one class there is nothing to choose: refused.
            _ if !self.soft[x] && self.net.shapes[x].last().is_some_and(|&classes| classes > 1) => {
                let kind = self.rng.pick(&[Kind::Softmax, Kind::LogSoftmax]);
                self.add(kind, vec![x]);
            }
            _ => self.dense(x),
        }
    }

    fn curve(&mut self) -> Kind {
        if self.style.formulas.is_empty() || self.rng.chance(50) {
            return Kind::Curve(self.rng.pick(&Curve::ALL));
        }
        let formula = self.rng.pick(self.style.formulas);
        let given = match formula.setting {
            Setting::None => None,
            _ => self.rng.chance(65).then(|| random_formulas::number(self.rng)),
        };
        Kind::Formula(formula, given)
    }

    /// A repetition, so often in a hundred.
    fn times(&mut self, percent: usize) -> Option<usize> {
        self.rng.chance(percent).then(|| self.rng.pick(&[1, 2, 2, 3]))
    }

    fn dense(&mut self, x: usize) {
        match self.net.shapes[x][..] {
            [features] => {
                let times = self.times(20);
                let units = if times.is_some() { features } else { self.rng.between(1, 6) };
                let bias = self.rng.chance(80);
                self.add_times(Kind::Dense { units, bias }, vec![x], times);
            }
            [_, features] => {
                let times = self.times(20);
                let units = if times.is_some() { features } else { self.rng.between(1, 4) };
                self.add_times(Kind::DensePerStep { units }, vec![x], times);
            }
            _ => {
                self.add(Kind::Flatten, vec![x]);
            }
        }
    }

    fn moves(&mut self, x: usize) {
        let len: usize = self.net.shapes[x].iter().product();
        if self.style.stream.is_some() && self.net.shapes[x].len() == 2 {
            return self.dense(x);
        }
        let fits: Vec<usize> = (1..=len).filter(|first| len.is_multiple_of(*first)).collect();
        let first = self.rng.pick(&fits);
        let kind = match self.rng.below(4) {
            0 => Kind::Flatten,
            1 => Kind::Reshape(vec![len]),
            2 => Kind::Reshape(vec![1, first, len / first]),
            _ => Kind::Reshape(vec![first, len / first]),
        };
        self.add(kind, vec![x]);
    }

    fn join(&mut self, x: usize) {
        let shape = self.net.shapes[x].clone();
        let axis = self.axis(shape.len());
        let kind = self.rng.pick(&[Kind::Sum, Kind::Sum, Kind::Product, Kind::Concat { axis }]);
        let free = |of: &Shape| {
            let mut of = of.clone();
            if matches!(kind, Kind::Concat { .. }) && of.len() == shape.len() {
                of[axis] = 0;
            }
            of
        };
        let others = self.rng.between(1, 2);
        let mut all = vec![x];
        for _ in 0..others {
            let fitting: Vec<usize> = (0..self.net.shapes.len())
                .filter(|&v| self.net.is_any(v) && free(&self.net.shapes[v]) == free(&shape))
                .collect();
            if self.rng.chance(65) {
                all.push(self.rng.pick(&fitting));
                continue;
            }
            let mut wanted = shape.clone();
            if matches!(kind, Kind::Concat { .. }) {
                wanted[axis] = self.rng.between(1, 4);
            }
            let other = self.value();
            all.push(self.fit(other, &wanted));
        }
        self.rng.shuffle(&mut all);
        self.add(kind, all);
    }

    fn split(&mut self, x: usize) {
        let shape = self.net.shapes[x].clone();
        let first = self.axis(shape.len()).min(1);
        let long: Vec<usize> = (first..shape.len()).filter(|&axis| shape[axis] > 1).collect();
        if long.is_empty() {
            return self.dense(x);
        }
        let axis = self.rng.pick(&long);
        let parts = self.rng.between(2, shape[axis].min(4));
        let mut sizes = vec![1; parts];
        for _ in parts..shape[axis] {
            let part = self.rng.below(parts);
            sizes[part] += 1;
        }
        self.add(Kind::Split { sizes, axis }, vec![x]);
    }

    /// Where values may be cut or joined: in a stream never between steps.
    fn axis(&mut self, rank: usize) -> usize {
        let first = usize::from(self.style.stream.is_some() && rank == 2);
        self.rng.between(first, rank - 1)
    }

    fn inner(&mut self, x: usize) {
        let which = self.rng.below(self.nets.len());
        let net = &self.nets[which];
        let (inputs, outputs) = (net.input_shapes().to_vec(), net.output_shapes());
        let Some(fixed) = self.supplies(&inputs, &net.value_kinds) else { return self.dense(x) };
        let x = self.several(x, &inputs, &fixed);
        let times = if inputs.len() == 1 && inputs == outputs { self.times(60) } else { None };
        self.add_times(Kind::Net(which), x, times);
    }

    /// Puts a layer there; the first value it makes.
    fn add(&mut self, kind: Kind, x: Vec<usize>) -> usize {
        self.add_times(kind, x, None)
    }

    fn add_times(&mut self, kind: Kind, x: Vec<usize>, times: Option<usize>) -> usize {
        let mut site = self.site(kind, x, times);
        if self.rng.chance(20) {
            site.label = Some(format!("{}{}", self.rng.pick(&["fc", "mix", "way"]), self.net.sites.len()));
        }
        self.push(site)
    }

    fn site(&mut self, kind: Kind, x: Vec<usize>, times: Option<usize>) -> Site {
        let frozen = kind.learns(self.nets) && self.rng.chance(12);
        Site { name: String::new(), label: None, kind, x, y: 0, made: 0, times, frozen, shares: None }
    }

    fn push(&mut self, mut site: Site) -> usize {
        let shapes = site.kind.outputs(&site.x.iter().map(|&x| &self.net.shapes[x]).collect::<Vec<_>>(), self.nets);
        let soft = match site.kind {
            Kind::Softmax | Kind::LogSoftmax => true,
            Kind::Flatten | Kind::Reshape(_) => self.soft[site.x[0]],
            Kind::Net(inner) => self.nets[inner].soft || site.x.iter().any(|&x| self.soft[x]),
            _ => false,
        };
        self.net.soft |= soft;
        (site.y, site.made) = (self.net.shapes.len(), shapes.len());
        self.soft.extend(shapes.iter().map(|_| soft));
        self.net.shapes.extend(shapes);
        let y = site.y;
        self.net.sites.push(site);
        y
    }
}
