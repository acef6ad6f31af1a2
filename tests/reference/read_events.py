"""Prints the scalars of a folder of event files as JSON, as TensorBoard's own reader sees them.

pip install tensorboard; NN_TEST_PYTHON=python3 cargo test -p nn-tests --test trainer tensorboard -- --ignored
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1])
events.Reload()
print(json.dumps({tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
