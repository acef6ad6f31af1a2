//! What a training run will cost, before it is begun: multiply-adds, bytes, seconds, joules. In: a
//! `CompiledNetwork`, samples and epochs, what a machine does; out: numbers, to be printed and to be put
//! beside what the run really took. It measures nothing.

use core::fmt;

use crate::graph::CompiledNetwork;
use crate::summary::grouped;
#[cfg(feature = "std")]
use crate::train::History;
use nn_kernels::simd::Isa;

/// What one core does, and what it draws: what expected seconds and joules are made of. The defaults follow
/// from the instruction set and are what the benchmarks of this crate have come to on one machine, rounded: a
/// guess good to a factor of about two elsewhere.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Machine {
    /// Multiply-adds a second on one core, in layers whose operands lie in its caches: 5·10¹⁰ with AVX-512,
    /// half of that with AVX2, a quarter with NEON, a twelfth of it with anything else.
    pub macs_per_second: f64,
    /// Bytes a second that all cores together read or write beyond the caches: 1.6·10¹⁰.
    pub bytes_per_second: f64,
    /// What a busy core draws with its share of the rest: 10 watts.
    pub watts_per_core: f64,
}

impl Machine {
    /// A machine that computes with this instruction set.
    pub fn of(isa: Isa) -> Machine {
        let macs_per_second = match isa.name() {
            "avx512" => 5e10,
            "avx2" => 2.5e10,
            "neon" => 1.25e10,
            _ => 4e9,
        };
        Machine { macs_per_second, bytes_per_second: 1.6e10, watts_per_core: 10.0 }
    }
}

/// What a training run costs, as far as it is known before. Printed, it is a table with everything that it is
/// made of.
///
/// A step of a layer is one multiply-add for each of a prediction, one more for the gradient of its input
/// where somebody needs it, and one for the gradient of its parameters where they are learnt. The bytes are
/// what cannot be avoided: each sample once an epoch, and in each step all parameters, their gradients and
/// what an optimiser remembers of them, read and written. The seconds are the longer of computing and moving
/// (Williams, Waterman & Patterson, "Roofline", 2009); functions, norms and bookkeeping come on top.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Net: [784] -> [10] { hidden: Dense(128) -> Relu -> head: Dense(10) } }
///
/// let cost = Net::cost(60_000, 10);
/// // Forward and parameters, and the input of the second layer.
/// assert_eq!(cost.macs(), 600_000 * (2 * (784 * 128 + 128 * 10) + 128 * 10));
/// println!("{cost}");
///
/// let (train, mut model) = (Dataset::classes(&[[0.5; 784]], [3]).unwrap(), Net::init(0));
/// let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
/// let history = trainer.fit(&train, Fit::epochs(2)).unwrap();
/// println!("{}", Net::cost(1, 2).beside(&history)); // expected …, took …
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct Cost {
    network: &'static CompiledNetwork,
    samples: usize,
    epochs: usize,
    batch: usize,
    slots: usize,
    threads: usize,
    machine: Machine,
}

impl Cost {
    pub(crate) fn of(network: &'static CompiledNetwork, samples: usize, epochs: usize) -> Cost {
        let machine = Machine::of(Isa::detect());
        Cost { network, samples, epochs, batch: 32, slots: 2, threads: 1, machine }
    }

    /// Samples per step, 32 if nothing is said.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch.max(1);
        self
    }

    /// Floats that the optimiser remembers of each parameter
    /// ([`Optimizer::slots`](crate::optim::Optimizer::slots)), 2 if nothing is said, as with Adam.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// Threads that compute, 1 if nothing is said.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// The machine, where it is another than the one that is guessed.
    pub fn machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// Steps of all epochs; a short last batch is one.
    pub fn steps(&self) -> u64 {
        self.samples.div_ceil(self.batch) as u64 * self.epochs as u64
    }

    /// Multiply-adds of all steps. Validation adds those of a prediction for each sample it looks at.
    pub fn macs(&self) -> u64 {
        let each = self.network.nodes.iter().zip(self.network.train.node_plan).map(|(node, node_plan)| {
            let passes = 1 + u64::from(node_plan.backward_input) + u64::from(node_plan.trains);
            (node.spec.macs as u64).saturating_mul(passes)
        });
        let sample = each.fold(0, u64::saturating_add);
        sample.saturating_mul(self.samples as u64).saturating_mul(self.epochs as u64)
    }

    /// Bytes read and written.
    pub fn bytes(&self) -> u64 {
        let numbers = |shapes: &[crate::Shape]| shapes.iter().map(|shape| shape.len() as u64).sum::<u64>();
        let sample = 4 * (numbers(self.network.inputs) + numbers(self.network.outputs));
        // Read forward, read and written by the update; slots read and written; a gradient written and read.
        let step = 4 * self.network.params_len as u64 * (3 + 2 * self.slots as u64 + 2);
        let samples = self.samples as u64 * self.epochs as u64;
        sample.saturating_mul(samples).saturating_add(step.saturating_mul(self.steps()))
    }

    /// Expected seconds.
    pub fn seconds(&self) -> f64 {
        let computing = self.macs() as f64 / (self.machine.macs_per_second * self.threads as f64);
        computing.max(self.bytes() as f64 / self.machine.bytes_per_second)
    }

    /// Expected joules: seconds times what the busy cores draw.
    pub fn joules(&self) -> f64 {
        self.joules_of(self.seconds())
    }

    fn joules_of(&self, seconds: f64) -> f64 {
        seconds * self.machine.watts_per_core * self.threads as f64
    }

    /// Puts beside it what a run really took: the time of its epochs, and the joules of as much time.
    #[cfg(feature = "std")]
    pub fn beside(self, history: &History) -> CostBeside {
        let seconds = history.epochs.iter().map(|epoch| epoch.time.as_secs_f64()).sum();
        CostBeside { cost: self, epochs: history.epochs.len(), seconds }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { samples, epochs, batch, slots, threads, machine, .. } = self;
        let count = |number: u64| grouped(usize::try_from(number).unwrap_or(usize::MAX));
        writeln!(f, "training `{}` on {} samples, {epochs} epochs", self.network.name, grouped(*samples))?;
        writeln!(f, "  steps           {} of {batch} samples", count(self.steps()))?;
        writeln!(f, "  multiply-adds   {}", count(self.macs()))?;
        writeln!(f, "  bytes moved     {} with {slots} numbers remembered of each parameter", count(self.bytes()))?;
        let Machine { macs_per_second, bytes_per_second, watts_per_core } = machine;
        writeln!(
            f,
            "  seconds         {:.3} at {macs_per_second:.2e} multiply-adds a second on each of {threads} cores, {bytes_per_second:.2e} \
             bytes a second",
            self.seconds()
        )?;
        write!(f, "  joules          {:.1} at {watts_per_core} watts a core", self.joules())
    }
}

