"""JAX on one thread: a jitted step, or many steps fused by `lax.scan`. Images are channels-last, which XLA prefers on the CPU.

In: turns; out: times. Buffers of parameters are donated, so that a step updates them in place.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax, nn

import turns

HEADS = 4


def dense_init(key, k, n):
    return {"w": nn.initializers.glorot_uniform()(key, (k, n)), "b": jnp.zeros(n)}


def dense(p, x):
    return x @ p["w"] + p["b"]


def stack_init(keys, sizes):
    return [dense_init(next(keys), k, n) for k, n in zip(sizes, sizes[1:])]


ACTIVATIONS = {"relu": nn.relu, "tanh": jnp.tanh, "elu": nn.elu}


def stack(layers, x, activation=nn.relu):
    for p in layers[:-1]:
        x = activation(dense(p, x))
    return dense(layers[-1], x)


def dropped(layers, x, net, key):
    """A stack whose last layer follows a dropout, and has no bias."""
    for p in layers[:-1]:
        x = ACTIVATIONS[turns.ACTIVATION[net]](dense(p, x))
    kept = 1 - turns.DROPOUT[net]
    x = x if key is None else jnp.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0)
    return x @ layers[-1]["w"]


def conv(p, x):
    y = lax.conv_general_dilated(x, p["w"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + p["b"]
    return lax.reduce_window(nn.relu(y), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def norm(p, x):
    x = x - x.mean(-1, keepdims=True)
    return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p["scale"] + p["shift"]


def attention(p, x):
    batch, steps, width = x.shape
    q, k, v = jnp.split(dense(p["qkv"], x).reshape(batch, steps, HEADS, -1), 3, axis=-1)
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / (width / HEADS) ** 0.5
    context = jnp.einsum("bhqk,bkhd->bqhd", nn.softmax(scores), v)
    return dense(p["out"], context.reshape(batch, steps, width))


def lstm(p, x):
    def cell(state, inputs):
        h, c = state
        i, f, g, o = jnp.split(inputs + h @ p["hidden"], 4, axis=-1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h = nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zero = jnp.zeros((x.shape[0], 32))
    inputs = dense(p["input"], x).transpose(1, 0, 2)
    return lax.scan(cell, (zero, zero), inputs)[1].transpose(1, 0, 2)


def network(net):
    """Initial parameters, and the function from them and inputs to outputs."""
    keys = iter(jax.random.split(jax.random.key(0), 16))
    glorot = nn.initializers.glorot_uniform()
    if net in turns.DENSE:
        if net in turns.DROPOUT:
            return stack_init(keys, turns.DENSE[net]), functools.partial(dropped, net=net)
        activation = ACTIVATIONS[turns.ACTIVATION.get(net, "relu")]
        return stack_init(keys, turns.DENSE[net]), functools.partial(stack, activation=activation)
    if net in turns.CONV:
        (first, second), kernel, sizes = turns.CONV[net]
        convs = [{"w": glorot(next(keys), (kernel, kernel, k, n)), "b": jnp.zeros(n)} for k, n in ((1, first), (first, second))]
        params = {"convs": convs, "head": stack_init(keys, sizes)}

        def forward(p, x):
            for layer in p["convs"]:
                x = conv(layer, x)
            return stack(p["head"], x.reshape(x.shape[0], -1))

        return params, forward
    if net == "lstm":
        params = {
            "lstm": {"input": dense_init(next(keys), 1, 128), "hidden": glorot(next(keys), (32, 128))},
            "head": dense_init(next(keys), 32, 1),
        }
        return params, lambda p, x: dense(p["head"], lstm(p["lstm"], x))
    params = {
        "norms": [{"scale": jnp.ones(64), "shift": jnp.zeros(64)} for _ in range(2)],
        "attention": {"qkv": dense_init(next(keys), 64, 192), "out": dense_init(next(keys), 64, 64)},
        "up": dense_init(next(keys), 64, 256),
        "down": dense_init(next(keys), 256, 64),
        "head": dense_init(next(keys), 64, 10),
    }

    def forward(p, x):
        x = x + attention(p["attention"], norm(p["norms"][0], x))
        x = x + dense(p["down"], nn.gelu(dense(p["up"], norm(p["norms"][1], x)), approximate=False))
        return dense(p["head"], x.mean(1))

    return params, forward


def sgd(params, state, grads):
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), state


def adam(params, state, grads):
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    rate, scale = 1e-3 / (1 - 0.9**t), lax.rsqrt(1 - 0.999**t)
    return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + 1e-8), params, m, v), (m, v, t)


class Train(turns.Run):
    def __init__(self, form, workload):
        self.initial, forward = network(workload.net)
        self.rule = sgd if workload.net == "linreg" else adam
        x, y = jnp.asarray(arranged(workload)), jnp.asarray(workload.y)

        dropout = workload.net in turns.DROPOUT

        def loss(params, x, y, key):
            out = forward(params, x, key=key) if dropout else forward(params, x)
            if not workload.classes:
                return ((out - y) ** 2).mean()
            # A sum over a mask: picking by index has a slower gradient.
            return -(nn.log_softmax(out) * nn.one_hot(y, out.shape[1])).sum(1).mean()

        def step(state, batch):
            key = jax.random.fold_in(jax.random.key(1), state[1][2].astype(int)) if dropout else None
            value, grads = jax.value_and_grad(loss)(state[0], *batch, key)
            return self.rule(*state, grads), value

        if form == "jit":
            self.per_call = 1
            work = step
            self.batches = list(zip(x, y))
        else:
            # Long enough that a call costs nothing beside its steps, short enough that a slow network's turn ends.
            self.per_call = workload.epoch if workload.net in turns.DENSE else 16

            def work(state, batches):
                if len(x) == 1:
                    once = jax.tree.map(lambda a: a[0], batches)
                    state, values = lax.scan(lambda state, _: step(state, once), state, None, self.per_call)
                else:
                    state, values = lax.scan(step, state, batches)
                return state, values[-1]

            size = min(self.per_call, len(x))
            starts = range(0, len(x) - size + 1, size)
            self.batches = [(x[i : i + size], y[i : i + size]) for i in starts]
        self.work = jax.jit(work, donate_argnums=0)
        self.next = 0
        self.last = None

    def fresh(self):
        params = jax.tree.map(jnp.copy, self.initial)
        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        self.state = (params, () if self.rule is sgd else (zeros(), zeros(), jnp.zeros(())))

    def steps(self, steps):
        calls = -(-steps // self.per_call)
        for _ in range(calls):
            self.state, self.last = self.work(self.state, self.batches[self.next])
            self.next = (self.next + 1) % len(self.batches)
        jax.block_until_ready((self.state, self.last))
        return calls * self.per_call

    def loss(self):
        return self.last


class Predict(turns.Run):
    def __init__(self, workload):
        params, forward = network(workload.net)
        forward = functools.partial(forward, key=None) if workload.net in turns.DROPOUT else forward
        answer = (lambda p, x: nn.softmax(forward(p, x))) if workload.classes else forward
        self.work = functools.partial(jax.jit(answer), params)
        self.batches = list(jnp.asarray(arranged(workload)))
        self.next = 0

    def steps(self, steps):
        for _ in range(steps):
            # A prediction is done when its caller can read it.
            self.work(self.batches[self.next]).block_until_ready()
            self.next = (self.next + 1) % len(self.batches)
        return steps


def arranged(workload):
    return workload.x.transpose(0, 1, 3, 4, 2) if workload.x.ndim == 5 else workload.x


def make(form, workload, _):
    jax.clear_caches()
    return Train(form, workload) if workload.train else Predict(workload)


if __name__ == "__main__":
    turns.serve(jax.__version__, make)
