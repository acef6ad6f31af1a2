#!/bin/sh
# scipy 1.17.1: `ndimage.uniform_filter` carries one NaN, or one large value's rounding, to the end of the row.
#
# What one expects: a mean over a window of 3 is NaN in the three places whose window holds the NaN, as `correlate1d` with equal
# weights, a convolution or an average pool gives it.
# What is so: the filter keeps a running sum, from which NaN - NaN never leaves: all places after it are NaN too, and in an
# image all that lies to the right and below. A spike of 1e17 turns all later ones of a signal of ones to 0, and one of 1e12
# leaves an error of 0.0002 in a signal of 0.1, in float64.
# What follows: a missing pixel or sensor value in data that is smoothed, or normalized by local means, takes all that follows
# with it; `correlate1d(x, ones(n) / n)` takes n times as long and is right.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import scipy
from scipy.ndimage import correlate1d, uniform_filter, uniform_filter1d

print("scipy", scipy.__version__, "numpy", numpy.__version__)
signal = numpy.ones(12)
signal[3] = numpy.nan
nans = [int(numpy.isnan(f).sum()) for f in (uniform_filter1d(signal, 3), correlate1d(signal, numpy.ones(3) / 3))]
print("places that one NaN of 12 makes NaN:", nans[0], "by uniform_filter1d,", nans[1], "by correlate1d")
image = numpy.ones((100, 100))
image[10, 10] = numpy.nan
share = float(numpy.isnan(uniform_filter(image, 3)).mean())
print(f"share of an image of 100 x 100 with one NaN at 10, 10 that is NaN: {share:.2%} (right 0.09%)")
signal[3] = 1e17
spike, right = uniform_filter1d(signal, 3), correlate1d(signal, numpy.ones(3) / 3)
print("ones behind a spike of 1e17:", spike[-3:], "right", right[-3:])
same = nans == [10, 3] and share > 0.75 and (spike[-3:] == 0).all() and numpy.allclose(right[-3:], 1)
sys.exit(0 if same else 1)
PYTHON