/// A [`Cost`] beside what a run took.
#[cfg(feature = "std")]
#[derive(Clone, Copy)]
pub struct CostBeside {
    cost: Cost,
    epochs: usize,
    seconds: f64,
}

#[cfg(feature = "std")]
impl CostBeside {
    /// Seconds that the epochs took, validation and what looked on included.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Joules of as many seconds.
    pub fn joules(&self) -> f64 {
        self.cost.joules_of(self.seconds)
    }

    /// How many times as long it took as was expected of as many epochs.
    pub fn factor(&self) -> f64 {
        self.seconds / Cost { epochs: self.epochs, ..self.cost }.seconds()
    }
}

#[cfg(feature = "std")]
impl fmt::Display for CostBeside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = Cost { epochs: self.epochs, ..self.cost };
        writeln!(f, "{}", self.cost)?;
        write!(
            f,
            "  {} epochs: expected {:.3} s and {:.1} J, took {:.3} s and {:.1} J, {:.2} times as long",
            self.epochs,
            expected.seconds(),
            expected.joules(),
            self.seconds,
            self.joules(),
            self.factor()
        )
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use crate::cost::Machine;
    use crate::prelude::*;
    use alloc::string::ToString;

    network! { struct Inner: [6] -> [6] { Dense(6) -> Relu } }
    network! { struct Net: [8] -> [2] { frozen first: Dense(6) -> Inner * 2 -> Dense(2) } }

    #[test]
    fn what_is_counted_is_what_a_step_does() {
        let cost = Net::cost(100, 3).batch(32);
        // Frozen: forward alone. Copies: forward, parameters, and input, as the second needs it.
        let sample = 8 * 6 + 3 * 2 * 36 + 3 * 6 * 2;
        assert_eq!((cost.steps(), cost.macs()), (4 * 3, 300 * sample));
        let params = Net::COMPILED.params_len as u64;
        assert_eq!(cost.bytes(), 300 * 4 * 10 + 12 * 4 * params * 9);
        assert_eq!(cost.slots(0).bytes(), 300 * 4 * 10 + 12 * 4 * params * 5);
    }

    #[test]
    fn the_longer_of_computing_and_moving_counts() {
        let machine = Machine { macs_per_second: 1e6, bytes_per_second: 1e12, watts_per_core: 5.0 };
        let cost = Net::cost(1000, 1).machine(machine);
        let seconds = cost.macs() as f64 / 1e6;
        assert_eq!((cost.seconds(), cost.joules()), (seconds, 5.0 * seconds));
        let two = cost.threads(2);
        assert!((two.seconds() - seconds / 2.0).abs() < 1e-12 && (two.joules() - 5.0 * seconds).abs() < 1e-9);
        let slow = cost.machine(Machine { bytes_per_second: 1e3, ..machine });
        assert_eq!(slow.seconds(), slow.bytes() as f64 / 1e3);
        assert_eq!(Net::cost(usize::MAX, usize::MAX).macs(), u64::MAX);
    }

    #[test]
    fn a_run_stands_beside_it() {
        let data = Dataset::values(&[[0.5; 8]; 40], &[[1.0, 2.0]; 40]).unwrap();
        let mut model = Net::init(0);
        let history = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).fit(&data, Fit::epochs(2)).unwrap();
        let beside = Net::cost(40, 5).beside(&history);
        let took: f64 = history.epochs.iter().map(|epoch| epoch.time.as_secs_f64()).sum();
        assert_eq!((beside.seconds(), beside.joules()), (took, 10.0 * took));
        assert!((beside.factor() - took / Net::cost(40, 2).seconds()).abs() < 1e-6 * beside.factor());
        let text = beside.to_string();
        for part in ["training `Net` on 40 samples, 5 epochs", "2 epochs: expected ", ", took ", "watts a core"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
