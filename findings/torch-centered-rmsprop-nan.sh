#!/bin/sh
# torch 2.15.0 (Python, CPU): `RMSprop(centered=True)` makes parameters NaN where a gradient stays the same.
#
# What one expects: the mean square less the square of the mean is a variance: at least 0, and eps keeps its root from being divided by.
# What is so: in float32 the difference of the two running means falls below 0 by a rounding once they have met, the root of that is NaN,
# and eps is added after it. With `alpha=0.9` and gradients from 0.01 to 10 that never change, 916 of 2,000 parameters are NaN after 200
# steps, with the default 0.99 some after 3,000. A gradient stays the same in ordinary training: the mean absolute error of a line that lies
# below all targets has the slope -1 until it has climbed there; it is NaN at step 143, before the first target is reached.
# What follows: `centered=True` with losses of constant slope (L1, hinge, quantiles, huber far away) or behind clipping needs a floor under
# the difference: optax 0.2.8 has one, and has no NaN on the same gradients.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.15.0 numpy==2.4.6
cat > "$folder/seen.py" <<'PYTHON'
import torch

torch.set_num_threads(1)
print("torch", torch.__version__)
gradients = torch.linspace(0.01, 10, 2000)
parameters = torch.zeros(2000, requires_grad=True)
optimizer = torch.optim.RMSprop([parameters], lr=1e-3, alpha=0.9, centered=True)
for _ in range(200):
    parameters.grad = gradients.clone()
    optimizer.step()
constant = int(parameters.isnan().sum())
print(f"constant gradients: {constant} of 2000 parameters are NaN after 200 steps")

torch.manual_seed(0)
x = torch.linspace(0, 1, 64).unsqueeze(1)
line = torch.nn.Linear(1, 1)
optimizer = torch.optim.RMSprop(line.parameters(), lr=1e-3, alpha=0.9, centered=True)
for step in range(1, 1001):
    optimizer.zero_grad()
    loss = (line(x) - (3 * x + 100)).abs().mean()
    if loss.isnan():
        break
    loss.backward()
    optimizer.step()
print(f"mean absolute error of a line: NaN at step {step}")
plain = torch.nn.Linear(1, 1)
optimizer = torch.optim.RMSprop(plain.parameters(), lr=1e-3, alpha=0.9)
for _ in range(1000):
    optimizer.zero_grad()
    (plain(x) - (3 * x + 100)).abs().mean().backward()
    optimizer.step()
print(f"without centering: bias {plain.bias.item():.2f} after 1000 steps")
assert constant > 500 and step < 1000 and bool(plain.bias.isfinite())
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
