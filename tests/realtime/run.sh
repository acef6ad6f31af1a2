#!/usr/bin/env bash
# Whether a step of a stream, a block, voices side by side and a step by an objective of one's own make a system call:
# counted by strace in a program that takes 100 of each and in one that takes 10,000. With a nightly toolchain that
# has it, LLVM's real-time sanitizer looks on too: allocations, locks and system calls of a step end the program.
#
# Usage: tests/realtime/run.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<TOML
[package]
name = "realtime"
version = "0.0.0"
edition = "2024"

[dependencies]
nn-runtime = { path = "$root/nn-runtime" }

[features]
sanitize = []

[profile.dev]
opt-level = 1

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
#![cfg_attr(feature = "sanitize", feature(sanitize))]
use nn_runtime::prelude::*;

network! { struct Filter: [8, 1] -> [8, 2] { Lstm(16) -> Conv1d(4, 2, padding = Causal) -> Relu -> DensePerStep(2) } }

struct All<'m> {
    stream: nn_runtime::Streamer<&'m Model<Filter>>,
    voices: nn_runtime::Streamers<&'m Model<Filter>>,
    trainer: Trainer<'static, Filter, (), Adam>,
}

#[cfg_attr(feature = "sanitize", sanitize(realtime = "nonblocking"))]
fn once(all: &mut All) -> f32 {
    let (mut block, mut side) = ([0.0; 16], [0.0; 10]);
    all.stream.block(&[&[0.5; 8]], &mut [&mut block]).unwrap();
    all.voices.step(&[&[0.1; 5]], &mut [&mut side]).unwrap();
    let held = all.stream.step_or_hold(&[f32::NAN])[0];
    let loss = all.trainer.step_with(&[&[0.5; 16]], |y, dy| {
        dy[0].copy_from_slice(y[0]);
        f64::from(y[0][0])
    });
    block[3] + side[2] + held + loss.unwrap() as f32 + all.stream.step(&[0.25]).unwrap()[0]
}

fn main() {
    let count: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let model = Filter::init(0);
    let mut all = All {
        stream: model.streamer().unwrap(),
        voices: model.streamers(5).unwrap(),
        trainer: Filter::init(1).into_trainer((), Adam::new(1e-4)).threads(1),
    };
    // Room is made at the first step.
    all.trainer.step_with(&[&[0.5; 16]], |_, _| 0.0).unwrap();
    let sum: f32 = (0..count).map(|_| once(&mut all)).sum();
    println!("{}", sum.is_finite());
}
RUST
cd "$folder"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/realtime
cargo build --quiet
calls() { strace -f -qq -e trace=all -o "$folder/calls" "$CARGO_TARGET_DIR/debug/realtime" "$1" > /dev/null; wc -l < "$folder/calls"; }
few=$(calls 100) many=$(calls 10000)
echo "system calls with 100 steps: $few, with 10,000: $many"
[ "$few" = "$many" ]

if cargo +nightly --version > /dev/null 2>&1; then
    host=$(rustc -vV | sed -n 's/host: //p')
    # Without a runtime for this machine there is nothing to look with.
    if RUSTFLAGS=-Zsanitizer=realtime cargo +nightly build --quiet --features sanitize --target "$host" 2> "$folder/log"; then
        "$CARGO_TARGET_DIR/$host/debug/realtime" 100 && echo "the real-time sanitizer has found nothing"
    else
        tail -5 "$folder/log"
        echo "left out: the real-time sanitizer, which this toolchain does not build"
    fi
else
    echo "left out: the real-time sanitizer (rustup toolchain install nightly)"
fi
