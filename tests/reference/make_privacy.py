"""Writes `privacy.json`: the epsilon that Google's `dp-accounting` gives for settings of private training.

Comes in: nothing. Goes out: one JSON file of settings and their epsilon by Rényi differential privacy, as dp-accounting and Opacus
find it at the same orders; and by privacy loss distributions, to see how tight that is. dp-accounting adds the sizes of terms of
either sign at broken orders (`findings/dp_accounting_orders.sh`), so that it may find a little more: by 2e-3 in the last setting,
less than 1e-3 in the 12 before. Written with dp-accounting 0.6.0, opacus 1.6.0: `pip install dp-accounting opacus torch; python make_privacy.py`.
"""

import json
from pathlib import Path

import dp_accounting
from dp_accounting import pld, rdp
from opacus.accountants.analysis import rdp as opacus

# Noise, chance of a sample, steps, delta: several times each. One run changes its batch on the way.
SETTINGS = [
    [(1.1, 256 / 60000, 14063, 1e-5)],
    [(0.5, 0.01, 1000, 1e-5)],
    [(0.7, 0.2, 10, 1e-3)],
    [(1.0, 1.0, 1, 1e-5)],
    [(4.0, 1.0, 300, 1e-6)],
    [(3.0, 0.3, 40, 1e-5)],
    [(1.3, 0.001, 200000, 1e-7)],
    [(0.3, 0.05, 20, 1e-4)],
    [(10.0, 0.1, 100, 1e-5)],
    [(8.0, 0.004, 1, 1e-5)],
    [(1.1, 0.1, 20, 1e-4), (1.1, 0.02, 500, 1e-4)],
    [(0.9, 0.03, 300, 1e-5), (1.4, 0.03, 300, 1e-5), (3.0, 1.0, 2, 1e-5)],
    [(2.0, 0.5, 40, 1e-5)],
]


def epsilon(accountant, runs):
    for noise, rate, steps, _ in runs:
        event = dp_accounting.PoissonSampledDpEvent(rate, dp_accounting.GaussianDpEvent(noise))
        accountant.compose(event, steps)
    return accountant.get_epsilon(runs[0][3])


def by_opacus(runs):
    orders = rdp.RdpAccountant()._orders
    spent = sum(opacus.compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=orders) for noise, rate, steps, _ in runs)
    return float(opacus.get_privacy_spent(orders=orders, rdp=spent, delta=runs[0][3])[0])


cases = []
for runs in SETTINGS:
    cases.append({
        "delta": runs[0][3],
        "runs": [{"noise": noise, "rate": rate, "steps": steps} for noise, rate, steps, _ in runs],
        "epsilon": epsilon(rdp.RdpAccountant(), runs),
        "opacus": by_opacus(runs),
        "by_loss_distributions": epsilon(pld.PLDAccountant(), runs),
    })
Path(__file__).with_name("privacy.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")
