//! What the page does, without the page: the drawing, the network that reads it, and the trainer that teaches
//! it, in memory that is there from the beginning. In: pixels, labels, numbers of parameters; out:
//! probabilities, a saliency map, losses. `exports` is what a browser calls.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod exports;

use nn_runtime::data::{Random, digits};
use nn_runtime::prelude::*;
use nn_runtime::train::TrainerIn;
use nn_runtime::{Differentiator, Isa, LengthError, ModelRef};

#[cfg(not(feature = "cnn"))]
network! {
    /// Reads a digit.
    pub struct Digits: [1, 28, 28] -> [10] {
        Flatten -> hidden: Dense(32) -> Relu -> head: Dense(10) -> Softmax
    }
}
#[cfg(feature = "cnn")]
network! {
    /// Reads a digit.
    pub struct Digits: [1, 28, 28] -> [10] {
        conv1: Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2);
        conv2: Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> hidden: Dense(32) -> Relu -> head: Dense(10) -> Softmax
    }
}

/// Pixels of a drawing.
pub const PIXELS: usize = digits::SIDE * digits::SIDE;

/// Samples of a step: half of them the visitor's, once there are some.
const BATCH: usize = 32;
/// Drawings that are kept: a new one takes the place of the oldest.
const KEPT: usize = 256;
/// Digits the network is judged by, of a seed that no step has.
const TEST: u64 = 200;
const TEST_SEED: u64 = u64::MAX;
const SEED: u64 = 7;

/// Adam as the page uses it: what it leaves out is not in its code.
struct Steps;

const ADAM: Adam = Adam::new(2e-3);

impl Optimizer for Steps {
    fn slots(&self) -> usize {
        2
    }
    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        if let [mean, square] = slots {
            ADAM.update(isa, step, params, grads, &mut [mean, square]);
        }
    }
    fn learning_rate(&self) -> f64 {
        ADAM.learning_rate()
    }
    fn set_learning_rate(&mut self, _: f64) {}
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        ADAM.change_limit(grad, param)
    }
}

/// A drawing, from 0 (paper) to 1 (ink).
pub type Image = [f32; PIXELS];
type Digit = Model<Digits, &'static mut [f32]>;

/// The memory of a page.
pub struct Memory {
    params: [f32; Digits::PARAMS_LEN],
    /// Where parameters are drawn anew.
    drawn: [f32; Digits::PARAMS_LEN],
    /// Adam keeps two numbers of each parameter.
    train: [f32; Digits::train_len(BATCH, 2)],
    through: [f32; Digits::differentiate_len(1)],
    batch: [Image; BATCH],
    kept: [Image; KEPT],
    image: Image,
    saliency: Image,
    numbers: [f32; Digits::PARAMS],
}

impl Memory {
    pub const ZEROS: Memory = Memory {
        params: [0.0; _],
        drawn: [0.0; _],
        train: [0.0; _],
        through: [0.0; _],
        batch: [[0.0; _]; _],
        kept: [[0.0; _]; _],
        image: [0.0; _],
        saliency: [0.0; _],
        numbers: [0.0; _],
    };
}

/// The state of the page.
pub struct Page {
    /// The drawing, which the browser writes.
    pub image: &'static mut Image,
    /// Of each class, after [`read`](Page::read).
    pub probabilities: [f32; 10],
    /// How the probability of the most likely class answers to each pixel.
    pub saliency: &'static mut Image,
    /// All parameters: what is to be saved, or what was loaded.
    pub numbers: &'static mut [f32; Digits::PARAMS],
    trainer: TrainerIn<'static, Digits, CrossEntropy, Steps>,
    through: Differentiator<Digits, &'static mut [f32]>,
    drawn: &'static mut [f32; Digits::PARAMS_LEN],
    batch: &'static mut [Image; BATCH],
    /// What the visitor has drawn, and what it was; all that were kept so far, and how many are new.
    kept: &'static mut [Image; KEPT],
    labels: [u32; KEPT],
    count: usize,
    /// Steps taken since the page began, by which samples are drawn.
    steps: u64,
}

