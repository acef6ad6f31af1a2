"""Writes shared_statistics.json beside this file: what PyTorch's running statistics are where one batch norm is called several times a batch.

Comes in: nothing, the case seeds the generator from its own name. Goes out: the numbers of all uses, `[samples, uses, 2]`, and mean,
variance and count after training with `momentum=None`, or with it, and after `swa_utils.update_bn`.
"""

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from common import File, randn

SAMPLES, BATCH = 13, 5


class Uses(nn.Module):
    def __init__(self, momentum):
        super().__init__()
        self.norm = nn.BatchNorm1d(2, momentum=momentum)

    def forward(self, x):
        return sum(self.norm(x[:, use]) for use in range(x.shape[1]))


def main():
    torch.set_num_threads(1)
    file = File("shared_statistics", digits=9)
    for uses in [2, 3]:
        for momentum in [None, 0.3]:
            for anew in [0, 1]:
                file.begin(f"uses{uses}_momentum{momentum}" + "_anew" * anew)
                x = randn(SAMPLES, uses, 2, digits=3) * torch.arange(1, uses + 1).reshape(1, uses, 1) + torch.arange(uses).reshape(1, uses, 1)

                def train(dtype):
                    model, batches = Uses(momentum).to(dtype), [x[i : i + BATCH].to(dtype) for i in range(0, SAMPLES, BATCH)]
                    if anew:
                        update_bn(batches, model)
                    else:
                        for batch in batches:
                            model(batch)
                    return {k: v.reshape(-1).to(dtype) for k, v in model.state_dict().items() if "running" in k or "tracked" in k}

                ends, ends32 = train(torch.float64), train(torch.float32)
                file.accept(max(torch.linalg.norm(ends32[k].double() - v).item() / torch.linalg.norm(v).item() for k, v in ends.items()))
                settings = {"uses": uses, "momentum": 0.0 if momentum is None else momentum, "anew": anew, "batch": BATCH}
                file.cases.append({"name": file.case, "settings": settings, "inputs": [x], "dparams": ends})
    print(file.write(), "bytes")


if __name__ == "__main__":
    main()
