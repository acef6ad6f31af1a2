"""Writes attribution.json: what Captum finds on a small network.

pip install torch numpy captum; python make_attribution.py
"""

import json

import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency

torch.manual_seed(3)
net = torch.nn.Sequential(
    torch.nn.Conv2d(2, 3, 3),
    torch.nn.Tanh(),
    torch.nn.AvgPool2d(2),
    torch.nn.Flatten(),
    torch.nn.Linear(12, 4),
    torch.nn.Softmax(dim=1),
)
names = {"0.weight": "conv.weight", "0.bias": "conv.bias", "4.weight": "head.weight", "4.bias": "head.bias"}
decimals = lambda tensor: [float(f"{x:.9g}") for x in tensor.double().flatten().tolist()]
with torch.no_grad():
    for param in net.parameters():
        param.copy_(torch.tensor(decimals(param * 2)).reshape(param.shape).float())
x = torch.tensor(decimals(torch.randn(1, 2, 6, 7))).reshape(1, 2, 6, 7).float()
baseline = torch.tensor(decimals(0.3 * torch.randn(1, 2, 6, 7))).reshape(1, 2, 6, 7).float()
params = {names[name]: decimals(param) for name, param in net.state_dict().items()}

net = net.double()
cases = []
for target in range(4):
    xd, bd = x.double(), baseline.double()
    integrated, gap = IntegratedGradients(net).attribute(
        xd, bd, target=target, n_steps=5, return_convergence_delta=True
    )
    occlusions = [
        {
            "window": window,
            "stride": stride,
            "found": decimals(
                Occlusion(net).attribute(
                    xd, target=target, sliding_window_shapes=(2, *window), strides=(2, *stride), baselines=0.25
                )
            ),
        }
        for window, stride in [((2, 3), (1, 1)), ((3, 3), (2, 2)), ((4, 4), (3, 4))]
    ]
    cases.append(
        {
            "target": target,
            "saliency": decimals(Saliency(net).attribute(xd, target=target)),
            "integrated": decimals(integrated),
            "gap": float(gap),
            "occlusions": occlusions,
        }
    )
with open("attribution.json", "w") as file:
    json.dump({"params": params, "x": decimals(x), "baseline": decimals(baseline), "cases": cases}, file)
    file.write("\n")
