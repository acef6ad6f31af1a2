"""ONNX Runtime on one thread: predictions from the ONNX files next to the data, inputs and outputs bound to memory before.

In: turns; out: times. It does not train.
"""

import onnxruntime as ort

import turns


class Predict(turns.Run):
    def __init__(self, workload, file):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.bindings = []
        for x in workload.x:
            binding = self.session.io_binding()
            binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(x))
            binding.bind_output("y")
            self.bindings.append(binding)
        self.next = 0

    def steps(self, steps):
        for _ in range(steps):
            self.session.run_with_iobinding(self.bindings[self.next])
            self.next = (self.next + 1) % len(self.bindings)
        return steps


def make(_, workload, directory):
    if workload.train:
        raise NotImplementedError("does not train")
    return Predict(workload, directory / f"{workload.net}.onnx")


if __name__ == "__main__":
    turns.serve(ort.__version__, make)
