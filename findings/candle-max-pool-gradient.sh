#!/bin/sh
# candle-core 0.11.1 (Rust): the gradient of `max_pool2d` is too small by the size of the window, and at odd widths in other
# places.
#
# What one expects: the largest element of each window gets the whole gradient of its output, all others get 0, and so do
# columns that no window covers. Finite differences, PyTorch and JAX agree on it (ties apart).
# What is so: the gradient is scaled by the share of elements in the window that are the largest, so a single largest one of 2 x
# 2 gets 1/4 of it, of 3 x 3 1/9; only a window of equal elements sums to the right total. Outputs are laid over the inputs by
# enlarging to the input's size, so where a width is no multiple of the window's they meet other elements: of the three largest
# in a row of 7 one gets nothing. `avg_pool2d` gives a gradient there to the last column, which no window covers.
# What follows: layers below two pools of 2 x 2 learn with a sixteenth of their rate under SGD, while Adam hides it; gradients
# are compared with finite differences. Where widths are multiples, `reshape` and `max` over the window's axes have the right
# gradient where there are no ties.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "pools"
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

/// The gradient of the sum of what `pool` gives, and what finite differences of 2^-10 say, which is exact here.
fn gradients(x: &[f32], shape: (usize, usize), pool: impl Fn(&Tensor) -> Result<Tensor>) -> Result<(Vec<f32>, Vec<f32>)> {
    let tensor = |x: &[f32]| Tensor::from_slice(x, (1, 1, shape.0, shape.1), &Cpu);
    let input = Var::from_tensor(&tensor(x)?)?;
    let gradients = pool(&input)?.sum_all()?.backward()?;
    let mut right = Vec::new();
    let h = 1.0 / 1024.0;
    for i in 0..x.len() {
        let sum = |by: f32| -> Result<f32> {
            let mut x = x.to_vec();
            x[i] += by;
            pool(&tensor(&x)?)?.sum_all()?.to_scalar()
        };
        right.push((sum(h)? - sum(-h)?) / (2.0 * h));
    }
    Ok((gradients.get(&input).unwrap().flatten_all()?.to_vec1()?, right))
}

fn main() -> Result<()> {
    println!("candle-core 0.11.1");
    let (square, right) = gradients(&[1.0, 2.0, 3.0, 4.0], (2, 2), |x| x.max_pool2d(2))?;
    println!("max of 1, 2, 3, 4 in a window of 2 x 2: {square:?}, finite differences {right:?}");
    assert_eq!((square, right), (vec![0.0, 0.0, 0.0, 0.25], vec![0.0, 0.0, 0.0, 1.0]));

    let (row, right) = gradients(&[1.0, 9.0, 5.0, 4.0, 2.0, 3.0, 8.0], (1, 7), |x| x.max_pool2d((1, 2)))?;
    println!("max of 1, 9 | 5, 4 | 2, 3 | 8 in windows of 2: {row:?}, finite differences {right:?}");
    assert_eq!(row, [0.0, 0.5, 0.0, 0.0, 0.0, 0.5, 0.0]);
    assert_eq!(right, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);

    let (average, right) = gradients(&[0.0, 1.0, 2.0], (1, 3), |x| x.avg_pool2d((1, 2)))?;
    println!("average of 0, 1 | 2 in windows of 2: {average:?}, finite differences {right:?}");
    assert_eq!((average, right), (vec![0.5, 0.5, 0.5], vec![0.5, 0.5, 0.0]));
    Ok(())
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
