#!/bin/sh
# torchmetrics 1.9.0 (Python): scores of a binary metric are taken for probabilities in one batch and for logits in the next.
#
# What one expects: what `update` was given in parts is what it was given at once; "logits are put through a sigmoid" holds for a model.
# What is so: each call of `update` looks at its own numbers: if all of them lie between 0 and 1 they are kept as they are, else all go
# through the sigmoid. Logits of a model that is not too sure are between 0 and 1 for many a small batch, so that they are mixed with
# sigmoids of others. On 400 logits the area under the curve is 0.888 in one call, 0.765 sample by sample; the accuracy, whose
# limit is 0.5, falls from 0.81 to 0.71.
# What follows: the number depends on the size of the batch, and most where a stream is judged sample by sample. Sigmoids are taken before
# `update`, always.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torchmetrics==1.9.0 torch==2.15.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import sys

import numpy as np
import torch
import torchmetrics
from sklearn.metrics import accuracy_score, roc_auc_score
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

print("torchmetrics", torchmetrics.__version__)
rng = np.random.default_rng(0)
labels = rng.integers(0, 2, 400)
logits = (1.2 * labels - 0.6 + rng.normal(0, 0.75, 400)).astype(np.float32)


def measured(metric, batch, change=lambda x: x):
    for first in range(0, 400, batch):
        some = slice(first, first + batch)
        metric.update(change(torch.tensor(logits[some])), torch.tensor(labels[some]))
    return metric.compute().item()


right = roc_auc_score(labels, logits), accuracy_score(labels, logits > 0)
print(f"scikit-learn: area {right[0]:.4f}, accuracy {right[1]:.4f}")
seen = {}
for batch in (400, 16, 4, 1):
    seen[batch] = measured(BinaryAUROC(), batch), measured(BinaryAccuracy(), batch)
    print(f"batches of {batch}: area {seen[batch][0]:.4f}, accuracy {seen[batch][1]:.4f}")
before = measured(BinaryAUROC(), 1, torch.sigmoid), measured(BinaryAccuracy(), 1, torch.sigmoid)
print(f"sigmoid taken before, batches of 1: area {before[0]:.4f}, accuracy {before[1]:.4f}")
close = lambda a, b: max(abs(x - y) for x, y in zip(a, b)) < 1e-3
same = close(seen[400], right) and close(before, right) and seen[1][0] < right[0] - 0.005 and seen[1][1] < right[1] - 0.03
sys.exit(0 if same else 1)
PYTHON
