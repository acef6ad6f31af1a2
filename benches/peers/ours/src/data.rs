//! The data that all peers learn from, written once. In: nothing; out: 8,192 samples of most kinds, the same
//! on every run. Never: zeros or noise alone: a network that learns nothing has dead units, and dead units
//! flatter sparse code.

use std::f32::consts::TAU;
use std::path::Path;

use nn_runtime::data::digits;
use peer::Data;

const SAMPLES: usize = 8_192;

/// Writes all files into `dir`.
pub fn write(dir: &Path) -> std::io::Result<()> {
    let digits = digits::draw(SAMPLES, 1);
    let labels: Vec<[u8; 4]> = digits.targets().as_slice().iter().map(|label| label.to_le_bytes()).collect();
    Data::write(dir, "digits", digits.inputs()[0].as_slice(), &labels)?;
    line(dir)?;
    series(dir)?;
    tokens(dir)?;
    points(dir, "tiny", 4, 2, SAMPLES)?;
    points(dir, "policy", 48, 12, SAMPLES)?;
    points(dir, "sc24", 24, 2, 200)?;
    points(dir, "sc4", 4, 4, 10_000)
}

/// Points between -1 and 1, and a smooth function of them.
fn points(dir: &Path, name: &str, inputs: usize, outputs: usize, samples: usize) -> std::io::Result<()> {
    let mut random = SplitMix(3);
    let x: Vec<f32> = (0..samples * inputs).map(|_| 2.0 * random.unit() - 1.0).collect();
    let targets = |x: &[f32]| -> Vec<[u8; 4]> {
        (0..outputs).map(|j| (x[j] + 2.0 * x[(j + 1) % inputs]).sin().to_le_bytes()).collect()
    };
    let y: Vec<[u8; 4]> = x.chunks(inputs).flat_map(targets).collect();
    Data::write(dir, name, &x, &y)
}

/// Four points of a plane.
fn line(dir: &Path) -> std::io::Result<()> {
    let x = [0.0f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y: Vec<[u8; 4]> = x.chunks(2).map(|x| (2.0 * x[0] - 3.0 * x[1] + 0.5).to_le_bytes()).collect();
    Data::write(dir, "line", &x, &y)
}

/// Two sines with noise, 64 steps; the target is the next value of each step.
fn series(dir: &Path) -> std::io::Result<()> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut random = SplitMix(1);
    for _ in 0..SAMPLES {
        let waves = [(); 2].map(|()| (0.02 + 0.1 * random.unit(), random.unit()));
        let values: Vec<f32> = (0..65)
            .map(|t| {
                let clean: f32 = waves.iter().map(|(rate, phase)| 0.5 * (TAU * (rate * t as f32 + phase)).sin()).sum();
                clean + 0.05 * (random.unit() - 0.5)
            })
            .collect();
        x.extend(&values[..64]);
        y.extend(values[1..].iter().map(|value| value.to_le_bytes()));
    }
    Data::write(dir, "series", &x, &y)
}

/// 32 steps of 64 features: noise, and in eight of the steps the pattern of the sample's class.
fn tokens(dir: &Path) -> std::io::Result<()> {
    const STEPS: usize = 32;
    const FEATURES: usize = 64;
    let mut random = SplitMix(2);
    let patterns: Vec<f32> = (0..10 * FEATURES).map(|_| 2.0 * random.unit() - 1.0).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let class = sample % 10;
        let from = x.len();
        x.extend((0..STEPS * FEATURES).map(|_| 2.0 * random.unit() - 1.0));
        for _ in 0..8 {
            let step = (random.unit() * STEPS as f32) as usize;
            let at = from + step * FEATURES;
            for (to, pattern) in x[at..at + FEATURES].iter_mut().zip(&patterns[class * FEATURES..]) {
                *to = 0.5 * *to + pattern;
            }
        }
        y.push((class as u32).to_le_bytes());
    }
    Data::write(dir, "tokens", &x, &y)
}

/// SplitMix64 (Steele, Lea, Flood 2014): the data is the same on every run.
struct SplitMix(u64);

impl SplitMix {
    /// Uniform over `[0, 1)`.
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}
