#!/bin/sh
# torch 2.15.0 (Python, CPU): a sample that is padding throughout is 0 in `MultiheadAttention` while it trains, NaN as soon as it predicts.
#
# What one expects: `eval()` changes dropout, not what a masked sample is; and `need_weights` says whether the weights are returned.
# What is so: with `need_weights=False` (as `TransformerEncoderLayer` calls it) a sample whose keys are all masked has the output of
# zeros (the last layer's bias) in `train()`, and its gradients are finite; in `eval()` under `no_grad` the same call takes a fused path
# and gives NaN. With `need_weights=True` it is NaN in both. A whole `TransformerEncoderLayer` behaves the same: finite in `train()`, NaN in
# `eval()`.
# What follows: a batch filled up with empty samples trains without a sign of trouble, and the first evaluation has a loss of NaN where
# means run over all rows. Empty samples are left out of the mean by selecting rows, not by a weight of 0, as 0 times NaN is NaN.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import sys

import torch

print("torch", torch.__version__)
torch.manual_seed(0)
x = torch.randn(2, 3, 8)
padding = torch.tensor([[False, False, True], [True, True, True]])
attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
layer = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
calls = {
    "need_weights=False": lambda: attention(x, x, x, key_padding_mask=padding, need_weights=False)[0],
    "need_weights=True": lambda: attention(x, x, x, key_padding_mask=padding, need_weights=True)[0],
    "TransformerEncoderLayer": lambda: layer(x, src_key_padding_mask=padding),
}
seen = {}
for name, call in calls.items():
    for train in (True, False):
        attention.train(train)
        layer.train(train)
        with torch.set_grad_enabled(train):
            y = call()
        assert bool(y[0, :2].isfinite().all())
        seen[name, train] = bool(y[1].isnan().any())
        print(f"{name} in {'train' if train else 'eval'}(): the sample of padding is {'NaN' if seen[name, train] else 'finite'}")
attention.train()
attention(x, x, x, key_padding_mask=padding, need_weights=False)[0].sum().backward()
finite = all(bool(p.grad.isfinite().all()) for p in attention.parameters())
print("gradients in train() are", "finite" if finite else "not finite")
wanted = {
    ("need_weights=False", True): False, ("need_weights=False", False): True,
    ("need_weights=True", True): True, ("need_weights=True", False): True,
    ("TransformerEncoderLayer", True): False, ("TransformerEncoderLayer", False): True,
}
sys.exit(0 if seen == wanted and finite else 1)
PYTHON
