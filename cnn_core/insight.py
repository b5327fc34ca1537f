"""What a layer shows for one image, in the order and the words of the pages."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnn_core import targets
from cnn_core.layer_kinds import BaseLayer
from cnn_core.spec import INPUT, ModelSpec, RunSpec

PASSING = ("Flatten", "Dropout", "GaussianNoise")  # a row of values that is seen before or behind them as well


@dataclass(frozen=True)
class LayerView:
    """One layer for one example. values: (height, width, channels) for maps, (points, channels) for curves or (units,) for bars;
    note: what to know when looking. classes: the names of the units, where a head reads these."""

    name: str
    kind: str
    title: str
    values: np.ndarray
    note: str = ""
    classes: tuple[str, ...] = ()

    @property
    def is_map(self) -> bool:
        return self.values.ndim == 3

    @property
    def is_curves(self) -> bool:
        return self.values.ndim == 2


def views(spec: RunSpec, activations: dict[str, np.ndarray]) -> list[LayerView]:
    """Every layer worth a look, in order: maps and curves of those that make them, values of those that give a row."""
    seen, model, classes = [], spec.model, _classes(spec)
    for layer in model.layers:
        values = activations[layer.name]
        if layer.has_map or (values.ndim == 1 and layer.kind not in PASSING):
            seen.append(
                LayerView(
                    layer.name,
                    layer.kind,
                    _title(layer, values),
                    values,
                    _note(model, layer, values),
                    classes.get(layer.name, ()),
                )
            )
    return seen


def _classes(spec: RunSpec) -> dict[str, tuple[str, ...]]:
    """The layers whose units are the classes of a head, with their names: its own, and the scores behind its softmax."""
    found = {}
    for head in spec.model.heads:
        labels, layer = targets.labels(spec, head), spec.model.layer(head.layer)
        if head.loss != "binary_crossentropy":  # which has one unit for two classes
            found[layer.name] = labels
            if getattr(layer, "function", "") == "softmax":
                found[layer.inputs[0]] = labels
    return found


def _title(layer: BaseLayer, values: np.ndarray) -> str:
    what = layer.title
    if layer.kind == "Activation":
        what = f"{layer.function} activation"
    shape = " × ".join(str(side) for side in values.shape)
    return f"{layer.name}: {what}, {shape}"


def _note(model: ModelSpec, layer: BaseLayer, values: np.ndarray) -> str:
    if layer.kind.startswith("MinPooling"):
        source = layer.inputs[0]
        before = None if source == INPUT else model.layer(source)
        if getattr(before, "function", "") == "relu":
            return "Min pooling after ReLU gives mostly zeros: one zero in a window is enough."
    if not np.any(values):
        return "Every value of this layer is zero for this example."
    if values.ndim > 1:
        silent = int((values == 0).all(axis=tuple(range(values.ndim - 1))).sum())
        if silent:
            what = "maps" if values.ndim == 3 else "curves"
            return f"{silent} of {values.shape[-1]} {what} are zero everywhere for this example."
    return ""


def kernels(kind: str, weights: Mapping[str, np.ndarray]) -> tuple[np.ndarray, str] | None:
    """Pictures of a layer's kernels, (height, width, filters), or curves, (width, filters), and what they show; None for none.

    A kernel has one slice for each input channel that it sees: with one it is shown as it is, with more as the mean over them.
    kind: of the layer. weights: its own, by Keras' names for them.
    """
    if kind in ("DepthwiseConv2D", "SeparableConv2D"):
        kernel = weights["kernel" if kind == "DepthwiseConv2D" else "depthwise_kernel"]
        return kernel.reshape(*kernel.shape[:2], -1), "The kernels of each channel: none sees another channel."
    if kind not in ("Conv2D", "Conv1D"):
        return None
    kernel = weights["kernel"]
    channels = kernel.shape[-2]
    if channels == 1:
        return kernel[..., 0, :], "Each filter's kernel."
    return kernel.mean(axis=-2), f"Each filter's kernel, as the mean over its {channels} input channels."
