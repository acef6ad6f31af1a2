//! A chain of products and functions, as a batch is trained through it. In: its steps, once; parameters and
//! samples; out: outputs, and from their gradients those of the parameters, with the bits that each step's
//! own kernel makes. The instruction set is entered, and lengths are compared, once each way: a step of a few
//! thousand multiply-adds would wait for the start of each kernel longer than for its arithmetic.

mod passes;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::ops::Range;

use crate::counter_rng::CounterRng;
use crate::matrix::{Panels, backward_input_scratch};
use crate::sample_chain::MAX_SETTINGS;
use crate::simd::{Isa, LANES};
use passes::{Backward, Forward};

/// A function of all numbers alike, in place, with its settings.
pub type CurveValue = fn(Isa, &[f32; MAX_SETTINGS], &mut [f32]);

/// The gradient of a function of all numbers alike: from what it was given, or what it has made of that,
/// and from the gradient of that, which is overwritten.
pub type CurveGradient = fn(Isa, &[f32; MAX_SETTINGS], &[f32], &mut [f32]);

/// A function of all numbers alike, in place.
#[derive(Clone, Copy, Debug)]
pub struct TrainCurve {
    /// The function; none where the product before it does it.
    pub run: Option<CurveValue>,
    /// Its gradient.
    pub gradient: CurveGradient,
    /// What both are run with.
    pub settings: [f32; MAX_SETTINGS],
    /// The gradient follows from what the function has made, not from what it was given.
    pub from_output: bool,
}

/// A chain of steps.
///
/// ```
/// use nn_kernels::train_chain::{TrainChain, TrainPass};
/// use nn_kernels::{counter_rng::CounterRng, matrix::Panels, simd::Isa};
///
/// let panels = Panels::new(2, 1);
/// let mut params = [0.0; 33];
/// panels.pack(&[1.0, -2.0], &mut params[..32]);
/// let mut chain = TrainChain::new(2);
/// chain.product(panels, 0..32, Some(32..33));
/// let rng = CounterRng { key: 0 };
/// let pass = TrainPass { isa: Isa::detect(), params: &params, rng, batch: 2, x: &[3.0, 1.0, 1.0, 1.0] };
/// let (mut y, mut grads) = ([0.0; 2], [0.0; 33]);
/// chain.forward(&pass, &mut y, &mut []);
/// chain.backward(&pass, &y, &mut [1.0, 10.0], &mut grads, usize::MAX, &mut [], &mut []);
/// assert_eq!((y, grads[0], grads[16], grads[32]), ([1.0, -1.0], 13.0, 11.0, 11.0));
/// ```
#[derive(Clone, Debug)]
pub struct TrainChain {
    steps: Vec<TrainStep>,
    inputs: usize,
    outputs: usize,
    /// How many parameters there are at least.
    params: usize,
    /// The first step that learns, before which no gradient is wanted.
    first: Option<usize>,
    /// Floats of scratch memory that gradients of inputs need.
    scratch: usize,
}

/// What makes a value of so many numbers a sample, and a function of it then.
#[derive(Clone, Copy, Debug)]
struct TrainStep {
    work: TrainWork,
    len: usize,
    curve: Option<TrainCurve>,
}

#[derive(Clone, Copy, Debug)]
enum TrainWork {
    Product {
        panels: Panels,
        weight: usize,
        bias: Option<usize>,
        /// What outputs are not below.
        floor: f32,
    },
    /// The same numbers, so that what was before them is kept.
    Copy,
    /// Noise of this site.
    Dropout { rate: f32, site: u64 },
}

/// What both ways of a step read.
#[derive(Clone, Copy)]
pub struct TrainPass<'a> {
    /// What to compute with.
    pub isa: Isa,
    /// All parameters.
    pub params: &'a [f32],
    /// What noise is drawn by: of each site the generator that this folds its number in.
    pub rng: CounterRng,
    /// How many samples.
    pub batch: usize,
    /// The samples, one after the other.
    pub x: &'a [f32],
}

impl TrainChain {
    /// A chain of no steps, for samples of so many numbers.
    ///
    /// # Panics
    /// `inputs == 0`
    pub fn new(inputs: usize) -> TrainChain {
        assert!(inputs > 0, "expected samples of at least 1 number");
        TrainChain { steps: Vec::new(), inputs, outputs: inputs, params: 0, first: None, scratch: 0 }
    }

    fn then(&mut self, work: TrainWork, len: usize) {
        self.outputs = len;
        self.steps.push(TrainStep { work, len, curve: None });
    }

    /// And then the product with a matrix that lies at `weight` among the parameters, plus a bias, if there
    /// is one.
    ///
    /// # Panics
    /// The matrix has other inputs than the step before has outputs; a range is of another length.
    pub fn product(&mut self, panels: Panels, weight: Range<usize>, bias: Option<Range<usize>>) {
        let fits = bias.as_ref().is_none_or(|bias| bias.len() == panels.cols());
        assert!(
            panels.rows() == self.outputs && weight.len() == panels.len() && fits,
            "expected a matrix of {} inputs, and a range as long as it is, found {} inputs",
            self.outputs,
            panels.rows()
        );
        for range in [Some(weight.clone()), bias.clone()].into_iter().flatten() {
            self.params = self.params.max(range.end);
        }
        if self.first.is_some() {
            self.scratch = self.scratch.max(backward_input_scratch(panels.cols()));
        }
        self.first = self.first.or(Some(self.steps.len()));
        let bias = bias.map(|bias| bias.start);
        let work = TrainWork::Product { panels, weight: weight.start, bias, floor: f32::NEG_INFINITY };
        self.then(work, panels.cols());
    }

