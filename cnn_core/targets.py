"""What the heads of a network can say of each dataset, and what they should have said."""

from dataclasses import dataclass

import numpy as np

from cnn_core import datasets
from cnn_core.layer_kinds import BaseLayer, Shape
from cnn_core.spec import DataSpec, HeadSpec, RunSpec

Answers = np.ndarray | dict[str, np.ndarray]  # of a network with one head, or of each head by its name

PARITY = ("even", "odd")


@dataclass(frozen=True)
class Target:
    """Something to say of an example. labels: the names of its classes, none where it is numbers. size: how many classes or numbers."""

    name: str
    title: str
    labels: tuple[str, ...]
    size: int

    @property
    def losses(self) -> tuple[str, ...]:
        """The losses that suit it, the usual one first."""
        if not self.labels:
            return "mean_squared_error", "mean_absolute_error"
        return ("categorical_crossentropy", "binary_crossentropy")[: 2 if self.size == 2 else 1]


def of(data: DataSpec) -> dict[str, Target]:
    """The targets that there are for `data`, by their names.

    >>> {name: target.size for name, target in of(DataSpec(dataset="mnist-1d", points_seen=32)).items()}
    {'label': 10, 'parity': 2, 'forecast': 8}
    """
    info = datasets.info(data.dataset)
    found = [Target("label", "the class", info.labels, len(info.labels))]
    if info.has_digits:
        found.append(Target("parity", "even or odd", PARITY, len(PARITY)))
    if info.is_series and (hidden := info.input_shape[0] - seen(data)) > 0:
        found.append(Target("forecast", f"the last {hidden} points", (), hidden))
    return {target.name: target for target in found}


def seen(data: DataSpec) -> int:
    """How many points of a series the network sees."""
    points = datasets.info(data.dataset).input_shape[0]
    return points if data.points_seen is None else min(points, data.points_seen)


def input_shape(data: DataSpec) -> Shape:
    """Shape of what the network is fed: (height, width, channels) or (points, channels)."""
    info = datasets.info(data.dataset)
    return (seen(data), *info.input_shape[1:]) if info.is_series else info.input_shape


def inputs(data: DataSpec, examples: np.ndarray) -> np.ndarray:
    """What the network sees of images or series (n, ...)."""
    return examples[:, : seen(data)] if datasets.info(data.dataset).is_series else examples


def values(target: str, data: DataSpec, examples: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What a head with this target should say of images or series (n, ...): classes (n,) or numbers (n, size)."""
    if target == "parity":
        return labels % 2
    return examples[:, seen(data) :, 0] if target == "forecast" else labels


def squared_error(spec: RunSpec, head: HeadSpec, example: np.ndarray, said: np.ndarray) -> float:
    """Mean squared error of the numbers (size,) that a head says of a series (points, 1)."""
    true = values(head.target, spec.data, example[np.newaxis], np.zeros(1, np.uint8))[0]
    return float(((said - true) ** 2).mean())


def answers(spec: RunSpec, examples: np.ndarray, labels: np.ndarray) -> Answers:
    """What the heads should say, in the form that Keras takes."""
    wanted = {head.name: values(head.target, spec.data, examples, labels) for head in spec.model.heads}
    return wanted if len(wanted) > 1 else next(iter(wanted.values()))


def metrics(spec: RunSpec) -> list[tuple[str, str]]:
    """The measured values worth a curve, each as (name, title): of each head what it is judged by and its loss, then their sum.

    >>> from cnn_core.presets import preset
    >>> metrics(preset("tiny").spec)
    [('accuracy', 'Accuracy'), ('loss', 'Loss')]
    """
    several, found = len(spec.model.heads) > 1, []
    for head in spec.model.heads:
        judged = "accuracy" if labels(spec, head) else "mean_absolute_error"
        before, title = (f"{head.name}_", f"{head.name}: ") if several else ("", "")
        for metric in (judged, "loss"):
            words = metric.replace("_", " ")
            found.append((f"{before}{metric}", f"{title}{words}" if several else words.capitalize()))
    return [*found, ("loss", "Loss of all heads")] if several else found


def main_head(spec: RunSpec) -> HeadSpec | None:
    """The head whose accuracy is the run's: the first that names classes, None where none does."""
    known = of(spec.data)
    return next((head for head in spec.model.heads if head.target in known and known[head.target].labels), None)


def labels(spec: RunSpec, head: HeadSpec) -> tuple[str, ...]:
    """The names of the classes between which a head chooses; none where it says numbers."""
    return of(spec.data)[head.target].labels


def fault(head: HeadSpec, layer: BaseLayer, shape: Shape, known: dict[str, Target]) -> str | None:
    """Why a head cannot learn from a layer of this output shape, or None when it can."""
    if head.target not in known:
        if head.target == "forecast":
            return "there is nothing to forecast. Choose a series, and let the network see fewer points than it has."
        return f"these data have no target {head.target!r}. Choose one of: {', '.join(known)}."
    target, function = known[head.target], getattr(layer, "function", "")
    if head.loss not in target.losses:
        return f"{head.loss} does not suit {target.title}. Choose {' or '.join(target.losses)}."
    if head.loss == "binary_crossentropy":
        size, ending = 1, "sigmoid"
    else:
        size, ending = target.size, "softmax" if target.labels else ""
    if shape != (size,):
        wanted = f"is one of {target.size} classes" if target.labels else f"are {target.size} numbers"
        return (
            f"layer {layer.name} gives {'×'.join(map(str, shape))} values, and {target.title} {wanted}. "
            f"End with a dense layer of {size} unit{'s' * (size > 1)}."
        )
    if ending and function != ending:
        return f"{head.loss} needs probabilities. Make a {ending} activation the last layer."
    return None


def readable(head: HeadSpec, outputs: np.ndarray) -> np.ndarray:
    """What a head says: its outputs (n, size), where a single probability of the second class becomes one of each class."""
    return np.concatenate([1 - outputs, outputs], axis=1) if head.loss == "binary_crossentropy" else outputs
