"""ExecuTorch on one thread: PyTorch's networks of `torch_peer`, exported and lowered to XNNPACK.

In: turns; out: times. It does not train.
"""

from importlib.metadata import version

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.extension.pybindings import portable_lib
from executorch.runtime import Runtime

import torch_peer
import turns

# There is no public way to say how many threads its pool has; by itself it has one for each core.
portable_lib._unsafe_reset_threadpool(1)


class Predict(turns.Run):
    def __init__(self, workload):
        net = torch_peer.network(workload.net).eval()
        if workload.classes:
            net = torch.nn.Sequential(net, torch.nn.Softmax(1))
        self.batches = [(x.contiguous(),) for x in torch.from_numpy(workload.x)]
        exported = torch.export.export(net, self.batches[0])
        lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        self.program = Runtime.get().load_program(lowered.to_executorch().buffer)
        self.method = self.program.load_method("forward")
        self.next = 0

    def steps(self, steps):
        for _ in range(steps):
            self.method.execute(self.batches[self.next])
            self.next = (self.next + 1) % len(self.batches)
        return steps


def make(_, workload, __):
    if workload.train:
        raise NotImplementedError("does not train")
    torch.manual_seed(0)
    return Predict(workload)


if __name__ == "__main__":
    turns.serve(version("executorch"), make)
