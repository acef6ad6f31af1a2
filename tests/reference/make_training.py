"""Writes the fixtures of training: optimisers that PyTorch lacks or has lately, and schedules of the learning rate.

Comes in: nothing, each case seeds the generator from its own name. Goes out: one JSON file per optimiser, and `schedules.json`.
Where PyTorch has no such optimiser, or computes it in bfloat16, the formula stands here, after the paper that is named.
"""

import numpy as np
import torch
import torch.optim._muon
from torch.optim import lr_scheduler as lr

from common import File, by, distance, randn, short
from make import optimiser


class Written(torch.optim.Optimizer):
    """An optimiser as one formula for each tensor: `rule(p, g, state, step, **settings)`."""

    def __init__(self, params, foreach=False, **settings):
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["step"] = state.get("step", 0) + 1
                self.rule(p, p.grad, state, **{k: v for k, v in group.items() if k in self.defaults})


class Lion(Written):
    """Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, program 1."""

    def rule(self, p, g, state, lr, betas, weight_decay):
        m = state.setdefault("m", torch.zeros_like(p))
        way = torch.sign(betas[0] * m + (1 - betas[0]) * g)
        p.sub_(lr * (way + weight_decay * p))
        m.mul_(betas[1]).add_(g, alpha=1 - betas[1])


class Lamb(Written):
    """You et al., "Large Batch Optimization for Deep Learning", 2020, algorithm 2, with the identity for phi."""

    def rule(self, p, g, state, lr, betas, eps, weight_decay):
        m, v = state.setdefault("m", torch.zeros_like(p)), state.setdefault("v", torch.zeros_like(p))
        m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
        v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
        mean, square = m / (1 - betas[0] ** state["step"]), v / (1 - betas[1] ** state["step"])
        way = mean / (square.sqrt() + eps) + weight_decay * p
        length, size = p.norm(), way.norm()
        p.sub_(lr * (length / size if length > 0 and size > 0 else 1.0) * way)


class ScheduleFree(Written):
    """Defazio et al., "The Road Less Scheduled", 2024, algorithm 1, with the weights of the authors' `schedulefree` 1.4."""

    def rule(self, p, g, state, lr, betas, eps, weight_decay, warmup, adaptive):
        z, v, step = state.setdefault("z", p.clone()), state.setdefault("v", torch.zeros_like(p)), state["step"]
        rate = lr * (min(step / warmup, 1.0) if warmup else 1.0)
        state["sum"] = state.get("sum", 0.0) + rate**2
        share = rate**2 / state["sum"]
        v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
        way = g / ((v / (1 - betas[1] ** step)).sqrt() + eps) if adaptive else g.clone()
        way += weight_decay * p
        x = (p - (1 - betas[0]) * z) / betas[0]
        z.sub_(rate * way)
        x.add_(share * (z - x))
        p.copy_((1 - betas[0]) * z + betas[0] * x)


