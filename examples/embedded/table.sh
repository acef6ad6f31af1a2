#!/usr/bin/env bash
# Writes the table of docs/embedded.md: what six networks take of flash, memory, stack and time on four targets, in
# floats and in bytes. Long: each program is built of its own. Needs qemu-system-arm, qemu-system-riscv32, valgrind
# and GNU's `size` (Debian: qemu-system-arm, qemu-system-misc, valgrind, binutils).
#   table.sh > table.md            HOST=PROGRAM takes what an earlier run has built for this machine
set -euo pipefail
# A build that fails ends the script, in `$(…)` too.
shopt -s inherit_errexit
cd "$(dirname "$0")"
networks=${NETWORKS:-Control Mlp LeNet Cnn StMnist Sequence}
folder=${CARGO_TARGET_DIR:-$PWD/target}
thumb=thumbv7em-none-eabihf riscv=riscv32imc-unknown-none-elf wasm=wasm32-unknown-unknown here=x86_64-unknown-linux-gnu
for target in $thumb $riscv $wasm; do
    rustup target list --installed | grep --quiet --line-regexp $target || rustup target add $target >&2
done
files=$(mktemp --directory)
trap 'rm -rf "$files"' EXIT

grouped() { sed ':again; s/\([0-9]\)\([0-9]\{3\}\)\b/\1,\2/; t again' <<< "$1"; }
# Builds the program of $NETWORK for a target, in bytes where $INT8 names a file.
build() {
    local flags=()
    case $1 in
        "$here") flags=(--config "target.$here.rustflags=['-Clink-arg=-nostartfiles', '-Clink-arg=-lc', '-Crelocation-model=static']") ;;
        "$wasm") flags=(--config "target.$wasm.rustflags=['-Clink-arg=--export=_start', '-Clink-arg=--no-entry']") ;;
    esac
    cargo build --quiet --release --locked --package nn-table --bin nn-table --target "$1" "${flags[@]}" >&2
}
# Bytes of text and of numbers that are not zero at first, the weights among them.
flash() {
    build "$1"
    local program=$folder/$1/release/nn-table
    if [ "$1" = "$wasm" ]; then stat --format %s "$program.wasm"; else size "$program" | awk 'NR == 2 { print $1 + $2 }'; fi
}
# Instructions of one prediction: those of eleven without those of one.
counted() {
    local count=()
    for times in 1 11; do
        count+=("$(NN_ISA=avx2 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$host" predict "$NETWORK" "$1" $times 2>&1 |
            awk '/Collected/ { print $4 }')")
    done
    echo $(((count[1] - count[0]) / 10))
}
# Memory, stack and instructions, as the program itself says.
emulated() {
    timeout 300 "$@" -nographic -icount shift=0 | tr -d '\r' | sed 's/\b0*\([0-9]\)/\1/g'
}

# As everyday programs are compiled.
[ -n "${HOST:-}" ] || CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=${HOST_LEVEL:-3} \
    CARGO_PROFILE_RELEASE_PACKAGE_NN_KERNELS_OPT_LEVEL=${HOST_LEVEL:-3} CARGO_TARGET_DIR=$folder/here cargo build --quiet --release \
    --locked --package nn-table --no-default-features --features host --bin host >&2
host=${HOST:-$folder/here/release/host}
cat << 'HEAD'
| network | numbers | constants | flash in all: Cortex-M4F | riscv32imc | wasm32 | x86-64 | RAM to predict | RAM to train 1 | RAM to train 16 | stack: Cortex-M4F | riscv32imc | instructions: Cortex-M4F | riscv32imc | x86-64, AVX2 |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
HEAD
for NETWORK in $networks; do
    for numbers in f32 int8; do
        # There is no recurrence in bytes.
        [ "$NETWORK $numbers" != "Sequence int8" ] || continue
        read -r params constants train_one train <<< "$("$host" sizes "$NETWORK")"
        INT8=
        if [ $numbers = int8 ]; then
            INT8=$files/$NETWORK.int8 train_one=– train=–
            "$host" quantize "$NETWORK" "$INT8"
            constants=$(stat --format %s "$INT8")
        fi
        export NETWORK INT8
        sizes=()
        for target in $thumb $riscv $wasm $here; do
            size=$(flash $target)
            sizes+=("$size")
        done
        read -r memory stack instructions <<< "$(emulated qemu-system-arm -M mps2-an386 -cpu cortex-m4 \
            -semihosting-config enable=on,target=native -kernel "$folder/$thumb/release/nn-table")"
        read -r _ riscv_stack riscv_instructions <<< "$(emulated qemu-system-riscv32 -M virt -bios none -kernel "$folder/$riscv/release/nn-table")"
        row="| \`$NETWORK\`, $(grouped "$params") | $numbers"
        for cell in "$constants" "${sizes[@]}" "$memory" "$train_one" "$train" "$stack" "$riscv_stack" "$instructions" "$riscv_instructions" \
            "$(counted $numbers)"; do
            row+=" | $(grouped "$cell")"
        done
        echo "$row |"
    done
done
