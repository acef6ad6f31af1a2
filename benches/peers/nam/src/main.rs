//! Runs every model of a folder (`models.py`) in blocks, as an audio host does. In: the folder, and a block's
//! samples; perhaps a model's name and how often, for a profiler. Out: for each model the largest difference
//! to the reference, where full scale is 1, and nanoseconds a sample.
#![allow(missing_docs)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

/// Runs a block: what comes in, what goes out.
type Run = Box<dyn FnMut(&[f32], &mut [f32])>;

/// Half a second, as the reference has it.
const SILENCE: usize = 24_000;

#[cfg(feature = "ours")]
mod ours {
    use super::Run;
    use nn_runtime::prelude::*;
    use std::path::Path;

    macro_rules! models {
        ($($name:ident $network:ident)*) => {
            $(mod $name { include!(concat!(env!("NAM_MODELS"), "/", stringify!($name), ".declaration")); })*

            pub fn open(folder: &Path, name: &str) -> Run {
                match name {
                    $(stringify!($name) => run(Model::<$name::$network>::load(folder.join(concat!(stringify!($name), ".safetensors"))).expect("its weights")),)*
                    other => panic!("expected a model that is declared here, found `{other}`"),
                }
            }
        };
    }
    models! { standard Standard lite Lite feather Feather nano Nano a2 A2 lstm16 Lstm16 lstm8x2 Lstm8x2 }

    fn run<N: Network>(model: Model<N>) -> Run {
        let mut stream = model.into_streamer().expect("it streams");
        Box::new(move |x, y| stream.block(&[x], &mut [y]).expect("finite samples"))
    }
}
#[cfg(feature = "ours")]
use ours::open;

#[cfg(feature = "nam-rs")]
fn open(folder: &Path, name: &str) -> Run {
    use nam_rs::{Model, NamModel};
    let file = NamModel::from_file(folder.join(format!("{name}.nam"))).expect("a model");
    let mut model = Model::from_nam(&file).expect("a model that it runs");
    Box::new(move |x, y| {
        y.copy_from_slice(x);
        model.process_buffer(y);
    })
}

#[cfg(feature = "neural-amp-modeler-rs")]
fn open(folder: &Path, name: &str) -> Run {
    use neural_amp_modeler_rs::common::diagnostics::SystemSnapshot;
    use neural_amp_modeler_rs::loader::{LoadOptions, load_and_build_model};
    use neural_amp_modeler_rs::models::NamModel;
    let path = folder.join(format!("{name}.nam"));
    let loaded = load_and_build_model(&path, &SystemSnapshot::capture(), false, LoadOptions::default());
    let mut model = loaded.expect("a model that it runs").model_l.expect("its left side");
    Box::new(move |x, y| {
        model.process(x, y);
    })
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (folder, block) = (args.next().expect("a folder"), args.next().expect("samples of a block"));
    let (folder, block): (&Path, usize) = (Path::new(&folder), block.parse().expect("a number"));
    let only = args.next();
    let rounds: usize = args.next().map_or(0, |rounds| rounds.parse().expect("a number"));
    for name in ["standard", "lite", "feather", "nano", "a2", "lstm16", "lstm8x2"] {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let text = fs::read_to_string(folder.join(format!("{name}.txt"))).expect("what the reference gives");
        let numbers = |key: &str| -> Vec<f32> {
            let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("a line of numbers");
            line.split(' ').map(|number| number.parse().expect("a number")).collect()
        };
        let (x, truth) = (numbers("x "), numbers("y "));
        let mut run = open(folder, name);
        let mut y = vec![0.0; SILENCE.max(x.len())];
        let mut all = |x: &[f32], y: &mut [f32]| x.chunks(block).zip(y.chunks_mut(block)).for_each(|(x, y)| run(x, y));
        if rounds > 0 {
            (0..rounds).for_each(|_| all(black_box(&x), &mut y));
            continue;
        }
        all(&[0.0; SILENCE], &mut y);
        all(&x, &mut y);
        let far = y.iter().zip(&truth).fold(0f32, |most, (y, truth)| most.max((y - truth).abs()));
        let mut least = f64::INFINITY;
        for _ in 0..40 {
            let start = Instant::now();
            all(black_box(&x), &mut y);
            black_box(&mut y);
            least = least.min(start.elapsed().as_secs_f64() * 1e9 / x.len() as f64);
        }
        println!("{name} {far:e} {least:.1}");
    }
}
