#!/bin/sh
# OpenVINO 2026.4.1: antialiasing of a Resize, peepholes of an LSTM and other attributes of ONNX models are left out.
#
# What one expects: what a runtime does not do it refuses when it loads the model, as it does for `half_pixel_symmetric`.
# What is so: a Resize with `antialias=1` is the plain interpolation (a row of single pixels, 0 0 0 8 0 0 0 0, halves to 0 4 0 0
# instead of 0 3 1 0), `exclude_outside` and `keep_aspect_ratio_policy` are not looked at, so that the size differs too. An LSTM
# answers with or without its peephole weights the same, and `input_forget` is left out. Nothing is said.
# What follows: a model that resizes within it sees other images than it was trained on, and only its accuracy tells; every
# model is compared with ONNX Runtime before it goes over.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper


def answers(op, inputs, **attributes):
    """What ONNX Runtime and OpenVINO answer; the first input is fed, the others are constants, None is left out."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    constants = [numpy_helper.from_array(x, n) for n, x in list(zip(names, inputs))[1:] if n]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    node = helper.make_node(op, names, ["y"], **attributes)
    graph = helper.make_graph([node], "g", [value("x0", inputs[0].shape)], [value("y", list("abcd"))], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, "model.onnx")
    runtime = onnxruntime.InferenceSession("model.onnx").run(None, {"x0": inputs[0]})[0]
    compiled = openvino.Core().compile_model("model.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return runtime, compiled([inputs[0]])[0]


print("OpenVINO", openvino.__version__, "ONNX Runtime", onnxruntime.__version__)
floats = lambda *v: numpy.array(v, numpy.float32)
seen = []

row = floats(0, 0, 0, 8, 0, 0, 0, 0).reshape(1, 1, 1, 8)
half = [row, None, floats(1, 1, 1, 0.5)]
weights = lambda *taps: sum(w * row[0, 0, 0, numpy.clip(numpy.arange(0, 8, 2) + t, 0, 7)] for t, w in taps)
runtime, vino = answers("Resize", half, mode="linear", antialias=1)
triangle = weights((-1, 1 / 8), (0, 3 / 8), (1, 3 / 8), (2, 1 / 8))
print(f"halved with antialias: ONNX Runtime {runtime.ravel()}, OpenVINO {vino.ravel()}, a triangle of width 4 {triangle}")
seen += [numpy.allclose(runtime.ravel(), triangle), vino.ravel().tolist() == [0, 4, 0, 0]]

square = floats(*range(30)).reshape(1, 1, 5, 6)
keep = {"mode": "linear", "axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}
runtime, vino = answers("Resize", [square, None, None, numpy.array([7, 7])], **keep)
print("5 x 6 to at most 7 x 7: ONNX Runtime", runtime.shape[2:], "OpenVINO", vino.shape[2:])
seen += [runtime.shape == (1, 1, 6, 7), vino.shape == (1, 1, 7, 7)]

plain = {"mode": "cubic", "cubic_coeff_a": -0.5}
larger = [square, None, floats(1, 1, 2, 2)]
(a, b), (c, d) = answers("Resize", larger, **plain), answers("Resize", larger, exclude_outside=1, **plain)
print(f"cubic: exclude_outside changes ONNX Runtime's answer by {abs(a - c).max():.2g}, OpenVINO's by {abs(b - d).max():.2g}")
seen += [abs(a - b).max() < 1e-3, abs(a - c).max() > 0.1, (b == d).all()]

random = numpy.random.default_rng(0)
steps, inputs, hidden = 5, 2, 3
x, w, r, b, p = (
    random.standard_normal(s).astype(numpy.float32)
    for s in ((steps, 1, inputs), (1, 4 * hidden, inputs), (1, 4 * hidden, hidden), (1, 8 * hidden), (1, 3 * hidden))
)
zero = numpy.zeros((1, 1, hidden), numpy.float32)
sigmoid = lambda z: 1 / (1 + numpy.exp(-z))


def loop(p, coupled):
    h, c, (pi, po, pf), y = numpy.zeros(hidden), numpy.zeros(hidden), p.reshape(3, hidden).astype(float), []
    for t in range(steps):
        z = w[0].astype(float) @ x[t, 0] + r[0].astype(float) @ h + b[0, : 4 * hidden] + b[0, 4 * hidden :]
        i, o, f, g = z.reshape(4, hidden)
        i, f = sigmoid(i + pi * c), sigmoid(f + pf * c)
        f = 1 - i if coupled else f
        c = f * c + i * numpy.tanh(g)
        h = sigmoid(o + po * c) * numpy.tanh(c)
        y.append(h)
    return numpy.array(y)


for name, peepholes, attributes in (("plain", None, {}), ("peepholes", p, {}), ("input_forget", None, {"input_forget": 1})):
    values = [x, w, r, b, None, zero, zero] + ([] if peepholes is None else [peepholes])
    runtime, vino = answers("LSTM", values, hidden_size=hidden, **attributes)
    right, bare = loop(p if peepholes is not None else 0 * p, bool(attributes)), loop(0 * p, False)
    off = [float(abs(y[:, 0, 0] - z).max()) for y, z in ((runtime, right), (vino, right), (vino, bare))]
    print(f"LSTM, {name}: ONNX Runtime off by {off[0]:.1e}, OpenVINO by {off[1]:.1e}, and by {off[2]:.1e} from the plain LSTM")
    seen += [off[0] < 1e-5, off[2] < 1e-5, name == "plain" or off[1] > 0.01]
sys.exit(0 if all(seen) else 1)
PYTHON
