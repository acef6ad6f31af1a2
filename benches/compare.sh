#!/usr/bin/env bash
# Measures this tree against an earlier commit, side by side, turn by turn on one core: what a change costs or gains.
#   benches/compare.sh REVISION [--core N] [--rounds N] [ID…]
# An ID is a workload of benches/peers such as step/cnn/32, or a part of one. The machine should do nothing else meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ $# -gt 0 && $1 != -* ]] || { echo "expected a revision to compare with, as in: benches/compare.sh HEAD~1" >&2; exit 2; }
revision=$1
shift
base=$(mktemp -d)
data=$(mktemp -d)
trap 'git -C "$here" worktree remove --force "$base/tree" 2> /dev/null; rm -rf "$base" "$data"' EXIT
git -C "$here" worktree add --quiet --detach "$base/tree" "$revision"
target=${CARGO_TARGET_DIR:-$here/../target}
build() {
    cargo build --release --quiet --manifest-path "$1/benches/peers/Cargo.toml" --package peer-ours --target-dir "$2"
}
echo "building $revision"
build "$base/tree" "$target/compare/before"
echo "building this tree"
build "$here/.." "$target/compare/after"
"$target/compare/after/release/peer-ours" "$data" write
python3 "$here/compare.py" --data "$data" "$@" -- "$target/compare/before/release/peer-ours" "$target/compare/after/release/peer-ours"
