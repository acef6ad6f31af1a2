#!/usr/bin/env bash
# How many times as long each layer's step takes in a debug build, with the profile that the README gives, as in a release build; the
# longest first. A batch of 64, one thread.
#   benches/debug.sh            in microseconds; the machine should do nothing else meanwhile
#   benches/debug.sh --count    in thousands of instructions, by valgrind, so that a busy machine changes nothing; with AVX2
set -euo pipefail
cd "$(dirname "$0")/.."
build() { cargo test --quiet --locked -p nn-tests --test layers --no-run --message-format json "$@" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1; }
# The tests of the layers, in their order: each one's figure stands behind its name.
figures() { sed -n 's/.*step of layers::alone::\([a-z0-9_]*\)::Alone: \(.*\)/\1 \2/p'; }
times() { (cd tests && NN_STEP_TIMES=1 "$1" alone:: --test-threads=1 --nocapture) | figures | sort; }
counts() {
    local data
    data=$(mktemp -d)
    # Valgrind writes what it has counted whenever the four steps of a layer are over.
    (cd tests && NN_STEP_TIMES=count NN_ISA=avx2 valgrind --quiet --tool=callgrind --toggle-collect='layers::alone::counted*' \
        --dump-after='layers::alone::counted*' --callgrind-out-file="$data/out" "$1" alone:: --test-threads=1 --nocapture) |
        figures | cut -d ' ' -f 1 > "$data/names"
    while read -r name; do
        number=$((${number:-0} + 1))
        awk -v name="$name" '/^(totals|summary):/ { total = $2 } END { print name, total / 4 }' "$data/out.$number"
    done < "$data/names" | sort
    rm -rf "$data"
}
figure=times unit=µs
if [[ ${1:-} = --count ]]; then
    command -v valgrind > /dev/null || { echo "expected valgrind, found none; on Debian: apt-get install valgrind" >&2 && exit 2; }
    figure=counts unit='thousand instructions'
fi
debug=$(build) release=$(build --release)
[[ $figure = counts ]] || times "$debug" > /dev/null
debug=$($figure "$debug")
release=$($figure "$release")
echo "| layer | release, $unit | debug, $unit | debug ÷ release |"
echo '|---|---|---|---|'
join <(echo "$release") <(echo "$debug") | sort | awk '{ printf "%.2f | `%s` | %.1f | %.1f | %.2f |\n", $3 / $2, $1, $2 / 1000, $3 / 1000, $3 / $2 }' |
    sort --general-numeric-sort --reverse | sed 's/^[0-9.]* //'