def optimisers():
    nadam = {"lr": 2e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "momentum_decay": 4e-3}
    radam = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
    adamax = radam | {"lr": 2e-3}
    adadelta = {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0}
    free = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "warmup": 0, "adaptive": 1}
    lion = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
    lamb = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.01}
    return [
        optimiser("nadam", torch.optim.NAdam, True, [
            ("default", nadam),
            ("betas", nadam | {"beta1": 0.8, "beta2": 0.99}),
            ("weight_decay", nadam | {"weight_decay": 0.01}),
            ("momentum_decay", nadam | {"momentum_decay": 2.0}),
        ]),
        optimiser("radam", torch.optim.RAdam, True, [
            ("default", radam),
            ("betas", radam | {"beta1": 0.8, "beta2": 0.99}),
            ("weight_decay", radam | {"weight_decay": 0.01}),
            ("eps", radam | {"eps": 1e-3}),
        ]),
        optimiser("schedule_free", ScheduleFree, True, [
            ("default", free),
            ("betas", free | {"beta1": 0.8, "beta2": 0.99}),
            ("weight_decay", free | {"weight_decay": 0.1}),
            ("warmup", free | {"warmup": 8}),
            ("plain", free | {"adaptive": 0, "lr": 0.1}),
            ("plain_warmup", free | {"adaptive": 0, "lr": 0.1, "warmup": 30, "weight_decay": 0.01}),
        ]),
        optimiser("adamax", torch.optim.Adamax, True, [
            ("default", adamax),
            ("betas", adamax | {"beta1": 0.8, "beta2": 0.9}),
            ("weight_decay", adamax | {"weight_decay": 0.01}),
            ("eps", adamax | {"eps": 1e-3}),
        ]),
        optimiser("adadelta", torch.optim.Adadelta, True, [
            ("default", adadelta),
            ("rho", adadelta | {"rho": 0.5}),
            ("weight_decay", adadelta | {"weight_decay": 0.01}),
            ("eps", adadelta | {"eps": 1e-4}),
        ]),
        optimiser("lion", Lion, True, [
            ("default", lion),
            ("betas", lion | {"beta1": 0.95, "beta2": 0.8}),
            ("weight_decay", lion | {"weight_decay": 10.0}),
        ]),
        optimiser("lamb", Lamb, True, [
            ("default", lamb),
            ("betas", lamb | {"beta1": 0.8, "beta2": 0.99}),
            ("weight_decay", lamb | {"weight_decay": 3.0}),
            ("eps", lamb | {"eps": 1e-3}),
        ]),
    ]


def newton_schulz(grad, coefficients, steps, eps):
    """What PyTorch's Muon does, in the type of the gradient instead of bfloat16."""
    a, b, c = coefficients
    x = grad.T if grad.size(0) > grad.size(1) else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if grad.size(0) > grad.size(1) else x


def muon():
    torch.optim._muon._zeropower_via_newtonschulz = newton_schulz
    file = File("muon")
    plain = {"lr": 0.02, "momentum": 0.95, "nesterov": 1, "weight_decay": 0.1, "match_rms": 0}
    cases = [(s, plain) for s in [(1, 1), (1, 7), (5, 1), (3, 17), (17, 5), (16, 33)]]
    cases += [((7, 3), plain | {"nesterov": 0}), ((3, 9), plain | {"match_rms": 1}), ((9, 5), plain | {"momentum": 0.5, "weight_decay": 0.0})]
    cases += [((4, 3, 3, 3), plain)]
    for shape, settings in cases:
        tag = "".join(f"_{k}{v}" for k, v in settings.items() if plain[k] != v)
        file.begin(by(shape) + tag)
        gradients, start = randn(20, *shape, digits=2), randn(*shape, scale=0.05)

        def run(dtype):
            flat = (shape[0], -1)
            parameter = start.to(dtype, copy=True).reshape(flat).requires_grad_()
            adjust = "match_rms_adamw" if settings["match_rms"] else None
            options = {"momentum": settings["momentum"], "nesterov": bool(settings["nesterov"]), "weight_decay": settings["weight_decay"]}
            steps = torch.optim.Muon([parameter], lr=settings["lr"], adjust_lr_fn=adjust, **options)
            after = {}
            for step, gradient in enumerate(gradients, 1):
                parameter.grad = gradient.to(dtype).reshape(flat)
                steps.step()
                if step in (1, 5, 20):
                    after[f"after_{step}"] = parameter.detach().clone().reshape(shape)
            return after

        after, narrow = run(torch.float64), run(torch.float32)
        for step, value in after.items():
            file.accept(distance(narrow[step].double() - start, value - start))
        file.cases.append({"name": file.case, "settings": settings, "inputs": [gradients], "params": {"start": start, **after}})
    return file


