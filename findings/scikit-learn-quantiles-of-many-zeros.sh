#!/bin/sh
# scikit-learn 1.9.1: QuantileTransformer to a normal distribution sends a column's commonest value to -5.2 if it is the
# smallest.
#
# What one expects: equal values get the middle of the ranks that they share, as `scipy.stats.rankdata` has it: for a column
# that is 0 in 60 % of the rows the quantile 0.3, which is -0.52 in a normal distribution.
# What is so: a tie in the middle gets the middle, but one at either end gets the end: quantile 0, clipped to 1e-7, which is
# -5.2. So 60 % of such a column become -5.2 and the rest lies between 0.25 and 5.2: mean -2.7, standard deviation 3. Even
# without ties each column's smallest and largest training value become -5.2 and 5.2, in a table of ten rows as of a million.
# What follows: counts, prices, rainfall and pixels, where 0 is common, come out of a transformer that is to tame outliers as
# inputs five deviations out; have a column of its own for "is 0", or ranks by `rankdata`.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import sklearn
from scipy.stats import norm, rankdata
from sklearn.preprocessing import QuantileTransformer

print("scikit-learn", sklearn.__version__)
random = numpy.random.default_rng(1)
amounts = numpy.where(random.random(10_000) < 0.6, 0, random.lognormal(size=10_000))
middle = numpy.where(amounts == 0, 0, random.choice([-1, 1], 10_000) * amounts)


def transformed(column):
    return QuantileTransformer(output_distribution="normal").fit_transform(column[:, None]).ravel()


def ranked(column):
    return norm.ppf((rankdata(column) - 0.5) / len(column))


seen = {}
for name, column in (("0 the smallest", amounts), ("0 in the middle", middle)):
    a, b = transformed(column), ranked(column)
    seen[name] = (a[column == 0][0], a.mean(), a.std(), b[column == 0][0], b.mean(), b.std())
    print("{}: 0 becomes {:.2f}, mean {:.2f}, std {:.2f}; by ranks {:.2f}, {:.2f}, {:.2f}".format(name, *seen[name]))
first, second = seen.values()
same = first[0] < -5 and first[1] < -2.5 and first[2] > 2.5 and -0.6 < first[3] < -0.4 and abs(second[0]) < 0.1
sys.exit(0 if same else 1)
PYTHON
