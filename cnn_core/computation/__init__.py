"""How a layer computes, step by step: the numbers of one map, as one JSON document that a player in the browser does the sums with.

`steps` gives the document and `outputs` does the same sums with numpy, from the document alone, so that a test can compare every
cell with what Keras gave. Nothing here imports TensorFlow.
"""

from collections.abc import Mapping

import numpy as np

from cnn_core import targets
from cnn_core.computation import values as row
from cnn_core.computation import windows
from cnn_core.computation.base import Case, Choice, NotFinite, Steps, blocks
from cnn_core.computation.checking import FUNCTIONS, activated, outputs
from cnn_core.computation.windows import HALVES
from cnn_core.computation.words import about
from cnn_core.layer_kinds import BaseLayer, Pooling, Shape
from cnn_core.layer_kinds.convolutions import Sliding
from cnn_core.receptive_field import receptive_fields
from cnn_core.spec import INPUT, DataSpec, RunSpec

__all__ = [
    "FUNCTIONS",
    "HALVES",
    "Choice",
    "NotFinite",
    "Steps",
    "activated",
    "blocks",
    "fed",
    "halves",
    "numbered",
    "outputs",
    "steps",
]


def fed(data: DataSpec, example: np.ndarray) -> np.ndarray:
    """An example as the network is fed it, (height, width, channels) or (points, channels): an image becomes float32, 0 to 1."""
    seen = targets.inputs(data, example[np.newaxis])[0].reshape(targets.input_shape(data))
    return seen.astype(np.float32) / 255 if seen.dtype == np.uint8 else seen


def halves(layer: BaseLayer) -> dict[str, str]:
    """The halves of a layer that computes in two, with their titles."""
    return HALVES if layer.kind == "SeparableConv2D" else {}


def numbered(layer: BaseLayer, entering: Shape, leaving: Shape, half: str = "") -> tuple[str, int]:
    """What a layer has several of, each of which is shown by itself, and how many: ("filter", 6); 1 where all are shown at once.

    entering, leaving: the shapes of its first input and of its output.
    """
    if half == "depthwise":
        return "map", entering[-1] * layer.depth_multiplier
    if layer.kind == "Flatten":
        return "map", entering[-1] if len(entering) > 1 else 1
    if len(leaving) == 1 or getattr(layer, "function", "") == "softmax":
        return "", 1
    return "filter" if isinstance(layer, Sliding) else "map", leaving[-1]


def steps(spec: RunSpec, name: str, values: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray], choice: Choice) -> Steps:
    """The numbers of one map of layer `name` for one example, as JSON takes them.

    values: what every layer gives for the example, by name, and what the network is fed ("input"), all without the batch.
    weights: of this layer, by Keras' names. Raises NotFinite.
    """
    layer = spec.model.layer(name)
    case = Case(spec.model, layer, values, weights, choice)
    if isinstance(layer, Sliding):
        found = windows.convolution(case)
    elif isinstance(layer, Pooling):
        found = windows.pooling(case)
    elif layer.kind.startswith("Global"):
        found = windows.global_pooling(case)
    elif layer.kind == "Dense":
        found = row.dense(case, _labels(spec, case.softmax))
    elif getattr(layer, "function", "") == "softmax":
        found = row.softmax(case, _labels(spec, name))
    else:
        found = row.one_by_one(case)
    words = about(layer, found)
    return {**found, **words, "name": name, "seen": _seen(spec, name, values, found)}


def _labels(spec: RunSpec, name: str) -> tuple[str, ...]:
    return next((targets.labels(spec, head) or () for head in spec.model.heads if head.layer == name), ())


def _seen(spec: RunSpec, name: str, values: Mapping[str, np.ndarray], found: Steps) -> Steps:
    """The example, and for each cell of the output the rectangle that it sees: [top, left, bottom, right], null for nothing."""
    shapes = {known: array.shape for known, array in values.items()}
    field = receptive_fields(spec.model, shapes, until=name)[name]
    if found["kind"] == "flatten":
        field = field[found["number"] :: found["channels"]]
    elif found["kind"] == "softmax":
        field = field.reshape(-1, *field.shape[-2:])[: len(found["output"]["values"])]
    elif values[name].ndim == 1:
        field = field[found.get("first", 0) :][: len(found["output"]["values"][0])]
    pairs = field.reshape(-1, *field.shape[-2:])
    if pairs.shape[-1] == 1:  # a series is a picture of one row
        pairs = np.concatenate([np.zeros_like(pairs), pairs], axis=-1)
    empty = (pairs[:, 0] > pairs[:, 1]).any(axis=-1)
    cells = [None if nothing else cell for cell, nothing in zip(pairs.reshape(-1, 4).tolist(), empty.tolist(), strict=True)]
    example = values[INPUT][..., 0]
    return {"cells": cells, "picture": {"title": INPUT, "values": windows.rows(example), "picture": True}, "axes": example.ndim}