def schedules():
    file = File("schedules", digits=12)
    base = 0.3

    def case(name, settings, make, epochs=None, momentum=0.0):
        """The rates of 50 steps; the plateau is told a loss after each. With a momentum, those of it behind the rates."""
        file.begin(name)
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base, momentum=momentum)
        schedule = make(optimizer)
        rates, momenta = [], []
        for step in range(50):
            rates.append(optimizer.param_groups[0]["lr"])
            momenta.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if epochs is not None:
                schedule.step(epochs[step].item())
            elif step < 49:
                schedule.step()
        rates = torch.tensor(rates + (momenta if momentum else []), dtype=torch.float64)
        inputs = [] if epochs is None else [epochs]
        file.cases.append({"name": name, "settings": settings | {"base": base}, "inputs": inputs, "output": rates})

    case("step", {"every": 7, "factor": 0.5}, lambda o: lr.StepLR(o, 7, 0.5))
    case("exponential", {"factor": 0.93}, lambda o: lr.ExponentialLR(o, 0.93))
    case("polynomial", {"steps": 30, "power": 1.0}, lambda o: lr.PolynomialLR(o, 30))
    case("polynomial_cubic", {"steps": 49, "power": 3.0}, lambda o: lr.PolynomialLR(o, 49, 3.0))
    case("cosine", {"period": 49, "floor": 0.02}, lambda o: lr.CosineAnnealingLR(o, 49, 0.02))
    case("cosine_restarts", {"period": 9, "longer": 1, "floor": 0.0}, lambda o: lr.CosineAnnealingWarmRestarts(o, 9, 1))
    case("cosine_restarts_longer", {"period": 5, "longer": 3, "floor": 0.01}, lambda o: lr.CosineAnnealingWarmRestarts(o, 5, 3, 0.01))
    case("one_cycle", {"steps": 50}, lambda o: lr.OneCycleLR(o, base, 50, cycle_momentum=False))
    odd = {"pct_start": 0.47, "div_factor": 3.0, "final_div_factor": 20.0}
    case("one_cycle_odd", {"steps": 50, **odd}, lambda o: lr.OneCycleLR(o, base, 50, cycle_momentum=False, **odd))
    case("warmup", {"steps": 11, "start": 1 / 3}, lambda o: lr.LinearLR(o, total_iters=11))
    case("warmup_cosine", {"steps": 8, "start": 0.1, "period": 41, "floor": 0.0}, lambda o: lr.SequentialLR(
        o, [lr.LinearLR(o, 0.1, total_iters=8), lr.CosineAnnealingLR(o, 41)], [8]))
    falling = short(1 / (1 + torch.arange(50, dtype=torch.float64) / 3).clamp(max=4), 4)
    case("plateau", {}, lambda o: lr.ReduceLROnPlateau(o), falling)
    torch.manual_seed(1)
    rough = short(1 + torch.rand(50, dtype=torch.float64) - torch.arange(50) / 100, 4)
    odd = {"factor": 0.6, "patience": 2, "threshold": 0.02, "cooldown": 3, "min_lr": 0.05}
    case("plateau_odd", odd, lambda o: lr.ReduceLROnPlateau(o, **odd), rough)
    case("plateau_absolute", {"factor": 0.5, "patience": 1, "threshold": 0.03}, lambda o: lr.ReduceLROnPlateau(
        o, factor=0.5, patience=1, threshold=0.03, threshold_mode="abs"), rough)
    case("plateau_max", {"factor": 0.5, "patience": 1}, lambda o: lr.ReduceLROnPlateau(o, "max", factor=0.5, patience=1), rough)
    case("one_cycle_momentum", {"steps": 50}, lambda o: lr.OneCycleLR(o, base, 50), momentum=0.9)
    case("one_cycle_three", {"steps": 50}, lambda o: lr.OneCycleLR(o, base, 50, three_phase=True), momentum=0.9)
    odd = {"pct_start": 0.37, "div_factor": 3.0, "final_div_factor": 20.0, "base_momentum": 0.5, "max_momentum": 0.8}
    case("one_cycle_three_odd", {"steps": 50, **odd}, lambda o: lr.OneCycleLR(o, base, 50, three_phase=True, **odd), momentum=0.9)
    return file


def main():
    torch.set_num_threads(1)
    total = sum(file.write() for file in [*optimisers(), muon(), schedules()])
    print(f"{total} bytes, torch {torch.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
