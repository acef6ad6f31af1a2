//! Whether a graph computed what its declaration means. In: a case and the report of its compiled half; out:
//! nothing, or the first difference. Numbers are compared by distance, names and their order exactly.

use nn_tests::numbers::wide;

use crate::case::{Case, Loss, SAMPLES, sample};
use crate::compile::Report;
use crate::graph::{Tensor, ValueKind};
use crate::interpreter::{Interpreter, STEP, slope};
use crate::streams;

/// Shares of a norm: the project's for values, and for gradients what differences in double precision and
/// long ways in 32 bits leave.
const VALUES: f64 = 1e-5;
const GRADIENTS: f64 = 1e-4;
/// Below this, per number, everything is nothing: what cancels leaves as much.
const ABSOLUTE: f64 = 2e-6;

pub fn compare(case: &Case, report: &Report) -> Result<(), String> {
    if let Some(panic) = &report.panic {
        return Err(format!("it panicked: {panic}"));
    }
    names(case, report)?;
    let params = case.wide_params();
    let samples: Vec<Vec<Vec<f64>>> = (0..SAMPLES).map(|s| case.sample(s)).collect();
    let mut interpreter = Interpreter::new(&case.program);
    let y: Vec<Vec<Vec<f64>>> = samples.iter().map(|x| interpreter.outputs(&params, x)).collect();
    for batch in [1, SAMPLES] {
        for j in 0..case.dy.len() {
            let truth: Vec<f64> = y[..batch].iter().flat_map(|y| y[j].clone()).collect();
            near(report.get(&format!("y{batch}_{j}"))?, &truth, VALUES)
                .map_err(|off| format!("output {j} of {batch}: {off}"))?;
        }
    }

    streams::compare(case, report)?;
    for (k, _) in
        case.program.top().value_kinds.iter().enumerate().filter(|(_, value_kind)| **value_kind != ValueKind::Numbers)
    {
        if report.get(&format!("dx{SAMPLES}_{k}"))?.iter().any(|dx| *dx != 0.0) {
            return Err(format!("input {k} has no gradient and was given one"));
        }
    }

    let dy: Vec<Vec<Vec<f64>>> = (0..SAMPLES).map(|s| sample(&case.dy, s)).collect();
    for (k, x) in case.x.iter().enumerate() {
        let width = x.len() / SAMPLES;
        let mut truth = Vec::new();
        for (x, dy) in samples.iter().zip(&dy) {
            for i in 0..width {
                let moved = |by: f64| {
                    let mut x = x.clone();
                    x[k][i] += by;
                    dot(&interpreter.outputs(&params, &x), dy)
                };
                truth.push(slope(moved));
            }
        }
        for batch in [1, SAMPLES] {
            near(report.get(&format!("dx{batch}_{k}"))?, &truth[..batch * width], GRADIENTS)
                .map_err(|off| format!("gradient of input {k}, batch {batch}: {off}"))?;
        }
    }

    if !case.learns() {
        return unchanged(case, report);
    }
    let follows_batches = case.tensors.iter().any(|tensor| tensor.running);
    interpreter.train(&params, &samples);
    let running = interpreter.running.clone();
    for tensor in case.tensors.iter().filter(|tensor| tensor.running && !tensor.frozen) {
        let name = &tensor.name;
        near(report.get(&format!("stepped:{name}"))?, &running[name], VALUES)
            .map_err(|off| format!("running statistics `{name}`: {off}"))?;
    }
    for tensor in &case.tensors {
        let name = &tensor.name;
        let before = wide(&case.params[name]);
        let after = report.get(&format!("stepped:{name}"))?;
        if tensor.frozen {
            if after != case.params[name] {
                return Err(format!("`{name}` is frozen and was trained"));
            }
            continue;
        }
        if tensor.running {
            continue;
        }
        // Of the first sample, of all, of the loss, and of the first sample's.
        let mut slopes = [const { Vec::new() }; 4];
        for i in 0..before.len() {
            let mut found = [0.0; 4];
            for (way, by) in [(1.0, STEP), (-1.0, -STEP)] {
                let mut moved = params.clone();
                moved.moved = Some((name.clone(), i, by));
                let y: Vec<_> = samples.iter().map(|x| interpreter.outputs(&moved, x)).collect();
                for (s, y) in y.iter().enumerate() {
                    let weighed = way * dot(y, &dy[s]) / (2.0 * STEP);
                    found[0] += if s == 0 { weighed } else { 0.0 };
                    found[1] += weighed;
                }
                let y = if follows_batches { interpreter.train(&moved, &samples) } else { y };
                for (s, y) in y.iter().enumerate() {
                    let slope = way * loss(case, s, y) / (2.0 * STEP);
                    found[2] += slope / SAMPLES as f64;
                    found[3] += if s == 0 { slope } else { 0.0 };
                }
            }
            slopes.iter_mut().zip(found).for_each(|(slopes, found)| slopes.push(found));
        }
        for (batch, truth) in [(1, &slopes[0]), (SAMPLES, &slopes[1])] {
            near(report.get(&format!("dparam{batch}:{name}"))?, truth, GRADIENTS)
                .map_err(|off| format!("gradient of `{name}`, batch {batch}: {off}"))?;
        }
        // A step of rate 1 subtracts the gradient.
        let step = |after: &[f32]| -> Vec<f32> {
            before.iter().zip(after).map(|(before, &after)| (before - f64::from(after)) as f32).collect()
        };
        near(&step(after), &slopes[2], GRADIENTS)
            .map_err(|off| format!("training step of `{name}` ({:?}): {off}", case.losses))?;
        // Statistics of a batch are not those of its first sample.
        if !follows_batches {
            near(&step(report.get(&format!("alone:{name}"))?), &slopes[3], GRADIENTS)
                .map_err(|off| format!("training step of one sample of `{name}` ({:?}): {off}", case.losses))?;
        }
    }
    Ok(())
}

