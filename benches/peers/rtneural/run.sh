#!/usr/bin/env bash
# A step of a stream beside RTNeural's static models, on one core: nanoseconds a sample, and how many times as fast this project is
# as the better of RTNeural's backends.
#   benches/peers/rtneural/run.sh CHECKOUT [--core N] [--rounds N] [--count]
# CHECKOUT is a clone of github.com/jatinchowdhury18/RTNeural. Eigen comes with it (or libeigen3-dev); xsimd is that of
# its submodule or of the system (libxsimd-dev); a backend that does not build is told. The machine should do nothing else meanwhile.
# --count gives instructions a sample (valgrind) instead of time, which a busy machine gives too; both sides then stop at AVX2.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ $# -gt 0 && -f $1/RTNeural/RTNeural.h ]] || { echo "expected a checkout of RTNeural, as in: $0 ../RTNeural" >&2; exit 2; }
checkout=$(cd "$1" && pwd)
shift
core=$(($(nproc) - 1)) rounds=3 count= machine=native
while (($#)); do
    case $1 in
    --core) core=$2 && shift ;;
    --rounds) rounds=$2 && shift ;;
    --count) count=1 machine=x86-64-v3 ;;
    *) echo "expected --core N, --rounds N or --count, found $1" >&2 && exit 2 ;;
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
        if "${CXX:-g++}" -std=c++17 -O3 "-march=$machine" -ffast-math -w "-DRTNEURAL_USE_$backend=1" "-DRTNEURAL_DEFAULT_ALIGNMENT=$align" \
            "${includes[@]}" "$here/streams.cpp" "$checkout/RTNeural/RTNeural.cpp" -o "$build/$backend" 2> "$build/log"; then
            backends+=("$backend") && break
        fi
    done
    [[ -x $build/$backend ]] || { echo "no $backend: $(grep -m 1 -E 'error' "$build/log")" >&2; }
done
((${#backends[@]})) || exit 1
ours=$(cd "$here/../../.." && cargo bench --quiet --locked -p nn-benches --bench streams --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
# The last so many samples of twice as many, per sample.
instructions() {
    local name=$1 samples=$2 all=()
    shift 2
    for times in "$samples" $((2 * samples)); do
        all+=("$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" "$name" "$times" 2>&1 | sed -n 's/.*Collected : //p')")
    done
    echo $(((all[1] - all[0]) / samples))
}
if [[ $count ]]; then
    for name in lstm{8,16,24,32,40,64} gru{8,16,24,32,40,64} conv{8,16,32} dense{8,16,32,64}; do
        for backend in "${backends[@]}"; do
            echo "$backend $name $(instructions "$name" 4000 "$build/$backend")"
        done
        echo "ours $name $(instructions "$name/step" 4000 "$ours")"
    done
else
    # Turn by turn, so that what disturbs one disturbs all.
    for ((round = 0; round < rounds; round++)); do
        for backend in "${backends[@]}"; do
            taskset -c "$core" "$build/$backend" | sed "s/^/$backend /"
        done
        taskset -c "$core" "$ours" --bench | awk -F' *[|] *' '/^[|] [a-z]+[0-9]/ { print "ours", $2, $4 }'
    done
fi | awk '
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
