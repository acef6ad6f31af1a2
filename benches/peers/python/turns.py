"""What every Python peer shares, as `common/` does for Rust.

In: a directory with the data and a form, then lines on standard input; out: a line of JSON for each, with the microseconds of a
step in each stretch that was timed. Every turn begins with fresh parameters and ends after a few epochs.
Never: a number that only one peer would use.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DENSE = {
    "linreg": [2, 1],
    "mlp10": [784, 10, 10, 10],
    "mnist128": [784, 128, 10],
    "mlp-wide": [784, 1024, 1024, 10],
    "tiny": [4, 32, 32, 2],
    "policy": [48, 256, 128, 64, 12],
    "sc24": [24, 8, 2],
    "sc4": [4, 32, 16, 4],
}
# What stands between dense layers, where it is not a ReLU.
ACTIVATION = {"tiny": "tanh", "policy": "elu", "sc24": "tanh", "sc4": "tanh"}
# The dropout before the last dense layer, which has no bias then.
DROPOUT = {"sc24": 0.2}
# Filters, kernel, and the dense layers after the second pool.
CONV = {"cnn": ([32, 64], 3, [1600, 64, 10]), "lenet5": ([6, 16], 5, [256, 120, 84, 10])}
INPUT = {"lstm": [64, 1], "tfm": [32, 64], "cnn": [1, 28, 28], "lenet5": [1, 28, 28]}
DATA = {"linreg": "line", "lstm": "series", "tfm": "tokens", **{net: net for net in ACTIVATION}}
NUMBERS = ("linreg", "lstm", *ACTIVATION)

STRETCH = 1e-3  # seconds: the shortest stretch worth timing
EPOCHS = 4  # how long a turn trains before its parameters are too good to be typical


@dataclass
class Workload:
    """A row of the table, with the data it learns from, cut into batches."""

    train: bool
    net: str
    batch: int
    x: np.ndarray  # [batches, batch, ...]
    y: np.ndarray  # [batches, batch] of classes, or [batches, batch, ...] of numbers

    @property
    def classes(self):
        return self.net not in NUMBERS

    @property
    def epoch(self):
        """Steps: a thousand where all samples are one batch, as the table says."""
        return 1000 if len(self.x) == 1 else len(self.x)


class Run:
    """A workload as one peer runs it."""

    def fresh(self):
        """Begins anew with untrained parameters and fresh optimiser state."""

    def steps(self, steps):
        """Does about so many steps and returns how many, once they are really done."""
        raise NotImplementedError

    def loss(self):
        """The mean loss of the last step."""
        return None


def read(directory, workload):
    """Reads `step/cnn/32` or `predict/cnn/1`, and its data."""
    kind, net, batch = workload.split("/")
    batch = int(batch)
    name = DATA.get(net, "digits")
    shape = INPUT.get(net, DENSE.get(net, [784])[:1])
    x = np.fromfile(directory / f"{name}.x", dtype="<f4").reshape(-1, *shape)
    classes = net not in NUMBERS
    y = np.fromfile(directory / f"{name}.y", dtype="<u4" if classes else "<f4")
    if not classes:
        y = y.reshape(len(x), -1, 1) if net == "lstm" else y.reshape(len(x), -1)
    # Of single samples as many as of batches of 32, so that nobody holds thousands of tensors.
    count = min(len(x) // batch, 256 if batch == 1 else len(x))
    cut = lambda a: a[: count * batch].reshape(count, batch, *a.shape[1:])
    return Workload(kind == "step", net, batch, cut(x), cut(y))


def turn(run, workload, budget):
    run.fresh()

    def timed(steps):
        begun = time.perf_counter()
        done = run.steps(steps)
        return done, time.perf_counter() - begun

    # The first steps allocate, fault in pages, and compile.
    steps, total = 1, 0
    while True:
        done, spent = timed(steps)
        total += done
        if (spent >= STRETCH and total >= 4) or total >= workload.epoch:
            break
        if spent < STRETCH:
            steps = min(steps * 2, workload.epoch)
    limit = total + EPOCHS * max(workload.epoch, 64) if workload.train else float("inf")
    times, spent = [], 0.0
    while len(times) < 3 or (spent < budget and total < limit):
        done, seconds = timed(steps)
        times.append(seconds * 1e6 / done)
        spent += seconds
        total += done
    loss = run.loss()
    return {"us": times, "steps": total, "loss": None if loss is None else float(loss)}


def serve(version, make):
    """Serves turns until standard input ends; `make(form, workload, directory)` gives a `Run`, or raises with the reason."""
    directory, form = Path(sys.argv[1]), sys.argv[2]
    # What libraries print belongs to nobody's answers.
    answers, sys.stdout = sys.stdout, sys.stderr

    def say(answer):
        print(json.dumps(answer), file=answers, flush=True)

    say({"version": version})
    workload = run = None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        try:
            if word == "make":
                run = None
                workload = read(directory, rest)
                run = make(form, workload, directory)
                say({})
            else:
                say(turn(run, workload, int(rest) / 1000))
        except Exception as error:  # a peer that cannot do a workload says so and goes on to the next
            lines = str(error).strip().splitlines()
            say({"error": f"{type(error).__name__}: {lines[0] if lines else ''}"})
