"""What the scripts beside this file share: short numbers, their text, and the file of cases that checks before it writes.

Comes in: functions of PyTorch and their inputs, exact as float32. Goes out: one JSON file per subject, answers in float64.
A random number is drawn only after a case has seeded the generator from its own name.
"""

import json
import math
import pathlib
import zlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
F32_TOLERANCE = 5e-6  # what float32 PyTorch itself must stay within, else a case is too ill-conditioned to ask of anyone
FD_TOLERANCE = 1e-6  # analytic gradient against central differences, both in float64

# Zeros and both signs of small, ordinary and overflowing magnitudes: exp(90) is infinite in float32.
EDGES = [0.0, 1e-6, 1e-3, 0.1, 0.5, 1.0, 2.0, 3.5, 5.0, 8.0, 10.0, 19.5, 20.0, 20.5, 50.0, 90.0]
EDGES = [-v for v in EDGES[:0:-1]] + EDGES


def short(tensor, digits=5):
    """The same numbers as decimals of few digits, as float32: keeps the files small and the text exact."""
    flat = [float(f"{v:.{digits}g}") for v in tensor.flatten().tolist()]
    return torch.tensor(flat, dtype=torch.float32).reshape(tensor.shape)


def randn(*shape, scale=1.0, digits=5):
    # Drawn in float64: the float32 generator depends on the instruction set.
    return short(torch.randn(*shape, dtype=torch.float64) * scale, digits)


def few(*shape, scale=1.0):
    """Of two digits: for the many tensors of images."""
    return randn(*shape, scale=scale, digits=2)


def spread(*shape):
    """No two numbers within reach of a step of the differences: the greatest of any window stays the greatest."""
    count = math.prod(shape)
    return short((torch.randperm(count).double() + 0.5).reshape(shape) * (6 / count) - 3, 3)


def by(sizes):
    return "x".join(map(str, sizes))


def draw(module, around=0.0):
    """Random parameters for a module of PyTorch, by its own names and shapes; `around` is the middle of its `weight`."""
    return {k: short(randn(*v.shape, scale=0.5) + (around if k == "weight" else 0.0), 2) for k, v in module.named_parameters()}


def call(module, before=lambda x: x):
    """The function that `File.add` asks: the module with the parameters it is given, in the type they come in."""
    return lambda x, p: torch.func.functional_call(module, p, (before(x[0]),))


def text_input(value):
    """Shortest decimal that reads back as this float32, also by way of a float64."""
    text = repr(int(value)) if float(value).is_integer() else np.format_float_positional(value, trim="0")
    if len(text) > 9:
        text = min(text, np.format_float_scientific(value, trim="0"), key=len)
    assert np.float32(float(text)) == value, f"{value!r} does not survive as {text}"
    return text


def text_answer(value, digits):
    assert math.isfinite(value), "json has no infinity and no nan"
    return f"{value + 0.0:.{digits}g}"  # + 0.0: a negative zero is no information


def tensor_json(tensor, digits):
    if tensor.dtype == torch.float64:
        data = [text_answer(v, digits) for v in tensor.flatten().tolist()]
    elif tensor.dtype == torch.float32:
        data = [text_input(v) for v in tensor.flatten().numpy()]
    else:
        data = [str(v) for v in tensor.flatten().tolist()]
    return f'{{"shape":{json.dumps(list(tensor.shape))},"data":[{",".join(data)}]}}'


