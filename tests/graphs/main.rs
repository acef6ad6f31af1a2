//! Random graphs: hundreds of drawn declarations compiled by the real macro, their outputs, gradients and training steps against an
//! independent interpreter in double precision. In: seeds; out: nothing, or every graph that is wrong with its declaration. Slow.

mod dice;
mod draw;
mod formulas;
mod graph;
mod judge;
mod meaning;
mod task;
mod workshop;
mod write;

use graph::{Kind, Net, Site};
use task::Task;

/// How many graphs, and how many programs they are compiled into.
const GRAPHS: usize = 240;
const PROGRAMS: usize = 8;

fn tasks() -> Vec<Task> {
    (0..).filter_map(Task::new).take(GRAPHS).collect()
}

#[test]
#[ignore = "compiles hundreds of declarations, which takes minutes"]
fn every_graph_means_what_it_says() {
    let tasks = tasks();
    let said = workshop::run(&tasks, PROGRAMS);
    let mut wrong = Vec::new();
    for task in &tasks {
        if let Err(fault) = judge::judge(task, &said[&task.seed.to_string()]) {
            wrong.push(format!("seed {}: {fault}\n{}", task.seed, task.source));
        }
    }
    assert!(wrong.is_empty(), "{} of {GRAPHS} graphs are wrong\n\n{}", wrong.len(), wrong.join("\n"));
}

/// What is drawn holds everything that the language has, and often enough that a fault anywhere is met.
#[test]
fn the_graphs_hold_everything() {
    let tasks = tasks();
    let count = |holds: &dyn Fn(&Task) -> bool| tasks.iter().filter(|task| holds(task)).count();
    let says = |word: &str| count(&|task| task.source.contains(word));
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
    ];
    for word in words {
        assert!(says(word) >= 15, "`{word}` is in {} declarations of {GRAPHS}", says(word));
    }
    let top = |holds: &dyn Fn(&Net) -> bool| count(&|task| holds(task.world.top()));
    let any =
        |holds: &dyn Fn(&Site) -> bool| count(&|task| task.world.nets.iter().flat_map(|net| &net.sites).any(holds));
    let found = [
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
    for (what, found) in found {
        assert!(found >= 15, "{what}: in {found} declarations of {GRAPHS}");
    }
}
