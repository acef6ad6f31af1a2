#!/usr/bin/env bash
# Builds the program for a Cortex-M4F and runs it in QEMU's emulator of a whole board (Debian's qemu-system-arm); slow.
set -euo pipefail
cd "$(dirname "$0")"
target=thumbv7em-none-eabihf
rustup target list --installed | grep --quiet --line-regexp $target || rustup target add $target
cargo build --release --locked --target $target
program=${CARGO_TARGET_DIR:-target}/$target/release/nn-embedded
! command -v size > /dev/null || size "$program"
qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -semihosting-config enable=on,target=native -kernel "$program"
