#!/bin/sh
# jax 0.10.2, flax 0.12.8 (CPU): in bfloat16 the gradient of an embedding row stops at 256 uses of its token.
#
# What one expects: what is summed is added up in float32 and rounded once. JAX does so in `sum`, `mean`, `dot` and `softmax` of
# bfloat16 and float16: ten thousand ones are 9984, the nearest bfloat16.
# What is so: sums that are made by scattering or by a window run in the type itself, whose 8 bits cannot tell 257 from 256. A
# row of an embedding whose token occurs 10,000 times in a batch gets the gradient 256; so do `at[].add`, `segment_sum`,
# `bincount` with weights and the gradient of any lookup. float16 stops at 2048. `flax.linen.avg_pool` of 100 x 100 ones is
# 0.41.
# What follows: a batch holds thousands of paddings, spaces and commas, and graphs have nodes of many neighbours: the larger the
# batch, the smaller their share of its gradient. The product with one-hot rows, which is the same function, has the right one;
# cast the table to float32 before the lookup.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2 flax==0.12.8 numpy==2.4.6
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import sys

import flax
import jax
import jax.numpy as jnp
from flax import linen

print("jax", jax.__version__, "flax", flax.__version__)
n = 10_000
seen = {}
for kind in (jnp.bfloat16, jnp.float16, jnp.float32):
    ones, tokens = jnp.ones(n, kind), jnp.zeros(n, int).at[:10].set(1)  # token 1 ten times, token 0 all the others
    embedding = linen.Embed(3, 1, dtype=kind, param_dtype=kind)
    gradient = jax.jit(jax.grad(lambda table: embedding.apply({"params": {"embedding": table}}, tokens).sum()))
    by_product = jax.grad(lambda table: (jax.nn.one_hot(tokens, 3, dtype=kind) @ table).sum())
    table = jnp.ones((3, 1), kind)
    found = {
        "sum": ones.sum(),
        "gradient of the embedding": gradient(table)[0, 0],
        "of the rare token": gradient(table)[1, 0],
        "by a one-hot product": by_product(table)[0, 0],
        "segment_sum": jax.ops.segment_sum(ones, tokens, 3)[0],
        "at[].add": jnp.zeros(3, kind).at[tokens].add(ones)[0],
        "avg_pool": linen.avg_pool(jnp.ones((1, 100, 100, 1), kind), (100, 100))[0, 0, 0, 0],
    }
    seen[kind] = [float(value) for value in found.values()]
    print(f"{jnp.dtype(kind).name}:", ", ".join(f"{name} {value:g}" for name, value in zip(found, seen[kind])))
brain, half, single = seen.values()
same = brain[0] == 9984 and brain[1] == brain[4] == brain[5] == 256 and brain[2] == 10 and brain[3] == 9984 and brain[6] < 0.5
same &= half[0] == 10_000 and half[1] == half[4] == half[5] == 2048 and half[2] == 10 and half[3] > 9_980
same &= single == [10_000, 9_990, 10, 9_990, 9_990, 9_990, 1]
sys.exit(0 if same else 1)
PYTHON
