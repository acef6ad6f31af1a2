"""Writes the fixtures beside this file: what PyTorch answers for every plain layer, loss and optimiser.

Comes in: nothing, each case seeds the generator from its own name. Goes out: one JSON file per subject.
Inputs are exact as float32, answers are computed from them in float64. No test needs this script to run.
"""

import math
import zlib

import numpy as np
import torch
import torch.nn.functional as F

from common import EDGES, File, activation, distance, randn, short


def dense():
    file = File("dense")
    sizes = [(1, 1, 1), (2, 3, 1), (17, 33, 1), (5, 7, 3), (3, 17, 7), (16, 16, 7), (33, 10, 17), (17, 5, 17), (10, 10, 33)]
    cases = [(b, i, o, True, 1.0) for i, o, b in sizes]
    cases += [(1, 7, 10, False, 1.0), (3, 7, 5, False, 1.0), (17, 3, 9, False, 1.0), (3, 9, 17, True, 20.0)]
    for batch, wide, out, bias, scale in cases:
        file.begin(f"batch{batch}_{wide}to{out}" + ("" if bias else "_no_bias") + ("_large" if scale > 1 else ""))
        params = {"weight": randn(out, wide, scale=1 / math.sqrt(wide))}
        if bias:
            params["bias"] = randn(out, scale=0.5)
        settings = {"in_features": wide, "out_features": out, "bias": int(bias)}
        file.add(settings, lambda x, p: F.linear(x[0], p["weight"], p.get("bias")), [randn(batch, wide, scale=scale)], params)
    return file


def activations():
    none = {}
    return [
        activation("relu", [("", none, F.relu, False)]),
        activation("leaky_relu", [(f"slope{s}_", {"negative_slope": s}, lambda x, s=s: F.leaky_relu(x, s), False) for s in (0.01, 0.2)]),
        activation("elu", [(f"alpha{a}_", {"alpha": a}, lambda x, a=a: F.elu(x, a), False) for a in (1.0, 0.5)]),
        activation("gelu", [(f"{a}_", {"approximate": a}, lambda x, a=a: F.gelu(x, approximate=a), True) for a in ("none", "tanh")]),
        activation("silu", [("", none, F.silu, True)]),
        activation("sigmoid", [("", none, torch.sigmoid, True)]),
        activation("tanh", [("", none, torch.tanh, True)]),
        # PyTorch answers x itself above 20, a step of 2e-9 that differences would see.
        activation("softplus", [("", {"beta": 1.0}, F.softplus, False)]),
    ]


def over_classes(name, fn):
    file = File(name)
    for classes in (2, 3, 10, 17, 33):
        for batch in (1, 3):
            file.begin(f"batch{batch}_{classes}")
            file.add({}, lambda x, p: fn(x[0], dim=-1), [randn(batch, classes, scale=2.0)])
        for size in (20, 90):
            file.begin(f"batch2_{classes}_within{size}")
            x = short((torch.rand(2, classes) * 2 - 1) * size)
            x[:, 0], x[0, -1], x[1, -1] = size, -size, size
            file.add({}, lambda x, p: fn(x[0], dim=-1), [x])
    return file


def networks():
    file = File("networks")

    def init(*sizes):
        params = {}
        for n, (wide, out) in enumerate(zip(sizes, sizes[1:]), 1):
            params[f"dense_{n}.weight"] = randn(out, wide, scale=1 / math.sqrt(wide))
            params[f"dense_{n}.bias"] = randn(out, scale=0.3)
        return params

    def linear(x, p, n):
        return F.linear(x, p[f"dense_{n}.weight"], p[f"dense_{n}.bias"])

    def tanh_softmax(x, p):
        return torch.softmax(linear(torch.tanh(linear(x[0], p, 1)), p, 2), dim=-1)

    def relu_sigmoid_loss(x, p):
        hidden = torch.sigmoid(linear(F.relu(linear(x[0], p, 1)), p, 2))
        return F.cross_entropy(linear(hidden, p, 3), x[1])

    for batch in (1, 3, 17):
        file.begin(f"5_tanh7_softmax3_batch{batch}")
        file.add({"graph": "dense 7, tanh, dense 3, softmax"}, tanh_softmax, [randn(batch, 5)], init(5, 7, 3))
    for batch in (7, 33):
        file.begin(f"9_relu17_sigmoid8_4_cross_entropy_batch{batch}")
        inputs = [randn(batch, 9), torch.randint(4, (batch,))]
        graph = "dense 17, relu, dense 8, sigmoid, dense 4, cross_entropy with labels"
        file.add({"graph": graph}, relu_sigmoid_loss, inputs, init(9, 17, 8, 4), wrt=1)
    return file


