"""Writes `policy.json`: log-probabilities and entropies of torch.distributions, and their gradients.

Comes in: nothing, the numbers are drawn from one seed. Goes out: one JSON file, answers in float64 of inputs that are
exact as float32.
"""

import json
from pathlib import Path

import torch
from torch.distributions import Categorical, Independent, Normal

torch.manual_seed(7)


def drawn(n, scale):
    values = [float(f"{v:.4g}") for v in (scale * torch.randn(n, dtype=torch.float64)).tolist()]
    return torch.tensor(values, dtype=torch.float32)


def gradients(of, inputs):
    return [g.tolist() for g in torch.autograd.grad(of, inputs, retain_graph=True, allow_unused=True) if g is not None]


cases = {"categorical": [], "gaussian": []}
for n, scale, choice in [(2, 1, 0), (3, 3, 2), (7, 40, 4), (5, 0, 1)]:
    scores = drawn(n, scale)
    x = scores.double().requires_grad_()
    d = Categorical(logits=x)
    p = d.log_prob(torch.tensor(choice))
    cases["categorical"].append({
        "scores": scores.tolist(),
        "choice": choice,
        "log_prob": p.item(),
        "entropy": d.entropy().item(),
        "log_prob_gradient": gradients(p, [x])[0],
        "entropy_gradient": gradients(d.entropy(), [x])[0],
    })
for n, scale in [(1, 1), (4, 2), (3, 0.5)]:
    mean, log, action = drawn(n, scale), drawn(n, scale), drawn(n, scale)
    m, s = mean.double().requires_grad_(), log.double().requires_grad_()
    d = Independent(Normal(m, s.exp()), 1)
    p = d.log_prob(action.double())
    of_mean, of_log = gradients(p, [m, s])
    cases["gaussian"].append({
        "mean": mean.tolist(),
        "log_deviation": log.tolist(),
        "action": action.tolist(),
        "log_prob": p.item(),
        "entropy": d.entropy().item(),
        "mean_gradient": of_mean,
        "log_deviation_gradient": of_log,
        "entropy_gradient": gradients(d.entropy(), [s])[0],
    })
Path(__file__).with_name("policy.json").write_text(json.dumps(cases, indent=1) + "\n")
