//! Two networks against each other, trained in one's own loop: a generator draws digits out of noise, and a
//! discriminator tells them from drawn ones (Goodfellow et al., "Generative Adversarial Nets", 2014). Writes
//! a sheet of what the generator draws.
//!
//! ```text
//! cargo run --release --example 22_gan
//! ```

use std::error::Error;

use nn_runtime::data::{Random, Values, digits};
use nn_runtime::prelude::*;
use nn_runtime::{Differentiator, plot};

const NOISE: usize = 32;
const BATCH: usize = 64;
const STEPS: usize = 8_000;

network! {
    /// From noise to a digit.
    pub struct Generator: [NOISE] -> [784] {
        Dense(128) -> LeakyRelu(slope = 0.2) -> Dense(256) -> LeakyRelu(slope = 0.2) -> Dense(784) -> Sigmoid
    }
}
network! {
    /// From a digit to a score: above 0 where it seems real.
    pub struct Discriminator: [784] -> [1] {
        Dropout(0.1) -> Dense(256) -> LeakyRelu(slope = 0.2) -> Dropout(0.4);
        Dense(128) -> LeakyRelu(slope = 0.2) -> Dropout(0.4) -> Dense(1)
    }
}

network! {
    /// Which digit it is.
    pub struct Reader: [784] -> [10] { Dense(64) -> Relu -> Dense(10) -> Softmax }
}

/// The mean cross-entropy of scores, which are to be above 0 where one is real, and its gradients.
fn judge(scores: &[f32], d_scores: &mut [f32], real: impl Fn(usize) -> bool) -> f64 {
    let n = scores.len() as f32;
    let mut loss = 0.0;
    for (i, (score, d_score)) in scores.iter().zip(d_scores).enumerate() {
        let sign = if real(i) { 1.0 } else { -1.0 };
        loss += f64::from((-sign * score).exp().ln_1p() / n);
        *d_score = -sign / (1.0 + (sign * score).exp()) / n;
    }
    loss
}

fn main() -> Result<(), Box<dyn Error>> {
    let drawn = digits::draw(4_000, 1);
    let pixels = &drawn.inputs()[0];
    let mut random = Random::keyed(0, &[]);

    let mut generator = Generator::init(0).into_trainer((), Adam::new(1e-3).betas(0.5, 0.999));
    let mut discriminator = Discriminator::init(1).into_trainer((), Adam::new(5e-4).betas(0.5, 0.999));
    let mut through = Differentiator::<Discriminator>::new(BATCH);
    let (mut noise, mut both) = (vec![0.0; BATCH * NOISE], vec![0.0; 2 * BATCH * 784]);
    for step in 1..=STEPS {
        // The discriminator sees as many real digits as made ones.
        noise.fill_with(|| random.bell());
        let (real, made) = both.split_at_mut(BATCH * 784);
        for real in real.chunks_mut(784) {
            real.copy_from_slice(pixels.sample(random.below(drawn.len())));
        }
        generator.predict_into(&[&noise], &mut [made])?;
        let told = discriminator.step_with(&[&both], |y, dy| judge(y[0], dy[0], |i| i < BATCH))?;

        // The generator learns what would have seemed real, through the discriminator.
        noise.fill_with(|| random.bell());
        let model = discriminator.model();
        let fooled = generator.step_with(&[&noise], |made, d_made| {
            let objective = |y: &[&[f32]], dy: &mut [&mut [f32]]| judge(y[0], dy[0], |_| true);
            through.input_gradient_with(model, made, objective, d_made).unwrap_or(f64::NAN)
        })?;
        if step % (STEPS / 10) == 0 {
            println!("step {step}: the discriminator's loss is {told:.3}, the generator's {fooled:.3}");
        }
    }

    // A network that reads drawn digits tells which the made ones are, and how sure it is.
    let mut reader = Reader::init(2).into_trainer(CrossEntropy::new(), Adam::new(1e-3));
    reader.fit(&drawn, Fit::epochs(8))?;
    let (mut made, mut read) = (vec![0.0; BATCH * 784], vec![0.0; BATCH * 10]);
    generator.predict_into(&[&noise], &mut [&mut made])?;
    reader.predict_into(&[&made], &mut [&mut read])?;
    let (mut counts, mut sure) = ([0; 10], 0.0);
    for read in read.chunks(10) {
        let best = (0..10).max_by(|a, b| read[*a].total_cmp(&read[*b])).unwrap_or(0);
        counts[best] += 1;
        sure += read[best] / BATCH as f32;
    }
    println!("of {BATCH} made digits there are {counts:?} of 0 to 9, read with a probability of {sure:.2}");
    plot::contact_sheet(&Values::new(made, 784)?, [1, 28, 28], &[""; 0])?.save("gan.svg")?;
    println!("wrote gan.svg");
    if sure < 0.75 || counts.iter().filter(|count| **count > 0).count() < 8 {
        return Err("expected digits of many kinds".into());
    }
    Ok(())
}
