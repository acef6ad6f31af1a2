"""scikit-learn's MLP on one thread: `partial_fit` on batch after batch. Dense networks alone, without dropout; its Adam and losses.

In: turns; out: times. Its loss of numbers is half of the mean square; it is told doubled.
"""

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

import turns


class Learner(turns.Run):
    def __init__(self, workload):
        self.workload = workload
        settings = {
            "hidden_layer_sizes": turns.DENSE[workload.net][1:-1],
            "activation": turns.ACTIVATION.get(workload.net, "relu"),
            "alpha": 0.0,
            "batch_size": workload.batch,
            "random_state": 0,
        }
        if workload.net == "linreg":
            settings |= {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0}
        self.make = lambda: (MLPClassifier if workload.classes else MLPRegressor)(**settings)
        y = workload.y if workload.classes or workload.y.shape[-1] > 1 else workload.y[..., 0]
        self.batches = list(zip(workload.x, y))
        self.classes = [np.arange(10)] if workload.classes else []
        self.next = 0
        self.fresh()
        self.one()

    def fresh(self):
        self.model = self.make()

    def one(self):
        x, y = self.batches[self.next]
        self.model.partial_fit(x, y, *self.classes)
        self.next = (self.next + 1) % len(self.batches)

    def steps(self, steps):
        for _ in range(steps):
            if self.workload.train:
                self.one()
            else:
                x = self.batches[self.next][0]
                self.model.predict_proba(x) if self.workload.classes else self.model.predict(x)
                self.next = (self.next + 1) % len(self.batches)
        return steps

    def loss(self):
        return self.model.loss_ * (1 if self.workload.classes else 2) if self.workload.train else None


def make(_, workload, __):
    if workload.net not in turns.DENSE:
        raise NotImplementedError("has dense layers alone")
    if workload.net in turns.DROPOUT:
        raise NotImplementedError("has no dropout")
    if turns.ACTIVATION.get(workload.net) == "elu":
        raise NotImplementedError("has no ELU")
    return Learner(workload)


if __name__ == "__main__":
    turns.serve(sklearn.__version__, make)
