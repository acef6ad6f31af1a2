#!/usr/bin/env bash
# Where the time of a workload goes, function by function, as `perf` sees it: shares of all but the drawing and checking of data.
#   benches/profile.sh [ID…]        such as step/lenet5/32; all that the changelog speaks of where none is said
set -euo pipefail
cd "$(dirname "$0")/.."
command -v perf > /dev/null || { echo "expected perf, found none; on Debian: apt-get install linux-perf" >&2 && exit 2; }
(($#)) || set -- step/linreg/4 step/mlp10/32 step/mnist128/32 step/mnist128/128 step/mlp-wide/128 step/cnn/128 step/lenet5/32 \
    step/lenet5/2048 step/lstm/32 step/tfm/32 predict/mlp10/256 predict/mnist128/256 predict/mlp-wide/256
# Names with what they are generic over, in a build of their own.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/profile RUSTFLAGS="-C symbol-mangling-version=v0"
bench=$(cargo bench --quiet --locked -p nn-benches --bench networks --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
data=$(mktemp)
trap 'rm -f "$data"' EXIT
for id; do
    perf record --quiet --event cpu-clock --freq 5000 --output "$data" "$bench" --bench "$id" > /dev/null 2>&1
    echo "$id"
    # A name ends where its arguments begin; every kernel has passed through the instruction set's own function.
    perf report --input "$data" --no-children --stdio --percent-limit 0.2 --sort symbol 2> /dev/null |
        sed -n 's/<simd::avx512::Avx512 as simd::Simd>::call:://; s/nn_kernels:://g; s/simd::[a-z0-9]*::with_features:://; s/^ *\([0-9.]*\)% *\[[.k]\] *\(.*[^ -]\)[ -]*$/\1 \2/p' |
        awk '/digits|check_finite|rayon|criterion|ieee754|@@GLIBC|sinf|oflow|@plt|nn_benches/ { next }
            { share[NR] = $1; $1 = ""; name[NR] = $0; all += share[NR] }
            END { for (i = 1; i <= NR; i++) if (share[i] / all >= 0.01) printf "%6.1f %%%s\n", 100 * share[i] / all, substr(name[i], 1, 110) }'
done
