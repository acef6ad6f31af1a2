//! What the benches share: data that is being learnt, streamed from a resident set, and what the machine
//! could do at best.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use nn_runtime::Isa;
use nn_runtime::data::{Dataset, Labels, Values, digits};
use nn_runtime::kernels::elementwise::Map;
use nn_runtime::kernels::math;
use nn_runtime::kernels::simd::{Kernel, Simd};

#[path = "peers/ours/src/networks.rs"]
pub mod networks;
pub mod small;

/// 8,192 drawn digits: a set that does not fit into the nearer caches.
pub fn resident() -> Dataset<Labels> {
    numbered(8_192)
}

/// So many drawn digits.
pub fn numbered(samples: usize) -> Dataset<Labels> {
    digits::draw(samples, 1)
}

/// 8,192 windows of a tone, and what a filter with a bend makes of it.
pub fn signal(steps: usize) -> Dataset<Values> {
    let len = 8_192 * steps;
    let x: Vec<f32> = (0..len).map(|i| (i as f32 * 0.37).sin() * (i as f32 * 0.011).cos()).collect();
    let mut state = 0.0f32;
    let mut filter = |x: &f32| {
        state += 0.3 * (x - state);
        (2.0 * state).tanh()
    };
    let y: Vec<f32> = x.iter().map(&mut filter).collect();
    Dataset::values((x, steps), (y, steps)).expect("whole windows")
}

/// 8,192 sequences `[steps, features]`, each of one of ten slow patterns.
pub fn patterns(steps: usize, features: usize) -> Dataset<Labels> {
    let labels: Vec<usize> = (0..8_192).map(|i| i * 7 % 10).collect();
    let x = labels.iter().enumerate().flat_map(|(i, label)| {
        let pitch = 0.1 + 0.13 * *label as f32;
        (0..steps * features).map(move |at| {
            let (step, feature) = (at / features, at % features);
            (pitch * (step + i % 5) as f32 + 0.3 * feature as f32).sin() + 0.3 * ((at * 31 + i * 17) % 97) as f32 / 97.0
        })
    });
    Dataset::classes((x.collect::<Vec<f32>>(), steps * features), labels).expect("whole sequences")
}

/// What one core of this machine does at best, measured now.
pub struct Machine {
    /// Multiply-adds a second.
    pub multiply_adds: f64,
}

/// Twelve chains of multiply-adds, enough to fill every unit.
struct Chains(usize);

impl Kernel for Chains {
    type Out = f32;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(0.001)));
        let mut chains = [s.splat(1.0); 12];
        for _ in 0..self.0 {
            for chain in &mut chains {
                *chain = s.fma(*chain, a, b);
            }
        }
        chains.into_iter().map(|chain| s.sum(chain)).sum()
    }
}

/// A curve as layers have them.
struct Tanh;

impl Map for Tanh {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        math::tanh(s, x)
    }
}

fn seconds(mut what: impl FnMut()) -> f64 {
    (0..7)
        .map(|_| {
            let begun = Instant::now();
            what();
            begun.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

impl Machine {
    pub fn measure() -> Machine {
        const ROUNDS: usize = 400_000;
        let time = seconds(|| {
            black_box(Isa::detect().run(Chains(ROUNDS)));
        });
        Machine { multiply_adds: (ROUNDS * 12 * 16) as f64 / time }
    }

    /// Numbers a second that a curve (tanh) is taken of, in the nearest cache.
    pub fn curves() -> f64 {
        const ROUNDS: usize = 1_000;
        let x: Vec<f32> = (0..4_096).map(|i| i as f32 / 512.0 - 4.0).collect();
        let mut y = vec![0.0; x.len()];
        let time = seconds(|| (0..ROUNDS).for_each(|_| Isa::detect().map(&Tanh, black_box(&x), &mut y)));
        (ROUNDS * x.len()) as f64 / time
    }

    /// Bytes a second that a pass over six arrays moves, three of them written too, if they hold `floats` in
    /// all: what an optimiser with two numbers of memory a parameter does.
    pub fn bandwidth(floats: usize) -> f64 {
        let isa = Isa::detect();
        let len = (floats / 3).max(64);
        let mut all = [vec![0.5f32; len], vec![0.25; len], vec![0.125; len]];
        let passes = (4_000_000 / len).max(1);
        let time = seconds(|| {
            for _ in 0..passes {
                for array in &mut all {
                    isa.scale(black_box(1.0), array);
                }
            }
        });
        (passes * len * 3 * 8) as f64 / time
    }
}
