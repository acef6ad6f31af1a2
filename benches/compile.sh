#!/usr/bin/env bash
# How long programs that train and predict take to compile in release, each in a crate of its own: the seed models, and residual
# networks of 4, 20 and 60 layers, written out and as a repeated block. Prints a Markdown table, in seconds and KiB, and what a
# first build costs: all dependencies, from nothing. The machine should do nothing else meanwhile.
#   benches/compile.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target
mkdir "$work/src"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "compile-time"
version = "0.0.0"
edition = "2024"
[dependencies]
nn-runtime = { path = "$root/nn-runtime" }
[workspace]
TOML
cp "$root/Cargo.lock" "$work/Cargo.lock"

build() { cargo build --quiet --release --manifest-path "$work/Cargo.toml"; }
# Seconds that a command takes.
seconds() {
    local from to
    from=$(date +%s.%N)
    "$@"
    to=$(date +%s.%N)
    awk -v from="$from" -v to="$to" 'BEGIN { printf "%.2f", to - from }'
}
least() { printf '%s\n' "$@" | sort -g | head -n 1; }

# A program around the network `Net` on standard input: inputs, data, loss and optimiser.
program() {
    cat <<RUST
use nn_runtime::prelude::*;
// The line that is edited.
const SEED: u64 = 1;
$(cat)
fn main() {
    let mut model = Net::init(SEED);
    let history = Trainer::new(&mut model, $3).fit(&$2.unwrap(), Fit::epochs(1)).unwrap();
    println!("{history} {:?}", model.predictor(1).predict(&[0.5; $1]));
}
RUST
}
numbers() { program 2 'Dataset::values((vec![0.5; 20], 2), (vec![1.0; 10], 1))' 'Mse::new(), Sgd::new(0.1)'; }
classes() { program "$1" "Dataset::classes((vec![0.5; 10 * $1], $1), 0..10)" 'CrossEntropy::new(), Adam::new(1e-3)'; }

linreg() { echo 'network! { pub struct Net: [2] -> [1] { Dense(1) } }' | numbers; }
mlp10() { echo 'network! { pub struct Net: [784] -> [10] { Dense(10) -> Relu -> Dense(10) -> Relu -> Dense(10) -> Softmax } }' | classes 784; }
mnist128() { echo 'network! { pub struct Net: [784] -> [10] { Dense(128) -> Relu -> Dense(10) -> Softmax } }' | classes 784; }
cnn() {
    classes 784 <<'RUST'
network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Conv2d(32, 3) -> Relu -> MaxPool2d(2) -> Conv2d(64, 3) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> Dense(10) -> Softmax
    }
}
RUST
}
# A stem, as many residual blocks of seven layers as fit, activations for what is left of the count, a pool and a head.
written_out() {
    local blocks=$((($1 - 3) / 7)) rest=$((($1 - 3) % 7)) i
    {
        echo 'network! { pub struct Net: [1, 8, 8] -> [10] {'
        echo '    let v0 = Conv2d(8, 3, padding = Same);'
        for i in $(seq 1 "$blocks"); do
            echo "    let u$i = v$((i - 1)) -> Conv2d(8, 3, padding = Same) -> BatchNorm -> Relu -> Conv2d(8, 3, padding = Same) -> BatchNorm;"
            echo "    let v$i = (v$((i - 1)), u$i) -> Sum -> Relu;"
        done
        for i in $(seq 1 "$rest"); do
            echo '    Relu;'
        done
        echo '    GlobalAvgPool -> Dense(10)'
        echo '} }'
    } | classes 64
}
four_layers() { written_out 4; }
twenty_layers() { written_out 20; }
sixty_layers() { written_out 60; }
sixty_repeated() {
    classes 64 <<'RUST'
network! {
    pub struct Block: [8, 8, 8] -> [8, 8, 8] {
        let x = input;
        let y = x -> Conv2d(8, 3, padding = Same) -> BatchNorm -> Relu -> Conv2d(8, 3, padding = Same) -> BatchNorm;
        (x, y) -> Sum -> Relu
    }
}
network! { pub struct Net: [1, 8, 8] -> [10] { Conv2d(8, 3, padding = Same) -> Block * 8 -> Relu -> GlobalAvgPool -> Dense(10) } }
RUST
}

measure() {
    local cold=() edit=() i
    "$2" > "$work/src/main.rs"
    for i in 1 2 3; do
        cargo clean --quiet --release --manifest-path "$work/Cargo.toml" -p compile-time
        cold+=("$(seconds build)")
        sed -i "s/^const SEED: u64 = .*/const SEED: u64 = $((i + 1));/" "$work/src/main.rs"
        edit+=("$(seconds build)")
    done
    "$CARGO_TARGET_DIR/release/compile-time" > /dev/null
    strip -o "$work/stripped" "$CARGO_TARGET_DIR/release/compile-time"
    printf '| %s | %s | %s | %d |\n' "$1" "$(least "${cold[@]}")" "$(least "${edit[@]}")" $(($(stat -c %s "$work/stripped") / 1024))
}
# All packages that a build compiles, but the program itself.
dependencies() {
    cargo tree --quiet --manifest-path "$work/Cargo.toml" --edges no-dev --prefix none --no-dedupe | sed 's/ (\*)$//' | sort -u | grep -vc '^compile-time '
}

mnist128 > "$work/src/main.rs"
cargo fetch --quiet --manifest-path "$work/Cargo.toml"
first=$(seconds build)
echo '| program | its crate, cold | after an edit | stripped KiB |'
echo '|---|---|---|---|'
for model in linreg mlp10 mnist128 cnn; do
    measure "\`$model\`" "$model"
done
measure '4 layers' four_layers
measure '20 layers' twenty_layers
measure '60 layers' sixty_layers
measure '60 layers, repeated block' sixty_repeated
with_std=$(dependencies)
sed -i 's|nn-runtime" }|nn-runtime", default-features = false }|' "$work/Cargo.toml"
echo
echo "First build, dependencies included: $first s on $(nproc) cores. Dependencies: $with_std, without \`std\` $(dependencies)."
echo "$(rustc --version), $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(date +%F)."
