#!/usr/bin/env bash
# Two ranks of one thread beside one rank of one thread and of two, and beside a trainer that is not distributed, turn by
# turn; and what messages between two ranks take. Needs libclang and an MPI with headers (tests/mpi/run.sh says which), and two cores that are free.
#   benches/ranks.sh [ROUNDS]      3 unless told; each takes about a minute
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cargo build --quiet --release --locked -p nn-benches --example ranks --features mpi --target-dir "$target/${MPICC:-mpi}"
ranks=$target/${MPICC:-mpi}/release/examples/ranks
start() { local n=$1; shift; mpirun --oversubscribe --bind-to none -n "$n" "$ranks" "$@"; }

start 2 messages
for ((round = 0; round < ${1:-3}; round++)); do
    for workload in "cnn 128" "mlp-wide 512"; do
        read -ra words <<< "$workload"
        alone=$("$ranks" "${words[@]}" 1 alone)
        threads=$("$ranks" "${words[@]}" 2 alone)
        one=$(start 1 "${words[@]}" 1)
        wide=$(start 1 "${words[@]}" 2)
        two=$(start 2 "${words[@]}" 1)
        awk -v w="$workload" -v a="$alone" -v t="$threads" -v o="$one" -v d="$wide" -v r="$two" 'BEGIN {
            printf "%s: not distributed %d µs, on two threads %d µs; ", w, a, t
            printf "one rank %d µs, of two threads %d µs; two ranks %d µs: %.2f times as fast as one rank, ", o, d, r, o / r
            printf "%.2f times as two threads of it, %.2f times as two threads that are not distributed\n", d / r, t / r }'
    done
done
