"""How much accuracy each filter and unit carries: what is lost when it alone is switched off."""

import numpy as np

from cnn_core import datasets, targets
from cnn_core.errors import LabError
from cnn_core.filters import ends
from cnn_core.study import Context, Result

EXAMPLES = 1000  # of the test part


def study(context: Context) -> Result:
    """{layer: accuracy lost without each of its filters or units}, "accuracy" with all of them, and "examples", how many were read."""
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    head = targets.main_head(spec)
    if head is None:
        raise LabError("This network names no classes, so there is no accuracy that its filters carry.")
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    examples, labels = data.x_test[:EXAMPLES], data.y_test[:EXAMPLES]
    true = targets.values(head.target, spec.data, examples, labels)

    def accuracy(keeps: dict[str, np.ndarray] | None = None) -> float:
        return float((model.probabilities(examples, keeps).argmax(axis=1) == true).mean())

    whole, layers = accuracy(), ends(spec.model)
    counts = {layer: model.model.get_layer(end).output.shape[-1] for layer, end in layers.items()}
    found: Result = {}
    done, steps = 0, max(1, sum(counts.values()))
    for layer, end in layers.items():
        lost = []
        for number in range(counts[layer]):
            context.progress(done / steps, f"{layer}: {number + 1} of {counts[layer]}")
            keeps = np.ones(counts[layer], np.float32)
            keeps[number] = 0
            lost.append(whole - accuracy({end: keeps}))
            done += 1
        found[layer] = np.array(lost)
    return {**found, "accuracy": np.array(whole), "examples": np.array(len(examples))}
