"""What the steps of all kinds of layer share: one layer for one example, and its numbers as JSON takes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_core.errors import LabError
from cnn_core.layer_kinds import BaseLayer, Shape
from cnn_core.spec import INPUT, ModelSpec

Steps = dict[str, Any]
MOST_VALUES = 20_000  # numbers of a layer's inputs and weights that are shown at once: about 180 kB of JSON
MOST_INPUTS = 5_000  # inputs of a dense layer that are shown: those that weigh most
DIGITS = 7  # float32 has no more


class NotFinite(LabError):
    """A network whose numbers are no numbers."""


@dataclass(frozen=True)
class Choice:
    """What of a layer is shown: which of its maps or units, which half of a separable convolution, which block of its channels."""

    number: int = 0
    half: str = ""
    block: int = 0


@dataclass(frozen=True)
class Case:
    """One layer for one example. values: what every layer gives, and the input, without the batch. weights: its own, by name."""

    model: ModelSpec
    layer: BaseLayer
    values: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    choice: Choice

    @property
    def entering(self) -> np.ndarray:
        return self.values[self.layer.inputs[0]]

    @property
    def leaving(self) -> np.ndarray:
        return self.values[self.layer.name]

    @property
    def block(self) -> tuple[int, int]:
        """First channel or unit that is shown, and the first that no longer is."""
        found = blocks(self.layer, self.entering.shape, self.choice.half)
        return found[min(self.choice.block, len(found) - 1)]

    def input_map(self, channel: int, values: np.ndarray | None = None) -> dict[str, Any]:
        """One channel of the input, with a title. values: other maps to take it from."""
        source = self.layer.inputs[0]
        maps = self.entering if values is None else values
        title = f"{source}, map {channel + 1}" if maps.shape[-1] > 1 else source
        return {"title": title, "values": rows(maps[..., channel]), "picture": source == INPUT and values is None}

    def output_map(self, channel: int) -> dict[str, Any]:
        """One channel of the output as Keras gives it."""
        return {"title": f"{self.layer.name}, map {channel + 1}", "values": rows(self.leaving[..., channel])}

    def followed(self, channel: int | slice) -> dict[str, Any] | None:
        """The activation that follows the layer, with what it gives for a channel or for units."""
        for layer in self.model.layers:
            if layer.kind == "Activation" and layer.inputs == (self.layer.name,) and layer.function != "softmax":
                output = self.values[layer.name][..., channel]
                return {"function": layer.function, "title": layer.name, "values": rows(output)}
        return None

    @property
    def softmax(self) -> str:
        """The name of a softmax that follows the layer, or nothing."""
        found = (x.name for x in self.model.layers if x.inputs == (self.layer.name,) and getattr(x, "function", "") == "softmax")
        return next(found, "")


def blocks(layer: BaseLayer, entering: Shape, half: str = "") -> list[tuple[int, int]]:
    """The blocks of channels or units in which a layer fed with `entering` is shown, so that none is too much to send.

    >>> from cnn_core.layer_kinds import Conv2D
    >>> blocks(Conv2D(name="conv", inputs=("input",)), (28, 28, 40))
    [(0, 25), (25, 40)]
    """
    if layer.kind == "Dense":
        count, each = layer.units, min(entering[0], MOST_INPUTS)
    elif len(entering) == 1 and layer.kind != "Concatenate" and getattr(layer, "function", "") != "softmax":
        count, each = entering[0], 3  # what goes in, what comes out and what it sees
    elif layer.kind in ("Conv2D", "Conv1D") or layer.kind.startswith("Global") or half == "pointwise":
        count = entering[-1] * (layer.depth_multiplier if half else 1)
        each = int(np.prod(entering[:-1])) + (1 if half else getattr(layer, "kernel_size", 0) ** (len(entering) - 1))
    else:
        return [(0, 1)]
    room = MOST_VALUES - (2 * each if layer.kind == "Dense" else 0)  # the inputs themselves and their numbers
    fits = max(1, room // max(1, each))
    return [(start, min(start + fits, count)) for start in range(0, count, fits)]


def rounded(values: np.ndarray) -> np.ndarray:
    """The same values to `DIGITS` digits. Raises NotFinite."""
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise NotFinite(
            "The numbers of this layer are infinite or no numbers (NaN): its training went astray. "
            "Train it again with a lower learning rate, or choose another network."
        )
    sizes = np.where(values == 0, 1.0, np.abs(values))
    factors = 10.0 ** (DIGITS - 1 - np.floor(np.log10(sizes)))
    return np.where(np.abs(values) < 1e-30, 0.0, np.round(values * factors) / factors)


def rows(values: np.ndarray) -> list[list[float]]:
    """A map as rows of numbers; a curve or a row of values as one row."""
    return rounded(np.atleast_2d(values)).tolist()
