#!/usr/bin/env bash
# How many times as long each layer's step takes in a debug build, with the profile that the README gives, as in a release build; the
# longest first. A batch of 64, one thread; the machine should do nothing else meanwhile.
#   benches/debug.sh
set -euo pipefail
cd "$(dirname "$0")/.."
times() { NN_STEP_TIMES=1 cargo test --quiet --locked -p nn-tests --test layers "$@" alone:: -- --test-threads=1 --nocapture | sed -n 's/.*step of layers::alone::\([a-z0-9_]*\)::Alone: /\1 /p' | sort; }
times > /dev/null
debug=$(times)
release=$(times --release)
echo '| layer | release, µs | debug, µs | debug ÷ release |'
echo '|---|---|---|---|'
join <(echo "$release") <(echo "$debug") | sort | awk '{ printf "%.2f | `%s` | %.1f | %.1f | %.2f |\n", $3 / $2, $1, $2 / 1000, $3 / 1000, $3 / $2 }' |
    sort --general-numeric-sort --reverse | sed 's/^[0-9.]* //'
