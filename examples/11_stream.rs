//! A recurrent network learns what an amplifier does to a signal, on short windows, and is then run sample by
//! sample, as it would be in a sound card's callback. Writes a picture of the amplifier's output and its own.
//!
//! ```text
//! cargo run --release --example 11_stream
//! ```

use std::time::Instant;

use nn_runtime::prelude::*;
use plotters::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const STEPS: usize = 64;
/// Steps at the beginning of a window that are not judged: the amplifier has a past there that the network
/// cannot know.
const UNJUDGED: usize = 16;

network! {
    /// One sample in, one sample out.
    pub struct Amplifier: [STEPS, 1] -> [STEPS, 1] {
        Lstm(16) -> DensePerStep(1)
    }
}

/// The amplifier: a resonant filter that is driven until it bends,
/// `v += f · (tanh(gain · x) - u - damping · v)`, `u += f · v`.
fn amplify(input: &[f32]) -> Vec<f32> {
    let (mut u, mut v) = (0.0f32, 0.0f32);
    let mut step = |x: &f32| {
        v += 0.45 * ((2.5 * x).tanh() - u - 0.6 * v);
        u += 0.45 * v;
        (1.4 * u).tanh()
    };
    input.iter().map(&mut step).collect()
}

/// A signal of some tones that come and go, and a little noise.
fn signal(samples: usize, seed: u64) -> Vec<f32> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut signal = vec![0.0; samples];
    for _ in 0..samples / 40 {
        let (from, len) = (rng.random_range(0..samples), rng.random_range(50..400));
        let (pitch, loudness) = (rng.random_range(0.02f32..0.9), rng.random_range(0.05f32..0.6));
        for (i, sample) in signal[from..].iter_mut().take(len).enumerate() {
            let fade = (std::f32::consts::PI * i as f32 / len as f32).sin();
            *sample += loudness * fade * (pitch * i as f32).sin();
        }
    }
    signal.iter_mut().for_each(|sample| *sample += rng.random_range(-0.02..0.02));
    signal
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = signal(64 * 2_000, 1);
    let output = amplify(&input);
    let judged: Vec<f32> = (0..STEPS).map(|s| if s < UNJUDGED { 0.0 } else { 1.0 }).collect();
    let train = Dataset::values((&input[..], STEPS), (&output[..], STEPS))?
        .with_weights((judged.repeat(input.len() / STEPS), STEPS))?;

    let mut model = Amplifier::init(0);
    let epochs = 100;
    let steps = (epochs * train.len().div_ceil(32)) as u64;
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).schedule(Cosine::new(steps));
    let history = trainer.fit(&train, Fit::epochs(epochs))?;
    if let Some(last) = history.last() {
        println!("{last}");
    }

    // A signal it has never heard, one sample after the other; no step allocates memory.
    let input = signal(20_000, 2);
    let expected = amplify(&input);
    let mut stream = model.streamer()?;
    let begun = Instant::now();
    let heard: Vec<f32> = input.iter().map(|x| stream.step(&[*x]).map(|y| y[0])).collect::<Result<_, _>>()?;
    let each = begun.elapsed() / input.len() as u32;
    let power = |signal: &mut dyn Iterator<Item = f32>| signal.map(|y| f64::from(y * y)).sum::<f64>();
    let error = power(&mut heard.iter().zip(&expected).map(|(y, t)| y - t)) / power(&mut expected.iter().copied());
    println!("sample by sample: error-to-signal ratio {error:.5} ({:.1} dB), {each:?} a sample", 10.0 * error.log10());

    let file = "stream.svg";
    let picture = SVGBackend::new(file, (1000, 320)).into_drawing_area();
    picture.fill(&WHITE)?;
    let shown = 3_000..3_300;
    let range = shown.start as f32..shown.end as f32;
    let mut chart = ChartBuilder::on(&picture).margin(10).build_cartesian_2d(range, -1.1f32..1.1)?;
    let curve = |values: &[f32]| shown.clone().map(|i| (i as f32, values[i])).collect::<Vec<_>>();
    chart.draw_series(LineSeries::new(curve(&input), BLACK.mix(0.2)))?;
    chart.draw_series(LineSeries::new(curve(&expected), BLUE.stroke_width(3)))?;
    chart.draw_series(LineSeries::new(curve(&heard), RED))?;
    picture.present()?;
    println!("wrote {file}: the input in grey, the amplifier in blue, the network in red");
    Ok(())
}
