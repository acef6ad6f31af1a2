#!/bin/sh
# numpy 2.4.6: the mean of float32 over all but the last axis stops growing: 0.33 for 50,000 small images of mean 0.5.
#
# What one expects: NumPy adds pairwise, so that a float32 mean is right to a few digits; `x.mean()` of 150 million ones is 1.
# What is so: pairwise is only a sum along the axis that lies together in memory. `x.mean(axis=(0, 1, 2))` of [images, height,
# width, channels], and `x.mean(axis=0)` of a table, add one row after another to one float32 per column, which stops once a
# term is less than half the sum's last place: ones at 2^24 = 16.8 million. `std` takes that mean. Neither warns.
# What follows: the statistics by which a network's inputs are normalized are wrong from some ten million pixels or rows on,
# while those of a sample of them, or of all channels together, are right; write `dtype=numpy.float64`.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy

print("numpy", numpy.__version__)
images = numpy.empty((50_000, 32, 32, 3), numpy.float32)  # the size of CIFAR-10: 51 million pixels, 614 MB
images[::2], images[1::2] = 0.25, 0.75
axes = (0, 1, 2)
mean, std, whole = images.mean(axis=axes), images.std(axis=axes), images.mean()
right = images.mean(axis=axes, dtype=numpy.float64)
print("channels of 0.25 and 0.75 in turn: mean", mean, "std", std, "(right 0.5, 0.25)")
print("the mean of all three channels together:", whole, "and each one's in float64:", right)
rows = images.reshape(-1, 3).mean(axis=0)
print("the same as a table of 51 million rows:", rows)
same = (mean < 0.34).all() and (rows < 0.34).all() and (right == 0.5).all() and abs(whole - 0.5) < 1e-6 and (std > 0.28).all()
sys.exit(0 if same else 1)
PYTHON
