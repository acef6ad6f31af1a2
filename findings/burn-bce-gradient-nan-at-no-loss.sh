#!/bin/sh
# burn 0.22.1 (Rust): `BinaryCrossEntropyLoss` of a probability that is right and sure is 0, and its gradient NaN.
#
# What one expects: losses of probabilities are clamped so that a sure answer neither costs infinity nor breaks the gradient;
# PyTorch gives 0 and 0 for a sigmoid of 20 and a target of 1.
# What is so: ln(1 - p) is clamped to -100 after it was taken, so the value is finite, but the clamp's gradient of 0 goes on into
# 1 / (1 - p), and 0 times infinity is NaN. In f32 a sigmoid is 1 from 17 on and 0 from -104 on. Both backends do so; the loss
# shows nothing. `with_logits(true)` is right everywhere.
# What follows: a network that ends in a sigmoid, as the default of this loss asks for, loses all its weights with the first
# sample that it answers rightly and surely, while the loss was 0. Leave the sigmoid out and say `with_logits(true)`.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "sure"
version = "0.1.0"
edition = "2021"

[dependencies]
burn = { version = "=0.22.1", default-features = false, features = ["std", "autodiff", "ndarray", "flex"] }

[profile.dev]
debug = false

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use burn::nn::loss::BinaryCrossEntropyLossConfig;
use burn::tensor::{activation::sigmoid, Device, Int, Tensor};

fn main() {
    println!("burn 0.22.1");
    #[allow(deprecated)]
    let backends = [("ndarray", Device::ndarray()), ("flex", Device::flex())];
    for (name, device) in backends {
        let device = device.autodiff();
        for (score, target) in [(3.0f32, 1), (16.0, 1), (20.0, 1), (-120.0, 0)] {
            let targets = Tensor::<1, Int>::from_ints([target], &device);
            let run = |logits: bool| {
                let x = Tensor::<1>::from_floats([score], &device).require_grad();
                let y = if logits { x.clone() } else { sigmoid(x.clone()) };
                let loss = BinaryCrossEntropyLossConfig::new().with_logits(logits).init(&device).forward(y, targets.clone());
                let gradients = loss.backward();
                (loss.into_scalar::<f32>(), x.grad(&gradients).unwrap().into_scalar::<f32>())
            };
            let (of_probability, of_logit) = (run(false), run(true));
            println!("{name}: score {score}, target {target}: loss and gradient {of_probability:?}, of the logit {of_logit:?}");
            assert!(of_logit.0.is_finite() && of_logit.1.is_finite() && of_probability.0.is_finite());
            assert_eq!(of_probability.1.is_nan(), score.abs() > 17.0);
            assert!(score.abs() < 17.0 || of_probability.0 == 0.0);
        }
    }
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
