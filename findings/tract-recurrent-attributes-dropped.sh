#!/bin/sh
# tract 0.23.9 (Rust, here by its Python wheel): an ONNX recurrent operator runs forward and with tanh, whatever it says.
#
# What one expects: `direction`, `activations` and `clip` are carried out, or refused, as non-uniform `sequence_lens` are.
# What is so: `direction="reverse"` gives the numbers of "forward", bit for bit, in RNN, GRU and LSTM ("bidirectional" is
# right). An RNN whose `activations` are Relu, which is what `nn.RNN(nonlinearity="relu")` is exported to, uses tanh; so does a
# GRU. `clip` is left out. Nothing is said.
# What follows: a model that reads its sequence from the end, as half of a pair of one-way layers or for causal decoding from
# right to left, loads and answers, and every answer is wrong; turn the sequence around outside the operator, and compare with
# ONNX Runtime.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tract==0.23.9 onnx==1.23.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import onnx
import tract
from onnx import TensorProto, helper, numpy_helper

steps, inputs, hidden = 5, 2, 4
random = numpy.random.default_rng(0)
x = random.standard_normal((steps, 1, inputs)).astype(numpy.float32)
w, r, b = (random.standard_normal(s).astype(numpy.float32) for s in ((1, hidden, inputs), (1, hidden, hidden), (1, 2 * hidden)))


def run(op, **attributes):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    tiled = ((numpy.tile(a, (1, gates) + (1,) * (a.ndim - 2)), n) for a, n in ((w, "w"), (r, "r"), (b, "b")))
    constants = [numpy_helper.from_array(a, n) for a, n in tiled]
    node = helper.make_node(op, ["x", "w", "r", "b"], ["y", "h"], hidden_size=hidden, **attributes)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    outputs = [value("y", [steps, 1, 1, hidden]), value("h", [1, 1, hidden])]
    graph = helper.make_graph([node], "g", [value("x", x.shape)], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, "model.onnx")
    runnable = tract.onnx().load("model.onnx").into_model().into_runnable()
    return runnable.run([x])[0].to_numpy()[:, 0, 0]


def right(order, f, limit=numpy.inf):
    h, y = numpy.zeros(hidden), numpy.zeros((steps, hidden))
    for t in order:
        z = w[0].astype(float) @ x[t, 0] + r[0].astype(float) @ h + b[0, :hidden] + b[0, hidden:]
        y[t] = h = f(numpy.clip(z, -limit, limit))
    return y


def off(a, b):
    return float(numpy.abs(a - b).max())


print("tract", tract.version() if callable(tract.version) else "0.23.9")
forward, backward = range(steps), range(steps - 1, -1, -1)
relu = lambda z: numpy.maximum(z, 0)
plain = right(forward, numpy.tanh)
print(f"RNN: off by {off(run('RNN'), plain):.1e} from a loop in float64")
seen = [off(run("RNN"), plain) < 1e-5]
for name, attributes, loop in (
    ("reverse", {"direction": "reverse"}, right(backward, numpy.tanh)),
    ("Relu", {"activations": ["Relu"]}, right(forward, relu)),
    ("clip 0.5", {"clip": 0.5}, right(forward, numpy.tanh, 0.5)),
):
    y = run("RNN", **attributes)
    print(f"RNN, {name}: off by {off(y, loop):.2g} from its own loop, by {off(y, plain):.1e} from that of a plain forward one")
    seen += [off(y, loop) > 0.1, off(y, plain) < 1e-5]
for op in ("GRU", "LSTM"):
    same = bool((run(op, direction="reverse") == run(op)).all())
    print(f"{op}: reverse has the same bits as forward: {same}")
    seen.append(same)
sys.exit(0 if all(seen) else 1)
PYTHON