def differences_loss(name, variants):
    """`variants` lists (tag, settings, loss): losses of the difference of two tensors of one shape."""
    file = File(name)
    for tag, settings, loss in variants:
        for shape, scale in [((1, 1), 1.0), ((3, 5), 1.0), ((7, 10), 1.0), ((17, 3), 1.0), ((3, 7), 90.0)]:
            file.begin(f"{tag}batch{shape[0]}_{shape[1]}" + ("_large" if scale > 1 else ""))
            prediction, target = randn(*shape, scale=scale), randn(*shape)
            kink = shape == (3, 5)
            if kink:
                prediction[0, :2] = target[0, :2]  # where the gradient is zero, mae's too
            file.add(settings, lambda x, p: loss(x[0], x[1]), [prediction, target], wrt=1, smooth=not (kink and name == "mae"))
    return file


def cross_entropy():
    file = File("cross_entropy")
    for smoothing in (0.0, 0.1):
        for batch, classes, size in [(1, 2, 2), (3, 3, 2), (7, 10, 2), (17, 5, 2), (3, 33, 2), (3, 4, 20), (3, 10, 90)]:
            for targets in ("labels", "distributions"):
                file.begin(f"{targets}_smoothing{smoothing}_batch{batch}_{classes}" + (f"_within{size}" if size > 2 else ""))
                logits = randn(batch, classes, scale=size)
                if size > 2:
                    logits = short((torch.rand(batch, classes) * 2 - 1) * size)
                    logits[:, 0], logits[:, 1] = size, -size
                if targets == "labels":
                    target = torch.randint(classes, (batch,))
                    target[0], target[-1] = 0, classes - 1
                else:
                    target = short(torch.softmax(torch.randn(batch, classes, dtype=torch.float64), dim=-1))
                settings = {"targets": targets, "label_smoothing": smoothing}
                file.add(settings, lambda x, p: F.cross_entropy(x[0], x[1], label_smoothing=smoothing), [logits, target], wrt=1)
    return file


def binary_cross_entropy():
    file = File("binary_cross_entropy")
    for shape in [(1, 1), (3, 1), (7, 3), (17, 5)]:
        for soft in (0, 1):
            name = f"batch{shape[0]}_{shape[1]}" + ("_soft" if soft else "")
            for kind, loss in [("logits", F.binary_cross_entropy_with_logits), ("probabilities", F.binary_cross_entropy)]:
                file.begin(f"{kind}_{name}")
                x = randn(*shape, scale=2.0) if kind == "logits" else short(torch.sigmoid(torch.randn(shape, dtype=torch.float64) * 2))
                target = short(torch.rand(shape)) if soft else torch.randint(2, shape).float()
                file.add({"from": kind}, lambda x, p: loss(x[0], x[1]), [x, target], wrt=1)

    file.begin("logits_edges")
    x = torch.tensor(EDGES, dtype=torch.float32)
    x = torch.cat([x, x, x]).reshape(3, -1)
    target = torch.tensor([0.0, 1.0, 0.3]).reshape(3, 1).expand(x.shape).clone()
    file.add({"from": "logits"}, lambda x, p: F.binary_cross_entropy_with_logits(x[0], x[1]), [x, target], wrt=1)

    for shape, weight in [((7, 3), 0.25), ((7, 3), 5.0), ((17, 5), 2.0), ((3, 33), 40.0)]:
        file.begin(f"logits_batch{shape[0]}_{shape[1]}_weight{weight}")
        x, target = randn(*shape, scale=2.0), torch.randint(2, shape).float()

        def weighted(x, p, weight=weight):
            return F.binary_cross_entropy_with_logits(x[0], x[1], pos_weight=torch.tensor(weight, dtype=x[0].dtype))

        file.add({"from": "logits", "pos_weight": weight}, weighted, [x, target], wrt=1)

    # At 0 and 1 PyTorch holds both logarithms at -100 or above and, in the gradient, p (1 - p) at 1e-12 or above.
    file.begin("probabilities_clamped")
    x = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1e-6, 0.5, 0.75]])
    target = torch.tensor([[0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]])
    file.add({"from": "probabilities"}, lambda x, p: F.binary_cross_entropy(x[0], x[1]), [x, target], wrt=1, smooth=False)
    return file


