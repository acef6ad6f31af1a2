#!/usr/bin/env bash
# A step of a stream beside RTNeural's static models, on one core: nanoseconds a sample, and how many times as fast this project is
# as the better of RTNeural's backends.
#   benches/peers/rtneural/run.sh CHECKOUT [--core N] [--rounds N]
# CHECKOUT is a clone of github.com/jatinchowdhury18/RTNeural. Eigen (libeigen3-dev), and xsimd of the checkout's submodule or of the
# system (libxsimd-dev), must be there; a backend that does not build is told. The machine should do nothing else meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ $# -gt 0 && -f $1/RTNeural/RTNeural.h ]] || { echo "expected a checkout of RTNeural, as in: $0 ../RTNeural" >&2; exit 2; }
checkout=$(cd "$1" && pwd)
shift
core=$(($(nproc) - 1)) rounds=3
while (($#)); do
    case $1 in
    --core) core=$2 && shift ;;
    --rounds) rounds=$2 && shift ;;
    *) echo "expected --core N or --rounds N, found $1" >&2 && exit 2 ;;
    esac
    shift
done
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
includes=(-I "$checkout" -I "$checkout/modules/json" -I "$checkout/modules/xsimd/include" -I "$checkout/modules/Eigen" -I /usr/include/eigen3)
backends=()
for backend in EIGEN XSIMD; do
    # Vectors of AVX are aligned to 32 bytes; wider ones to 64.
    for align in 64 32; do
        if "${CXX:-g++}" -std=c++17 -O3 -march=native -ffast-math -w "-DRTNEURAL_USE_$backend=1" "-DRTNEURAL_DEFAULT_ALIGNMENT=$align" \
            "${includes[@]}" "$here/streams.cpp" "$checkout/RTNeural/RTNeural.cpp" -o "$build/$backend" 2> "$build/log"; then
            backends+=("$backend") && break
        fi
    done
    [[ -x $build/$backend ]] || { echo "no $backend: $(grep -m 1 -E 'error' "$build/log")" >&2; }
done
((${#backends[@]})) || exit 1
ours=$(cd "$here/../../.." && cargo bench --quiet --locked -p nn-benches --bench streams --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
# Turn by turn, so that what disturbs one disturbs all.
for ((round = 0; round < rounds; round++)); do
    for backend in "${backends[@]}"; do
        taskset -c "$core" "$build/$backend" | sed "s/^/$backend /"
    done
    taskset -c "$core" "$ours" --bench | awk -F' *[|] *' '/^[|] [a-z]+[0-9]/ { print "ours", $2, $4 }'
done | awk '
    { if (!($2 in row)) { row[$2] = ++rows; name[rows] = $2 }
      key = $1 " " $2; if (!(key in least) || $3 < least[key]) least[key] = $3 }
    function cell(key) { return (key in least) ? least[key] : "–" }
    END {
        print "| network | here | RTNeural, Eigen | RTNeural, xsimd | as fast as the better |"
        print "|---|---|---|---|---|"
        for (i = 1; i <= rows; i++) {
            better = ""
            for (b in least) { split(b, part, " "); if (part[2] == name[i] && part[1] != "ours" && (better == "" || least[b] < better)) better = least[b] }
            printf "| %s | %s | %s | %s | %.2f× |\n", name[i], cell("ours " name[i]), cell("EIGEN " name[i]), cell("XSIMD " name[i]), better / least["ours " name[i]]
        }
    }'
