#!/bin/sh
# PyTorch 2.15.0: torch.onnx writes LogSigmoid as Log(Sigmoid(x)), which is -infinity from -18 on in ONNX Runtime 1.32.0.
#
# What one expects: log_sigmoid(-20) = -20, as PyTorch computes it, through min(x, 0) - log(1 + exp(-|x|)); ONNX has Softplus,
# so that -Softplus(-x) would say it.
# What is so: both exporters, dynamo and script, write the two operators. ONNX Runtime's Sigmoid loses its digits first: -14.84
# for -15, -16.23 for -17, and is 0 from -18 on, whose logarithm is infinite. logaddexp is written as Log(Exp(a) + Exp(b)),
# infinite from 89 on.
# What follows: a score of a confident "no" is infinite in the exported model alone, and NaN where two are subtracted; have the
# network end in the logits, or write -softplus(-x) in the module.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import sys

import numpy
import onnxruntime
import torch
from torch.nn.functional import logsigmoid, softplus


def exported(function, x, dynamo):
    class Model(torch.nn.Module):
        def forward(self, x):
            return function(x)

    if dynamo:
        torch.onnx.export(Model(), (x,), dynamo=True, verbose=False).save("model.onnx")
    else:
        torch.onnx.export(Model(), (x,), "model.onnx", dynamo=False, opset_version=17)
    session = onnxruntime.InferenceSession("model.onnx")
    return session.run(None, {session.get_inputs()[0].name: x.numpy()})[0][0]


x = torch.tensor([[-10.0, -15.0, -17.0, -18.0, -20.0]])
same = True
print("x:", x[0].tolist(), "PyTorch:", logsigmoid(x)[0].tolist())
for dynamo in (True, False):
    found = exported(logsigmoid, x, dynamo)
    print("exported by", "dynamo:" if dynamo else "script:", found.tolist())
    same &= bool(numpy.isinf(found[3:]).all()) and 0.1 < found[1] + 15 < 0.3
stable = exported(lambda x: -softplus(-x), x, True)
print("-softplus(-x):", stable.tolist())
same &= bool(numpy.abs(stable - logsigmoid(x)[0].numpy()).max() < 1e-3)
sum_of = exported(lambda x: torch.logaddexp(-5 * x, -5 * x), x, True)
print("logaddexp(5 |x|, 5 |x|):", sum_of.tolist())
same &= bool(numpy.isinf(sum_of[-1]))
sys.exit(0 if same else 1)
PYTHON
