//! Valid declarations, drawn. In: a seed; out: a `World` in which every value is used and every shape fits. It may not know how a
//! graph is planned: what it draws is what the language allows.

use crate::dice::Dice;
use crate::graph::{Curve, Kind, Net, Shape, Site, World};

/// The networks of one seed.
pub fn world(seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let mut nets: Vec<Net> = Vec::new();
    let inner = dice.pick(&[0, 1, 1, 2, 2, 3]);
    for name in &["Stem", "InnerBlock", "Tower"][..inner] {
        let count = if dice.chance(75) { 1 } else { 2 };
        let inputs: Vec<Shape> = (0..count).map(|_| shape(&mut dice)).collect();
        // What gives back the shape it takes can be repeated.
        let like = (count == 1 && dice.chance(60)).then(|| inputs[0].clone());
        let sites = dice.between(1, 4);
        let net = Drawing::begin(&mut dice, &nets, name, inputs).finish(sites, like);
        nets.push(net);
    }
    let count = dice.pick(&[1, 1, 1, 1, 2, 2, 3]);
    let inputs = (0..count).map(|_| shape(&mut dice)).collect();
    let sites = dice.between(1, 11);
    let top = Drawing::begin(&mut dice, &nets, "Top", inputs).finish(sites, None);
    nets.push(top);
    World { nets }
}

/// Mostly a handful of numbers; now and then more than one vector holds.
fn shape(dice: &mut Dice) -> Shape {
    match dice.below(12) {
        0..=6 => vec![dice.between(1, 6)],
        7 => vec![dice.between(15, 19)],
        8..=10 => vec![dice.between(1, 4), dice.between(1, 4)],
        _ => vec![dice.between(1, 2), dice.between(1, 3), dice.between(1, 3)],
    }
}

struct Drawing<'a> {
    dice: &'a mut Dice,
    nets: &'a [Net],
    net: Net,
    /// Whether a value may hold probabilities: a second softmax there is a mistake that does not compile.
    soft: Vec<bool>,
}

