//! The plan of a network's memory, to be read by people. In: a `CompiledNetwork` and a batch; out: bytes, and
//! a table of which buffer lies where and when. It plans nothing itself.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::graph::{BufferRef, CompiledNetwork, Lifetime, MemoryPlan};
use nn_kernels::workspace::Region;

/// What a network needs in memory, in bytes, for a batch. Printed, it is a table: each buffer, where it lies,
/// and from when to when.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Net: [784] -> [10] { Dense(128) -> Relu -> Dense(10) -> Softmax } }
///
/// let memory = Net::memory(32);
/// assert_eq!(memory.parameters(), 4 * (784 * 128 + 128 + 128 * 10 + 16));
/// assert!(memory.prediction() < memory.training());
/// println!("{memory}");
/// ```
///
/// Parameters are counted as they lie in memory: rows of a matrix are padded to whole vectors.
#[derive(Clone, Copy)]
pub struct Memory {
    network: &'static CompiledNetwork,
    batch: usize,
}

impl Memory {
    pub(crate) fn of(network: &'static CompiledNetwork, batch: usize) -> Memory {
        Memory { network, batch }
    }

    /// Bytes of all parameters.
    pub fn parameters(&self) -> usize {
        4 * self.network.params_len
    }

    /// Bytes of workspace to predict.
    pub fn prediction(&self) -> usize {
        self.network.infer.len(self.batch).saturating_mul(4)
    }

    /// Bytes that a trainer holds for batches of this size on one thread, beside the model: values, gradients
    /// and what layers keep, the samples of a batch, outputs and their gradients, partial sums. Settings add
    /// to it: an optimiser's slots, `accumulate`, a global norm, a moving average, each as much as the
    /// parameters and more; `fit` keeps a copy of parameters and slots to go back to.
    ///
    /// A large batch may be run in groups of samples, as it is with convolutions; then it is less than the
    /// plan's: of what need not be kept until all samples have run, that of a group.
    pub fn training(&self) -> usize {
        crate::train::training_bytes(self.network, self.batch)
    }

    fn rows(&self, plan: &MemoryPlan) -> Vec<Row> {
        let nodes = self.network.nodes;
        let mut rows = Vec::new();
        let mut add = |span: BufferRef, when: Lifetime, what: String| {
            if span.region == Region::Work && !span.is_empty() && !when.is_never() {
                rows.push(Row { offset: span.offset as usize, len: span.len as usize, when, what });
            }
        };
        for (node, node_plan) in nodes.iter().zip(plan.node_plan) {
            for j in 0..node.m() {
                add(node_plan.y[j], node_plan.lives.y[j], node.name.into());
                add(node_plan.dy[j], node_plan.lives.dy[j], format!("gradient of {}", node.name));
            }
            add(node_plan.saved, node_plan.lives.saved, format!("kept by {}", node.name));
        }
        rows.sort_by_key(|row| (row.offset, row.when.from));
        rows
    }

    /// What happens at a time of the plan.
    fn time(&self, time: u32) -> String {
        let (time, nodes) = (time as usize, self.network.nodes);
        match time {
            _ if time < nodes.len() => nodes[time].name.into(),
            _ if time < 2 * nodes.len() => format!("backward {}", nodes[2 * nodes.len() - 1 - time].name),
            _ => "update".into(),
        }
    }
}

struct Row {
    offset: usize,
    len: usize,
    when: Lifetime,
    what: String,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, batch {}: {} bytes of parameters", self.network.name, self.batch, self.parameters())?;
        let plans = [("prediction", &self.network.infer), ("training", &self.network.train)];
        for (name, plan) in plans {
            let rows = self.rows(plan);
            let bytes = |floats: usize| floats.saturating_mul(4);
            let unshared = rows.iter().map(|row| row.len).sum::<usize>().saturating_mul(self.batch);
            writeln!(
                f,
                "{name}: {} bytes, of which {} for one layer at a time; buffers {} (without sharing they would be {})",
                bytes(plan.len(self.batch)),
                bytes(plan.scratch_for(self.batch)),
                bytes(plan.work.saturating_mul(self.batch)),
                bytes(unshared)
            )?;
            if !rows.is_empty() {
                writeln!(f, "{:>12} {:>12}  {:<20} {:<20} what", "offset", "bytes", "from", "to")?;
            }
            for row in rows {
                writeln!(
                    f,
                    "{:>12} {:>12}  {:<20} {:<20} {}",
                    (4 * row.offset).saturating_mul(self.batch),
                    (4 * row.len).saturating_mul(self.batch),
                    self.time(row.when.from),
                    self.time(row.when.to),
                    row.what
                )?;
            }
        }
        writeln!(f, "a trainer holds {} bytes, with the samples, outputs and gradients of a batch", self.training())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::layer::{LayerContext, ParamGrad};
    use crate::prelude::*;
    use crate::spec::Pass;
    use crate::spec::lines;
    use nn_kernels::aligned_buffer::AlignedBuffer;
    use nn_kernels::counter_rng::CounterRng;

    network! { struct Chain: [5] -> [3] { Dense(7) -> Tanh -> Dense(40) -> Relu -> Dense(3) } }
    network! {
        struct Fork: [5] -> [20] {
            let x = Dense(20) -> Tanh;
            let y = x -> Dense(20) -> Softplus -> Dense(20);
            (x, y) -> Sum -> Gelu
        }
    }
    network! {
        // The gradient of the sum is asked for after that of the activation is known, which may not overwrite
        // it.
        struct Kept: [5] -> [3] {
            let x = Dense(20);
            let y = x -> Dense(20) -> Tanh;
            (x, y) -> Sum -> Dense(3)
        }
    }
    network! { struct Deep: [5] -> [20] { Fork -> Again * 3 -> Dense(20) } }
    network! { struct Again: [20] -> [20] { Dense(33) -> Sigmoid -> Dense(20) } }

