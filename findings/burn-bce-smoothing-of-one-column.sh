#!/bin/sh
# burn 0.22.1 (Rust): label smoothing of `BinaryCrossEntropyLoss` depends on how the same targets are shaped.
#
# What one expects: smoothing of yes and no goes halfway: with 0.2 a 1 becomes 0.9 and a 0 becomes 0.1, for each label, as
# Keras's BinaryCrossentropy does it and as burn does it for targets of shape [batch].
# What is so: for targets of more axes the last axis is counted as classes that exclude each other. A column [batch, 1], which is
# what a network of one output gives, leaves a 1 at 1.0 and makes a 0 a 0.2; ten independent labels become 0.82 and 0.02.
# What follows: a column is smoothed on one side only, which shifts every probability up, the more the rarer the yes; squeeze it
# to [batch] first, and smooth several labels by hand.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "smoothing"
version = "0.1.0"
edition = "2021"

[dependencies]
burn = { version = "=0.22.1", default-features = false, features = ["std", "flex"] }

[profile.dev]
debug = false

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use burn::nn::loss::BinaryCrossEntropyLossConfig;
use burn::tensor::{Device, Int, Tensor};

/// What a target is smoothed to: of the loss at a logit z, softplus(z) - t z, the t.
fn smoothed<const D: usize>(shape: [usize; D], target: i64) -> f32 {
    let (device, z) = (Device::flex(), 0.5f32);
    let targets = Tensor::<D, Int>::full(shape, target, &device);
    let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).with_smoothing(Some(0.2)).init(&device);
    let loss = loss.forward(Tensor::<D>::full(shape, z, &device), targets).into_scalar::<f32>();
    (z.exp().ln_1p() - loss) / z
}

fn main() {
    println!("burn 0.22.1, smoothing of 0.2");
    let seen = [
        ("[4]", smoothed([4], 1), smoothed([4], 0), 0.9, 0.1),
        ("[4, 1]", smoothed([4, 1], 1), smoothed([4, 1], 0), 1.0, 0.2),
        ("[4, 10]", smoothed([4, 10], 1), smoothed([4, 10], 0), 0.82, 0.02),
    ];
    for (shape, yes, no, expected_yes, expected_no) in seen {
        println!("{shape}: 1 becomes {yes:.3}, 0 becomes {no:.3}");
        assert!((yes - expected_yes).abs() < 1e-5 && (no - expected_no).abs() < 1e-5);
    }
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
