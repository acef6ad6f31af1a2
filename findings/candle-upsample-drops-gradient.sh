#!/bin/sh
# candle-core 0.11.1 (Rust): `upsample_nearest2d` throws away what its input's gradient has gathered from elsewhere.
#
# What one expects: a tensor used in two places gets the sum of both gradients, in whichever order the two are written.
# What is so: the backward step of `upsample_nearest1d` and `upsample_nearest2d` sets the gradient instead of adding to it.
# Whatever reached the tensor before, by another path, is gone without an error: (up + skip) gives 4 where (skip + up) gives 14,
# and of two enlargements of one tensor only one counts.
# What follows: a feature pyramid, whose every level is used as it is and enlarged, trains with gradients that depend on the
# order of the terms in its code, and no value of the forward pass shows it. `repeat` or a product with ones adds up as it
# should.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "pyramid"
version = "0.1.0"
edition = "2021"

[dependencies]
candle-core = "=0.11.1"

[profile.dev]
debug = false

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use candle_core::{Device::Cpu, Result, Tensor, Var};

fn main() -> Result<()> {
    println!("candle-core 0.11.1");
    let x = Var::from_tensor(&Tensor::ones((1, 1, 1, 1), candle_core::DType::F32, &Cpu)?)?;
    let gradient = |y: Tensor| y.backward()?.get(&x).unwrap().flatten_all()?.get(0)?.to_scalar::<f32>();
    let up = |size| x.upsample_nearest2d(size, size)?.sum_all();
    let ones = Tensor::ones((1, 1, 2, 2), candle_core::DType::F32, &Cpu)?;
    let product = || x.broadcast_mul(&ones)?.sum_all();
    let skip = || x.affine(10.0, 0.0)?.sum_all();

    let (first, last, twice) = (gradient((up(2)? + skip()?)?)?, gradient((skip()? + up(2)?)?)?, gradient((up(2)? + up(3)?)?)?);
    println!("4x + 10x: gradient {first}, 10x + 4x: {last} (right 14)");
    println!("4x + 9x, both enlarged: {twice} (right 13)");
    let (a, b) = (gradient((product()? + skip()?)?)?, gradient((skip()? + product()?)?)?);
    println!("enlarged by a product with ones: {a} and {b}");
    assert_eq!((first, last, twice, a, b), (4.0, 14.0, 4.0, 14.0, 14.0));
    Ok(())
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
