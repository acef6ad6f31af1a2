#!/bin/sh
# LiteRT 2.3.0 (ai-edge-litert): one int8 model has different answers, by which kernels of the same package run it.
#
# What one expects: operators on whole numbers, specified in whole numbers, give the same codes whichever kernels compute them; so a port
# may be checked against any of them, such as the reference kernels.
# What is so: of the 1,000 random operators of tests/int8/litert.txt the default (XNNPACK: one float32 scale, rounded once, ties to even)
# and the reference kernels (two roundings in whole numbers) differ in some convolutions, depthwise ones and means, the optimised kernels
# without XNNPACK in some dense layers too, each by 1.
# What follows: "equal to TFLite" has to name which; a test against the reference kernels fails on a right port of what runs by default.
#
# Exits with 0 as long as that is so.
set -eu
script=$(cd "$(dirname "$0")/../tests/int8" && pwd)/make_litert.py
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
cd "$folder"
for kernels in AUTO BUILTIN_REF BUILTIN_WITHOUT_DEFAULT_DELEGATES; do
    RESOLVER=$kernels venv/bin/python "$script" > "$kernels" 2> log || { cat log >&2; exit 1; }
done
venv/bin/python - <<'PYTHON'
from collections import Counter


def answers(kernels):
    for line in open(kernels):
        what, codes = line.split(" : ")
        yield what.split()[0], bytes.fromhex(codes.strip())


for other, expected in (("BUILTIN_REF", {"conv", "depthwise", "mean"}), ("BUILTIN_WITHOUT_DEFAULT_DELEGATES", {"conv", "dense", "depthwise", "mean"})):
    differ = Counter()
    for (operator, default), (_, found) in zip(answers("AUTO"), answers(other)):
        assert max(abs(a - b) for a, b in zip(default, found)) <= 1, operator
        differ[operator] += default != found
    differ = +differ
    print(f"{other}: {sum(differ.values())} of 1000 differ from the default, {dict(differ)}")
    assert set(differ) == expected, differ
PYTHON