def optimiser(name, kind, uneven, variants):
    """`variants` lists (case, settings, PyTorch's name for a setting where it is another one); the first is the plain one."""
    file = File(name)
    for number, (case, settings) in enumerate(variants):
        # The same gradients in every case of a file: what differs is then the setting.
        torch.manual_seed(zlib.crc32(name.encode()))
        gradients = torch.randn(20, 37, dtype=torch.float64)
        if uneven:
            # Adaptive methods undo a scale: give them many, some near epsilon, one that is sparse and one that is never there.
            scales = torch.tensor([1.0, 0.1, 10.0, 1e-3, 1e-7, 1.0]).repeat(7)[:37]
            gradients *= scales
            gradients[torch.arange(20) % 4 != 1, 5::6] = 0
            gradients[:, 36] = 0
        gradients = short(gradients, 4)
        start = randn(37, scale=0.05)
        file.case = case

        options = {k: bool(v) if k in ("nesterov", "amsgrad", "centered") else v for k, v in settings.items() if not k.startswith("beta")}
        if "beta1" in settings:
            options["betas"] = (settings["beta1"], settings["beta2"])

        def run(dtype):
            parameter = start.to(dtype, copy=True).requires_grad_()
            steps = kind([parameter], foreach=False, **options)
            after = {}
            for step, gradient in enumerate(gradients, 1):
                parameter.grad = gradient.to(dtype)
                steps.step()
                if step in (1, 5, 20):
                    after[f"after_{step}"] = parameter.detach().clone()
            return after

        after, narrow = run(torch.float64), run(torch.float32)
        for step, value in after.items():
            file.accept(distance(narrow[step].double() - start, value - start))  # of the way gone: the start would hide it
        way = after["after_20"] - start
        if number == 0:
            plain = way
        else:
            assert distance(way, plain) > 1e-3, f"{name}/{case}: the setting hardly shows"
        file.cases.append({"name": case, "settings": settings, "inputs": [gradients], "params": {"start": start, **after}})
    return file


def optimisers():
    sgd = {"lr": 0.1, "momentum": 0.0, "nesterov": 0, "dampening": 0.0, "weight_decay": 0.0}
    rmsprop = {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": 0}
    adagrad = {"lr": 0.01, "lr_decay": 0.0, "eps": 1e-10}
    adam = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "amsgrad": 0}
    adamw = adam | {"weight_decay": 0.01}
    return [
        optimiser("sgd", torch.optim.SGD, False, [
            ("plain", sgd),
            ("momentum", sgd | {"momentum": 0.9}),
            ("nesterov", sgd | {"momentum": 0.9, "nesterov": 1}),
            ("weight_decay", sgd | {"weight_decay": 0.01}),
            ("nesterov_weight_decay", sgd | {"momentum": 0.9, "nesterov": 1, "weight_decay": 0.01}),
            ("dampening", sgd | {"momentum": 0.9, "dampening": 0.4}),
        ]),
        optimiser("rmsprop", torch.optim.RMSprop, True, [
            ("default", rmsprop),
            ("momentum", rmsprop | {"momentum": 0.9}),
            ("alpha", rmsprop | {"alpha": 0.9}),
            ("centered", rmsprop | {"centered": 1, "eps": 1e-4}),
            ("centered_momentum", rmsprop | {"centered": 1, "momentum": 0.9, "alpha": 0.9, "eps": 1e-4}),
        ]),
        optimiser("adagrad", torch.optim.Adagrad, True, [
            ("default", adagrad),
            ("lr_decay", adagrad | {"lr_decay": 0.1}),
        ]),
        optimiser("adam", torch.optim.Adam, True, [
            ("default", adam),
            ("betas", adam | {"beta1": 0.8, "beta2": 0.99}),
            ("weight_decay", adam | {"weight_decay": 0.01}),
            ("eps", adam | {"eps": 1e-7}),
            ("amsgrad", adam | {"amsgrad": 1, "beta2": 0.9}),
        ]),
        optimiser("adamw", torch.optim.AdamW, True, [
            ("default", adamw),
            ("strong", adamw | {"lr": 0.1, "weight_decay": 0.1}),
            ("amsgrad", adamw | {"amsgrad": 1, "beta2": 0.9}),
        ]),
    ]


def main():
    torch.set_num_threads(1)  # one order of summation, whatever the machine
    files = [dense(), *activations(), over_classes("softmax", torch.softmax), over_classes("log_softmax", torch.log_softmax), networks()]
    files += [
        differences_loss("mse", [("", {}, F.mse_loss)]),
        differences_loss("mae", [("", {}, F.l1_loss)]),
        differences_loss("huber", [(f"delta{d}_", {"delta": d}, lambda x, t, d=d: F.huber_loss(x, t, delta=d)) for d in (1.0, 0.5)]),
        cross_entropy(),
        binary_cross_entropy(),
        *optimisers(),
    ]
    total = sum(file.write() for file in files)
    print(f"{total} bytes, torch {torch.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