    /// No number that a layer computes has these bits.
    const POISON: u32 = 0x7fc0_dead;

    /// The number of floats from the first to the last that a pass has written.
    fn used(memory: &[f32]) -> usize {
        memory.iter().rposition(|x| x.to_bits() != POISON).map_or(0, |last| last + 1)
    }

    fn poisoned(len: usize) -> AlignedBuffer {
        let mut block = AlignedBuffer::zeroed(len);
        block.fill(f32::from_bits(POISON));
        block
    }

    /// Runs all three passes in memory of exactly the planned size: more would panic, less shows at its end.
    fn use_is_plan<N: Network>(batch: usize, pass: Pass) {
        let network = N::COMPILED;
        let plan = network.plan(pass);
        let model = N::init(1);
        let mut saved = poisoned(if pass == Pass::Infer { 0 } else { plan.work * batch });
        let mut scratch = poisoned(plan.scratch_for(batch) + if pass == Pass::Infer { plan.work * batch } else { 0 });
        let (input, output) = (network.inputs[0].len() * batch, network.outputs[0].len() * batch);
        let (x, mut y, dy, mut dx) = (vec![0.5; input], vec![0.0; output], vec![1.0; output], vec![0.0; input]);
        let mut grad = vec![0.0; network.params_len];
        let (isa, rng) = (Isa::detect(), CounterRng { key: 1 });
        let cx = LayerContext::for_network(&model.params, isa, batch, pass, &mut saved[..], &mut scratch);
        let mut cx = cx.training(rng, 0);
        N::forward_pass(&mut cx, &[&x], &mut [&mut y]);
        if pass != Pass::Infer {
            let dx = if pass == Pass::TrainWithInputGrad { &mut dx[..] } else { &mut [] };
            N::backward_input(&mut cx, &[&x], &[&y], &[&dy], &mut [dx]);
            let part = ParamGrad { range: 0..network.params_len, grad: &mut grad, samples: 0..batch, overwrite: false };
            N::backward_params(&mut cx.read_only(&model.params), &[&x], &[&dy], part);
            let (found, planned) = (used(&saved), plan.work * batch);
            assert!(
                found <= planned && planned < found + lines(1) * batch,
                "{}: {found} of {planned} floats",
                network.name
            );
        } else {
            let (found, planned) = (used(&scratch[..plan.work * batch]), plan.work * batch);
            assert!(
                found <= planned && planned < found + lines(1) * batch,
                "{}: {found} of {planned} floats",
                network.name
            );
        }
    }

    #[test]
    fn measured_use_is_planned_use() {
        for batch in [1, 3, 8] {
            for pass in [Pass::Infer, Pass::Train, Pass::TrainWithInputGrad] {
                use_is_plan::<Chain>(batch, pass);
                use_is_plan::<Fork>(batch, pass);
                use_is_plan::<Kept>(batch, pass);
                use_is_plan::<Deep>(batch, pass);
            }
        }
    }

    #[test]
    fn buffers_that_do_not_meet_share() {
        let memory = Chain::memory(1);
        // At prediction the 40 take turns with nothing longer: 7 and 40 floats, in whole lines.
        assert_eq!(memory.prediction(), 4 * (16 + 48) + 4 * Chain::COMPILED.infer.scratch_for(1));
        let text = format!("{memory}");
        for part in ["Chain, batch 1", "prediction: ", "training: ", "backward dense_3", "gradient of relu_1", "update"]
        {
            assert!(text.contains(part), "{text}\nlacks {part}");
        }
    }

    /// A gradient that is overwritten by the next one, or handed on as it is, has the place of another; one
    /// that others are added to its own.
    #[test]
    fn gradients_share_a_place_where_one_becomes_the_other() {
        let gradients = |network: &'static CompiledNetwork, schedule: &MemoryPlan| {
            let mut names: Vec<String> =
                Memory::of(network, 1).rows(schedule).into_iter().map(|row| row.what).collect();
            names.retain(|what| what.starts_with("gradient of "));
            names.sort();
            names.join(", ")
        };
        assert_eq!(gradients(Chain::COMPILED, &Chain::COMPILED.train), "gradient of relu_1, gradient of tanh_1");
        let of_fork = gradients(Fork::COMPILED, &Fork::COMPILED.train);
        assert_eq!(of_fork, "gradient of softplus_1, gradient of sum_1, gradient of tanh_1");
        let of_kept = gradients(Kept::COMPILED, &Kept::COMPILED.train);
        assert_eq!(of_kept, "gradient of dense_1, gradient of dense_2, gradient of sum_1");
    }

    /// No two buffers that are in use at the same time lie in the same place.
    #[test]
    fn no_two_buffers_meet() {
        for network in [Chain::COMPILED, Fork::COMPILED, Kept::COMPILED, Deep::COMPILED] {
            for pass in [Pass::Infer, Pass::Train, Pass::TrainWithInputGrad] {
                let rows = Memory::of(network, 1).rows(network.plan(pass));
                for (i, a) in rows.iter().enumerate() {
                    for b in &rows[i + 1..] {
                        let time = a.when.from <= b.when.to && b.when.from <= a.when.to;
                        let place = a.offset < b.offset + b.len && b.offset < a.offset + a.len;
                        assert!(!(time && place), "{}: {} meets {}", network.name, a.what, b.what);
                    }
                }
            }
        }
    }
}
