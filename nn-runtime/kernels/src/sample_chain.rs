//! A chain of products and functions, as a single sample goes through it. In: its steps, once; parameters and
//! a sample; out: what the last step makes, with the bits that a batch would give it. The instruction set is
//! entered, and lengths are compared, once for the whole chain: a network of a few thousand parameters would
//! wait for the start of each kernel longer than for its arithmetic.

pub(crate) mod curve;
pub(crate) mod product;
#[cfg(test)]
mod tests;

use core::ops::Range;

use crate::elementwise::Map;
use crate::matrix::Panels;
use crate::simd::{Isa, Kernel, LANES, Simd};
pub use curve::ChainCurve;
use product::{Operands, ProductStep};

/// The most settings of a function that is run in place.
pub const MAX_SETTINGS: usize = 4;

/// The most steps of a chain.
const MAX_STEPS: usize = 24;

/// A function of all numbers of a sample, in place, and its settings.
#[derive(Clone, Copy, Debug)]
pub struct InPlace {
    /// The function.
    pub run: fn(Isa, &[f32; MAX_SETTINGS], &mut [f32]),
    /// What it is run with.
    pub settings: [f32; MAX_SETTINGS],
}

/// max(x, floor); NaN stays.
struct Floor(f32);

impl Map for Floor {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        s.max(s.splat(self.0), x)
    }
}

impl InPlace {
    /// `max(x, floor)`, where no product does it.
    pub const fn floor(floor: f32) -> InPlace {
        InPlace { run: |isa, settings, y| isa.map_in_place(&Floor(settings[0]), y), settings: [floor, 0.0, 0.0, 0.0] }
    }

    /// Runs it.
    #[inline]
    pub fn apply(&self, isa: Isa, y: &mut [f32]) {
        (self.run)(isa, &self.settings, y);
    }
}

/// A chain of steps.
///
/// ```
/// use nn_kernels::{matrix::Panels, sample_chain::SampleChain, simd::Isa};
/// let panels = Panels::new(2, 1);
/// let mut params = [0.0; 33];
/// panels.pack(&[1.0, -2.0], &mut params[..32]);
/// params[32] = 0.5;
/// let chain = SampleChain::new(2).product(panels, 0..32, Some(32..33)).unwrap();
/// let chain = chain.floor(0.0).unwrap();
/// let mut y = [0.0];
/// chain.run(Isa::detect(), &params, &[3.0, 1.0], &mut y, &mut []);
/// assert_eq!(y, [1.5]);
/// ```
#[derive(Clone, Debug)]
pub struct SampleChain {
    steps: [Step; MAX_STEPS],
    count: usize,
    inputs: usize,
    outputs: usize,
    /// Which step writes the output first.
    last: usize,
    /// How many parameters there are at least.
    params: usize,
    /// Room for what lies between two steps.
    between: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Product(ProductStep),
    /// What products write, somewhere else.
    Copy,
    /// A function of so many numbers, where they are.
    InPlace(InPlace, usize),
}

impl SampleChain {
    /// A chain of no steps, for samples of so many numbers.
    pub fn new(inputs: usize) -> SampleChain {
        SampleChain {
            steps: [Step::Copy; MAX_STEPS],
            count: 0,
            inputs,
            outputs: inputs,
            last: 0,
            params: 0,
            between: 0,
        }
    }

    fn then(mut self, step: Step) -> Option<SampleChain> {
        *self.steps.get_mut(self.count)? = step;
        self.count += 1;
        Some(self)
    }

