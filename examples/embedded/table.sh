#!/usr/bin/env bash
# Writes the table of docs/embedded.md: what six networks take of flash, memory, stack and time on four
# targets. Long: each program is built of its own. Needs qemu-system-arm, valgrind and GNU's `size` (Debian).
#   table.sh > table.md
set -euo pipefail
cd "$(dirname "$0")"
networks=${NETWORKS:-Control Mlp LeNet Cnn Separable Sequence}
folder=${CARGO_TARGET_DIR:-$PWD/target}
targets=${TARGETS:-thumbv7em-none-eabihf riscv32imc-unknown-none-elf wasm32-unknown-unknown x86_64-unknown-linux-gnu}
thumb=thumbv7em-none-eabihf riscv=riscv32imc-unknown-none-elf wasm=wasm32-unknown-unknown here=x86_64-unknown-linux-gnu

grouped() { sed ':again; s/\([0-9]\)\([0-9]\{3\}\)\b/\1,\2/; t again' <<< "$1"; }
# Builds the program of $NETWORK for a target.
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
        count+=("$(NN_ISA=avx2 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$folder/here/release/host" predict "$NETWORK" "$1" $times 2>&1 |
            awk '/Collected/ { print $4 }')")
    done
    echo $(((count[1] - count[0]) / 10))
}

# As everyday programs are compiled.
NETWORK=none CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=3 \
    CARGO_PROFILE_RELEASE_PACKAGE_NN_KERNELS_OPT_LEVEL=3 CARGO_TARGET_DIR=$folder/here cargo build --quiet --release --locked \
    --package nn-table --no-default-features --features host --bin host >&2
cat << 'HEAD'
| network | parameters | weights | flash in all: Cortex-M4F | riscv32imc | wasm32 | x86-64 | RAM to predict | RAM to train 16 | stack, Cortex-M4F | instructions, Cortex-M4F | x86-64 (AVX2) | int8: weights | RAM to predict | instructions, x86-64 (AVX2) |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
HEAD
for NETWORK in $networks; do
    export NETWORK
    read -r params weights predict train int8_weights int8_predict <<< "$("$folder/here/release/host" sizes "$NETWORK")"
    sizes=()
    for target in $thumb $riscv $wasm $here; do
        # What is not asked for is left out.
        [[ " $targets " = *" $target "* ]] && sizes+=("$(flash $target)") || sizes+=(–)
    done
    read -r stack instructions <<< "$(qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -icount shift=0 \
        -semihosting-config enable=on,target=native -kernel "$folder/$thumb/release/nn-table" | tr -d '\r')"
    # The workspace lies on the stack there.
    stack=$((stack - predict)) int8=–
    [ "$int8_weights" = – ] || int8=$(counted int8)
    row="| \`$NETWORK\`"
    for cell in "$params" "$weights" "${sizes[@]}" "$predict" "$train" "$stack" "$instructions" "$(counted float)" \
        "$int8_weights" "$int8_predict" "$int8"; do
        row+=" | $(grouped "$cell")"
    done
    echo "$row |"
done
