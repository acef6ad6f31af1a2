#!/bin/sh
# candle-nn 0.11.1 (Rust): `binary_cross_entropy_with_logit` is NaN for a right and sure answer.
#
# What one expects: a loss takes logits instead of probabilities so that it can be computed as max(z, 0) - z t + ln(1 +
# exp(-|z|)), which is finite for every z, and whose gradient is sigmoid(z) - t.
# What is so: the sigmoid is taken first and its logarithm after. From a logit of 17 on the sigmoid of an f32 is 1, so 0 · ln(1
# - 1) is NaN where the target is 1: the better the answer, the sooner. Below, -120 for a target of 1 costs infinity instead of
# 120, and its gradient is NaN.
# What follows: a classifier that separates its classes well turns into NaN late in training, at a logit of 17, with no overflow
# anywhere; write the stable formula out.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "logits"
version = "0.1.0"
edition = "2021"

[dependencies]
candle-core = "=0.11.1"
candle-nn = "=0.11.1"

[profile.dev]
debug = false

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use candle_core::{Device::Cpu, Result, Tensor, Var};

fn main() -> Result<()> {
    println!("candle-nn 0.11.1");
    let mut seen = Vec::new();
    for (z, t) in [(16f32, 1f32), (17.0, 1.0), (20.0, 1.0), (-120.0, 1.0), (-20.0, 0.0), (3.0, 0.0)] {
        let logit = Var::from_tensor(&Tensor::new(&[z], &Cpu)?)?;
        let loss = candle_nn::loss::binary_cross_entropy_with_logit(&logit, &Tensor::new(&[t], &Cpu)?)?;
        let gradient = loss.backward()?.get(&logit).unwrap().get(0)?.to_scalar::<f32>()?;
        let loss = loss.to_scalar::<f32>()?;
        let (z64, t64) = (f64::from(z), f64::from(t));
        let right = z64.max(0.0) - z64 * t64 + (-z64.abs()).exp().ln_1p();
        let slope = 1.0 / (1.0 + (-z64).exp()) - t64;
        println!("logit {z}, target {t}: loss {loss:e} (right {right:e}), gradient {gradient:e} (right {slope:e})");
        seen.push((loss, gradient));
    }
    assert!(seen[0].0.is_finite() && seen[5].0.is_finite());
    assert!(seen[1].0.is_nan() && seen[2].0.is_nan());
    assert!(seen[3].0.is_infinite() && seen[3].1.is_nan());
    Ok(())
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