impl<'a> Drawing<'a> {
    fn begin(dice: &'a mut Dice, nets: &'a [Net], name: &str, inputs: Vec<Shape>) -> Drawing<'a> {
        let plain = inputs.len() == 1 && dice.chance(80);
        let names = if plain { ["input", "", ""] } else { ["a", "b", "c"] };
        let net = Net {
            name: name.to_owned(),
            inputs: names[..inputs.len()].iter().map(|&name| name.to_owned()).collect(),
            plain: [plain, false],
            ..Net::default()
        };
        Drawing { dice, nets, soft: vec![false; inputs.len()], net: Net { shapes: inputs, ..net } }
    }

    fn finish(mut self, sites: usize, like: Option<Shape>) -> Net {
        for _ in 0..sites {
            self.step();
        }
        let most = if like.is_some() { 1 } else { self.dice.pick(&[1, 1, 1, 2, 2, 3]) };
        loop {
            let unread = self.unread();
            if unread.len() <= most {
                break;
            }
            let shape = self.net.shapes[unread[0]].clone();
            let x = vec![unread[0], self.fit(unread[1], &shape)];
            let kind = self.dice.pick(&[Kind::Sum, Kind::Product, Kind::Concat { axis: shape.len() - 1 }]);
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
        if free && self.dice.chance(30) {
            let read: Vec<usize> =
                (self.net.inputs.len()..self.net.shapes.len()).filter(|value| !outputs.contains(value)).collect();
            if !read.is_empty() {
                outputs.push(self.dice.pick(&read));
            }
        }
        self.dice.shuffle(&mut outputs);
        let plain =
            outputs.len() == 1 && self.net.sites.last().is_some_and(|site| site.made == 1) && self.dice.chance(75);
        let names = if plain { ["output", "", "", ""] } else { ["p", "q", "r", "s"] };
        self.net.outputs = names.iter().map(|&name| name.to_owned()).zip(outputs).collect();
        self.net.plain[1] = plain;
        self.net.name_sites(self.nets);
        self.net
    }

    /// Some outputs end as a loss likes them.
    fn heads(&mut self) {
        for value in self.unread() {
            if self.dice.chance(35) {
                let classes = vec![self.dice.between(2, 4)];
                let value = self.fit(value, &classes);
                let soft = self.soft[value];
                let heads = [Kind::Curve(Curve::Sigmoid), Kind::Softmax, Kind::LogSoftmax];
                let kind = self.dice.pick(&heads[..if soft { 1 } else { 3 }]);
                let value = self.add(kind, vec![value]);
                if self.dice.chance(15) {
                    self.add(Kind::Flatten, vec![value]);
                }
            }
        }
    }

    /// What nothing has read so far.
    fn unread(&self) -> Vec<usize> {
        (0..self.net.shapes.len()).filter(|&value| self.net.readers(value) == 0).collect()
    }

    /// Mostly the newest value, or one that nothing has read.
    fn value(&mut self) -> usize {
        let all: Vec<usize> = (0..self.net.shapes.len()).collect();
        match self.dice.below(10) {
            0..=5 => all.len() - 1,
            6..=7 => {
                let unread = self.unread();
                self.dice.pick(&unread)
            }
            _ => self.dice.pick(&all),
        }
    }

    fn step(&mut self) {
        let x = self.value();
        match self.dice.below(100) {
            0..28 => {
                let (kind, times) = (self.curve(), self.times(8));
                self.add_times(kind, vec![x], times);
            }
            28..54 => self.dense(x),
            54..62 => self.moves(x),
            62..79 => self.join(x),
            79..82 => self.split(x),
            82..93 if !self.nets.is_empty() => self.inner(x),
            93..99 => self.share(),
            _ if !self.soft[x] => {
                let kind = self.dice.pick(&[Kind::Softmax, Kind::LogSoftmax]);
                self.add(kind, vec![x]);
            }
            _ => self.dense(x),
        }
    }

    fn curve(&mut self) -> Kind {
        Kind::Curve(self.dice.pick(&Curve::ALL))
    }

    /// A repetition, so often in a hundred.
    fn times(&mut self, percent: usize) -> Option<usize> {
        self.dice.chance(percent).then(|| self.dice.pick(&[1, 2, 2, 3]))
    }

    fn dense(&mut self, x: usize) {
        match self.net.shapes[x][..] {
            [features] => {
                let times = self.times(20);
                let units = if times.is_some() { features } else { self.dice.between(1, 6) };
                let bias = self.dice.chance(80);
                self.add_times(Kind::Dense { units, bias }, vec![x], times);
            }
            [_, features] => {
                let times = self.times(20);
                let units = if times.is_some() { features } else { self.dice.between(1, 4) };
                self.add_times(Kind::DensePerStep { units }, vec![x], times);
            }
            _ => {
                self.add(Kind::Flatten, vec![x]);
            }
        }
    }

    fn moves(&mut self, x: usize) {
        let len: usize = self.net.shapes[x].iter().product();
        let fits: Vec<usize> = (1..=len).filter(|first| len.is_multiple_of(*first)).collect();
        let first = self.dice.pick(&fits);
        let kind = match self.dice.below(4) {
            0 => Kind::Flatten,
            1 => Kind::Reshape(vec![len]),
            2 => Kind::Reshape(vec![1, first, len / first]),
            _ => Kind::Reshape(vec![first, len / first]),
        };
        self.add(kind, vec![x]);
    }

    fn join(&mut self, x: usize) {
        let shape = self.net.shapes[x].clone();
        let axis = self.dice.below(shape.len());
        let kind = self.dice.pick(&[Kind::Sum, Kind::Sum, Kind::Product, Kind::Concat { axis }]);
        let free = |of: &Shape| {
            let mut of = of.clone();
            if matches!(kind, Kind::Concat { .. }) && of.len() == shape.len() {
                of[axis] = 0;
            }
            of
        };
        let others = self.dice.between(1, 2);
        let mut all = vec![x];
        for _ in 0..others {
            let fitting: Vec<usize> =
                (0..self.net.shapes.len()).filter(|&v| free(&self.net.shapes[v]) == free(&shape)).collect();
            if self.dice.chance(65) {
                all.push(self.dice.pick(&fitting));
                continue;
            }
            let mut wanted = shape.clone();
            if matches!(kind, Kind::Concat { .. }) {
                wanted[axis] = self.dice.between(1, 4);
            }
            let other = self.value();
            all.push(self.fit(other, &wanted));
        }
        self.dice.shuffle(&mut all);
        self.add(kind, all);
    }

    fn split(&mut self, x: usize) {
        let shape = self.net.shapes[x].clone();
        let long: Vec<usize> = (0..shape.len()).filter(|&axis| shape[axis] > 1).collect();
        if long.is_empty() {
            return self.dense(x);
        }
        let axis = self.dice.pick(&long);
        let parts = self.dice.between(2, shape[axis].min(4));
        let mut sizes = vec![1; parts];
        for _ in parts..shape[axis] {
            let part = self.dice.below(parts);
            sizes[part] += 1;
        }
        self.add(Kind::Split { sizes, axis }, vec![x]);
    }

    fn inner(&mut self, x: usize) {
        let which = self.dice.below(self.nets.len());
        let (inputs, outputs) = (self.nets[which].input_shapes().to_vec(), self.nets[which].output_shapes());
        let x = self.several(x, &inputs);
        let times = if inputs.len() == 1 && inputs == outputs { self.times(60) } else { None };
        self.add_times(Kind::Net(which), x, times);
    }

    fn share(&mut self) {
        let learning: Vec<usize> =
            (0..self.net.sites.len()).filter(|&s| self.net.sites[s].kind.learns(self.nets)).collect();
        if learning.is_empty() {
            let x = self.value();
            return self.dense(x);
        }
        let nets: Vec<usize> =
            learning.iter().copied().filter(|&s| matches!(self.net.sites[s].kind, Kind::Net(_))).collect();
        let s = if nets.is_empty() { self.dice.pick(&learning) } else { self.dice.pick(&nets) };
        let label = self.net.sites[s].label.clone().unwrap_or_else(|| format!("shared{s}"));
        self.net.sites[s].label = Some(label.clone());
        let Site { kind, times, x, shares, .. } = self.net.sites[s].clone();
        let shapes: Vec<Shape> = x.iter().map(|&x| self.net.shapes[x].clone()).collect();
        let first = self.value();
        let x = self.several(first, &shapes);
        let site = shares.map_or(s, |(_, site)| site);
        let site = Site { shares: Some((label, site)), ..self.site(kind, x, times) };
        self.push(site);
    }

    /// Values of these shapes, the first one made of `x`.
    fn several(&mut self, x: usize, shapes: &[Shape]) -> Vec<usize> {
        let mut all = vec![self.fit(x, &shapes[0])];
        for shape in &shapes[1..] {
            let x = self.value();
            all.push(self.fit(x, shape));
        }
        all
    }

    /// A value of this shape, made of `x`.
    fn fit(&mut self, mut x: usize, shape: &[usize]) -> usize {
        let len = shape.iter().product();
        if self.net.shapes[x] == shape {
            return x;
        }
        if self.net.shapes[x].len() > 1 {
            x = self.add(Kind::Flatten, vec![x]);
        }
        if self.net.shapes[x] != [len] {
            x = self.add(Kind::Dense { units: len, bias: true }, vec![x]);
        }
        if shape.len() > 1 {
            x = self.add(Kind::Reshape(shape.to_vec()), vec![x]);
        }
        x
    }

    /// Puts a layer there; the first value it makes.
    fn add(&mut self, kind: Kind, x: Vec<usize>) -> usize {
        self.add_times(kind, x, None)
    }

    fn add_times(&mut self, kind: Kind, x: Vec<usize>, times: Option<usize>) -> usize {
        let mut site = self.site(kind, x, times);
        if self.dice.chance(20) {
            site.label = Some(format!("{}{}", self.dice.pick(&["fc", "mix", "way"]), self.net.sites.len()));
        }
        self.push(site)
    }

    fn site(&mut self, kind: Kind, x: Vec<usize>, times: Option<usize>) -> Site {
        let frozen = kind.learns(self.nets) && self.dice.chance(12);
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
