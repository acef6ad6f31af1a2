#!/bin/sh
# burn 0.22.1 (Rust), backend ndarray: `gelu` is computed exactly and differentiated as its approximation by tanh.
#
# What one expects: the gradient belongs to what was computed. burn has `gelu` (by the error function) and `gelu_approximate`
# (by tanh) for that.
# What is so: the gradient of both is that of the approximation. At -3 `gelu` says -0.011584 where finite differences of its own
# output say -0.0119456: 3 percent, and more beyond (at -4, a third). The backend flex has the exact one.
# What follows: checks against PyTorch's gradients fail from the third digit on, and one program trains differently from backend
# to backend; whoever compares must take `gelu_approximate` and PyTorch's approximate="tanh" on both sides.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "slopes"
version = "0.1.0"
edition = "2021"

[dependencies]
burn = { version = "=0.22.1", default-features = false, features = ["std", "autodiff", "ndarray", "flex"] }

[profile.dev]
debug = false

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use burn::tensor::{activation::gelu, Device, Tensor};

/// The value, its gradient, and the slope of the values themselves over a step that f32 resolves.
fn at(x: f32, device: &Device) -> (f32, f32, f32) {
    let value = |x: f32| gelu(Tensor::<1>::from_floats([x], device)).into_scalar::<f32>();
    let input = Tensor::<1>::from_floats([x], &device.clone().autodiff()).require_grad();
    let gradients = gelu(input.clone()).sum().backward();
    let gradient = input.grad(&gradients).unwrap().into_scalar::<f32>();
    let h = 1.0 / 64.0;
    (value(x), gradient, (value(x + h) - value(x - h)) / (2.0 * h))
}

fn main() {
    println!("burn 0.22.1");
    #[allow(deprecated)]
    let backends = [("ndarray", Device::ndarray()), ("flex", Device::flex())];
    for (name, device) in backends {
        for x in [-4.0, -3.0, -2.0, 1.5] {
            let (value, gradient, slope) = at(x, &device);
            let off = (gradient / slope - 1.0).abs();
            println!("{name}: gelu({x}) = {value}, gradient {gradient}, slope of the values {slope}: {:.1} % off", 100.0 * off);
            if x == -3.0 {
                // The step of the differences costs 0.1 percent.
                assert!(if name == "ndarray" { off > 0.025 } else { off < 0.005 });
            }
        }
    }
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
