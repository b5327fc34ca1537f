"""Why a network answers what it answers, over the input: three ways, none of which is the whole truth.

Grad-CAM: Selvaraju and others, "Grad-CAM: Visual explanations from deep networks via gradient-based localization" (2017).
Saliency: Simonyan and others, "Deep inside convolutional networks" (2013). Occlusion: Zeiler and Fergus, "Visualizing and
understanding convolutional networks" (2014).
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from cnn_core.errors import LabError
from cnn_core.inference import TrainedModel
from cnn_core.spec import INPUT, HeadSpec

COVER = 0.2  # of the side of the input that occlusion covers at once


@dataclass(frozen=True)
class Way:
    """A way to explain: its title, what its picture means, and where it misleads."""

    title: str
    means: str
    misleads: str


WAYS = {
    "grad-cam": Way(
        "Grad-CAM",
        "Where the maps of a layer that speak for this class are active: each map counts as much as the class's score rises with it.",
        "It is as coarse as the layer's map, and shows only what speaks for the class, not what speaks against it.",
    ),
    "saliency": Way(
        "Gradient saliency",
        "How much the class's score would change with each value of the input: the size of its gradient.",
        "What matters a lot but cannot matter more has a small gradient, and noise looks like detail.",
    ),
    "occlusion": Way(
        "Occlusion",
        "How far the probability of the class falls when the surroundings of a place are covered: red helps it, blue hinders it.",
        "With a part covered it is an input that the network was never shown, and two parts that stand for each other both seem unimportant.",
    ),
}


def score_layer(model: TrainedModel, head: HeadSpec) -> str:
    """The layer whose values are the scores of a head's classes: the one before its softmax or sigmoid."""
    last = model.spec.model.layer(head.layer)
    return last.inputs[0] if getattr(last, "function", "") in ("softmax", "sigmoid") and last.inputs[0] != INPUT else head.layer


def _score(model: TrainedModel, head: HeadSpec, tensors: dict[str, tf.Tensor], target: int) -> tf.Tensor:
    """The score of a class before it becomes a probability; with one sigmoid unit that of the first class is its negative."""
    scores = tensors[score_layer(model, head)][0]
    if head.loss == "binary_crossentropy":
        return scores[0] if target else -scores[0]
    return scores[target]


def map_layers(model: TrainedModel) -> list[str]:
    """The layers that Grad-CAM can look at: those whose output is a map, or curves, and reaches a head."""
    return [layer.name for layer in model.spec.model.layers if len(model.model.get_layer(layer.name).output.shape) > 2]


def grad_cam(model: TrainedModel, example: np.ndarray, head: HeadSpec, target: int, layer: str) -> np.ndarray:
    """How much each place of a layer's map speaks for a class: float32 (height, width) or (points,), at least 0.

    Raises LabError when the class's score does not depend on the layer.
    """
    fed = model.fed(example[np.newaxis])
    with tf.GradientTape() as tape:
        tensors = model.tensors(fed, watch=(tape, layer))
        score = _score(model, head, tensors, target)
    slopes = tape.gradient(score, tensors[layer])
    if slopes is None:
        raise LabError(f"Head {head.name} does not depend on layer {layer}. Choose a layer on its way.")
    places = tuple(range(1, len(slopes.shape) - 1))
    weights = tf.reduce_mean(slopes, axis=places, keepdims=True)
    return tf.nn.relu(tf.reduce_sum(weights * tensors[layer], axis=-1))[0].numpy()


def saliency(model: TrainedModel, example: np.ndarray, head: HeadSpec, target: int) -> np.ndarray:
    """How much a class's score changes with each pixel or point: float32 (height, width) or (points,), at least 0."""
    fed = model.fed(example[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(fed)
        score = _score(model, head, model.tensors(fed), target)
    return tf.norm(tape.gradient(score, fed), axis=-1)[0].numpy()


def occlusion(model: TrainedModel, example: np.ndarray, head: HeadSpec, target: int) -> np.ndarray:
    """How far the probability of a class falls when the surroundings of a pixel or point are covered with black, or 0:
    float32 (height, width) or (points,), where each place has the mean over all covers that touch it."""
    fed = model.fed(example[np.newaxis]).numpy()
    sides = fed.shape[1:-1]
    size = max(2, round(COVER * min(sides)))
    step = max(1, size // 3)
    starts = [sorted({*range(0, side - size + 1, step), side - size}) for side in sides]
    corners = [tuple(corner) for corner in np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, len(sides))]
    covers = [(0, *(slice(start, start + size) for start in corner)) for corner in corners]
    covered = np.repeat(fed, len(covers), axis=0)
    for image, (_, *window) in zip(covered, covers, strict=True):
        image[tuple(window)] = 0.0
    before = model.said(fed)[head.name][0, target]
    falls = before - model.said(covered)[head.name][:, target]
    total, times = np.zeros(sides, np.float32), np.zeros(sides, np.float32)
    for fall, (_, *window) in zip(falls, covers, strict=True):
        total[tuple(window)] += fall
        times[tuple(window)] += 1
    return total / np.maximum(times, 1)
