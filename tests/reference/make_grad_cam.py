"""Writes grad_cam.json: what Captum's LayerGradCam finds on three small networks.

pip install torch numpy captum; python make_grad_cam.py
"""

import json
from pathlib import Path

import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

torch.manual_seed(11)


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(5 * 3 * 2, 3)
        self.pooled, self.bent, self.softmax = nn.MaxPool2d(2), nn.Tanh(), nn.Softmax(dim=1)

    def forward(self, x):
        x = self.pooled(self.first(x).relu())
        return self.softmax(self.head(self.bent(self.second(x)).flatten(1)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda inputs: nn.Conv2d(inputs, 4, 3, padding=1)
        self.stem, self.one, self.two, self.norm, self.head = conv(2), conv(4), conv(4), nn.BatchNorm2d(4), nn.Linear(4, 3)
        self.forked, self.joined, self.last = nn.ReLU(), nn.Identity(), nn.ReLU()
        with torch.no_grad():
            self.norm.running_mean.copy_(torch.randn(4) / 4)
            self.norm.running_var.copy_(torch.rand(4) + 0.5)
            self.norm.weight.copy_(torch.rand(4) + 0.5)

    def forward(self, x):
        x = self.forked(self.stem(x))
        x = self.last(self.joined(x + self.two(self.norm(self.one(x)).relu())))
        return self.head(x.mean(dim=(2, 3)))


class Steps(nn.Module):
    """Torch has the channels first."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Conv1d(3, 4, 3), nn.Conv1d(4, 5, 2), nn.Linear(5, 2)
        self.bent, self.last = nn.Tanh(), nn.Sigmoid()

    def forward(self, x):
        return self.head(self.last(self.second(self.bent(self.first(x)))).mean(dim=2))


def decimals(tensor):
    return [float(f"{x:.9g}") for x in tensor.double().flatten().tolist()]


cases = []
for net, shape, layers in [
    (Deep(), (2, 12, 11), ["pooled", "bent"]),
    (Residual(), (2, 8, 7), ["forked", "joined", "last"]),
    (Steps(), (3, 9), ["bent", "last"]),
]:
    net = net.eval()
    with torch.no_grad():
        for param in net.state_dict().values():
            if param.is_floating_point():
                param.copy_(torch.tensor(decimals(param)).reshape(param.shape).float())
    x = torch.tensor(decimals(torch.randn(1, *shape))).reshape(1, *shape).float()
    params = {name: decimals(param) for name, param in net.state_dict().items() if param.is_floating_point()}
    net, xd = net.double(), x.double()
    found = []
    for layer in layers:
        for target in range(net(xd).shape[1]):
            cam = LayerGradCam(net, getattr(net, layer)).attribute(xd, target=target)
            case = {"layer": layer, "target": target, "map": decimals(cam)}
            if len(shape) == 3:
                case["enlarged"] = decimals(LayerAttribution.interpolate(cam, (2 * shape[1] + 1, shape[2])))
            found.append(case)
    # Samples as they are here: the features of a step together.
    sample = x[0] if len(shape) == 3 else x[0].T
    cases.append({"network": type(net).__name__, "params": params, "x": decimals(sample), "cases": found})
Path(__file__).with_name("grad_cam.json").write_text(json.dumps(cases) + "\n")
