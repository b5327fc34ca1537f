"""Filters and units of a trained network switched off, and what that does to its accuracy. The network itself is not changed.
No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from cnn_core import datasets, targets
from cnn_core.filters import ends

if TYPE_CHECKING:
    from cnn_core.inference import TrainedModel

EXAMPLES = 1000  # of the test part: read in less than a second


def counts(model: TrainedModel) -> dict[str, int]:
    """How many filters or units each layer has that can be looked at and switched off."""
    return {layer: model.model.get_layer(end).output.shape[-1] for layer, end in ends(model.spec.model).items()}


def keeps(model: TrainedModel, off: Mapping[str, Iterable[int]]) -> dict[str, np.ndarray]:
    """What `TrainedModel` takes as `keeps` for the filters (from 0) that are switched off in each layer."""
    found = {}
    for layer, numbers in off.items():
        if numbers := list(numbers):
            end = ends(model.spec.model)[layer]
            found[end] = np.ones(model.model.get_layer(end).output.shape[-1], np.float32)
            found[end][numbers] = 0
    return found


def accuracy(model: TrainedModel, data: datasets.Dataset, kept: Mapping[str, np.ndarray] | None = None) -> float:
    """The part of the first EXAMPLES of the test part that the main head reads right. Raises LabError when no head names classes."""
    examples, labels = data.x_test[:EXAMPLES], data.y_test[:EXAMPLES]
    said = model.probabilities(examples, kept).argmax(axis=1)
    head = targets.main_head(model.spec)
    return float((said == targets.values(head.target, model.spec.data, examples, labels)).mean())