def value_json(value, digits):
    """`digits` is how many an answer keeps."""
    if isinstance(value, torch.Tensor):
        return tensor_json(value, digits)
    if isinstance(value, list):
        return "[" + ",\n   ".join(value_json(v, digits) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ",\n   ".join(f"{json.dumps(k)}:{value_json(v, digits)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def distance(a, b):
    """Relative distance of two tensors in the Euclidean norm; the absolute one where b is all zero."""
    gap, size = torch.linalg.norm((a - b).double()).item(), torch.linalg.norm(b.double()).item()
    return gap / size if size > 0 else gap


def tuple_of(y):
    return (y,) if isinstance(y, torch.Tensor) else tuple(y)


class File:
    """One fixture file: a list of cases."""

    def __init__(self, name, draw=randn, digits=9):
        """`draw` makes the gradients that arrive; an answer keeps so many `digits`."""
        self.name, self.draw, self.digits, self.cases, self.worst = name, draw, digits, [], 0.0

    def begin(self, case):
        """Seeds from the case's own name, so that a new case leaves the old ones as they were."""
        assert all(c["name"] != case for c in self.cases), f"{self.name}/{case} exists"
        self.case = case
        torch.manual_seed(zlib.crc32(f"{self.name}/{case}".encode()))

    def begin_batch(self, batch, *words):
        self.begin("_".join([f"batch{batch}", *words]))

    def accept(self, error):
        assert error <= F32_TOLERANCE, f"{self.name}/{self.case}: float32 is {error:.1e} away"
        self.worst = max(self.worst, error)

    def add(self, settings, fn, inputs, params=None, wrt=None, smooth=True):
        """Runs `fn(inputs, params)`, one tensor or a tuple of several, and its gradients for the first `wrt` inputs
        (all by default) and every parameter. Answers with the case, for what only its layer has."""
        params = params or {}
        wrt = len(inputs) if wrt is None else wrt
        case = {"name": self.case, "settings": settings, "inputs": inputs, "params": params}

        def run(dtype, doutputs=None):
            x = [i.to(dtype, copy=True) if i.is_floating_point() else i for i in inputs]
            p = {k: v.to(dtype, copy=True) for k, v in params.items()}
            leaves = [t.requires_grad_() for t in x[:wrt] + list(p.values())]
            y = tuple_of(fn(x, p))
            if doutputs is None:
                doutputs = [torch.ones(()) if t.dim() == 0 else self.draw(*t.shape) for t in y]
            grads = torch.autograd.grad(y, leaves, [d.to(dtype) for d in doutputs])
            return [t.detach() for t in y], doutputs, leaves, grads

        y, doutputs, leaves, grads = run(torch.float64)
        y32, _, _, grads32 = run(torch.float32, doutputs)
        for narrow, wide in zip((*y32, *grads32), (*y, *grads)):
            self.accept(distance(narrow, wide))
        if smooth:
            self.differences(fn, inputs, params, wrt, doutputs, leaves, grads)

        if len(y) > 1:
            case["outputs"], case["doutputs"] = y, doutputs
        else:
            case["output"] = y[0]
            if y[0].dim() > 0:
                case["doutput"] = doutputs[0]
        case["dinputs"] = list(grads[:wrt])
        if params:
            case["dparams"] = dict(zip(params, grads[wrt:]))
        self.cases.append(case)
        return case

    def differences(self, fn, inputs, params, wrt, doutputs, leaves, grads):
        """The gradients again, along one random direction, from values alone."""
        way = [torch.randn(t.shape, dtype=torch.float64) for t in leaves]
        h = 1e-5

        def at(step):
            moved = [t.detach() + step * w for t, w in zip(leaves, way)]
            rest = [i.double() if i.is_floating_point() else i for i in inputs[wrt:]]
            y = tuple_of(fn(moved[:wrt] + rest, dict(zip(params, moved[wrt:]))))
            return sum((t * d.double()).sum() for t, d in zip(y, doutputs))

        slope = ((at(h) - at(-h)) / (2 * h)).item()
        told = sum((g * w).sum() for g, w in zip(grads, way)).item()
        size = math.sqrt(sum((g * g).sum().item() for g in grads) * sum((w * w).sum().item() for w in way))
        gap = abs(slope - told) / max(size, 1e-12)
        assert gap <= FD_TOLERANCE, f"{self.name}/{self.case}: gradient {told}, differences {slope}"

    def write(self):
        blocks = []
        for case in self.cases:
            text = {k: json.dumps(v) if k == "settings" else value_json(v, self.digits) for k, v in case.items() if k != "params" or v}
            keys = [f"{json.dumps(k)}:{v}" for k, v in text.items()]
            blocks.append("{" + ",\n  ".join(keys) + "}")
        path = HERE / f"{self.name}.json"
        path.write_text("[\n" + ",\n".join(blocks) + "\n]\n")
        json.loads(path.read_text())
        print(f"{path.name:28} {len(self.cases):3} cases {path.stat().st_size:7} bytes, float32 within {self.worst:.1e}")
        return path.stat().st_size


def table(name):
    return File(f"images/{name}", few, digits=8)


def activation(name, variants):
    """`variants` lists (tag, settings, function, smooth everywhere): elementwise functions on ordinary and edge values."""
    file = File(name)
    for tag, settings, fn, smooth in variants:
        for shape in [(1, 1), (3, 17), (1, 33)]:
            file.begin(f"{tag}batch{shape[0]}_{shape[1]}")
            file.add(settings, lambda x, p: fn(x[0]), [randn(*shape, scale=1.0 if shape == (1, 1) else 2.0)])
        file.begin(f"{tag}edges")
        edges = torch.tensor(EDGES, dtype=torch.float32).reshape(1, -1)
        file.add(settings, lambda x, p: fn(x[0]), [edges], smooth=smooth)
    return file
