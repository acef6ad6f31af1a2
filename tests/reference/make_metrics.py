"""Writes `metrics.json`: what scikit-learn's metrics come to on random rows.

Comes in: nothing, each case seeds the generator from its own name. Goes out: one JSON file. Predictions are few
decimals, so that many are equal; classes are left out at random; half of the cases have weights, some of them 0.
What weighs 0 is taken out before scikit-learn sees it: classes that occur there alone occur nowhere.
"""

import json
import warnings
import zlib
from pathlib import Path

import numpy as np
from sklearn import metrics as sk

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
CASES = 20


def defined(areas):
    """The mean of those classes for which there is an area."""
    areas = [a for a in areas if a is not None]
    return float(np.mean(areas)) if areas else None


def area(score, yes, p, w, needs_no):
    yes = np.asarray(yes, dtype=int)
    if not yes.any() or needs_no and yes.all():
        return None
    return score(yes, p, sample_weight=w)


def scores_of_classes(y, pred, w):
    """Precision, recall and F1 over all classes that occur."""
    out = {}
    for name, score in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
        for average in ["macro", "micro", "weighted"]:
            out[f"{name}_{average}"] = score(y, pred, average=average, sample_weight=w, zero_division=0)
    return out


def labels(rng, n, w):
    k = int(rng.integers(2, 7))
    there = rng.permutation(k)[: rng.integers(1, k + 1)]
    y = rng.choice(there, n)
    p = np.round(rng.random((n, k)), 1).astype(np.float32) + np.float32(0.125)
    if rng.random() < 0.3:
        p[:, rng.integers(k)] = 0.0625
    p = (p / p.sum(1, keepdims=True)).astype(np.float32)
    keep = w > 0
    yk, pk, wk = y[keep], p[keep].astype(np.float64), w[keep]
    pred = p[keep].argmax(1)
    all_k = np.arange(k)
    out = {"accuracy": sk.accuracy_score(yk, pred, sample_weight=wk)}
    out |= scores_of_classes(yk, pred, wk)
    out["mean_iou"] = sk.jaccard_score(yk, pred, average="macro", sample_weight=wk, zero_division=0)
    for top in [1, 2, 3]:
        if k == 2:
            if top == 1:
                out["top_1"] = None  # scikit-learn takes one score of two classes there
        elif top < k:
            out[f"top_{top}"] = sk.top_k_accuracy_score(yk, pk, k=top, labels=all_k, sample_weight=wk)
    out["log_loss"] = sk.log_loss(yk, pk, labels=all_k, sample_weight=wk)
    columns = [1] if k == 2 else range(k)
    out["roc_auc"] = defined([area(sk.roc_auc_score, yk == c, pk[:, c], wk, True) for c in columns])
    out["average_precision"] = defined([area(sk.average_precision_score, yk == c, pk[:, c], wk, False) for c in columns])
    per = {"confusion_matrix": sk.confusion_matrix(yk, pred, labels=all_k, sample_weight=wk)}
    for name, score in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
        per[name] = score(yk, pred, labels=all_k, average=None, sample_weight=wk, zero_division=0)
    return [p, y, w], out, per


def columns(rng, n, w):
    k = int(rng.integers(1, 5))
    y = (rng.random((n, k)) < rng.random(k)).astype(np.float32)
    if rng.random() < 0.3:
        y[:, rng.integers(k)] = rng.integers(2)
    p = np.round(rng.random((n, k)), 1).astype(np.float32)
    keep = w > 0
    yk, pk, wk = y[keep].astype(int), p[keep].astype(np.float64), w[keep]
    pred = (pk > 0.5).astype(int)
    out = {"accuracy": sk.accuracy_score(yk, pred, sample_weight=wk)}
    per = {}
    if k == 1:
        for name, score in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
            one = score(yk[:, 0], pred[:, 0], sample_weight=wk, zero_division=0)
            out |= {f"{name}_{average}": one for average in ["macro", "micro"]}
            out[f"{name}_weighted"] = one if yk.any() else 0.0
        out["mean_iou"] = sk.jaccard_score(yk[:, 0], pred[:, 0], sample_weight=wk, zero_division=0)
        per["confusion_matrix"] = sk.confusion_matrix(yk[:, 0], pred[:, 0], labels=[0, 1], sample_weight=wk)
    else:
        out |= scores_of_classes(yk, pred, wk)
        out["mean_iou"] = sk.jaccard_score(yk, pred, average="macro", sample_weight=wk, zero_division=0)
    losses = [sk.log_loss(yk[:, c], pk[:, c], labels=[0, 1], sample_weight=wk) for c in range(k)]
    out["log_loss"] = float(np.mean(losses))
    out["roc_auc"] = defined([area(sk.roc_auc_score, yk[:, c], pk[:, c], wk, True) for c in range(k)])
    out["average_precision"] = defined([area(sk.average_precision_score, yk[:, c], pk[:, c], wk, False) for c in range(k)])
    return [p, y, w], out, per


def values(rng, n, w):
    k = int(rng.integers(1, 4))
    offset = float(rng.choice([0.0, 0.0, 100.0]))
    y = (np.round(rng.normal(size=(n, k)), 1) + offset).astype(np.float32)
    p = (y + np.round(rng.normal(size=(n, k)), 1)).astype(np.float32)
    if rng.random() < 0.3:
        y[:, rng.integers(k)] = 2.0
    if rng.random() < 0.2:
        y[0, 0] = 0.0
    keep = w > 0
    yk, pk, wk = y[keep].astype(np.float64), p[keep].astype(np.float64), w[keep]
    out = {
        "mae": sk.mean_absolute_error(yk, pk, sample_weight=wk),
        "rmse": sk.root_mean_squared_error(yk, pk, sample_weight=wk),
        "r2": sk.r2_score(yk, pk, sample_weight=wk),
        "explained_variance": sk.explained_variance_score(yk, pk, sample_weight=wk),
        "mape": sk.mean_absolute_percentage_error(yk, pk, sample_weight=wk),
    }
    return [p, y, w], out, {}


def tensor(x):
    x = np.asarray(x)
    data = [float(f"{float(v):.9g}") if x.dtype.kind == "f" else int(v) for v in x.flatten()]
    return {"shape": list(x.shape), "data": data}


def number(x):
    return None if x is None or np.isnan(x) else float(f"{float(x):.12g}")


def main():
    cases = []
    for kind in [labels, columns, values]:
        for i in range(CASES):
            name = f"{kind.__name__}_{i}"
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            n = int(rng.integers(2, 30))
            w = np.ones(n)
            if i % 2 == 1:
                w = np.round(rng.random(n) * 4) / 4
                w[rng.integers(n)] = 1.5
                w[rng.integers(n)] = 0.75
            inputs, out, per = kind(rng, n, w.astype(np.float32))
            case = {"name": name, "settings": {k: number(v) for k, v in out.items()}}
            case["inputs"] = [tensor(x) for x in inputs]
            if per:
                case["params"] = {k: tensor(np.asarray(v, dtype=np.float64)) for k, v in per.items()}
            cases.append(case)
    path = HERE / "metrics.json"
    path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{path.name:28} {len(cases):3} cases {path.stat().st_size:7} bytes")


main()
