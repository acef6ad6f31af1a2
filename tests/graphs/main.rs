//! Random graphs: hundreds of drawn declarations compiled by the real macro, their outputs, gradients and
//! training steps against an independent interpreter in double precision, their streams against their
//! windows. In: seeds; out: nothing, or every graph that is wrong with its declaration. Slow.

mod case;
mod codegen;
mod compare;
mod compile;
mod draw;
mod formulas;
mod graph;
mod interpreter;
mod kinds;
mod random_formulas;
mod rng;
mod streams;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use case::Case;
use graph::{Kind, Net, Program, Site, ValueKind};

/// How many graphs, and how many programs they are compiled into.
const GRAPHS: usize = 520;
const PROGRAMS: usize = 13;

fn cases() -> Vec<Case> {
    (0..).filter_map(Case::new).take(GRAPHS).collect()
}

/// What `of` finds in the cases, each looked at once by whichever core is free.
fn on_all_cores(cases: &[Case], of: impl Fn(&Case) -> Option<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(text) = of(case) {
                        found.lock().expect("no other thread has panicked").push(text);
                    }
                }
            });
        }
    });
    found.into_inner().expect("no thread has panicked")
}

#[test]
#[ignore = "compiles hundreds of declarations, which takes minutes"]
fn every_graph_means_what_it_says() {
    let cases = cases();
    let report = compile::run(&cases, PROGRAMS, None);
    let wrong = on_all_cores(&cases, |case| {
        let fault = compare::compare(case, &report[&case.seed.to_string()]).err()?;
        Some(format!("seed {}: {fault}\n{}", case.seed, case.source))
    });
    let refused = report.values().filter(|report| report.refused.is_some()).count();
    let streamed = GRAPHS - refused;
    println!("{streamed} of {GRAPHS} graphs were run as streams");
    assert!(streamed >= 30 && refused >= 30, "{streamed} graphs were run as streams, {refused} refused");
    assert!(wrong.is_empty(), "{} of {GRAPHS} graphs are wrong\n\n{}", wrong.len(), wrong.join("\n"));
}

/// How many graphs are written as ONNX files.
const EXPORTED: usize = 60;

