#!/usr/bin/env bash
# Amplifiers of the published sizes (A1: standard, lite, feather, nano; A2; LSTM), read from `.nam` files and run in blocks of 64
# samples, beside two readers in Rust, on one core: nanoseconds a sample, and how far each is from Neural Amp Modeler itself.
#   benches/peers/nam/run.sh PYTHON [--core N] [--rounds N] [--block N] [--count]
# PYTHON is an interpreter with neural-amp-modeler 0.13.0, which writes the models (some minutes). NeuralAmpModeler-rs needs Rust 1.99, taken
# as `cargo +nightly` where the usual one is older; what does not build is told. --count gives instructions a sample (valgrind) instead
# of time. It fails where this project is further from the reference than 1e-5 of full scale.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
(($#)) || { echo "expected a Python interpreter with neural-amp-modeler, as in: $0 venv/bin/python" >&2; exit 2; }
python=$1
shift
core=$(($(nproc) - 1)) rounds=3 block=64 count=
while (($#)); do
    case $1 in
    --core) core=$2 && shift ;;
    --rounds) rounds=$2 && shift ;;
    --block) block=$2 && shift ;;
    --count) count=1 ;;
    *) echo "expected --core N, --rounds N, --block N or --count, found $1" >&2 && exit 2 ;;
    esac
    shift
done
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/../../../target/peers}
export NAM_MODELS=$CARGO_TARGET_DIR/nam-models PYTHONDONTWRITEBYTECODE=1
mkdir -p "$NAM_MODELS"
models=(standard lite feather nano a2 lstm16 lstm8x2)
[[ -f $NAM_MODELS/a2.txt ]] || "$python" "$here/models.py" "$NAM_MODELS"
for model in "${models[@]}"; do
    cargo run --quiet --manifest-path "$here/../../../Cargo.toml" -p nn-cli -- import "$NAM_MODELS/$model.nam" --name "${model^}" \
        --weights "$NAM_MODELS/$model.safetensors" > "$NAM_MODELS/$model.declaration" 2> /dev/null
done
readers=()
build() {
    local name=$1
    shift
    if "$@" build --release --quiet --manifest-path "$here/Cargo.toml" --features "$name" 2> "$NAM_MODELS/log"; then
        cp "$CARGO_TARGET_DIR/release/peer-nam" "$NAM_MODELS/$name" && readers+=("$name")
    else
        echo "no $name: $(grep -m 1 '^error' "$NAM_MODELS/log")" >&2
        [[ $name != ours ]] || { cat "$NAM_MODELS/log" >&2 && exit 1; }
    fi
}
build ours cargo
build nam-rs cargo
RUSTFLAGS="-C target-cpu=x86-64-v3" build neural-amp-modeler-rs cargo $([[ $(rustc --version) > "rustc 1.99" ]] || echo +nightly)
if [[ $count ]]; then
    for model in "${models[@]}"; do
        for reader in "${readers[@]}"; do
            instructions() {
                valgrind --tool=callgrind --callgrind-out-file=/dev/null "$NAM_MODELS/$reader" "$NAM_MODELS" "$block" "$model" "$1" 2>&1 |
                    sed -n 's/.*Collected : //p'
            }
            echo "$model $reader $((($(instructions 3) - $(instructions 1)) / (2 * 4096)))"
        done
    done
    exit
fi
# Turn by turn, so that what disturbs one disturbs all.
for ((round = 0; round < rounds; round++)); do
    for reader in "${readers[@]}"; do
        taskset -c "$core" "$NAM_MODELS/$reader" "$NAM_MODELS" "$block" | sed "s/^/$reader /"
    done
done | awk '
    { key = $1 " " $2; if (!($2 in row)) { row[$2] = ++rows; name[rows] = $2 }
      if (!(key in least) || $4 < least[key]) least[key] = $4
      far[key] = $3; reader[$1]; if ($1 == "ours" && $3 > 1e-5) wrong = wrong " " $2 }
    END {
        print "| model | reader | ns a sample | from the reference |"
        print "|---|---|---|---|"
        for (i = 1; i <= rows; i++) for (r in reader) if ((r " " name[i]) in least)
            printf "| %s | %s | %.0f | %.1e |\n", name[i], r, least[r " " name[i]], far[r " " name[i]]
        if (wrong != "") { print "further than 1e-5 from the reference:" wrong > "/dev/stderr"; exit 1 }
    }'
