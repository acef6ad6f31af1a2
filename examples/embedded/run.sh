#!/usr/bin/env bash
# Builds the programs for a Cortex-M4F and runs them in QEMU's emulator of a whole board (Debian's qemu-system-arm; binutils); slow.
#   run.sh              one that reads a digit without an allocator, one that does so in bytes, one that learns without an
#                       allocator, one that learns with one
#   run.sh unallocated  all but the last
set -euo pipefail
cd "$(dirname "$0")"
target=thumbv7em-none-eabihf
rustup target list --installed | grep --quiet --line-regexp $target || rustup target add $target

build() {
    cargo build --release --locked --target $target --package "$1"
    program=${CARGO_TARGET_DIR:-target}/$target/release/$1
    size "$program"
}
emulate() {
    qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic "$@" -semihosting-config enable=on,target=native -kernel "$program"
}

# What the program says is what is kept; its last line, how much stack it has taken of what it may, is shown.
compare() { # FILE WORDS
    said=$(emulate | tr -d '\r') || { printf '%s\n' "$said" >&2 && exit 1; }
    diff "$1" <(head -n -1 <<< "$said") && echo "$2"
    tail -n 1 <<< "$said"
}

# Features are those of one package, so that nothing asks for an allocator.
build nn-embedded-predict
compare predicts.txt "the bits of the portable path"
# Flash holds the weights once: the end of the file, which is a part of one row of a matrix, is found at one place.
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
row=$(tail -c 64 ../data/digits.safetensors | hex)
places=$(hex "$program" | grep --only-matching "$row" | wc -l)
[ "$places" = 1 ] || { echo "expected the weights at one place of the program, found $places" >&2 && exit 1; }

# ST's network for MNIST in bytes: what it may take, and that nothing in it can panic.
build nn-embedded-mnist
said=$(emulate -icount shift=0 | tr -d '\r')
diff <(head -n 1 <<< "$said") mnist.txt && echo "the bits of every other machine"
read -r memory stack instructions <<< "$(tail -n 1 <<< "$said" | sed 's/\b0*\([0-9]\)/\1/g')"
echo "$memory bytes of memory and $stack of stack, $instructions instructions for a prediction"
panics=$(nm --demangle "$program" | grep --extended-regexp 'panicking|unwrap_failed|expect_failed' || true)
[ -z "$panics" ] || { printf 'expected no panic in the program, found\n%s\n' "$panics" >&2 && exit 1; }
read -r flash data zeros <<< "$(size "$program" | awk 'NR == 2 { print $1 + $2, $2, $3 }')"
ram=$((data + zeros + stack))
((flash <= 24 * 1024)) || { echo "expected at most 24 KiB of flash, found $flash bytes" >&2 && exit 1; }
((ram <= 17920)) || { echo "expected at most 17.5 KiB of memory and stack, found $ram bytes" >&2 && exit 1; }
echo "flash $flash of 24,576 bytes, memory and stack $ram of 17,920"

# A network of LeNet's layers that learns in static memory.
build nn-embedded-learn
compare learns.txt "the bits of every other machine"
[ "${1:-}" = unallocated ] || { build nn-embedded && emulate; }
