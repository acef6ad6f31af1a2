#!/bin/sh
# ExecuTorch 1.5.1 with PyTorch 2.15.0: lowered to XNNPACK, gelu(approximate="tanh") is computed as the exact one.
#
# What one expects: the exported program computes what the module computes. The formula by tanh, which GPT-2 and its kin are
# trained with, differs from the one by the error function by up to 4.7e-4, or 10 percent where the value is small (at -3).
# What is so: XnnpackPartitioner takes the operator in both forms, and its Gelu has one alone, the exact one. Exported and
# loaded without a warning; the same program without the partitioner computes the formula by tanh.
# What follows: a port to ExecuTorch differs from PyTorch in the fourth digit, layer after layer, and checks with a tolerance of
# 1e-4 fail for no visible reason; write 0.5 * x * (1 + tanh(...)) out in the module where the weights were trained so.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check executorch==1.5.1 torch==2.15.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON' 2> log || { cat log >&2; exit 1; }
import sys

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from torch.nn.functional import gelu


class Gelu(torch.nn.Module):
    def forward(self, x):
        return gelu(x, approximate="tanh")


def lowered(x, *partitioners):
    program = to_edge_transform_and_lower(torch.export.export(Gelu(), (x,)), partitioner=list(partitioners))
    method = Runtime.get().load_program(program.to_executorch().buffer).load_method("forward")
    return method.execute((x,))[0]


x = torch.tensor([[-3.0, -2.2, -1.0, 0.5, 2.2]])
wanted, exact = gelu(x, approximate="tanh"), gelu(x)
here, without = lowered(x, XnnpackPartitioner()), lowered(x)
for name, y in {"by tanh": wanted, "exact": exact, "XNNPACK": here, "without it": without}.items():
    print(f"{name}:", y[0].tolist())
as_said = torch.allclose(here, exact, atol=1e-6) and torch.allclose(without, wanted, atol=1e-6)
off = (here - wanted).abs()
print(f"XNNPACK is off by up to {off.max():.1e}, at -3 by {(off / wanted.abs())[0, 0]:.0%}")
sys.exit(not (as_said and off.max() > 3e-4))
PYTHON
