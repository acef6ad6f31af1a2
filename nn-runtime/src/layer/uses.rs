//! How often a layer that is used in several places is used in one pass. In: the nodes of a network; out: the
//! number of a use among all. Only statistics that follow one use after the other ask for it.

use crate::graph::Node;

/// The uses of a site's parameters in a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Uses {
    /// Those before this one.
    pub before: usize,
    pub all: usize,
}

impl Uses {
    pub const ONCE: Uses = Uses { before: 0, all: 1 };

    /// Those of node `i`, which has parameters, of a network that is used so often itself.
    pub fn of_node(self, nodes: &[Node], i: usize) -> Uses {
        let same = |node: &&Node| node.params == nodes[i].params && node.spec.params.len == nodes[i].spec.params.len;
        let all = nodes.iter().filter(same).count();
        Uses { before: self.before * all + nodes[..i].iter().filter(same).count(), all: self.all * all }
    }
}
