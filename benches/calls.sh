#!/usr/bin/env bash
# Counts the instructions of one call of the smallest networks, and says in which functions they are spent: docs/calls.md.
#   benches/calls.sh [ID…] > docs/calls.md        all ids where none is said
# Counted, not timed, so that a busy machine changes nothing; on AVX2, as valgrind knows no later instructions.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind > /dev/null || { echo "expected valgrind, found none; on Debian: apt-get install valgrind" >&2 && exit 2; }
bench=$(cargo bench --quiet --locked -p nn-benches --bench calls --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
(($#)) || mapfile -t all < <("$bench" --bench)
(($#)) && all=("$@")
data=$(mktemp)
trap 'rm -f "$data"' EXIT
cat << 'END'
# What a call of a small network takes

Instructions of one prediction or step (Adam, but for `linreg`, whose step is gradient descent) with AVX2, and the functions with most
of them; a kernel counts to the function that enters it. `benches/calls.sh > docs/calls.md` writes this page.

| call | instructions | where |
|---|---|---|
END
for id in "${all[@]}"; do
    count=20
    NN_ISA=avx2 valgrind --quiet --tool=callgrind --separate-callers=1 --toggle-collect='*calls::measured*' \
        --callgrind-out-file="$data" "$bench" "$id" "$count" > /dev/null 2>&1
    callgrind_annotate --threshold=100 --auto=no "$data" | awk -v id="$id" -v count="$count" '
        # The caller stands behind an apostrophe, a recursion is a number.
        function short(name,    parts, n) {
            sub(/ \[.*/, "", name); sub(/^[^:]*:/, "", name); gsub(/\x27[0-9]+/, "", name)
            n = split(name, parts, "\x27")
            if (n > 1 && name ~ /^nn_kernels::simd::.*with_features/) name = parts[2]; else name = parts[1]
            if (name ~ /with_features$/) name = "kernels within kernels"
            gsub(/<impl [^<>]*(<[^<>]*>)?[^<>]* for [^<>]*::([A-Za-z0-9]*)>/, "", name)
            gsub(/<[^<> ]*::([A-Za-z0-9]+) as [^<>]*>/, "&", name)
            while (match(name, / as [^<>]*>/)) name = substr(name, 1, RSTART - 1) ">" substr(name, RSTART + RLENGTH)
            gsub(/[a-z_0-9]+::_?(::)?/, "&", name); gsub(/nn_(kernels|runtime|benches)::/, "", name)
            gsub(/[<>&{}]|closure|impl/, "", name); gsub(/::::/, "::", name); sub(/(::)+$/, "", name)
            n = split(name, parts, "::")
            return n > 1 ? parts[n - 1] "::" parts[n] : name
        }
        /PROGRAM TOTALS/ { gsub(/,/, "", $1); all = $1 }
        /file:function/ { body = 1; next }
        body && /^ *[0-9,]+ \(/ {
            line = $0; ir = $1; gsub(/,/, "", ir)
            sub(/^ *[0-9,]+ \([ 0-9.%]*\) */, "", line)
            sum[short(line)] += ir
        }
        END {
            printf("| `%s` | %d |", id, all / count)
            for (rank = 1; rank <= 7; rank++) {
                best = ""
                for (name in sum) if (best == "" || sum[name] > sum[best]) best = name
                if (best == "" || sum[best] < 0.02 * all) break
                printf("%s `%s` %d", (rank > 1 ? "," : ""), best, sum[best] / count)
                delete sum[best]
            }
            print " |"
        }'
done