impl Page {
    /// A network that knows nothing. `place` is where the model lies.
    ///
    /// # Errors
    /// None: the memory is as long as it has to be.
    pub fn new(memory: &'static mut Memory, place: &'static mut Option<Digit>) -> Result<Page, LengthError> {
        let Memory { params, drawn, train, through, batch, kept, image, saliency, numbers } = memory;
        let model = place.insert(Digits::init_in(SEED, params)?);
        Ok(Page {
            image,
            probabilities: [0.0; _],
            saliency,
            numbers,
            trainer: TrainerIn::new_in(train, BATCH, model, CrossEntropy::new(), Steps)?,
            through: Differentiator::new_in(1, through)?,
            drawn,
            batch,
            kept,
            labels: [0; _],
            count: 0,
            steps: 0,
        })
    }

    /// Reads the drawing: probabilities, the most likely class, and its saliency map. Where it cannot, there
    /// is no such class.
    pub fn read(&mut self) -> Option<usize> {
        let Page { image, probabilities, saliency, trainer, through, .. } = self;
        trainer.predict_into(&[&**image], &mut [probabilities]).ok()?;
        let likely = |best: usize, class: usize| if probabilities[class] > probabilities[best] { class } else { best };
        let answer = (1..10).fold(0, likely);
        let mut dy = [0.0; 10];
        dy[answer] = 1.0;
        let model = ModelRef::<Digits>::new(trainer.as_params()).ok()?;
        through.input_gradient(model, &[&**image], &[&dy], &mut [&mut **saliency]).ok()?;
        Some(answer)
    }

    /// Keeps the drawing as a sample of `label`, which steps learn from then.
    pub fn keep(&mut self, label: u32) {
        let at = self.count % KEPT;
        (self.kept[at], self.labels[at]) = (*self.image, label);
        self.count += 1;
    }

    /// Takes one step, of all layers, on digits drawn here and on those that were kept, each a pixel to and
    /// fro; returns the loss, or NaN where the step was refused.
    pub fn step(&mut self) -> f64 {
        self.steps += 1;
        let own = if self.count == 0 { 0 } else { BATCH / 2 };
        let mut labels = [0; BATCH];
        let (drawn, others) = self.batch.split_at_mut(BATCH - own);
        for ((i, image), label) in (0..).zip(drawn).zip(&mut labels) {
            *label = digits::draw_into(self.steps, i, image);
        }
        let mut random = Random::keyed(!self.steps, &[]);
        for ((i, image), label) in others.iter_mut().enumerate().zip(&mut labels[BATCH - own..]) {
            // The newest first, then all in turn.
            let at = if i < 4 { (self.count - 1) % KEPT } else { random.below(self.count.min(KEPT)) };
            *label = self.labels[at];
            let (right, down) = (random.below(3), random.below(3));
            shift(&self.kept[at], right, down, image);
        }
        self.trainer.step(&[self.batch.as_flattened()], &labels).unwrap_or(f64::NAN)
    }

    /// How many of a hundred digits that it has not learnt from are read rightly.
    pub fn score(&mut self) -> f64 {
        let (image, mut y) = (&mut self.batch[0], [0.0; 10]);
        let mut right = 0;
        for i in 0..TEST {
            let label = digits::draw_into(TEST_SEED, i, image) as usize;
            let read = self.trainer.predict_into(&[image], &mut [&mut y]).is_ok();
            right += u64::from(read && (0..10).all(|class| class == label || y[class] < y[label]));
        }
        100.0 * right as f64 / TEST as f64
    }

    /// Begins anew.
    pub fn forget(&mut self) {
        if let Ok(model) = Digits::init_in(SEED, self.drawn) {
            model.read_params(self.numbers);
            self.load();
        }
        (self.count, self.steps) = (0, 0);
    }

    /// Writes all parameters to `numbers`.
    pub fn save(&mut self) {
        if let Ok(model) = ModelRef::<Digits>::new(self.trainer.as_params()) {
            model.read_params(self.numbers);
        }
    }

    /// Goes on with the parameters in `numbers`; false where one of them is not finite, and all is as it was.
    pub fn load(&mut self) -> bool {
        self.trainer.restart(self.numbers).is_ok()
    }
}

/// Writes an image to `to`, moved by from −1 to 1 pixels; what comes in from the edge is paper.
fn shift(image: &Image, right: usize, down: usize, to: &mut Image) {
    let side = digits::SIDE;
    let from = |at: usize, by: usize| (at + 1).checked_sub(by).filter(|at| *at < side);
    for (at, to) in to.iter_mut().enumerate() {
        *to = match (from(at / side, down), from(at % side, right)) {
            (Some(y), Some(x)) => image[y * side + x],
            _ => 0.0,
        };
    }
}
