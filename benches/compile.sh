#!/usr/bin/env bash
# How long a network takes to compile, in release, in a crate of its own: residual networks of 20, 60 and 120 layers, written out
# and as a repeated block. The runtime is built before and not counted. Prints a Markdown table.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${CARGO_TARGET_DIR:-$root/target}/compile-time
mkdir -p "$work/src"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "compile-time"
version = "0.0.0"
edition = "2024"
[dependencies]
nn-runtime = { path = "$root/nn-runtime", default-features = false }
[workspace]
TOML
cp "$root/Cargo.lock" "$work/Cargo.lock"

# A stem, residual blocks of six layers each (two convolutions, two norms, two activations) and a head of two: LAYERS in all.
written_out() {
    echo 'use nn_runtime::prelude::*;'
    echo 'network! { pub struct Net: [1, 8, 8] -> [10] {'
    echo '    let v0 = Conv2d(8, 3, padding = Same);'
    local blocks=$((($1 - 3) / 6)) i
    for i in $(seq 1 "$blocks"); do
        echo "    let u$i = v$((i - 1)) -> Conv2d(8, 3, padding = Same) -> BatchNorm -> Relu -> Conv2d(8, 3, padding = Same) -> BatchNorm;"
        echo "    let v$i = (v$((i - 1)), u$i) -> Sum -> Relu;"
    done
    echo '    GlobalAvgPool -> Dense(10)'
    echo '} }'
    main
}
repeated() {
    echo 'use nn_runtime::prelude::*;'
    echo 'network! { pub struct Block: [8, 8, 8] -> [8, 8, 8] {'
    echo '    let x = input;'
    echo '    let y = x -> Conv2d(8, 3, padding = Same) -> BatchNorm -> Relu -> Conv2d(8, 3, padding = Same) -> BatchNorm;'
    echo '    (x, y) -> Sum -> Relu'
    echo '} }'
    echo "network! { pub struct Net: [1, 8, 8] -> [10] { Conv2d(8, 3, padding = Same) -> Block * $((($1 - 3) / 6)) -> GlobalAvgPool -> Dense(10) } }"
    main
}
main() {
    echo 'fn main() { let model = Net::init(1); println!("{:?}", model.predictor(1).predict(&[0.5; 64])); }'
}
measure() {
    "$1" "$2" > "$work/src/main.rs"
    local best=
    for _ in 1 2 3; do
        touch "$work/src/main.rs"
        local from to
        from=$(date +%s.%N)
        CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --manifest-path "$work/Cargo.toml"
        to=$(date +%s.%N)
        best=$(awk -v a="$from" -v b="$to" -v best="${best:-1e9}" 'BEGIN { t = b - a; print (t < best) ? t : best }')
    done
    printf '| %s | %s | %.2f |\n' "$2" "${1//_/ }" "$best"
}

echo 'fn main() {}' > "$work/src/main.rs"
CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --manifest-path "$work/Cargo.toml"
echo '| layers | | seconds |'
echo '|---|---|---|'
for layers in 20 60 120; do
    measure written_out "$layers"
done
measure repeated 60
measure repeated 120
