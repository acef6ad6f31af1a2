"""Writes swa.json beside this file: PyTorch's mean of the weights after late epochs, and its statistics found anew.

Comes in: nothing, the case seeds the generator from its own name. Goes out: the weights that training begins with, samples and targets, and
the state of `swa_utils.AveragedModel` after `update_bn`, with batches of other sizes than training had.
"""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from common import File, randn

EPOCHS, AFTER, BATCH, SAMPLES = 6, 2, 4, 12


def net():
    return nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2))


def main():
    torch.set_num_threads(1)
    file = File("swa", digits=9)
    for batch, cumulative in [(4, 0), (5, 0), (5, 1)]:
        file.begin(f"batch{batch}" + "_cumulative" * cumulative)
        begins = {k: randn(*v.shape, scale=0.5, digits=3) for k, v in net().named_parameters()}
        x, t = randn(SAMPLES, 3, digits=3), randn(SAMPLES, 2, digits=3)

        def train(dtype):
            model = net().to(dtype)
            model[1].momentum = None if cumulative else 0.1
            model.load_state_dict({k: v.to(dtype) for k, v in begins.items()}, strict=False)
            average, optimizer = AveragedModel(model), torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.5)
            for epoch in range(EPOCHS):
                for first in range(0, SAMPLES, BATCH):
                    a, b = x[first : first + BATCH].to(dtype), t[first : first + BATCH].to(dtype)
                    optimizer.zero_grad()
                    ((model(a) - b) ** 2).mean().backward()
                    optimizer.step()
                if epoch >= AFTER:
                    average.update_parameters(model)
            update_bn([x[first : first + batch].to(dtype) for first in range(0, SAMPLES, batch)], average)
            return {k: v.detach().reshape(-1).to(dtype) for k, v in average.module.state_dict().items() if cumulative or "tracked" not in k}

        ends, ends32 = train(torch.float64), train(torch.float32)
        file.accept(max(torch.linalg.norm(ends32[k].double() - v).item() / torch.linalg.norm(v).item() for k, v in ends.items()))
        settings = {"epochs": EPOCHS, "after": AFTER, "batch": batch, "cumulative": cumulative}
        file.cases.append({"name": file.case, "settings": settings, "inputs": [x, t], "params": begins, "dparams": ends})
    print(file.write(), "bytes")


if __name__ == "__main__":
    main()
