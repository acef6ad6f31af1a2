#!/bin/sh
# scikit-learn 1.9.1: scalers leave a float32 column alone if its range is below 1.2e-6, and a row if its norm is.
#
# What one expects: scalers take the unit away: metres or micrometres, the result is the same; only what is exactly constant, or
# constant but for rounding relative to its size, is left alone.
# What is so: MinMaxScaler, MaxAbsScaler and `normalize` compare the scale with 10 eps of the type as it stands, whatever the
# values are: below 1.2e-6 in float32 and 0.0098 in float16 they divide by 1, without a word. StandardScaler and RobustScaler
# scale the same column as they should.
# What follows: currents in amperes, lengths in metres or wavelengths reach the network as about 0 and are never learnt, when
# the array is float32, but are fine as float64; `normalize` gives vectors that are not of length 1, and cosines as products of
# them fail.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import sklearn
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler, normalize

print("scikit-learn", sklearn.__version__)
metres = numpy.array([[400e-9], [500e-9], [600e-9], [650e-9], [1000e-9]])  # wavelengths of light


def ranges(values):
    scaled = {type(s).__name__: s.fit_transform(values) for s in (MinMaxScaler(), MaxAbsScaler(), RobustScaler(), StandardScaler())}
    ranges = {name: float(numpy.ptp(x.astype(float))) for name, x in scaled.items()}
    ranges["length of a row after normalize"] = float(numpy.linalg.norm(normalize(values[:4].T)))
    return ranges


print("ranges of a column of wavelengths in metres:")
double, single = ranges(metres), ranges(metres.astype(numpy.float32))
for name in double:
    print(f"{name}: {double[name]:.3g} in float64, {single[name]:.3g} in float32")
half = MinMaxScaler().fit_transform(numpy.array([[0.001], [0.009]], numpy.float16)).ravel()
print("MinMaxScaler of 0.001 and 0.009 in float16:", half)
skipped = ("MinMaxScaler", "MaxAbsScaler", "length of a row after normalize")
same = all(double[n] > 0.5 and single[n] < 1e-5 for n in skipped)
same &= all(abs(single[n] - double[n]) < 1e-3 for n in ("StandardScaler", "RobustScaler"))
sys.exit(0 if same and half.max() < 0.01 else 1)
PYTHON
