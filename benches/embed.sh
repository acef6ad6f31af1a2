#!/usr/bin/env bash
# How long a program takes to build whose weights are compiled in (`#[weights]`): the compiler's own seconds (user) of a debug build, the
# first one (with all dependencies in the row without weights) and one after an edit of the text, the least of three; for files of 1 and
# 10 MB and without one, and for 1 MB that `embedded_ref()` is asked of.
#   benches/embed.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target
mkdir -p "$work/src/bin"
cat > "$work/Cargo.toml" << TOML
[package]
name = "embed-time"
version = "0.0.0"
edition = "2024"
[dependencies]
nn-runtime = { path = "$root/nn-runtime" }
[workspace]
TOML
cp "$root/Cargo.lock" "$work/Cargo.lock"

# A program of a layer of SIDE × SIDE weights, its attribute, and what is called.
program() {
    cat > "$work/src/bin/$1.rs" << RUST
use nn_runtime::prelude::*;
network! {
    $3
    struct Net: [$2] -> [$2] { dense: Dense($2, bias = false) }
}
fn main() {
    let mut predictor = $4;
    println!("edit 0 {:?}", predictor.predict(&[0.5; $2]));
}
RUST
}
weights() {
    python3 - "$work/$1.safetensors" "$2" << 'PYTHON'
import json, struct, sys

path, side = sys.argv[1], int(sys.argv[2])
header = json.dumps({"dense.weight": {"dtype": "F32", "shape": [side, side], "data_offsets": [0, 4 * side * side]}}).encode()
header += b" " * (-len(header) % 8)
numbers = struct.pack(f"<{side * side}f", *((i % 97 - 48) / 97 for i in range(side * side)))
open(path, "wb").write(struct.pack("<Q", len(header)) + header + numbers)
PYTHON
}
weights one 512
weights ten 1600
program none 512 '' 'Net::init(0).into_predictor(1)'
program one 512 '#[weights("one.safetensors")]' 'Net::embedded().into_predictor(1)'
program ten 1600 '#[weights("ten.safetensors")]' 'Net::embedded().into_predictor(1)'
cp "$work/one.safetensors" "$work/in_place.safetensors"
program in_place 512 '#[weights("in_place.safetensors")]' 'nn_runtime::Predictor::new(Net::embedded_ref(), 1)'

edit() {
    sed --in-place "s/edit [0-9]*/edit $edits/" "$work/src/bin/$1.rs"
    TIMEFORMAT=%U
    { time cargo build --quiet --manifest-path "$work/Cargo.toml" --bin "$1" 2> "$work/log"; } 2> "$work/seconds" || { cat "$work/log" >&2 && exit 1; }
    cat "$work/seconds"
}
echo '| weights | first build | edit |'
echo '|---|---|---|'
for name in none one ten in_place; do
    for ((edits = 0; edits < 4; edits++)); do edit "$name"; done > "$work/times"
    # The first one builds everything.
    first=$(head -n 1 "$work/times")
    least=$(tail -n 3 "$work/times" | sort --general-numeric-sort | head -n 1)
    size=$(stat --format %s "$work/$name.safetensors" 2> /dev/null || echo 0)
    echo "| $name, $(awk -v size="$size" 'BEGIN { printf "%.1f", size / 1e6 }') MB | $first | $least |"
done
