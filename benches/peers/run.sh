#!/usr/bin/env bash
# Measures this project and what people would use instead, side by side, on one core, and writes a Markdown table.
#   benches/peers/run.sh [--quick] [--venv DIR] [--core N] [--out FILE] [ID…]
# An ID is a workload such as step/cnn/32, or a part of one: `cnn` is all of its rows. What cannot be installed is told in the table.
# The machine should do nothing else meanwhile. --quick is for trying it out. The table is written after each row; where ids are said, the
# other rows stay as they are in FILE.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/nn-peers/venv
core=$(($(nproc) - 1))
out=$PWD/peers.md
rounds=5 millis=400
ids=()
while (($#)); do
    case $1 in
    --quick) rounds=2 millis=100 ;;
    --venv) venv=$2 && shift ;;
    --core) core=$2 && shift ;;
    --out) out=$2 && shift ;;
    -*) echo "expected --quick, --venv DIR, --core N, --out FILE or an id, found $1" >&2 && exit 2 ;;
    *) ids+=("$1") ;;
    esac
    shift
done
export PYTHONDONTWRITEBYTECODE=1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/../../target/peers}
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
missing=$data/missing
: > "$missing"

# Peers are built one by one: one that fails is missing, the others are measured.
build() {
    echo "building $1"
    if ! cargo build --release --quiet --manifest-path "$here/Cargo.toml" -p "peer-$1" 2> "$data/log"; then
        cat "$data/log" >&2
        [[ $1 != ours ]] || exit 1
        echo "$1: $(grep -m 1 '^error' "$data/log" || tail -n 1 "$data/log")" >> "$missing"
    fi
}
for peer in ours burn candle dfdx tract rten; do
    build "$peer"
done

# Outside the tree, because it is gigabytes; made again when what it should hold has changed.
wanted=$here/python/requirements.txt
if ! cmp --silent "$wanted" "$venv/installed.txt"; then
    echo "installing into $venv"
    mkdir -p "$(dirname "$venv")"
    if python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet --requirement "$wanted" 2> "$data/log"; then
        cp "$wanted" "$venv/installed.txt"
    else
        cat "$data/log" >&2
        for peer in PyTorch JAX Keras "ONNX Runtime" ExecuTorch scikit-learn; do
            echo "$peer: $(tail -n 1 "$data/log")" >> "$missing"
        done
    fi
fi

"$CARGO_TARGET_DIR/release/peer-ours" "$data" write
if ! "$venv/bin/python" "$here/python/onnx_files.py" "$data" 2> "$data/log"; then
    cat "$data/log" >&2
    for peer in tract rten "ONNX Runtime"; do
        echo "$peer: no ONNX files: $(tail -n 1 "$data/log")" >> "$missing"
    done
fi
python3 "$here/measure.py" --data "$data" --bin "$CARGO_TARGET_DIR/release" --venv "$venv" --missing "$missing" \
    --out "$out" --core "$core" --rounds "$rounds" --millis "$millis" ${ids[@]+"${ids[@]}"}
cat "$out"
