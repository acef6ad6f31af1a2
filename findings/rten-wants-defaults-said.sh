#!/bin/sh
# rten 0.27.0 (Rust): an ONNX convolution or pool that leaves its defaults out loads, and fails when it is first run.
#
# What one expects: `strides`, `dilations` and `pads` may be missing; the operators' specification says that they are ones and
# zeros along each axis then. onnx.helper, and tools that write only what differs from the default, leave them out.
# What is so: in two dimensions each of the three must be there: a Conv or ConvTranspose without one fails with "expected 2
# stride values", "expected 2 dilation values" or "Expected 4 padding values", a MaxPool or AveragePool without `strides` with
# "strides len does not match spatial dims". `Model::load_file` says nothing, and the error names an operator "" only.
# What follows: run a model once where it is loaded, and write all three out. Exports of torch have them, and so have this
# project's (`Model::save_onnx`).
#
# Exits with 0 as long as that is so. Needs cargo.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cargo new --quiet --vcs none "$folder/run"
cd "$folder/run"
cargo add --quiet rten@=0.27.0 rten-tensor@=0.27.0
cat > src/main.rs <<'RUST'
use rten_tensor::{Tensor, prelude::*};

fn main() {
    for path in std::env::args().skip(1) {
        let model = rten::Model::load_file(&path).expect("a model that loads");
        let x = Tensor::from_data(&[1, 1, 6, 6], (0..36).map(|i| i as f32).collect::<Vec<_>>());
        match model.run_one(x.view().into(), None) {
            Err(error) => println!("{error}"),
            Ok(y) => {
                let y: Tensor<f32> = y.try_into().expect("numbers");
                println!("{}", y.iter().sum::<f32>());
            }
        }
    }
}
RUST
cargo build --quiet
cat > models.py <<'PYTHON'
import subprocess
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SAID = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0]}
x = numpy.arange(36, dtype=numpy.float32).reshape(1, 1, 6, 6)


def model(name, op, attributes):
    weight = numpy_helper.from_array(numpy.ones((1, 1, 3, 3), numpy.float32), "w")
    of_weights = op.startswith("Conv")
    if not of_weights:
        attributes = {"kernel_shape": [2, 2], **attributes}
    node = helper.make_node(op, ["x", "w"] if of_weights else ["x"], ["y"], **attributes)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "g", [value("x", x.shape)], [value("y", list("abcd"))], [weight] if of_weights else [])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, name)
    session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0].sum()


seen = []
for op in ("Conv", "ConvTranspose", "MaxPool", "AveragePool"):
    needed = SAID if op.startswith("Conv") else {"strides": [1, 1]}
    for missing in (None, *needed):
        said = {key: value for key, value in SAID.items() if key in needed and key != missing}
        wanted = model("model.onnx", op, said)
        found = subprocess.run(["target/debug/run", "model.onnx"], capture_output=True, text=True, check=True).stdout.strip()
        print(f"{op} without {missing or 'nothing'}: ONNX Runtime {wanted:g}, rten {found}")
        seen.append("failed" in found if missing else float(found) == wanted)
sys.exit(not all(seen))
PYTHON
"$folder/venv/bin/python" models.py