/// Writes files for `tests/onnx/check.py`, which runs them in ONNX Runtime, where `EXPORT` asks for them.
#[test]
#[ignore = "compiles declarations, which takes minutes"]
fn graphs_are_written_as_onnx() {
    if std::env::var_os("EXPORT").is_none() {
        return println!("skipped: set EXPORT=1 to write the files");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    std::fs::create_dir_all(&folder).unwrap();
    let cases: Vec<Case> = (1000..).filter_map(Case::new).take(EXPORTED).collect();
    let report = compile::run(&cases, 2, Some(&folder));
    for case in &cases {
        assert_eq!(report[&case.seed.to_string()].panic, None, "seed {}\n{}", case.seed, case.source);
    }
}

/// What is drawn holds everything that the language has, and often enough that a fault anywhere is met.
#[test]
fn the_graphs_hold_everything() {
    let all: Vec<(Program, String)> = (0..GRAPHS as u64).map(case::declare).collect();
    let count = |holds: &dyn Fn(&Program) -> bool| all.iter().filter(|(program, _)| holds(program)).count();
    let says = |word: &str| all.iter().filter(|(_, source)| source.contains(word)).count();
    let words = [
        "frozen ",
        "share(",
        " * ",
        "Sum",
        "Product",
        "Concat",
        "Split(",
        "Reshape(",
        "Flatten",
        "DensePerStep(",
        "bias = false",
        "axis = ",
        "Softmax",
        "LogSoftmax",
        "Relu",
        "Tanh",
        "Gelu",
        "Softplus",
        "-> [",
        "Rnn(",
        "Gru(",
        "Lstm(",
        "direction = Backward",
        "direction = Both",
        "last = true",
        "initial = false",
        "MultiHeadAttention(",
        "causal = true",
        "padding = Causal",
        "PositionalEncoding",
        "learnt = true",
        "LayerNorm",
        "LastStep",
        "GlobalAvgPool",
        "Embedding(",
        "Conv2d(",
        "groups = ",
        "padding = Same",
        "padding = Pad(",
        "DepthwiseConv2d(",
        "ConvTranspose2d(",
        "MaxPool2d(",
        "AvgPool2d(",
        "Pool1d(",
        "BatchNorm(",
        "GroupNorm(",
        "InstanceNorm(",
        "RmsNorm",
        "GlobalMaxPool",
        "ZeroPad2d(",
        "Crop2d(",
        "Upsample(",
        "mode = Bilinear",
        "Permute(",
        "Prelu",
        "per_channel = true",
        "Glu",
        "Mish",
        "Plain",
        "WellTuned",
        "WellTuned(beta = ",
        "Bent",
    ];
    for (layer, why) in kinds::NOT_DRAWN {
        assert_eq!(count(&|program| program.holds(layer)), 0, "{layer} is drawn: it is not that {why}");
    }
    let words = words.map(|word| (word, says(word)));
    let top = |holds: &dyn Fn(&Net) -> bool| count(&|program| holds(program.top()));
    let any =
        |holds: &dyn Fn(&Site) -> bool| count(&|program| program.nets.iter().flat_map(|net| &net.sites).any(holds));
    let masked = |site: &Site, net: &Net| site.x.iter().any(|&x| net.value_kinds.get(x) == Some(&ValueKind::Mask));
    let sequences = |holds: &dyn Fn(&Site, &Net) -> bool| {
        count(&|program| program.nets.iter().any(|net| net.sites.iter().any(|site| holds(site, net))))
    };
    let follows = |words: &[&str]| {
        let holds = |net: &Net| {
            let chain = |sites: &[Site]| {
                let ends = sites.iter().zip(words).all(|(site, word)| site.kind.is(word));
                ends && sites.windows(2).all(|pair| pair[1].x == [pair[0].y] && net.readers(pair[0].y) == 1)
            };
            net.sites.windows(words.len()).any(chain)
        };
        count(&|program| program.nets.iter().any(holds))
    };
    let found = [
        ("a recurrence with a mask", sequences(&|s, net| matches!(s.kind, Kind::Recurrent(_)) && masked(s, net))),
        ("a repeated recurrence", any(&|site| matches!(site.kind, Kind::Recurrent(_)) && site.repeats() > 1)),
        ("attention with a mask", sequences(&|s, net| matches!(s.kind, Kind::Attention { .. }) && masked(s, net))),
        (
            "attention to a memory",
            sequences(&|s, net| {
                matches!(s.kind, Kind::Attention { .. }) && s.x.len() == 2 + usize::from(masked(s, net))
            }),
        ),
        ("a convolution, a rectifier and a pool", follows(&["Conv2d", "Relu", "MaxPool2d"])),
        ("a convolution and a pool", follows(&["Conv2d", "MaxPool2d"])),
        ("shared statistics", any(&|site| site.shares.is_some() && site.kind.is("BatchNorm"))),
        ("several inputs", top(&|net| net.inputs.len() > 1)),
        ("several outputs", top(&|net| net.outputs.len() > 1)),
        ("an output that is read too", top(&|net| net.outputs.iter().any(|(_, value)| net.readers(*value) > 0))),
        ("a network as a layer", any(&|site| matches!(site.kind, Kind::Net(_)))),
        ("a network repeated", any(&|site| matches!(site.kind, Kind::Net(_)) && site.repeats() > 1)),
        ("a frozen network", any(&|site| matches!(site.kind, Kind::Net(_)) && site.frozen)),
        ("a shared network", any(&|site| matches!(site.kind, Kind::Net(_)) && site.shares.is_some())),
        ("a fork", top(&|net| (0..net.shapes.len()).any(|value| net.readers(value) > 1))),
        ("an input that is read twice", top(&|net| (0..net.inputs.len()).any(|value| net.readers(value) > 1))),
    ];
    let rare: Vec<_> = words.into_iter().chain(found).filter(|(_, found)| *found < 12).collect();
    assert!(rare.is_empty(), "in so few declarations of {GRAPHS}: {rare:?}");
}
