#!/usr/bin/env bash
# Network namespaces as machines: four of them, each with an address, a name and one link to a switch, on which the ranks of
# `tests/mpi/run.sh` train over TCP to the bits of one rank. Slow, and as root alone, who makes namespaces. Needs what run.sh
# needs, and iproute2.
#   tests/mpi/hosts.sh [RATE]     RATE: what each link carries, as `tc` has it: 1gbit; as fast as it can unless told
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
hosts=4
fail() { echo "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "expected to be root, who makes network namespaces"
clean() {
    for ((i = 1; i <= hosts; i++)); do
        ip netns del nnhost$i 2> /dev/null || true
        rm -rf /etc/netns/nnhost$i
    done
    ip link del nnswitch 2> /dev/null || true
    rm -rf "$work"
}
trap clean EXIT

ip link add nnswitch type bridge
ip link set nnswitch up
for ((i = 1; i <= hosts; i++)); do echo "10.77.0.$i nnhost$i"; done > "$work/hosts"
echo "127.0.0.1 localhost" >> "$work/hosts"
for ((i = 1; i <= hosts; i++)); do
    ip netns add nnhost$i
    ip link add nnlink$i type veth peer name eth0 netns nnhost$i
    ip link set nnlink$i master nnswitch up
    ip -n nnhost$i link set lo up
    ip -n nnhost$i addr add 10.77.0.$i/24 dev eth0
    ip -n nnhost$i link set eth0 up
    [ -z "${1:-}" ] || ip netns exec nnhost$i tc qdisc add dev eth0 root tbf rate "$1" burst 256kb latency 50ms
    # `ip netns exec` shows these as those in /etc.
    mkdir -p /etc/netns/nnhost$i
    cp "$work/hosts" /etc/netns/nnhost$i/hosts
done
# What a launcher calls to start something on another machine, as it would call ssh.
cat > "$work/on" << 'END'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; exec $*"
END
chmod +x "$work/on"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
openmpi=(mpirun.openmpi --oversubscribe --bind-to none --mca btl self,tcp --mca btl_tcp_if_include eth0
    --mca oob_tcp_if_include eth0 --mca plm_rsh_agent "$work/on" --hostfile "$work/list" --map-by node)
mpich=(mpirun.mpich -launcher ssh -launcher-exec "$work/on" -iface eth0 -f "$work/list" -ppn 1)
found=0
for mpi in openmpi mpich; do
    declare -n launch=$mpi
    command -v "${launch[0]}" > /dev/null && command -v mpicc.$mpi > /dev/null || continue
    found=1
    folder=$target
    command -v mpicc.openmpi > /dev/null && command -v mpicc.mpich > /dev/null && folder=$target/$mpi
    MPICC=mpicc.$mpi cargo build --quiet --release --locked -p nn-mpi-tests --features mpi --target-dir "$folder"
    for ranks in 1 2 3 4 8; do
        for ((i = 1; i <= hosts && i <= ranks; i++)); do
            [ $mpi = openmpi ] && echo "nnhost$i slots=8" || echo "nnhost$i:8"
        done > "$work/list"
        begun=$SECONDS
        timeout 300 "$work/on" nnhost1 "$(printf '%q ' "${launch[@]}" -n "$ranks" "$(realpath "$folder/release/steps")" 100)" > "$work/out"
        [ -e "$work/expected" ] || cp "$work/out" "$work/expected"
        diff "$work/expected" "$work/out" || fail "$mpi: $ranks ranks on $hosts machines have other bits"
        echo "$mpi: $ranks ranks on $((ranks < hosts ? ranks : hosts)) machines have the bits of one, $((SECONDS - begun)) s"
    done
done
[ $found = 1 ] || fail "expected Open MPI or MPICH with headers, found neither"
