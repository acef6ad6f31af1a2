//! A network with the networks within, for const code, which cannot call what a node has: a function that
//! gives its network. In: what `network!` writes down; out: the network at a node, and that within it.

use super::compiled::CompiledNetwork;

/// A network, and of each node that may be a network the number and, if it is one, the same of it.
#[derive(Clone, Copy)]
pub struct NetworkTree {
    pub(crate) network: &'static CompiledNetwork,
    within: &'static [(usize, Option<&'static NetworkTree>)],
}

impl NetworkTree {
    /// This network with those at its nodes.
    pub const fn new(
        network: &'static CompiledNetwork,
        within: &'static [(usize, Option<&'static NetworkTree>)],
    ) -> NetworkTree {
        NetworkTree { network, within }
    }

    /// The network at a node.
    pub(crate) const fn at(&self, node: usize) -> Option<&'static NetworkTree> {
        let mut i = 0;
        while i < self.within.len() {
            if self.within[i].0 == node {
                return self.within[i].1;
            }
            i += 1;
        }
        None
    }
}
