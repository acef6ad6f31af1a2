//! A model of characters: a recurrent network learns a short text, letter by letter, and writes some of its
//! own. The number of letters is counted by rustc: change the text, and the network fits it.
//!
//! ```text
//! cargo run --release --example 10_char_model
//! ```

use nn_runtime::prelude::*;
use rand::SeedableRng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_pcg::Pcg64Mcg;

const TEXT: &[u8] = include_bytes!("data/harbour.txt");
const LETTERS: usize = alphabet().1;
const STEPS: usize = 48;

network! {
    /// The scores of the letter that comes next, at every step.
    pub struct Writer: [STEPS] -> [STEPS, LETTERS] {
        Embedding(LETTERS, 24) -> Gru(96) -> DensePerStep(LETTERS)
    }
}

/// The id of every byte that is in the text, and how many there are.
const fn alphabet() -> ([usize; 256], usize) {
    let mut ids = [usize::MAX; 256];
    let mut count = 0;
    let mut i = 0;
    while i < TEXT.len() {
        if ids[TEXT[i] as usize] == usize::MAX {
            ids[TEXT[i] as usize] = count;
            count += 1;
        }
        i += 1;
    }
    (ids, count)
}

/// Windows of the text that begin every few letters, and of each letter the one that follows it.
fn windows(ids: &[usize]) -> Result<Dataset<Labels>, Box<dyn std::error::Error>> {
    let starts = || (0..ids.len() - STEPS).step_by(5);
    let letters: Vec<f32> = starts().flat_map(|s| &ids[s..s + STEPS]).map(|id| *id as f32).collect();
    let next = starts().flat_map(|s| &ids[s + 1..=s + STEPS]).copied();
    Ok(Dataset::new((letters, STEPS), Labels::per_step(next, STEPS)?)?)
}

/// The loss, in nats, of a guess by the letters' frequencies alone.
fn unigram_entropy(ids: &[usize]) -> f64 {
    let mut counts = [0.0; LETTERS];
    ids.iter().for_each(|id| counts[*id] += 1.0 / ids.len() as f64);
    -counts.iter().filter(|share| **share > 0.0).map(|share| share * share.ln()).sum::<f64>()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ids: Vec<usize> = TEXT.iter().map(|letter| alphabet().0[*letter as usize]).collect();
    let (known, unknown) = ids.split_at(ids.len() * 9 / 10);
    let (train, test) = (windows(known)?, windows(unknown)?);
    println!("{} letters, {LETTERS} different ones, {} parameters", ids.len(), Writer::param_count());

    let mut model = Writer::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(4e-3)).clip(Clip::GlobalNorm(1.0));
    trainer.fit(&train, Fit::epochs(20).batch(32).progress(true))?;
    println!("loss by the letters' frequencies alone: {:.3}", unigram_entropy(&ids));
    println!("on what it has read:                    {:.3}", trainer.evaluate(&train)?.loss);
    println!("on what it has not read:                {:.3}", trainer.evaluate(&test)?.loss);

    // It writes: each letter goes in as the next step of a stream, as long as one likes.
    let mut letters = [0; LETTERS];
    (0..=255u8).filter(|letter| alphabet().0[*letter as usize] < LETTERS).for_each(|letter| {
        letters[alphabet().0[letter as usize]] = letter;
    });
    let mut writer = model.streamer()?;
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut text = String::from("The ");
    let mut scores = [0.0; LETTERS];
    for letter in text.bytes() {
        scores = *writer.step(&[alphabet().0[letter as usize] as f32])?;
    }
    while text.len() < 600 {
        // Below 1, the temperature favours what is likely.
        let weights = scores.map(|score| (score / 0.5).exp());
        let id = WeightedIndex::new(weights)?.sample(&mut rng);
        text.push(letters[id] as char);
        scores = *writer.step(&[id as f32])?;
    }
    println!("\n{text}");
    Ok(())
}
