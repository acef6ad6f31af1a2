#!/bin/sh
# keras 3.15.1: PearsonCorrelation of a regression with one output is NaN, or what is left of it within batches.
#
# What one expects: the correlation of all targets with all predictions of the data, of any batch size, as `numpy.corrcoef` has
# it.
# What is so: it is taken along the last axis of each batch, and these are averaged. Targets of [batch, 1], which is what a
# network with one output has, leave one number per correlation: NaN. Flat targets of [batch] give the mean of the batches'
# correlations: where the data drifts, 0.10 with batches of 100 and -0.05 with batches of 2 (a mean of ±1), while it is 0.66.
# CosineSimilarity of [batch, 1] is a mean of ±1 too, and knows signs only.
# What follows: the metric in the log is a property of the batch size and of the order of the rows; collect the predictions and
# call `numpy.corrcoef` once.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import sys

import keras
import numpy

print("keras", keras.__version__)
random = numpy.random.default_rng(1)
# Drifting targets, as a time series has them, and predictions that follow the drift but not the noise.
targets = (numpy.linspace(0, 3, 1_000) + random.standard_normal(1_000)).astype(numpy.float32)
predictions = (numpy.linspace(0, 3, 1_000) + 0.1 * random.standard_normal(1_000)).astype(numpy.float32)
right = float(numpy.corrcoef(targets, predictions)[0, 1])


def over_batches(metric, size, *shape):
    for at in range(0, 1_000, size):
        metric.update_state(targets[at : at + size].reshape(-1, *shape), predictions[at : at + size].reshape(-1, *shape))
    return float(metric.result())


columns = over_batches(keras.metrics.PearsonCorrelation(), 100, 1)
flat = {size: over_batches(keras.metrics.PearsonCorrelation(), size) for size in (2, 10, 100, 1_000)}
cosine = over_batches(keras.metrics.CosineSimilarity(), 100, 1)
signs = float(numpy.mean(numpy.sign(targets) * numpy.sign(predictions)))
print(f"correlation of the data {right:.3f}; PearsonCorrelation of [100, 1]: {columns}")
print("of flat batches:", {size: round(value, 3) for size, value in flat.items()})
print(f"CosineSimilarity of [100, 1]: {cosine:.3f}, mean product of signs {signs:.3f}")
same = numpy.isnan(columns) and abs(flat[1_000] - right) < 1e-3 and abs(flat[2] - right) > 0.2 and abs(cosine - signs) < 0.01
sys.exit(0 if same else 1)
PYTHON
