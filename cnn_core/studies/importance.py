"""How much accuracy each filter and unit carries: what is lost when it alone is switched off."""

import numpy as np

from cnn_core import datasets, targets
from cnn_core.errors import LabError
from cnn_core.study import Context, Result


def study(context: Context) -> Result:
    """For each layer, by its name and "/lost": accuracy lost without each of its filters or units; "accuracy" with all of them, and
    "examples", how many were read."""
    from cnn_core import switching
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    if targets.main_head(spec) is None:
        raise LabError("This network names no classes, so there is no accuracy that its filters carry.")
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    whole, counts = switching.accuracy(model, data), switching.counts(model)
    found: Result = {}
    done, steps = 0, max(1, sum(counts.values()))
    for layer, count in counts.items():
        lost = []
        for number in range(count):
            context.progress(done / steps, f"{layer}: {number + 1} of {count}")
            lost.append(whole - switching.accuracy(model, data, switching.keeps(model, {layer: [number]})))
            done += 1
        found[f"{layer}/lost"] = np.array(lost)
    return {**found, "accuracy": np.array(whole), "examples": np.array(min(switching.EXAMPLES, len(data.x_test)))}
