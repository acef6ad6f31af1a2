#!/usr/bin/env bash
# Builds the wasm that the page loads: of each network one for every browser, one with vector instructions.
#   ./build.sh && python3 -m http.server --directory . 8000        then open http://localhost:8000
set -euo pipefail
cd "$(dirname "$0")"
target=wasm32-unknown-unknown
# `core` is compiled with the page, where a panic is a trap and nothing else: what it would say, and where, nobody
# hears. That takes a nightly toolchain with its sources.
export RUSTUP_TOOLCHAIN=nightly
rustup component list --installed 2> /dev/null | grep --quiet '^rust-src' ||
    rustup toolchain install nightly --profile minimal --component rust-src
silent=(-Zbuild-std=core -Zbuild-std-features=compiler-builtins-mem)
RUSTFLAGS="${RUSTFLAGS:-} -Zunstable-options -Cpanic=immediate-abort"
# What is downloaded names no folder of this machine, and is as long wherever it is built.
for prefix in "$(cd ../.. && pwd)=nn" "${CARGO_HOME:-$HOME/.cargo}=cargo" "$(rustc --print sysroot)=rust"; do
    RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$prefix"
done
# Binaryen's optimiser, where there is one: npm's is newer than Debian's, and leaves a twentieth less.
optimiser=()
if command -v npx > /dev/null; then
    optimiser=(npx --yes --package=binaryen@132.0.0 -- wasm-opt)
elif command -v wasm-opt > /dev/null; then
    optimiser=(wasm-opt)
fi

module() { # FILE FLAGS CARGO_ARGUMENT…
    RUSTFLAGS="$RUSTFLAGS $2" cargo build --release --locked --lib --target $target "${silent[@]}" "${@:3}"
    cp "${CARGO_TARGET_DIR:-target}/$target/release/nn_web.wasm" "$1"
    [ "${#optimiser[@]}" = 0 ] || "${optimiser[@]}" -Oz --strip-debug --strip-producers --enable-bulk-memory --enable-mutable-globals \
        --enable-nontrapping-float-to-int --enable-sign-ext --enable-multivalue --enable-reference-types --enable-simd "$1" -o "$1"
}
vectors="-C target-feature=+simd128"
module digits.wasm ""
module digits-cnn.wasm "" --features cnn
module digits-simd128.wasm "$vectors"
module digits-cnn-simd128.wasm "$vectors" --features cnn
wc --bytes digits*.wasm
