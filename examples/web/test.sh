#!/usr/bin/env bash
# Tries the page in headless Chromium (Debian's, installed where it is missing): draws, reads, teaches, saves and
# loads with synthetic events, and compares the bits of what it learns with this machine's portable path.
#   ./test.sh [FOLDER]    leaves screenshots in FOLDER
set -euo pipefail
cd "$(dirname "$0")"
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo --non-interactive "$@"; fi; }
for program in node:nodejs chromium:chromium wasm-opt:binaryen; do
    command -v "${program%:*}" > /dev/null || {
        as_root apt-get update -qq && as_root apt-get install --yes -qq --no-install-recommends "${program#*:}" > /dev/null
    }
done

cargo fmt --check
./build.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Not for speed, and its size does not matter.
native=${CARGO_TARGET_DIR:-target}/release/native
build() {
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 cargo build --release --locked --bin native "$@"
}
build --features cnn
"$native" learn "$folder/learnt-digits-cnn.safetensors" 25
build
"$native" learn "$folder/learnt-digits.safetensors" 500
node --no-warnings --experimental-websocket test.mjs "$native" "$folder" "${1:-$folder}"
