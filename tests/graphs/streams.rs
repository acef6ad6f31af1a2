//! Streams against windows: what a graph gave step by step beside what it gave of whole windows. In: a case
//! and its report; out: nothing, or the first difference. Where a stream is refused, the layer that is named
//! must be there.

use nn_tests::numbers::wide;

use crate::case::{Case, SAMPLES};
use crate::compare::near;
use crate::compile::Report;
use crate::graph::{Kind, Net};

/// Of the norm, where a layer rounds in another order: attention says so.
const ROUNDING: f64 = 2e-6;

pub fn compare(case: &Case, report: &Report) -> Result<(), String> {
    let (top, nets) = (case.program.top(), &case.program.nets);
    if let Some(refused) = &report.refused {
        let mut names = refused.split('`').skip(1).step_by(2);
        let name = names.next().unwrap_or_default();
        return match is_layer(top, nets, name) && names.next() == Some("Top") {
            true => Ok(()),
            false => Err(format!("a stream was refused because of `{name}`, which is no layer: {refused}")),
        };
    }
    let steps = top.shapes[0][0];
    let exact = !nets.iter().flat_map(|net| &net.sites).any(|site| matches!(site.kind, Kind::Attention { .. }));
    for (j, (_, value)) in top.outputs.iter().enumerate() {
        let whole = report.get(&format!("y{SAMPLES}_{j}"))?;
        let shape = &top.shapes[*value];
        let sequence = shape.len() > 1 && shape[0] == steps;
        for (s, whole) in whole.chunks(whole.len() / SAMPLES).enumerate() {
            for step in 0..steps {
                // What is no sequence is what the steps so far come to.
                let truth = match sequence {
                    true => &whole[whole.len() / steps * step..][..whole.len() / steps],
                    false if step + 1 == steps => whole,
                    false => continue,
                };
                let found = report.get(&format!("stream{s}_{step}_{j}"))?;
                let equal = if exact { same(found, truth) } else { near(found, &wide(truth), ROUNDING) };
                equal.map_err(|off| format!("output {j} of sample {s} at step {step} of a stream: {off}"))?;
            }
        }
    }
    Ok(())
}

/// To the bit.
fn same(found: &[f32], truth: &[f32]) -> Result<(), String> {
    let bits = |all: &[f32]| all.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    if bits(found) == bits(truth) { Ok(()) } else { Err(format!("{found:?} instead of {truth:?}")) }
}

/// Whether a name is that of a site, `inner.dense_1` of one within.
fn is_layer(net: &Net, nets: &[Net], name: &str) -> bool {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    net.sites.iter().filter(|site| site.name == first).any(|site| match (&site.kind, rest) {
        (Kind::Net(inner), Some(rest)) => is_layer(&nets[*inner], nets, rest),
        (_, rest) => rest.is_none(),
    })
}
