"""Which part of the input a cell of any layer sees, exactly: its place and its sides, cut off at the borders.

A cell's rectangle is the smallest that holds every input cell that it depends on. `cnn_core.shapes` gives one number a layer
(the side, without borders); here each cell has its own.
"""

from collections.abc import Mapping

import numpy as np

from cnn_core.layer_kinds import BaseLayer, Shape
from cnn_core.layer_kinds.poolings import ZeroPadding
from cnn_core.spec import INPUT, ModelSpec
from cnn_core.workbench import Slide

NOTHING = 2**30  # first cell of a rectangle that is empty; its last cell is -NOTHING, so that it adds nothing to others
Rectangles = np.ndarray  # (*places, 2, axes): the first and the last input cell along each axis


def receptive_fields(model: ModelSpec, shapes: Mapping[str, Shape], until: str | None = None) -> dict[str, Rectangles]:
    """What each cell of every layer (until the named one) sees of the input, for all its channels together.

    shapes: of the input and of every layer, by name. A rectangle is int (2, axes): the first and last row and column, both within;
    of a series the first and last point. What sees only padding has a first cell behind its last.

    >>> from cnn_core.presets import preset
    >>> from cnn_core.shapes import report
    >>> spec = preset("tiny").spec
    >>> layers = report(spec.model, spec.data).layers
    >>> fields = receptive_fields(spec.model, {"input": (28, 28, 1), **{layer.name: layer.output_shape for layer in layers}})
    >>> fields[spec.model.layers[0].name][0, 0].tolist()  # a 5x5 window at the corner, half of it padding
    [[0, 0], [2, 2]]
    """
    places = np.moveaxis(np.indices(shapes[INPUT][:-1]), 0, -1)
    fields = {INPUT: np.stack([places, places], axis=-2)}
    for layer in model.layers:
        reaching = [fields[name] for name in layer.inputs]
        fields[layer.name] = _through(layer, reaching, [shapes[name] for name in layer.inputs], shapes[layer.name])
        if layer.name == until:
            break
    return fields


def _through(layer: BaseLayer, reaching: list[Rectangles], entering: list[Shape], leaving: Shape) -> Rectangles:
    first, is_map = reaching[0], len(entering[0]) > 1
    if isinstance(layer, ZeroPadding):
        return _framed(first, layer.padding)
    if layer.kind == "Flatten":
        return np.repeat(first.reshape(-1, *first.shape[-2:]), entering[0][-1], axis=0) if is_map else first
    if layer.kind == "Concatenate" and not is_map:
        return np.concatenate(reaching)
    if len(reaching) > 1:
        return _joined(reaching)
    if layer.kind == "Dense" or layer.kind.startswith("Global") or (mixes(layer) and not is_map):
        return np.broadcast_to(_whole(first), (leaving[-1], *first.shape[-2:]))
    if layer.window() != (1, 1):
        return _slid(first, layer)
    return first


def mixes(layer: BaseLayer) -> bool:
    """Whether each value of a row depends on all of them."""
    return layer.kind == "LayerNormalization" or getattr(layer, "function", "") == "softmax"


def _whole(field: Rectangles) -> np.ndarray:
    """The rectangle around all rectangles."""
    flat = field.reshape(-1, *field.shape[-2:])
    return np.stack([flat[:, 0].min(axis=0), flat[:, 1].max(axis=0)])


def _joined(fields: list[Rectangles]) -> Rectangles:
    """Cell by cell the rectangle around those of all inputs."""
    stacked = np.stack(fields)
    return np.stack([stacked[..., 0, :].min(axis=0), stacked[..., 1, :].max(axis=0)], axis=-2)


def _framed(field: Rectangles, zeros: int) -> Rectangles:
    """With cells that see nothing around it."""
    axes = field.ndim - 2
    framed = np.empty((*(side + 2 * zeros for side in field.shape[:axes]), *field.shape[axes:]), field.dtype)
    framed[..., 0, :], framed[..., 1, :] = NOTHING, -NOTHING
    framed[(slice(zeros, -zeros),) * axes] = field
    return framed


def _slid(field: Rectangles, layer: BaseLayer) -> Rectangles:
    """The rectangle around those that each window holds: along one axis after the other."""
    size, strides = layer.window()
    for axis in range(field.ndim - 2):
        slide = Slide(field.shape[axis], size, strides, layer.padding)
        windows = []
        for place in range(slide.output):
            held = [cell for cell in slide.taps(place) if 0 <= cell < slide.side]
            window = field.take(held, axis=axis)
            windows.append(np.stack([window[..., 0, :].min(axis=axis), window[..., 1, :].max(axis=axis)], axis=-2))
        field = np.stack(windows, axis=axis)
    return field
