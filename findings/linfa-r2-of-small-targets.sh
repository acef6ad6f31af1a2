#!/bin/sh
# linfa 0.8.1 (Rust): `r2` of small targets is near 1, whatever was predicted.
#
# What one expects: R² = 1 - (squared errors) / (squared deviations of the targets) has no unit: for targets in another unit,
# here 1, 2, 3, 4 predicted in reverse, it stays -3.
# What is so: 1e-10 is added to the denominator, for f32 as for f64, so that targets whose deviations sum to less are judged by
# that number instead of their own. The same in millionths gives 0.81, in units of 1e-7 0.998, which reads as a fit that is
# nearly perfect. `explained_variance` has the same term.
# What follows: a regression of currents in amperes, or of any target left unscaled, looks solved before it has learnt anything;
# scale the targets, or write R² out.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "small"
version = "0.1.0"
edition = "2021"

[dependencies]
linfa = "=0.8.1"
ndarray = "0.16"

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use linfa::prelude::*;
use ndarray::array;

fn main() {
    println!("linfa 0.8.1");
    let (targets, predictions) = (array![1.0f64, 2.0, 3.0, 4.0], array![4.0, 3.0, 2.0, 1.0]);
    let mut seen = Vec::new();
    for unit in [1.0, 1e-3, 1e-6, 1e-7] {
        let r2 = (&predictions * unit).r2(&(&targets * unit)).unwrap();
        println!("1, 2, 3, 4 predicted as 4, 3, 2, 1, in units of {unit:e}: R² {r2:.4}");
        seen.push(r2);
    }
    assert!((seen[0] + 3.0).abs() < 1e-6 && (seen[1] + 3.0).abs() < 1e-3);
    assert!(seen[2] > 0.8 && seen[3] > 0.99);
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
