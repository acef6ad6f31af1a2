#!/usr/bin/env bash
# Builds the programs for a Cortex-M4F and runs them in QEMU's emulator of a whole board (Debian's qemu-system-arm); slow.
#   run.sh            one that reads a digit without an allocator, one that learns
#   run.sh predict    the first alone
set -euo pipefail
cd "$(dirname "$0")"
target=thumbv7em-none-eabihf
rustup target list --installed | grep --quiet --line-regexp $target || rustup target add $target

build() {
    cargo build --release --locked --target $target --package "$1"
    program=${CARGO_TARGET_DIR:-target}/$target/release/$1
    ! command -v size > /dev/null || size "$program"
}
emulate() {
    qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -semihosting-config enable=on,target=native -kernel "$program"
}

# Features are those of one package, so that nothing asks for an allocator.
build nn-embedded-predict
emulate | tr -d '\r' | diff predicts.txt - && echo "the bits of the portable path"
# Flash holds the weights once: the end of the file, which is a part of one row of a matrix, is found at one place.
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
row=$(tail -c 64 ../data/digits.safetensors | hex)
places=$(hex "$program" | grep --only-matching "$row" | wc -l)
[ "$places" = 1 ] || { echo "expected the weights at one place of the program, found $places" >&2 && exit 1; }
[ "${1:-}" = predict ] || { build nn-embedded && emulate; }
