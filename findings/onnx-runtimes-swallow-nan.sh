#!/bin/sh
# tract 0.23.9 (Rust) and OpenVINO 2026.4.1: activations of ONNX turn NaN into an ordinary number, each into another one.
#
# What one expects: NaN in, NaN out, as NumPy, PyTorch and, for these operators, ONNX Runtime do it; so a NaN from a sensor or
# an overflow is still to be seen in the answer.
# What is so: tract makes Sigmoid of NaN 4e-7 (surely not), Tanh -1, HardSigmoid 1 (surely yes), Relu and Celu 0, Clip its lower
# bound, and the maximum of NaN and 1 is 1. OpenVINO keeps it in Sigmoid and Tanh, does in the others as tract, makes it
# infinite in Exp, and in Max it depends on which side it stands. tract's Sigmoid of -infinity is the 4e-7 too.
# What follows: looking for NaN in the outputs does not find a broken input or layer there, and a detector may answer "yes" to
# it; inputs are checked before the network.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    tract==0.23.9 openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import onnx
import onnxruntime
import openvino
import tract
from onnx import TensorProto, helper, numpy_helper


def answers(op, *inputs, constants=()):
    names = [f"x{i}" for i in range(len(inputs))]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    initial = [numpy_helper.from_array(numpy.float32(c), f"c{i}") for i, c in enumerate(constants)]
    node = helper.make_node(op, names + [c.name for c in initial], ["y"])
    fed = [value(n, x.shape) for n, x in zip(names, inputs)]
    graph = helper.make_graph([node], "g", fed, [value("y", inputs[0].shape)], initial)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), "model.onnx")
    runtime = onnxruntime.InferenceSession("model.onnx").run(None, dict(zip(names, inputs)))[0]
    rust = tract.onnx().load("model.onnx").into_model().into_runnable().run(list(inputs))[0].to_numpy()
    vino = openvino.Core().compile_model("model.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(list(inputs))[0]
    return [[float(f"{v:.2g}") for v in a] for a in (runtime, rust, vino)]


print("tract 0.23.9, OpenVINO", openvino.__version__, "ONNX Runtime", onnxruntime.__version__)
nan = numpy.array([numpy.nan, -numpy.inf], numpy.float32)
seen = {}
for op in ("Sigmoid", "Tanh", "HardSigmoid", "Relu", "Celu", "Exp", "Clip"):
    seen[op] = answers(op, nan, constants=(-1, 1) if op == "Clip" else ())
    print(f"{op} of NaN, -inf: ONNX Runtime {seen[op][0]}, tract {seen[op][1]}, OpenVINO {seen[op][2]}")
pair = numpy.array([numpy.nan, 1], numpy.float32), numpy.array([1, numpy.nan], numpy.float32)
seen["Max"] = answers("Max", *pair)
print(f"Max of (NaN, 1) and (1, NaN): ONNX Runtime {seen['Max'][0]}, tract {seen['Max'][1]}, OpenVINO {seen['Max'][2]}")
firsts = {op: [a[0] for a in found] for op, found in seen.items()}
swallowed = {op: [not numpy.isnan(v) for v in row] for op, row in firsts.items()}
same = not any(row[0] for row in swallowed.values())
same &= all(swallowed[op][1] for op in ("Sigmoid", "Tanh", "HardSigmoid", "Relu", "Celu", "Clip", "Max"))
same &= all(swallowed[op][2] for op in ("HardSigmoid", "Relu", "Celu", "Clip", "Exp", "Max")) and not swallowed["Sigmoid"][2]
sys.exit(0 if same else 1)
PYTHON
