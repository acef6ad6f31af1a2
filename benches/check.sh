#!/usr/bin/env bash
# How long `cargo check` takes for networks of many layers: chains of 60 to 1,000, and networks nested 64 and 128 deep.
# Prints a Markdown table of the compiler's own seconds (user), which a busy machine changes less, beside those of a
# network of two layers, and whether rustc warned of a long evaluation.
#   benches/check.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target
mkdir -p "$work/src/bin"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "check-time"
version = "0.0.0"
edition = "2024"
[dependencies]
nn-runtime = { path = "$root/nn-runtime" }
[workspace]
TOML
cp "$root/Cargo.lock" "$work/Cargo.lock"

program() { { echo 'use nn_runtime::prelude::*;'; cat; echo 'fn main() { println!("{}", Net::PARAMS); }'; } > "$work/src/bin/$1.rs"; }
# So many layers, one behind the other.
chain() {
    {
        echo 'network! { pub struct Net: [16] -> [16] {'
        for _ in $(seq $(($1 / 2 - 1))); do echo '    Dense(16) -> Relu;'; done
        echo '    Dense(16) -> Relu } }'
    } | program "chain$1"
}
# Networks of two layers, each within the next.
nested() {
    local i
    {
        echo 'network! { pub struct N1: [16] -> [16] { Dense(16) -> Relu } }'
        for i in $(seq 2 "$1"); do echo "network! { pub struct N$i: [16] -> [16] { N$((i - 1)) -> Relu } }"; done
        echo "type Net = N$1;"
    } | program "nested$1"
}
for layers in 2 60 200 500 1000; do chain "$layers"; done
for levels in 64 128; do nested "$levels"; done

cd "$work"
cargo check --quiet --bin chain2
echo '| network | seconds | long evaluation |'
echo '|---|---|---|'
for name in chain2 chain60 chain200 chain500 chain1000 nested64 nested128; do
    touch "src/bin/$name.rs"
    TIMEFORMAT=%U
    seconds=$({ time cargo check --quiet --bin "$name" 2> log; } 2>&1)
    printf '| %s | %s | %s |\n' "$name" "$seconds" "$(grep -c 'taking a long time' log || true)"
done
echo
echo "$(rustc --version), $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(date +%F)."
