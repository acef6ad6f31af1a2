#!/usr/bin/env bash
# Real worlds of MPI: the bits of three networks after 100 steps on 1, 2, 3, 4 and 8 ranks, with each MPI that is there, in
# memory that the ranks have together and by messages; a run that goes on with another number of ranks; ranks that are killed. Needs libclang, and Open MPI or MPICH with headers:
#   apt-get install libclang-dev libopenmpi-dev openmpi-bin libmpich-dev mpich
#   tests/mpi/run.sh [KILLS]      KILLS: how often a random rank is killed, 2 unless told
set -euo pipefail
cd "$(dirname "$0")/../.."
kills=${1:-2}
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset RUST_BACKTRACE
fail() { echo "$*" >&2; exit 1; }

# What `mpirun` is told besides the number of ranks.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Where MPICH copies out of the memory of a process that has just died, its UCX ends this one too.
export UCX_TLS=self,sysv,posix
openmpi=(mpirun.openmpi --oversubscribe --bind-to none --mca btl self,vader)
mpich=(mpirun.mpich)
found=0

for mpi in openmpi mpich; do
    declare -n launch=$mpi
    command -v "${launch[0]}" > /dev/null && command -v mpicc.$mpi > /dev/null || continue
    found=1
    # Of two, each has a target folder of its own: the bindings are those of its headers.
    folder=$target
    command -v mpicc.openmpi > /dev/null && command -v mpicc.mpich > /dev/null && folder=$target/$mpi
    MPICC=mpicc.$mpi cargo build --quiet --release --locked -p nn-mpi-tests --features mpi --target-dir "$folder"
    steps=$folder/release/steps
    run() { local ranks=$1; shift; timeout 120 "${launch[@]}" -n "$ranks" "$steps" "$@"; }

    for ranks in 1 2 3 4 8; do
        begun=$SECONDS
        run "$ranks" 100 > "$work/$mpi.$ranks"
        [ -e "$work/expected" ] || cp "$work/$mpi.$ranks" "$work/expected"
        diff "$work/expected" "$work/$mpi.$ranks" || fail "$mpi: $ranks ranks have other bits"
        BY_MESSAGES=1 run "$ranks" 100 > "$work/$mpi.$ranks"
        diff "$work/expected" "$work/$mpi.$ranks" || fail "$mpi: $ranks ranks have other bits by messages"
        echo "$mpi: $ranks ranks have the bits of one, $((SECONDS - begun)) s"
    done

    # Launchers that let the others live, so that all of them name the dead rank. MPICH's ends them where a process does not
    # end well, and sends a signal that does; a shell around each keeps both from it (docs/scaling.md).
    alive() {
        case $mpi in
            openmpi) timeout 60 "${launch[@]}" --enable-recovery -n 3 "$steps" "$@" ;;
            mpich) timeout 60 "${launch[@]}" -disable-auto-cleanup -n 3 sh -c 'trap "" USR1; "$@"; exit 0' sh "$steps" "$@" ;;
        esac
    }
    rm -f "$work/whole.ckpt"
    undisturbed=$(run 2 60 "$work/whole.ckpt" | grep '^mlp')
    for ((kill = 0; kill < kills; kill++)); do
        rm -f "$work/run.ckpt"
        alive 60 "$work/run.ckpt" 30 > "$work/out" 2> "$work/err" &
        launcher=$!
        for ((i = 0; i < 200; i++)); do
            [ "$(grep -c 'is process' "$work/out")" = 3 ] && [ -e "$work/run.ckpt" ] && break
            sleep 0.05
        done
        dead=$((RANDOM % 3))
        sleep "0.$((RANDOM % 8))"
        kill -9 "$(sed -n "s/^rank $dead is process //p" "$work/out")"
        named() { grep -c "^rank .: rank $dead has ended" "$work/err" || true; }
        for ((i = 0; i < 100; i++)); do
            [ "$(named)" -ge 2 ] && break
            kill -0 $launcher 2> /dev/null || break
            sleep 0.05
        done
        told=$(named)
        [ "$told" -ge 2 ] || { cat "$work/err" >&2; fail "$mpi: rank $dead died and $told of 2 others said so within 5 s"; }
        timeout 10 tail --pid=$launcher -f /dev/null || { kill -9 $launcher; fail "$mpi: the launcher goes on after all have ended"; }
        after=$(run $((1 + RANDOM % 4)) 60 "$work/run.ckpt" | grep '^mlp')
        [ "$after" = "$undisturbed" ] || fail "$mpi: after rank $dead was killed the run goes on to $after, expected $undisturbed"
        echo "$mpi: rank $dead was killed, $told of 2 others named it within 5 s, and the run went on to the same bits"
    done
done
[ $found = 1 ] || fail "expected Open MPI or MPICH with headers, found neither"
