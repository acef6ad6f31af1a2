//! The tensors of a network as const code lists them. In: a network with the networks within; out: the name,
//! the shape and the place of each tensor, in the order of `params::tensors`. It has no memory of its own:
//! what there is room for is written down, all is counted.

use super::names::NameText;
use crate::fault::Text;
use crate::graph::{CompiledNetwork, NetworkTree};
use crate::shape::Shape;
use crate::spec::{Layout, Param, is_spread};

/// A tensor of a network as const code knows it.
#[derive(Clone, Copy)]
pub(crate) struct TensorRow {
    /// Where its name begins and ends among all names.
    pub(super) name: [usize; 2],
    pub(super) shape: Shape,
    /// Its numbers may not be below 0.
    pub(super) spread: bool,
    pub(super) place: BlockPlace,
}

/// Where the numbers of a tensor lie in a model's block, how many there are and in which order.
#[derive(Clone, Copy)]
pub(crate) struct BlockPlace {
    pub(super) offset: usize,
    pub(super) count: usize,
    pub(super) layout: Layout,
}

impl BlockPlace {
    pub(crate) const NONE: BlockPlace = BlockPlace { offset: 0, count: 0, layout: Layout::Plain };
}

impl TensorRow {
    pub(crate) const NONE: TensorRow =
        TensorRow { name: [0; 2], shape: Shape::UNKNOWN, spread: false, place: BlockPlace::NONE };
}

/// All tensors of a network, as far as there is room.
pub(crate) struct TensorRows<'a> {
    pub(super) rows: &'a mut [TensorRow],
    pub(super) names: &'a mut [u8],
    /// How many there are, and bytes of all names.
    pub(super) count: usize,
    pub(super) len: usize,
}

impl TensorRows<'_> {
    /// How many tensors a network has, and bytes of their names.
    pub(crate) const fn room(tree: &NetworkTree) -> [usize; 2] {
        let mut rows = TensorRows { rows: &mut [], names: &mut [], count: 0, len: 0 };
        rows.visit(tree, &NameText::of(b""), 0);
        [rows.count, rows.len]
    }

    /// Lists the tensors of a network whose numbers begin at `base`, each name behind `prefix`.
    pub(crate) const fn visit(&mut self, tree: &NetworkTree, prefix: &NameText, base: usize) {
        let mut i = 0;
        while i < tree.network.nodes.len() {
            let node = &tree.network.nodes[i];
            let (within, each) = (tree.at(i), node.spec.params.len / node.spec.times);
            let mut copy = 0;
            while node.shares.is_none() && copy < node.spec.times {
                let mut site = prefix.with(node.name.as_bytes());
                if node.spec.times > 1 {
                    let number: Text<32> = Text::EMPTY.str(".").num(copy);
                    site = site.with(number.as_str().as_bytes());
                }
                let base = base + node.params + copy * each;
                match (node.network.is_some(), within) {
                    (true, Some(inner)) => self.visit(inner, &site.with(b"."), base),
                    (true, None) => {}
                    (false, _) => self.add(node.spec.params.list(), &site, base),
                }
                copy += 1;
            }
            i += 1;
        }
    }

    const fn add(&mut self, list: &[Param], site: &NameText, base: usize) {
        let mut k = 0;
        while k < list.len() {
            let param = &list[k];
            let name = if param.name.is_empty() { *site } else { site.with(b".").with(param.name.as_bytes()) };
            let bytes = name.bytes();
            let end = self.len + bytes.len();
            if end <= self.names.len() {
                self.names.split_at_mut(end).0.split_at_mut(self.len).1.copy_from_slice(bytes);
            }
            if self.count < self.rows.len() {
                let place = BlockPlace { offset: base + param.offset, count: param.shape.len(), layout: param.layout };
                let spread = is_spread(param.role, param.name);
                self.rows[self.count] = TensorRow { name: [self.len, end], shape: param.shape, spread, place };
            }
            self.len = end;
            self.count += 1;
            k += 1;
        }
    }
}

/// Whether every layer's rule was content, in the networks within too. What was declared with mistakes has no
/// layers.
pub(crate) const fn is_sound(tree: &NetworkTree) -> bool {
    let network: &CompiledNetwork = tree.network;
    let mut i = 0;
    while i < network.nodes.len() {
        let shapes = network.nodes[i].spec.output_shapes();
        let mut j = 0;
        while j < shapes.len() {
            if !shapes[j].is_known() {
                return false;
            }
            j += 1;
        }
        if shapes.is_empty() {
            return false;
        }
        if let Some(inner) = tree.at(i)
            && !is_sound(inner)
        {
            return false;
        }
        i += 1;
    }
    i > 0
}

/// What the first network is called whose tensors are not known: the layer that stands for it hides it.
pub(crate) const fn hidden_network(tree: &NetworkTree) -> Option<&'static str> {
    let mut i = 0;
    while i < tree.network.nodes.len() {
        let node = &tree.network.nodes[i];
        if node.network.is_some() && node.shares.is_none() {
            match tree.at(i) {
                Some(inner) => {
                    if let Some(name) = hidden_network(inner) {
                        return Some(name);
                    }
                }
                None => return Some(node.name),
            }
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;
    use crate::prelude::*;

    network! { struct Pair: [4] -> [4] { Dense(4) -> norm: BatchNorm } }

    network! { struct Block: [4] -> [4] { pair: Pair * 2 -> Relu -> Dense(4, bias = false) } }

    network! {
        struct Whole: [4] -> [2] {
            norm: BatchNorm -> tied: Dense(4) -> share(tied) -> Dense(4) * 12 -> Prelu -> LayerNorm;
            block: Block -> share(block) -> Pair -> rest: Block() * 11 -> out: Dense(2, bias = false)
        }
    }

    /// Const code walks as the table of parameters does.
    #[test]
    fn names_shapes_and_places_are_those_of_the_table() {
        const TREE: &NetworkTree = Whole::__NETWORK.unwrap();
        const ROOM: [usize; 2] = TensorRows::room(TREE);
        let (mut rows, mut names) = ([TensorRow::NONE; ROOM[0]], [0; ROOM[1]]);
        let mut all = TensorRows { rows: &mut rows, names: &mut names, count: 0, len: 0 };
        all.visit(TREE, &NameText::of(b""), 0);
        assert_eq!([all.count, all.len], ROOM);
        let tensors = params::tensors(Whole::COMPILED);
        assert_eq!(tensors.len(), ROOM[0]);
        assert!(tensors.iter().any(|tensor| tensor.name == "rest.10.pair.1.norm.running_var"));
        for (row, tensor) in rows.iter().zip(tensors) {
            assert_eq!(&names[row.name[0]..row.name[1]], tensor.name.as_bytes());
            assert_eq!(row.shape, tensor.shape);
            assert_eq!(row.spread, tensor.name.ends_with("running_var"), "{}", tensor.name);
            let BlockPlace { offset, count, layout } = row.place;
            assert_eq!((offset, count, layout), (tensor.offset, tensor.count(), tensor.layout), "{}", tensor.name);
        }
    }
}
