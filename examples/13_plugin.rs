//! An amplifier as an audio plug-in: a struct that owns its model and its streams, and a callback that takes
//! stereo blocks of any length at 48 kHz, never allocates, and cannot fail. The network learns the amplifier
//! first; then a host's audio thread, played here by another thread, calls it.
//!
//! ```text
//! cargo run --release --example 13_plugin
//! ```

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nn_runtime::prelude::*;
use nn_runtime::{StreamError, Streamer};

const RATE: usize = 48_000;
const STEPS: usize = 64;
/// Steps at the beginning of a window that are not judged: there the amplifier has a past that the network
/// cannot know.
const UNJUDGED: usize = 16;

network! {
    /// One sample in, one sample out.
    pub struct Amplifier: [STEPS, 1] -> [STEPS, 1] { Lstm(16) -> DensePerStep(1) }
}

/// What a host holds. Left and right are streams of one model: each carries a state of its own.
struct Plugin {
    channels: [Streamer<Arc<Model<Amplifier>>>; 2],
}

impl Plugin {
    /// Everything that allocates: parameters are laid out here for all steps to come.
    fn new(model: Model<Amplifier>) -> Result<Plugin, StreamError> {
        let model = Arc::new(model);
        Ok(Plugin { channels: [Streamer::new(model.clone())?, Streamer::new(model)?] })
    }

    /// The callback: a block of each channel, in place. What a host should never send, but some do, is not
    /// handed on: where a block has numbers that are none, it goes sample by sample, and these are held.
    fn process(&mut self, block: [&mut [f32]; 2]) {
        let mut input = [0.0; 512];
        for (stream, channel) in self.channels.iter_mut().zip(block) {
            for part in channel.chunks_mut(input.len()) {
                let input = &mut input[..part.len()];
                input.copy_from_slice(part);
                if input.iter().all(|x| x.is_finite()) && stream.block(&[&*input], &mut [&mut *part]).is_ok() {
                    continue;
                }
                for (y, x) in part.iter_mut().zip(&*input) {
                    *y = stream.step_or_hold(&[*x])[0];
                }
            }
        }
    }

    /// The host has stopped and will begin anew.
    fn reset(&mut self) {
        self.channels.iter_mut().for_each(Streamer::reset);
    }
}

/// What is learnt: a filter that is driven until it bends.
fn amplify(input: &[f32]) -> Vec<f32> {
    let mut state = 0.0f32;
    let mut step = |x: &f32| {
        state += 0.35 * ((3.0 * x).tanh() - state);
        (1.5 * state).tanh()
    };
    input.iter().map(&mut step).collect()
}

/// Some tones that beat against each other.
fn signal(samples: usize, pitch: f32) -> Vec<f32> {
    let tone = |i: usize, pitch: f32| (std::f32::consts::TAU * pitch * i as f32 / RATE as f32).sin();
    (0..samples).map(|i| 0.5 * tone(i, pitch) * tone(i, 3.1) + 0.3 * tone(i, 5.03 * pitch)).collect()
}

fn learn() -> Result<Model<Amplifier>, Box<dyn std::error::Error>> {
    let input: Vec<f32> = [110.0, 233.0, 415.0, 880.0].iter().flat_map(|pitch| signal(64 * 200, *pitch)).collect();
    let output = amplify(&input);
    let judged: Vec<f32> = (0..STEPS).map(|s| if s < UNJUDGED { 0.0 } else { 1.0 }).collect();
    let data = Dataset::values((&input[..], STEPS), (&output[..], STEPS))?
        .with_weights((judged.repeat(input.len() / STEPS), STEPS))?;
    let mut trainer = Amplifier::init(0).into_trainer(Mse::new(), Adam::new(1e-2)).schedule(Cosine::new(40 * 25));
    if let Some(last) = trainer.fit(&data, Fit::epochs(40))?.last() {
        println!("{last}");
    }
    Ok(trainer.into_model())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut plugin = Plugin::new(learn()?)?;
    let input = [signal(RATE, 196.0), signal(RATE, 247.0)];

    // The host moves the plug-in to its audio thread, and calls it with blocks as they come.
    let audio = thread::spawn(move || {
        plugin.reset();
        let mut heard = input.clone();
        let [left, right] = &mut heard;
        let (mut at, mut busiest, mut busy) = (0, 0.0f64, Duration::ZERO);
        for len in [64, 128, 37, 480, 256, 1].iter().cycle() {
            let to = (at + len).min(RATE);
            let begun = Instant::now();
            plugin.process([&mut left[at..to], &mut right[at..to]]);
            let spent = begun.elapsed();
            busy += spent;
            busiest = busiest.max(spent.as_secs_f64() * RATE as f64 / (to - at) as f64);
            at = to;
            if at == RATE {
                break;
            }
        }
        (input, heard, busy, busiest)
    });
    let (input, heard, busy, busiest) = audio.join().map_err(|_| "the audio thread has panicked")?;
    for (name, (input, heard)) in ["left", "right"].iter().zip(input.iter().zip(&heard)) {
        let expected = amplify(input);
        let power = |signal: &mut dyn Iterator<Item = f32>| signal.map(|y| f64::from(y * y)).sum::<f64>();
        let error = power(&mut heard.iter().zip(&expected).map(|(y, t)| y - t)) / power(&mut expected.iter().copied());
        println!("{name}: {:.1} dB of error", 10.0 * error.log10());
    }
    let each = busy / (2 * RATE) as u32;
    println!(
        "{each:?} a sample; {:.2} % of a core for stereo in real time, {:.2} % in the busiest block",
        100.0 * busy.as_secs_f64(),
        100.0 * busiest
    );
    Ok(())
}
