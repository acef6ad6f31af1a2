//! How much a network needs, as numbers that the compiler keeps below a limit. In: a `CompiledNetwork` and a
//! limit of its `#[budget(…)]`; out: nothing, or a text with the layers that need most.

use crate::fault::Text;
use crate::graph::{CompiledNetwork, Node};
use crate::spec::Pass;

/// What can be limited.
#[derive(Clone, Copy)]
enum Count {
    Params,
    Macs,
    /// For a batch.
    PredictBytes(usize),
    /// For a batch, beside the model.
    TrainBytes(usize),
    /// Bytes of parameters where they are used in place.
    Flash,
}

impl Count {
    const fn of(self, network: &'static CompiledNetwork) -> usize {
        match self {
            Count::Params => network.nested.param_count,
            Count::Macs => network.macs,
            Count::Flash => network.params_len.saturating_mul(4),
            Count::PredictBytes(batch) => network.infer.len(batch).saturating_mul(4),
            #[cfg(feature = "alloc")]
            Count::TrainBytes(batch) => crate::train::training_bytes(network, batch),
            // Nobody trains.
            #[cfg(not(feature = "alloc"))]
            Count::TrainBytes(_) => 0,
        }
    }

    /// What of it is a layer's; of memory, which layers share, what it uses and leaves there.
    const fn of_node(self, node: &Node) -> usize {
        match self {
            Count::Params => node.param_count(),
            Count::Macs => node.spec.macs,
            Count::Flash => match node.shares {
                None => node.spec.params.len.saturating_mul(4),
                Some(_) => 0,
            },
            Count::PredictBytes(batch) => {
                let floats = node.spec.scratch_for(Pass::Infer) + outputs(node);
                floats.saturating_mul(batch).saturating_add(node.spec.scratch_fixed_for(Pass::Infer)).saturating_mul(4)
            }
            // Outputs and their gradients, what is kept for backward, and the gradient of the parameters.
            Count::TrainBytes(batch) => {
                let floats = node.spec.scratch_for(Pass::Train) + 2 * outputs(node) + node.spec.memory.saved;
                let whole = node.spec.scratch_fixed_for(Pass::Train) + node.spec.params.len;
                floats.saturating_mul(batch).saturating_add(whole).saturating_mul(4)
            }
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Count::Params => "parameters",
            Count::Macs => "multiply-adds",
            Count::PredictBytes(_) => "bytes of workspace to predict",
            Count::TrainBytes(_) => "bytes to train",
            Count::Flash => "bytes of parameters in memory",
        }
    }
}

/// Numbers of all outputs.
const fn outputs(node: &Node) -> usize {
    let (outputs, mut len, mut j) = (node.spec.output_shapes(), 0, 0);
    while j < outputs.len() {
        len += outputs[j].len();
        j += 1;
    }
    len
}

/// Stops the build where a network needs more than its budget allows.
#[track_caller]
pub const fn check_budget(network: &'static CompiledNetwork, word: &str, batch: usize, most: usize) {
    // The macro lets no other word pass.
    let count = match word.as_bytes()[0] {
        b'm' => Count::Macs,
        b'f' => Count::Flash,
        b't' => Count::TrainBytes(batch),
        b'p' if word.len() == "params".len() => Count::Params,
        _ => Count::PredictBytes(batch),
    };
    let found = count.of(network);
    if found <= most {
        return;
    }
    let text = Text::EMPTY.str("`").str(network.name).str("`: expected at most ").grouped(most, ",");
    let text = text.str(" ").str(count.unit()).str(", found ").grouped(found, ",").str("\nhelp: make ");
    let dearest = dearest(network, count, usize::MAX, 0);
    let text = match dearest {
        Some(s) => {
            let text = text.str("`").str(network.nodes[s].name).str("` smaller");
            match units(network, s, count, found - most) {
                Some(units) => text.str(" (").num(units).str(" units fit)"),
                None => text,
            }
        }
        None => text.str("it smaller"),
    };
    let text = text.str(", or allow `").str(word);
    let text = if batch == 1 { text } else { text.str("(batch = ").num(batch).str(")") };
    let text = text.str(" <= ").grouped(found, "_").str("`");
    panic!("{}", tell(text, network, count, dearest).as_str())
}

/// How many units of a dense layer in a chain keep the limit: what is behind it needs less then, too.
const fn units(network: &CompiledNetwork, s: usize, count: Count, excess: usize) -> Option<usize> {
    // Rows of parameters are whole vectors in memory.
    if matches!(count, Count::PredictBytes(_) | Count::TrainBytes(_) | Count::Flash) {
        return None;
    }
    let mut i = 0;
    while i < network.nodes.len() {
        if network.nodes[i].n != 1 || network.nodes[i].m() != 1 {
            return None;
        }
        i += 1;
    }
    let node = &network.nodes[s];
    let (params, y) = (node.spec.params.list(), node.spec.shapes.outputs[0]);
    let alone = node.spec.times == 1 && node.network.is_none() && node.shares.is_none();
    if !alone || params.is_empty() || y.rank() != 1 || y.len() == network.outputs[0].len() {
        return None;
    }
    match params[0].shape.dims() {
        Some([units, _]) if units == y.len() => {
            let fewer = excess.div_ceil(count.of_node(node) / units);
            if fewer < units { Some(units - fewer) } else { None }
        }
        _ => None,
    }
}

/// "\nmost: dense_1 100,480, dense_2 1,290": the three layers that need most.
const fn tell(mut text: Text, network: &CompiledNetwork, count: Count, mut next: Option<usize>) -> Text {
    let mut told = 0;
    while let Some(s) = next
        && told < 3
    {
        let needs = count.of_node(&network.nodes[s]);
        text = text.str(if told == 0 { "\nmost: " } else { ", " });
        text = text.str(network.nodes[s].name).str(" ").grouped(needs, ",");
        next = dearest(network, count, needs, s + 1);
        told += 1;
    }
    text
}

/// The first of the nodes that need most of what is below `than`, or that much and stand from `from` on.
const fn dearest(network: &CompiledNetwork, count: Count, than: usize, from: usize) -> Option<usize> {
    let (mut best, mut found) = (0, None);
    let mut s = 0;
    while s < network.nodes.len() {
        let needs = count.of_node(&network.nodes[s]);
        if needs > best && (needs < than || needs == than && s >= from) {
            (best, found) = (needs, Some(s));
        }
        s += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    network! { struct Block: [6] -> [6] { Dense(6) -> Tanh } }
    network! {
        #[budget(params <= 3 * 100, macs <= 1_000, predict_bytes(batch = 3) <= 100_000, flash <= 6_000, train_bytes <= 40_000)]
        struct Net: [1, 4, 4] -> [3] {
            conv: Conv2d(2, 3) -> BatchNorm -> Relu -> Flatten -> frozen first: Dense(6);
            block: Block * 2;
            twice: Dense(6) -> share(twice) -> head: Dense(3)
        }
    }

    #[test]
    fn counts_are_those_that_a_model_has() {
        assert_eq!(Net::PARAMS, Net::param_count());
        assert_eq!(Net::MACS, Net::macs());
        assert_eq!(Net::PREDICT_BYTES, Net::memory(1).prediction());
        assert_eq!(4 * Net::PARAMS_LEN, Net::memory(1).parameters());
        const { assert!(Net::train_bytes(16) > Net::train_bytes(1)) };
        assert_eq!(Net::train_bytes(16), Net::memory(16).training());
        assert_eq!(Block::PARAMS, 42);
    }
}
