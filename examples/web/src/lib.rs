//! What the page does, without the page: the drawing, the network that reads it, and the trainer that teaches
//! it. In: pixels, labels, bytes of a file; out: probabilities, a saliency map, losses, messages. `exports`
//! is what a browser calls.
#![deny(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod exports;

use nn_runtime::Differentiator;
use nn_runtime::data::{Random, digits};
use nn_runtime::prelude::*;

network! {
    /// Reads a digit.
    pub struct Digits: [1, 28, 28] -> [10] {
        Flatten -> hidden: Dense(32) -> Relu -> head: Dense(10) -> Softmax
    }
}

/// Pixels of a drawing.
pub const PIXELS: usize = digits::SIDE * digits::SIDE;

/// Samples of a step: half of them the visitor's, once there are some.
const BATCH: usize = 32;
/// Digits the network is judged by, of a seed that no step has.
const TEST: usize = 200;
const TEST_SEED: u64 = u64::MAX;

/// The state of the page.
pub struct Page {
    /// The drawing, from 0 (paper) to 1 (ink), which the browser writes.
    pub image: Vec<f32>,
    /// Of each class, after [`read`](Page::read).
    pub probabilities: Vec<f32>,
    /// How the probability of the most likely class answers to each pixel.
    pub saliency: Vec<f32>,
    /// The bytes of a file: what was saved, or what is to be loaded.
    pub file: Vec<u8>,
    /// What went wrong last, in words.
    pub message: String,
    trainer: Trainer<'static, Digits, CrossEntropy, Adam>,
    through: Differentiator<Digits>,
    /// What the visitor has drawn, and what it was.
    pixels: Vec<f32>,
    labels: Vec<u32>,
    /// Steps taken since the page began, by which samples are drawn.
    steps: u64,
}

fn trainer(model: Model<Digits>) -> Trainer<'static, Digits, CrossEntropy, Adam> {
    model.into_trainer(CrossEntropy::new(), Adam::new(2e-3))
}

impl Default for Page {
    /// A network that knows nothing.
    fn default() -> Page {
        Page {
            image: vec![0.0; PIXELS],
            probabilities: vec![0.0; 10],
            saliency: vec![0.0; PIXELS],
            file: Vec::new(),
            message: String::new(),
            trainer: trainer(Digits::init(7)),
            through: Differentiator::new(1),
            pixels: Vec::new(),
            labels: Vec::new(),
            steps: 0,
        }
    }
}

impl Page {
    /// The network as it is.
    pub fn model(&self) -> &Model<Digits> {
        self.trainer.model()
    }

    /// Reads the drawing: probabilities, the most likely class, and its saliency map.
    pub fn read(&mut self) -> usize {
        let Page { image, probabilities, saliency, trainer, through, .. } = self;
        trainer.predict_into(&[image], &mut [probabilities]).expect("one image, ten probabilities");
        let likely = |best: usize, class: usize| if probabilities[class] > probabilities[best] { class } else { best };
        let answer = (1..10).fold(0, likely);
        let mut dy = [0.0; 10];
        dy[answer] = 1.0;
        let found = through.input_gradient(trainer.model(), &[image], &[&dy], &mut [saliency]);
        found.expect("one image, one gradient");
        answer
    }

    /// Keeps the drawing as a sample of `label`, which steps learn from then.
    pub fn keep(&mut self, label: u32) {
        self.pixels.extend_from_slice(&self.image);
        self.labels.push(label);
    }

    /// Takes one step, of all layers, on digits drawn here and on those that were kept, each a pixel to and
    /// fro; returns the loss, or NaN where the step was refused.
    pub fn step(&mut self) -> f64 {
        self.steps += 1;
        let own = if self.labels.is_empty() { 0 } else { BATCH / 2 };
        let drawn = digits::draw(BATCH - own, self.steps);
        let (mut pixels, mut labels) = (drawn.inputs()[0].as_slice().to_vec(), drawn.targets().as_slice().to_vec());
        let mut random = Random::keyed(!self.steps, &[]);
        for i in 0..own {
            // The newest first, then all in turn.
            let all = self.labels.len();
            let at = if i < 4 { all - 1 } else { random.below(all) };
            labels.push(self.labels[at]);
            let (right, down) = (random.below(3), random.below(3));
            shifted(&self.pixels[at * PIXELS..][..PIXELS], right, down, &mut pixels);
        }
        let result = Dataset::classes((pixels, PIXELS), labels).map_err(|error| error.to_string());
        let result = result.and_then(|batch| self.trainer.step(&batch).map_err(|error| error.to_string()));
        result.unwrap_or_else(|message| {
            self.message = message;
            f64::NAN
        })
    }

    /// How many of a hundred digits that it has not learnt from are read rightly.
    pub fn score(&mut self) -> f64 {
        let test = digits::draw(TEST, TEST_SEED);
        let mut y = vec![0.0; TEST * 10];
        self.trainer.predict_into(&[test.inputs()[0].as_slice()], &mut [&mut y]).expect("as many images as outputs");
        let right = y.chunks_exact(10).zip(test.targets().as_slice()).filter(|(y, label)| {
            let label = **label as usize;
            y.iter().enumerate().all(|(class, y_class)| class == label || *y_class < y[label])
        });
        100.0 * right.count() as f64 / TEST as f64
    }

    /// Writes the network as safetensors to `file`.
    pub fn save(&mut self) {
        self.file = self.trainer.model().to_bytes();
    }

    /// Reads `file`, or says what is wrong with it and leaves the network as it is.
    pub fn load(&mut self) -> bool {
        match Model::from_bytes(&self.file) {
            Ok(model) => {
                self.trainer = trainer(model);
                true
            }
            Err(error) => {
                self.message = error.to_string();
                false
            }
        }
    }
}

/// Adds an image to `to`, moved by from −1 to 1 pixels; what comes in from the edge is paper.
fn shifted(image: &[f32], right: usize, down: usize, to: &mut Vec<f32>) {
    let side = digits::SIDE;
    let from = |at: usize, by: usize| (at + 1).checked_sub(by).filter(|at| *at < side);
    let pixel = |y: usize, x: usize| match (from(y, down), from(x, right)) {
        (Some(y), Some(x)) => image[y * side + x],
        _ => 0.0,
    };
    to.extend((0..side * side).map(|at| pixel(at / side, at % side)));
}