    /// And then the product with a matrix that lies at `weight` among the parameters, plus a bias, if there
    /// is one. None where a chain cannot have it: sums are so long that they are divided, or there are too
    /// many steps.
    ///
    /// # Panics
    /// The matrix has other inputs than the step before has outputs; a range is of another length.
    pub fn product(mut self, panels: Panels, weight: Range<usize>, bias: Option<Range<usize>>) -> Option<SampleChain> {
        assert!(
            panels.rows() == self.outputs && weight.len() == panels.len(),
            "expected a matrix of {} inputs, found {}",
            self.outputs,
            panels.rows()
        );
        let bias_at = bias.as_ref().map(|bias| bias.start);
        for range in [Some(weight.clone()), bias].into_iter().flatten() {
            self.params = self.params.max(range.end);
        }
        if self.count > 0 {
            // Whole vectors of it may be written.
            self.between = self.between.max(self.outputs.next_multiple_of(LANES));
        }
        (self.outputs, self.last) = (panels.cols(), self.count);
        self.then(Step::Product(ProductStep::new(panels, weight.start, bias_at)?))
    }

    /// And then `max(x, floor)`.
    pub fn floor(mut self, floor: f32) -> Option<SampleChain> {
        match self.count.checked_sub(1).map(|last| &mut self.steps[last]) {
            Some(Step::Product(product)) if product.curve.is_none() => {
                product.floor = product.floor.max(floor);
                Some(self)
            }
            _ => self.in_place(InPlace::floor(floor), None),
        }
    }

    /// And then a function, which may be a curve, too.
    pub fn in_place(mut self, function: InPlace, curve: Option<ChainCurve>) -> Option<SampleChain> {
        match (self.count.checked_sub(1).map(|last| &mut self.steps[last]), curve) {
            (Some(Step::Product(product)), Some(_)) if product.curve.is_none() => {
                product.curve = curve;
                return Some(self);
            }
            (None, _) => self = self.then(Step::Copy)?,
            _ => {}
        }
        let len = self.outputs;
        self.then(Step::InPlace(function, len))
    }

    /// How many steps are taken: what is done within a product is none of its own.
    pub const fn steps(&self) -> usize {
        self.count
    }

    /// Whether nothing is done.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Floats of memory that [`run`](SampleChain::run) needs.
    pub const fn memory(&self) -> usize {
        2 * self.between
    }

    /// Runs a sample through the chain.
    ///
    /// # Panics
    /// The lengths are others than the steps', or there is less memory than it needs.
    pub fn run(&self, isa: Isa, params: &[f32], x: &[f32], y: &mut [f32], memory: &mut [f32]) {
        assert!(
            x.len() == self.inputs
                && y.len() == self.outputs
                && params.len() >= self.params
                && memory.len() >= self.memory(),
            "expected a sample of {} inputs and {} outputs, {} parameters and memory for {} numbers, found {}, {}, {} and {}",
            self.inputs,
            self.outputs,
            self.params,
            self.memory(),
            x.len(),
            y.len(),
            params.len(),
            memory.len()
        );
        isa.run(Run { chain: self, isa, params, x, y, memory });
    }
}

/// A chain at work. The lengths have been compared.
struct Run<'a> {
    chain: &'a SampleChain,
    isa: Isa,
    params: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
    memory: &'a mut [f32],
}

impl Kernel for Run<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Run { chain, isa, params, x, y, memory } = self;
        let (mut from, mut to) = memory.split_at_mut(chain.between);
        for (i, step) in chain.steps[..chain.count].iter().enumerate() {
            let (first, last) = (i == 0, i == chain.last);
            match step {
                Step::InPlace(function, len) => {
                    function.apply(isa, if i > chain.last { &mut *y } else { &mut from[..*len] });
                    continue;
                }
                Step::Copy => (if last { &mut *y } else { &mut to[..x.len()] }).copy_from_slice(x),
                Step::Product(product) => {
                    let (params, x) = (params.as_ptr(), if first { x.as_ptr() } else { from.as_ptr() });
                    let y = if last { &mut *y } else { &mut *to };
                    let places = Operands { params, x, y: y.as_mut_ptr(), room: y.len() };
                    // SAFETY: lengths have been compared: `params` holds all matrices and biases, the sample
                    // is what the first step reads, the output what the last product writes, and between two
                    // there is room for either's numbers.
                    _ = unsafe { product.run(s, places) };
                }
            }
            core::mem::swap(&mut from, &mut to);
        }
    }
}
