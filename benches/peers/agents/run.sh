#!/usr/bin/env bash
# The examples of agents beside the same programs in PyTorch, on one core: seconds for a thousand pushes, learning included, and lines
# of code, without comments and blank ones. The machine should do nothing else meanwhile.
#   benches/peers/agents/run.sh [--core N]
# Needs Python with `torch`.
set -euo pipefail
cd "$(dirname "$0")/../../.."
core=$(($(nproc) - 1))
[ "${1:-}" != --core ] || core=$2
lines() { grep --invert-match --count --extended-regexp '^\s*(//.*|"""[^"]*"""|#.*)?$' "$1"; }
# The last line of each is "… N steps in S s".
rate() { sed -n 's/.*\b\([0-9]\+\) steps in \([0-9.]*\) s$/\2 \1/p' | awk '{ printf "%.4f", 1000 * $1 / $2 }'; }
cargo build --quiet --release --locked --example 16_dqn --example 17_ppo
built=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/examples
echo '| agent | here, s | PyTorch, s | times as fast | lines here | lines in PyTorch |'
echo '|---|---|---|---|---|---|'
for agent in 16_dqn 17_ppo; do
    name=${agent#*_}
    ours=$(taskset -c "$core" "$built/$agent" | rate)
    theirs=$(taskset -c "$core" python3 "benches/peers/agents/$name.py" | rate)
    printf '| %s | %s | %s | %s | %s | %s |\n' "$name" "$ours" "$theirs" "$(awk "BEGIN { printf \"%.0f\", $theirs / $ours }")" \
        "$(lines "examples/$agent.rs")" "$(lines "benches/peers/agents/$name.py")"
done
