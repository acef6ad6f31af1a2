#!/bin/sh
# keras 3.15.1: the AUC metric of scores below 0.005 is 0.5, however well they tell the classes apart.
#
# What one expects: the area under the ROC curve depends on the order of the scores alone; a classifier that puts every positive
# above every negative has 1, as `sklearn.metrics.roc_auc_score` says.
# What is so: it is the area through 200 fixed thresholds, 0, 1/199, 2/199, … 1. Where all scores lie between two of them the
# curve has its two ends alone, and the area is 0.5; with curve="PR" it is the share of positives. Scores near 1 fare the same.
# What follows: for rare events (fraud, faults, clicks), whose honest probabilities are thousandths, the metric shows "no better
# than chance" for a perfect model, and early stopping on it keeps a random epoch; give `thresholds` of your own, at the scores'
# quantiles.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 scikit-learn==1.9.1 numpy==2.4.6
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import sys

import keras
import numpy
from sklearn.metrics import average_precision_score, roc_auc_score

print("keras", keras.__version__)
labels = numpy.repeat([0, 1], [9_900, 100])  # one event in a hundred
order = numpy.arange(10_000) / 10_000  # every event above all others
seen = {}
for name, scores in (("0.001 to 0.004", 0.001 + 0.003 * order), ("0.9960 to 0.9999", 0.996 + 0.0039 * order), ("0 to 1", order)):
    area = []
    for curve in ("ROC", "PR"):
        metric = keras.metrics.AUC(curve=curve)
        metric.update_state(labels, scores)
        area.append(float(metric.result()))
    right = roc_auc_score(labels, scores), average_precision_score(labels, scores)
    print(f"scores {name}: AUC {area[0]:.3f} (right {right[0]:.3f}),", end=" ")
    print(f"under precision and recall {area[1]:.3f} (right {right[1]:.3f})")
    seen[name] = area
fine = keras.metrics.AUC(thresholds=list(numpy.quantile(0.001 + 0.003 * order, numpy.linspace(0.01, 0.99, 99))))
fine.update_state(labels, 0.001 + 0.003 * order)
print(f"with thresholds at the scores' hundredths: {float(fine.result()):.3f}")
low, high, whole = seen.values()
same = abs(low[0] - 0.5) < 0.01 and low[1] < 0.02 and abs(high[0] - 0.5) < 0.01 and whole[0] > 0.99 and float(fine.result()) > 0.99
sys.exit(0 if same else 1)
PYTHON
