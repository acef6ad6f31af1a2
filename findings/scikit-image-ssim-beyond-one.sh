#!/bin/sh
# scikit-image 0.26.0: `structural_similarity` of float32 fields far from zero is 8 instead of 0.99.
#
# What one expects: an index of at most 1, which is 1 for equal images alone; that float32 and float64 agree to a few digits, as
# `data_range`, the one scale it is given, says what matters.
# What is so: variances and covariance are the mean of squares less the square of the mean, in float32 if both images are. The
# error grows with the level, not with the range: none for pictures of 0 to 1, but the index of 300 ± 0.05 is 8 and that of a
# pressure of 101,325 ± 100 Pa is 0.94 instead of 0.85, with places of its map at 7.7. Two equal images are exactly 1, so that
# the obvious test passes.
# What follows: weather, elevation and depth, which networks enlarge or predict in kelvin, pascal or metres, are judged by this
# index, and rounding can decide which of two is better. Convert to float64 first; to take a level off changes the index.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-image==0.26.0 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import skimage
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

print("scikit-image", skimage.__version__)
random = numpy.random.default_rng(0)


def smooth(sigma):
    field = gaussian_filter(random.standard_normal((128, 128)), sigma)
    return field / field.std()


weather, error, pixels = smooth(6), smooth(1.5), random.random((128, 128))
wrong = 0.2 * error
noise = 0.05 * random.standard_normal((128, 128))
gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}  # as in the paper that defines the index
seen = {}
for name, level, spread, truth, guess in (
    ("a picture of 0 to 1", 0, 1, pixels, pixels + noise),
    ("temperature of 290 ± 3 K", 290, 3, weather, weather + wrong),
    ("pressure of 101,325 ± 100 Pa", 101_325, 100, weather, weather + wrong),
    ("texture of 300 ± 0.05", 300, 0.1, pixels, pixels + noise),
):
    a, b = ((level + spread * image).astype(numpy.float32) for image in (truth, guess))
    span = float(a.max() - a.min())
    seen[name] = []
    for options in ({}, gaussian):
        single, where = structural_similarity(a, b, data_range=span, full=True, **options)
        double = structural_similarity(a.astype(float), b.astype(float), data_range=span, **options)
        same = structural_similarity(a, a, data_range=span, **options)
        seen[name].append((float(single), float(double), float(where.min()), float(where.max()), float(same)))
        window = "gaussian" if options else "uniform"
        print(f"{name}, {window} window: float32 {single:.4f} (places {where.min():.2f} to {where.max():.2f}),", end=" ")
        print(f"float64 {double:.4f}, the first with itself {same:.4f}")
picture, kelvin, pascal, texture = seen.values()
same = all(abs(row[4] - 1) < 1e-6 for rows in seen.values() for row in rows)
same &= all(abs(row[0] - row[1]) < 1e-3 and row[3] <= 1 for row in picture + kelvin)
same &= all(row[0] > row[1] + 0.03 and row[2] < -2 and row[3] > 3 for row in pascal)
same &= all(abs(row[0]) > 2 and 0.9 < row[1] < 1 for row in texture)
sys.exit(0 if same else 1)
PYTHON
