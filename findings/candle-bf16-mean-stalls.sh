#!/bin/sh
# candle-core 0.11.1 (Rust, CPU): sums and means of bfloat16 stop growing; the mean of 1000 ones is 0.256.
#
# What one expects: a reduction of a 16-bit type adds up in f32 and rounds once, as PyTorch, JAX, NumPy (float16) and the GPU
# libraries do: the mean of ones is 1.
# What is so: the running sum itself is bfloat16, whose 8 bits cannot tell 257 from 256: it stays at 256, so the mean of n ones
# is 256 / n from there on. float16 stops at 2048. What is made of sums goes the same way: `loss::mse`, and
# `loss::cross_entropy`, which for 8000 equal logits is ln 256 instead of ln 8000, for its softmax adds up to 31.
# What follows: training in bfloat16 gives losses that fall as the batch grows, and wrong gradients as soon as there are more
# than a few hundred classes; `to_dtype(DType::F32)` comes before every reduction and every loss.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "half"
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
use candle_core::{DType, Device::Cpu, Result, Tensor};

fn number(x: Tensor) -> Result<f32> {
    x.to_dtype(DType::F32)?.to_scalar()
}

fn main() -> Result<()> {
    println!("candle-core, candle-nn 0.11.1");
    let mut seen = Vec::new();
    for (dtype, n) in [(DType::BF16, 1000), (DType::F16, 10_000), (DType::F32, 10_000)] {
        let ones = Tensor::ones(n, dtype, &Cpu)?;
        let (sum, mean) = (number(ones.sum_all()?)?, number(ones.mean_all()?)?);
        let mse = number(candle_nn::loss::mse(&ones, &ones.zeros_like()?)?)?;
        println!("{dtype:?}: sum of {n} ones {sum}, their mean {mean}, mean squared error against 0 {mse}");
        seen.push((sum, mean, mse));
    }
    let cross_entropy = |dtype| {
        let logits = Tensor::zeros((1, 8000), dtype, &Cpu)?;
        number(candle_nn::loss::cross_entropy(&logits, &Tensor::new(&[3u32], &Cpu)?)?)
    };
    let (half, single) = (cross_entropy(DType::BF16)?, cross_entropy(DType::F32)?);
    println!("cross-entropy of 8000 equal logits: BF16 {half}, F32 {single} (right {})", 8000f32.ln());
    assert!((half - 256f32.ln()).abs() < 0.02 && (single - 8000f32.ln()).abs() < 1e-3);
    assert_eq!(seen[0].0, 256.0);
    assert!(seen[0].1 < 0.26 && seen[0].2 < 0.26);
    assert_eq!(seen[1].0, 2048.0);
    assert!(seen[1].1 < 0.21 && seen[1].2 < 0.21);
    assert_eq!(seen[2], (10_000.0, 1.0, 1.0));
    Ok(())
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