    /// And then `max(x, floor)`, whose gradient is `curve`'s; false where no product does it.
    pub fn floor(&mut self, at: f32, curve: TrainCurve) -> bool {
        match self.steps.last_mut() {
            Some(TrainStep { work: TrainWork::Product { floor, .. }, curve: empty @ None, .. }) => {
                (*floor, *empty) = (at, Some(TrainCurve { run: None, ..curve }));
                true
            }
            _ => false,
        }
    }

    /// And then a function.
    pub fn curve(&mut self, curve: TrainCurve) {
        match self.steps.last_mut() {
            Some(step) if step.curve.is_none() && curve.from_output => step.curve = Some(curve),
            _ => {
                self.then(TrainWork::Copy, self.outputs);
                if let Some(step) = self.steps.last_mut() {
                    step.curve = Some(curve);
                }
            }
        }
    }

    /// And then dropout, whose noise is that of this site.
    ///
    /// # Panics
    /// `rate` is not from 0 up to but without 1.
    pub fn dropout(&mut self, rate: f32, site: u64) {
        assert!((0.0..1.0).contains(&rate), "expected a rate from 0 up to but without 1, found {rate}");
        if rate > 0.0 {
            self.then(TrainWork::Dropout { rate, site }, self.outputs);
        }
    }

    /// Whether anything is learnt.
    pub fn learns(&self) -> bool {
        self.first.is_some()
    }

    /// Floats of memory for so many samples: [`forward`](TrainChain::forward) fills it, and
    /// [`backward`](TrainChain::backward) reads and uses it.
    pub fn memory(&self, batch: usize) -> usize {
        2 * self.values(batch)
    }

    /// Floats of scratch memory that [`backward`](TrainChain::backward) uses.
    pub fn scratch(&self) -> usize {
        self.scratch
    }

    /// Floats of all values between two steps.
    fn values(&self, batch: usize) -> usize {
        let between = self.steps.split_last().map_or(&[][..], |(_, between)| between);
        between.iter().map(|step| step.room(batch)).sum()
    }

    /// # Panics
    /// There are too few parameters, or other inputs and outputs than so many samples have.
    fn check(&self, pass: &TrainPass, y: &[f32]) {
        let TrainPass { batch, x, params, .. } = *pass;
        assert!(
            x.len() == batch * self.inputs && y.len() == batch * self.outputs && params.len() >= self.params,
            "expected {batch} samples of {} inputs and {} outputs, and {} parameters, found {}, {} and {} numbers",
            self.inputs,
            self.outputs,
            self.params,
            x.len(),
            y.len(),
            params.len()
        );
    }

    /// Runs samples through the chain.
    ///
    /// # Panics
    /// There are other samples than the steps take, or there is less memory than they need.
    pub fn forward(&self, pass: &TrainPass, y: &mut [f32], memory: &mut [f32]) {
        self.check(pass, y);
        pass.isa.run(Forward { chain: self, pass, y, memory });
    }

    /// From the gradients of the outputs, which are overwritten, to those of all parameters, which are
    /// overwritten, too, but what lies between tensors is not. `y` and `memory` are as `forward` has left
    /// them; sums over samples may begin anew after `unit` of them, as in
    /// [`RowSums`](crate::long_sums::RowSums).
    ///
    /// # Panics
    /// As [`forward`](TrainChain::forward); there are other gradients than numbers they are of, or too little
    /// scratch memory.
    #[allow(clippy::too_many_arguments, reason = "each is another array")]
    pub fn backward(
        &self,
        pass: &TrainPass,
        y: &[f32],
        dy: &mut [f32],
        grads: &mut [f32],
        unit: usize,
        memory: &mut [f32],
        scratch: &mut [f32],
    ) {
        self.check(pass, y);
        assert!(
            dy.len() == y.len() && grads.len() >= self.params && scratch.len() >= self.scratch,
            "expected {} gradients of outputs, {} of parameters and a scratch of {} numbers, found {}, {} and {}",
            y.len(),
            self.params,
            self.scratch,
            dy.len(),
            grads.len(),
            scratch.len()
        );
        pass.isa.run(Backward { chain: self, pass, y, dy, grads, unit, memory, scratch });
    }
}

impl TrainStep {
    /// Numbers of a batch.
    #[inline(always)]
    fn numbers(&self, batch: usize) -> usize {
        self.len * batch
    }

    /// What they take of memory: whole vectors, so that the next ones begin with one.
    #[inline(always)]
    fn room(&self, batch: usize) -> usize {
        self.numbers(batch).next_multiple_of(LANES)
    }
}
