//! How an exporter's dimensions lie over ours: transposes, reshapes and squeezes are followed without doing
//! anything, as long as nobody needs the numbers so. In: dimensions, what is done to them; out: dimensions.

/// A part of a dimension that no reshape has cut yet. The batch is number 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Atom {
    pub id: usize,
    pub size: usize,
}

pub const BATCH: Atom = Atom { id: 0, size: 0 };

/// The atoms of each dimension, the batch's among them; none of a dimension of 1.
pub type View = Vec<Vec<Atom>>;

/// A size in a shape that is computed in the graph; `None` is the batch.
pub type Size = Option<i64>;

/// All atoms, and what those that were cut have become.
#[derive(Default)]
pub struct Atoms {
    cut: Vec<Option<[Atom; 2]>>,
}

impl Atoms {
    /// The atoms of a dimension.
    pub fn dimension(&mut self, size: usize) -> Vec<Atom> {
        if size == 1 {
            return Vec::new();
        }
        if self.cut.is_empty() {
            self.cut.push(None);
        }
        self.cut.push(None);
        vec![Atom { id: self.cut.len() - 1, size }]
    }

    /// The same, with what was cut as it is now.
    pub fn whole(&self, atoms: &[Atom]) -> Vec<Atom> {
        let mut all = Vec::new();
        for atom in atoms {
            match self.cut.get(atom.id).copied().flatten() {
                Some(parts) => all.extend(self.whole(&parts)),
                None => all.push(*atom),
            }
        }
        all
    }

    pub fn whole_view(&self, view: &View) -> View {
        view.iter().map(|dim| self.whole(dim)).collect()
    }

    fn cut(&mut self, atom: Atom, first: usize) -> [Atom; 2] {
        let [a, b] = [first, atom.size / first].map(|size| self.dimension(size)[0]);
        self.cut[atom.id] = Some([a, b]);
        [a, b]
    }

    /// The same numbers in dimensions of these sizes; nothing where the cuts do not meet.
    pub fn reshape(&mut self, view: &View, sizes: &[Size]) -> Option<View> {
        let flat: Vec<Atom> = self.whole_view(view).concat();
        let all: usize = flat.iter().filter(|atom| **atom != BATCH).map(|atom| atom.size).product();
        let known: usize = sizes.iter().flatten().filter(|size| **size > 0).map(|size| *size as usize).product();
        if known == 0 || !all.is_multiple_of(known) {
            return None;
        }
        let batch_is_said = sizes.contains(&None);
        let mut rest = flat;
        rest.reverse();
        let mut shaped = View::new();
        for size in sizes {
            let mut dim = Vec::new();
            let mut wanted = match size {
                None => 1,
                Some(-1) => all / known,
                Some(size) => usize::try_from(*size).ok()?,
            };
            if size.is_none() {
                if rest.last() != Some(&BATCH) {
                    return None;
                }
                dim.extend(rest.pop());
            }
            // The batch is somewhere in what is left to count.
            let mut batch = *size == Some(-1) && !batch_is_said;
            while wanted > 1 || batch {
                let atom = rest.pop()?;
                if atom == BATCH && batch {
                    batch = false;
                    dim.push(atom);
                    continue;
                }
                if atom == BATCH || wanted == 1 {
                    return None;
                }
                if wanted.is_multiple_of(atom.size) {
                    wanted /= atom.size;
                    dim.push(atom);
                } else if atom.size.is_multiple_of(wanted) {
                    let [a, b] = self.cut(atom, wanted);
                    dim.push(a);
                    rest.push(b);
                    wanted = 1;
                } else {
                    return None;
                }
            }
            shaped.push(dim);
        }
        rest.is_empty().then_some(shaped)
    }
}

/// How many numbers a dimension has, the batch not counted.
pub fn size(dim: &[Atom]) -> usize {
    dim.iter().filter(|atom| **atom != BATCH).map(|atom| atom.size).product()
}

/// As a shape in the graph: the batch is `None`.
pub fn sizes(view: &View) -> Vec<Size> {
    view.iter().map(|dim| if dim.contains(&BATCH) { None } else { Some(size(dim) as i64) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_are_followed_where_cuts_meet() {
        let mut atoms = Atoms::default();
        let view: View = vec![vec![BATCH], atoms.dimension(4), atoms.dimension(6), atoms.dimension(1)];
        let flat = atoms.reshape(&view, &[None, Some(24)]).unwrap();
        assert_eq!(sizes(&flat), [None, Some(24)]);
        assert_eq!(sizes(&atoms.reshape(&flat, &[None, Some(4), Some(-1)]).unwrap()), [None, Some(4), Some(6)]);
        let cut = atoms.reshape(&flat, &[None, Some(4), Some(2), Some(3)]).unwrap();
        assert_eq!(atoms.whole_view(&view)[2], [cut[2].clone(), cut[3].clone()].concat());
        // Steps that go with the batch.
        assert_eq!(atoms.reshape(&view, &[Some(-1), Some(6)]).unwrap()[0].len(), 2);
        assert_eq!(atoms.reshape(&view, &[None, Some(3), Some(8)]), None);
        assert_eq!(atoms.reshape(&view, &[None, Some(5), Some(-1)]), None);
    }
}
