#!/bin/sh
# pandas 3.0.1: `read_csv` reads at most 17 digits of a number and counts the zeros behind the point among them.
#
# What one expects: a decimal is rounded to the nearest float64, as Python's `float`, NumPy and Rust's `parse` do it; at worst
# the last place is off.
# What is so: without `float_precision="round_trip"` the number 0.000000000001234567 becomes 1.2345e-12, and
# 0.0000000000000000012345 becomes 0. Digits are lost in float32 too. Of ordinary float64 that `to_csv` wrote a third come back
# changed, because one that begins with 0.00 has 17 digits less two.
# What follows: small numbers written in full (currents in amperes, concentrations) differ between pandas and any other reader;
# tests that compare with pandas ask for `round_trip`.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.0.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import random
import sys

import numpy
import pandas


def read(text, **options):
    return pandas.read_csv(io.StringIO(text), **options)["a"].to_numpy()


print("pandas", pandas.__version__, "numpy", numpy.__version__)
small = ["0.000000000001234567", "0.00000000000000012345", "0.0000000000000000012345"]
text = "a\n" + "\n".join(small) + "\n"
default, single = read(text), read(text, dtype="float32")
right = read(text, float_precision="round_trip")
for number, a, b, c in zip(small, default, single, right):
    print(f"{number}: read_csv {a:.7g}, as float32 {b:.7g}, round_trip {c:.7g}, float() {float(number):.7g}")

random.seed(1)
written = numpy.array([random.random() * 10 ** random.randint(-5, 5) for _ in range(100_000)])
text = pandas.DataFrame({"a": written}).to_csv(index=False)
changed = int((read(text) != written).sum())
kept = bool((read(text, float_precision="round_trip") == written).all())
print("written by to_csv and read again:", changed, "of", len(written), "changed; with round_trip", "none" if kept else "some")
same = list(default) == [1.2345e-12, 1e-16, 0.0] and list(right) == [float(n) for n in small] and kept and changed > 10_000
sys.exit(0 if same else 1)
PYTHON
