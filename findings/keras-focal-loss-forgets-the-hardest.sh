#!/bin/sh
# keras 3.15.1: focal losses `from_logits` have gradient 0 for the examples that are most wrong.
#
# What one expects: a loss takes logits so that it stays finite and keeps its slope everywhere; a focal loss turns the training
# to the hard examples, and approaches the cross-entropy there, slope -1 for each unit of the logit.
# What is so: the probability is made first and clipped to 1e-7 and 1 - 1e-7. From a logit of -17 on the loss of a positive is
# 16.1 (that of a negative from 17 on 15.9) and its gradient 0, so that it never comes back; CategoricalFocalCrossentropy does
# so for a class 17 below the best. BinaryCrossentropy and CategoricalCrossentropy from logits are right.
# What follows: confidently wrong examples, as after a spoiled step, with wrong labels or from a trained head, which are what
# the loss is made for, teach nothing, and the curve only shows a floor; write it out: sigmoid(-z)^gamma softplus(-z).
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import sys

import jax
import jax.numpy as jnp
import keras
import numpy

print("keras", keras.__version__)
gamma, step = 2.0, 1e-5


def right(margin):
    """The focal loss of one example whose right answer has this logit over the other's, in float64, and its slope."""
    loss = lambda m: (1 / (1 + numpy.exp(m))) ** gamma * numpy.logaddexp(0, -m)
    return loss(margin), (loss(margin + step) - loss(margin - step)) / (2 * step)


def of(loss, targets, logits):
    value, gradient = jax.value_and_grad(lambda z: loss(jnp.array([targets]), z[None]))(jnp.array(logits))
    return float(value), float(gradient[0])


binary = keras.losses.BinaryFocalCrossentropy(from_logits=True, gamma=gamma)
classes = keras.losses.CategoricalFocalCrossentropy(from_logits=True, gamma=gamma, alpha=1.0)
entropy = keras.losses.BinaryCrossentropy(from_logits=True)
same = True
for z in (-3.0, -10.0, -15.0, -17.0, -20.0, -40.0):
    a, b, c = of(binary, [1.0], [z]), of(classes, [1.0, 0.0], [z, 0.0]), of(entropy, [1.0], [z])
    n, r = of(binary, [0.0], [-z]), right(z)
    show = lambda pair: f"{pair[0]:.4f}, slope {pair[1]:.1e}"
    print(f"off by {-z:g}: positive {show(a)}; negative {show(n)}; classes {show(b)}; right {show(r)}; cross-entropy {show(c)}")
    if z >= -15:
        same &= all(abs(x[0] - r[0]) < 0.2 and abs(abs(x[1]) + r[1]) < 0.2 for x in (a, b, n))
    else:
        same &= all(x[0] < 16.2 and abs(x[1]) < 1e-5 for x in (a, b, n)) and r[1] < -0.99 and abs(c[1] + 1) < 1e-4
sys.exit(0 if same else 1)
PYTHON
