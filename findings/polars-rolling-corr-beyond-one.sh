#!/bin/sh
# polars 2.1.0: `rolling_corr` and `rolling_cov` of float32 columns are rounding noise; correlations of 3 and of -128.
#
# What one expects: a correlation lies between -1 and 1 and does not depend on an offset; polars' own `corr`, `rolling_var` and
# `rolling_std` of the same float32 columns are right.
# What is so: the covariance is the mean of products less the product of means, in the columns' type, and nothing limits the
# quotient. Temperatures of 300 K that vary by 0.1, in windows of 20, correlate with themselves turned around by -5.8 to 3.8
# instead of -1; pressures of 101,325 Pa that vary by 5 by more than 100. The covariance is off by as much. In float64 the same
# happens to time stamps in nanoseconds.
# What follows: columns are often float32 in tables that feed a network (Parquet, Arrow, sensors), and a feature of this kind is
# noise with outliers a hundred times its range, without a null or a NaN; cast to float64, or take the mean off first.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import polars

print("polars", polars.__version__)
random = numpy.random.default_rng(0)
window, rows = 20, 1_000


def windows(x):
    return numpy.lib.stride_tricks.sliding_window_view(x.astype(float), window)


def measured(level, spread, kind):
    a, b = (level + spread * random.standard_normal(rows)).astype(kind), random.standard_normal(rows)
    b = (level + spread * b).astype(kind)
    frame = polars.DataFrame({"a": a, "b": b, "turned": -a})
    corr = lambda other: polars.rolling_corr("a", other, window_size=window)
    variance = polars.col("a").rolling_var(window)
    seen = frame.select(ab=corr("b"), at=corr("turned"), cov=polars.rolling_cov("a", "b", window_size=window), var=variance)
    ab, at, cov, var = (seen[name].to_numpy()[window - 1 :].astype(float) for name in ("ab", "at", "cov", "var"))
    p, q = (w - w.mean(axis=1, keepdims=True) for w in (windows(a), windows(b)))
    right_cov = (p * q).sum(axis=1) / (window - 1)
    right = (p * q).sum(axis=1) / numpy.sqrt((p**2).sum(axis=1) * (q**2).sum(axis=1))
    off = float(numpy.abs(ab - right).max())
    print(f"{kind}, {level:g} ± {spread:g}: correlation off by up to {off:.2g}, with itself turned around", end=" ")
    print(f"{at.min():.4g} to {at.max():.4g} (right -1), covariance off by {numpy.abs(cov - right_cov).max():.2g} of", end=" ")
    print(f"{numpy.abs(right_cov).max():.2g};", end=" ")
    print(f"rolling_var within {numpy.abs(var / (p**2).sum(axis=1) * (window - 1) - 1).max():.1g};", end=" ")
    whole = frame.select(polars.corr("a", "b")).item() - numpy.corrcoef(a.astype(float), b.astype(float))[0, 1]
    print(f"corr of all rows off by {abs(whole):.1g}")
    return off, at.min(), at.max(), abs(whole)


kelvin, kelvin_64 = measured(300, 0.1, "float32"), measured(300, 0.1, "float64")
pascal, pascal_64 = measured(101_325, 5, "float32"), measured(101_325, 5, "float64")
stamps = measured(1.7e18, 1e9, "float64")
same = kelvin[0] > 1 and kelvin[1] < -2 and pascal[0] > 10 and pascal[2] > 10 and stamps[0] > 1
same &= kelvin_64[0] < 1e-6 and pascal_64[0] < 1e-5 and kelvin[3] < 0.01
sys.exit(0 if same else 1)
PYTHON
