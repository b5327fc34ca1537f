"""What a layer shows for one image, in the order and the words of the pages."""

from dataclasses import dataclass

import numpy as np

from cnn_core.layer_kinds import BaseLayer
from cnn_core.spec import INPUT, ModelSpec

DESCRIPTIONS = {
    "Conv2D": "convolution",
    "MaxPooling2D": "max pooling",
    "AveragePooling2D": "average pooling",
    "MinPooling2D": "min pooling",
    "BatchNormalization": "batch normalisation",
    "Activation": "activation",
    "Dense": "dense",
}


@dataclass(frozen=True)
class LayerView:
    """One layer for one image. values: (height, width, channels) for maps or (units,) for bars; note: what to know when looking."""

    name: str
    kind: str
    title: str
    values: np.ndarray
    note: str = ""

    @property
    def is_map(self) -> bool:
        return self.values.ndim == 3


def views(model: ModelSpec, activations: dict[str, np.ndarray]) -> list[LayerView]:
    """Every layer worth a look, in order: maps of those that make maps, values of dense layers and their activations."""
    seen = []
    for layer in model.layers:
        values = activations[layer.name]
        if layer.has_map or layer.kind == "Dense":
            seen.append(LayerView(layer.name, layer.kind, _title(layer, values), values, _note(model, layer, values)))
    return seen


def _title(layer: BaseLayer, values: np.ndarray) -> str:
    what = DESCRIPTIONS[layer.kind]
    if layer.kind == "Activation":
        what = f"{layer.function} activation"
    shape = " × ".join(str(side) for side in values.shape)
    return f"{layer.name}: {what}, {shape}"


def _note(model: ModelSpec, layer: BaseLayer, values: np.ndarray) -> str:
    if layer.kind == "MinPooling2D":
        source = layer.inputs[0]
        before = None if source == INPUT else model.layer(source)
        if getattr(before, "function", "") == "relu":
            return "Min pooling after ReLU gives mostly zeros: one zero in a window is enough."
    if not np.any(values):
        return "Every value of this layer is zero for this image."
    if values.ndim == 3:
        silent = int((values == 0).all(axis=(0, 1)).sum())
        if silent:
            return f"{silent} of {values.shape[2]} maps are zero everywhere for this image."
    return ""


def kernel_pictures(kernels: np.ndarray) -> tuple[np.ndarray, str]:
    """Pictures of a convolution's kernels, (height, width, filters), and what they show.

    A kernel has one slice for each input channel: with one channel it is shown as it is, with more as the mean over them.
    """
    if kernels.shape[2] == 1:
        return kernels[:, :, 0], "Each filter's kernel."
    return kernels.mean(axis=2), f"Each filter's kernel, as the mean over its {kernels.shape[2]} input channels."