/// What a refused step leaves: every tensor as it was.
fn unchanged(case: &Case, report: &Report) -> Result<(), String> {
    for Tensor { name, .. } in &case.tensors {
        if report.get(&format!("stepped:{name}"))? != case.params[name] {
            return Err(format!("a refused step changed `{name}`"));
        }
    }
    Ok(())
}

/// Parameters and gradients have the names of the declaration, in its order.
fn names(case: &Case, report: &Report) -> Result<(), String> {
    let tensor = |name: &str, frozen: bool| format!("tensor:{name}:{}", if frozen { "frozen" } else { "free" });
    let expected: Vec<String> = case.tensors.iter().map(|t| tensor(&t.name, t.frozen)).collect();
    let found: Vec<String> = report.keys("tensor:");
    if expected != found {
        return Err(format!("parameters: expected {expected:?}, found {found:?}"));
    }
    for t in &case.tensors {
        let shape: Vec<f32> = t.shape.iter().map(|&n| n as f32).collect();
        if report.get(&tensor(&t.name, t.frozen))? != shape {
            return Err(format!("`{}`: another shape than {:?}", t.name, t.shape));
        }
    }
    for batch in [1, SAMPLES] {
        let free = case.tensors.iter().filter(|t| !t.frozen && !t.running);
        let expected: Vec<String> = free.map(|t| format!("dparam{batch}:{}", t.name)).collect();
        let found = report.keys(&format!("dparam{batch}:"));
        if expected != found {
            return Err(format!("gradients: expected {expected:?}, found {found:?}"));
        }
    }
    Ok(())
}

fn dot(y: &[Vec<f64>], dy: &[Vec<f64>]) -> f64 {
    y.iter().zip(dy).flat_map(|(y, dy)| y.iter().zip(dy)).map(|(y, dy)| y * dy).sum()
}

/// The losses of all outputs for sample `s`, added.
fn loss(case: &Case, s: usize, y: &[Vec<f64>]) -> f64 {
    let mut sum = 0.0;
    for ((loss, y), target) in case.losses.iter().zip(y).zip(&case.targets) {
        let each = target.len() / SAMPLES;
        let t = wide(&target[s * each..][..each]);
        let class = t[0] as usize;
        let mean =
            |of: &dyn Fn(f64, f64) -> f64| y.iter().zip(&t).map(|(&y, &t)| of(y, t)).sum::<f64>() / y.len() as f64;
        sum += match loss {
            Loss::Squares => mean(&|y, t| (y - t) * (y - t)),
            Loss::Sigmoid => mean(&|y, t| -t * y.ln() - (1.0 - t) * (1.0 - y).ln()),
            Loss::Scores => y.iter().map(|y| y.exp()).sum::<f64>().ln() - y[class],
            Loss::Softmax => -y[class].ln(),
            Loss::LogSoftmax => -y[class],
        };
    }
    sum
}

pub fn near(found: &[f32], truth: &[f64], share: f64) -> Result<(), String> {
    if found.len() != truth.len() {
        return Err(format!("expected {} numbers, found {}", truth.len(), found.len()));
    }
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let distance = norm(&mut found.iter().zip(truth).map(|(&a, b)| f64::from(a) - b));
    let size = norm(&mut truth.iter().copied());
    // Not `distance > …`: NaN is not near.
    if distance <= share * size + ABSOLUTE * (truth.len() as f64).sqrt() {
        return Ok(());
    }
    Err(format!("{distance:.1e} off: expected {truth:?}, found {found:?}"))
}
