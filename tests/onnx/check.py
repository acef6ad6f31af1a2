#!/usr/bin/env python3
"""Runs what `cargo test -p nn-tests --test onnx` has written through ONNX's checker and ONNX Runtime.

Needs onnx, onnxruntime and numpy. In: a folder of NAME.onnx with NAME.txt beside it, lines of inputs (x) and
predictions (y) of a batch of 3; out: every file whose outputs differ by more than 1e-5.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

BATCH = 3
LIMIT = 1e-5


def lines(path, key):
    for line in path.read_text().splitlines():
        words = line.split(" ")
        if words[0] == key:
            yield np.array([float(word) for word in words[1:]], dtype=np.float32)


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version <= 10, model.ir_version
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    beside = path.with_suffix(".txt")
    x, y = list(lines(beside, "x")), list(lines(beside, "y"))
    ports = session.get_inputs()
    assert len(ports) == len(x), (len(ports), len(x))
    worst = 0.0
    # The whole batch, and its first sample alone.
    for batch in (BATCH, 1):
        given = {}
        for port, values in zip(ports, x):
            assert port.shape[0] == "batch", port.shape
            given[port.name] = values.reshape([BATCH, *port.shape[1:]])[:batch]
        found = session.run(None, given)
        assert len(found) == len(y), (len(found), len(y))
        for found, port, values in zip(found, session.get_outputs(), y):
            values = values.reshape([BATCH, *port.shape[1:]])[:batch]
            assert found.shape == values.shape, (found.shape, values.shape)
            off = np.abs(found - values) / np.maximum(1.0, np.abs(values))
            worst = max(worst, float(off.max()))
            assert not np.isnan(found).any()
    assert worst <= LIMIT, f"off by {worst:.1e}"
    return worst


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    failed, worst = 0, 0.0
    for path in paths:
        try:
            worst = max(worst, check(path))
        except Exception as error:
            failed += 1
            print(f"{path.stem}: {str(error).splitlines()[0]}")
    print(f"{len(paths)} files, {failed} wrong, at most {worst:.1e} off")
    sys.exit(1 if failed or not paths else 0)


if __name__ == "__main__":
    main()
