#!/bin/sh
# tinygrad 0.14.0: `loss.item()` before `backward()` takes away the gradient that went through `sort` or `topk`.
#
# What one expects: to look at a number, the loss for the log or an intermediate result for debugging, changes nothing; a
# gradient does not depend on it.
# What is so: where a loss goes through `sort`, `topk` or `clone`, any look (`item`, `tolist`, `numpy`) at the loss or at what
# comes after them cuts the graph there, and `backward` goes on with the other paths: 101, 2, 11, 1001 becomes 1, 1, 1, 1. The
# loss is the same. Matrix products, softmax, maxima and the like keep their gradient when looked at; `realize()` of an
# intermediate result cuts every one.
# What follows: hard-example mining (the mean of the k largest losses), medians, quantile losses and sorted distances train
# until someone prints the loss in the step, and from then on only regularizers move the weights; look after `backward`.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tinygrad==0.14.0
cd "$folder"
XDG_CACHE_HOME="$folder/cache" DEV=PYTHON "$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from tinygrad import Tensor

looks = {
    "no look": lambda y, loss: None,
    "loss.item()": lambda y, loss: loss.item(),
    "y.tolist()": lambda y, loss: y.tolist(),
    "y.realize()": lambda y, loss: y.realize(),
}
functions = {
    "sort": lambda x: x.sort()[0],
    "topk": lambda x: x.topk(4)[0],
    "clone": lambda x: x.clone(),
    "softmax": lambda x: x.softmax(),
    "cummax": lambda x: x.cummax(0)[0],
    "gather": lambda x: x[x.argsort()],
}


def gradient(function, look):
    x, weights = Tensor([3.0, 1.0, 2.0, 5.0]), Tensor([1.0, 10.0, 100.0, 1000.0])
    y = function(x)
    loss = (y * weights).sum() + x.sum()  # the second term stands for a regularizer
    look(y, loss)
    loss.backward()
    return [round(g, 3) for g in x.grad.tolist()]


print("tinygrad", version("tinygrad"))
seen = {}
for name, function in functions.items():
    seen[name] = [gradient(function, look) for look in looks.values()]
    print(f"{name}:", ", ".join(f"{look} {row}" for look, row in zip(looks, seen[name])))
cut = [1.0] * 4
same = seen["sort"][0] == seen["gather"][0] == [101, 2, 11, 1001] and seen["topk"][0] == [11, 1001, 101, 2]
same &= all(row[1] == row[2] == cut for row in (seen[name] for name in ("sort", "topk", "clone")))
same &= all(row[1] == row[2] == row[0] != cut for row in (seen[name] for name in ("softmax", "cummax", "gather")))
same &= all(row[3] == cut for row in seen.values())
sys.exit(0 if same else 1)
PYTHON
