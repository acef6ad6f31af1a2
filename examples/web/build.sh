#!/usr/bin/env bash
# Builds the wasm that the page loads: one for every browser, one with vector instructions.
#   ./build.sh && python3 -m http.server --directory . 8000        then open http://localhost:8000
set -euo pipefail
cd "$(dirname "$0")"
target=wasm32-unknown-unknown
rustup target list --installed | grep --quiet --line-regexp $target || rustup target add $target
# What is downloaded names no folder of this machine, and is as long wherever it is built.
for prefix in "$(cd ../.. && pwd)=nn" "${CARGO_HOME:-$HOME/.cargo}=cargo" "$(rustc --print sysroot)=rust"; do
    RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$prefix"
done
export RUSTFLAGS
built=${CARGO_TARGET_DIR:-target}/$target/release/nn_web.wasm
cargo build --release --locked --lib --target $target
cp "$built" digits.wasm
RUSTFLAGS="$RUSTFLAGS -C target-feature=+simd128" cargo build --release --locked --lib --target $target
cp "$built" digits-simd128.wasm
# Binaryen's optimiser, where there is one, takes off another tenth (Debian: binaryen).
if command -v wasm-opt > /dev/null; then
    features=(--enable-bulk-memory --enable-mutable-globals --enable-nontrapping-float-to-int --enable-sign-ext
        --enable-multivalue --enable-reference-types)
    wasm-opt -Oz "${features[@]}" digits.wasm -o digits.wasm
    wasm-opt -Oz "${features[@]}" --enable-simd digits-simd128.wasm -o digits-simd128.wasm
fi
wc --bytes digits.wasm digits-simd128.wasm
