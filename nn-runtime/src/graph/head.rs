//! What a loss sees at each output: which layer is the head, and whether a loss on classes finds its rows
//! there.

use super::Graph;
use crate::spec::{Head, Range};

impl<const S: usize, const V: usize> Graph<S, V> {
    const fn is_output(&self, value: usize) -> bool {
        let mut j = 0;
        while j < self.m {
            if self.outputs[j] == value {
                return true;
            }
            j += 1;
        }
        false
    }

    /// The node whose function a loss sees at output `j`: the last one that does more than move numbers.
    /// `None` where somebody else reads what it makes, or it is an output of its own, so that it cannot be
    /// left out for the loss.
    pub(super) const fn head_node(&self, j: usize) -> Option<usize> {
        let mut value = self.outputs[j];
        let mut readers = 0;
        loop {
            let given_out = readers > 0 && self.is_output(value);
            if self.readers[value] > readers || given_out {
                return None;
            }
            match self.writer[value] {
                Some(s) if matches!(self.nodes[s].spec.head, Head::Same) => value = self.nodes[s].x[0],
                other => return other,
            }
            readers = 1;
        }
    }

    /// What the layers before a value make of it.
    const fn function(&self, mut value: usize) -> Head {
        loop {
            match self.writer[value] {
                None => return Head::Plain,
                Some(s) => match self.nodes[s].spec.head {
                    Head::Same => value = self.nodes[s].x[0],
                    head => return head,
                },
            }
        }
    }

    /// Whether a value keeps to one side or to an interval, whatever has been learnt.
    const fn is_narrow(&self, value: usize) -> bool {
        let mut narrow = [false; V];
        // Nodes stand in the order in which they run, so what they read is known.
        let mut s = 0;
        while s < S {
            let node = &self.nodes[s];
            let mut all = true;
            let mut k = 0;
            while k < node.n {
                all &= narrow[node.x[k]];
                k += 1;
            }
            let is = match node.spec.range {
                Range::Any => false,
                Range::Narrow => true,
                Range::First => narrow[node.x[0]],
                Range::All => all,
            };
            let mut j = 0;
            while j < node.m() && node.y + j < V {
                narrow[node.y + j] = is;
                j += 1;
            }
            s += 1;
        }
        narrow[value]
    }

    /// What a network that is used as a layer makes of its inputs.
    pub(super) const fn range(&self) -> Range {
        match self.m {
            1 if self.only_moves() => Range::First,
            1 if self.is_narrow(self.outputs[0]) => Range::Narrow,
            _ => Range::Any,
        }
    }

    /// Numbers of a row of a value: its last dimension, along which a softmax works and a loss reads.
    const fn row(&self, value: usize) -> usize {
        let shape = &self.shapes[value];
        // Behind a fault a shape has no dimensions: what is wrong is told there.
        if shape.is_known() { shape.dim(shape.rank() - 1) } else { self.lens[value] }
    }

    /// Whether the rows of output `j` are those that its head worked on, so that a loss on classes finds
    /// them: no reshaping between has cut them anew, and they are steps, not the rows of pictures, whose
    /// classes would be channels.
    const fn has_rows(&self, j: usize) -> bool {
        let y = self.outputs[j];
        match self.head_node(j) {
            Some(s) => self.shapes[y].rank() <= 2 && self.row(self.nodes[s].y) == self.row(y),
            None => false,
        }
    }

    /// Whether the network does no more than move the numbers of its only input.
    pub(super) const fn only_moves(&self) -> bool {
        let mut value = self.outputs[0];
        while let Some(s) = self.writer[value] {
            if !matches!(self.nodes[s].spec.head, Head::Same) {
                return false;
            }
            value = self.nodes[s].x[0];
        }
        self.inputs == 1 && self.m == 1
    }

    /// What a loss sees at output `j`.
    pub const fn head(&self, j: usize) -> Head {
        let head = match self.head_node(j) {
            Some(s) => match self.nodes[s].spec.head {
                Head::Softmax | Head::LogSoftmax | Head::Sigmoid
                    if self.nodes[s].network.is_none() && self.is_narrow(self.nodes[s].x[0]) =>
                {
                    Head::Squashed
                }
                head => head,
            },
            // What the network reads itself too is plain numbers or nothing a loss on classes could be sure
            // of.
            None if matches!(self.function(self.outputs[j]), Head::Plain) => Head::Plain,
            None => Head::Other,
        };
        match head {
            Head::Plain | Head::Value if self.is_narrow(self.outputs[j]) => Head::Other,
            Head::Softmax | Head::LogSoftmax if !self.has_rows(j) => Head::Other,
            // Neither scores nor a softmax of one class tell classes apart.
            Head::Plain | Head::Value | Head::Softmax | Head::LogSoftmax if self.row(self.outputs[j]) == 1 => {
                Head::Value
            }
            // Plain numbers are scores whatever moved them before; those of three dimensions stand for
            // themselves.
            Head::Plain | Head::Value if self.shapes[self.outputs[j]].rank() > 2 => Head::Value,
            Head::Value => Head::Plain,
            head => head,
        }
    }
}
