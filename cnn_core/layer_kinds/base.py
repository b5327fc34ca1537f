"""What all kinds of layer share: settings, the rules of a kind, and what a window does to a map."""

from math import ceil
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Shape = tuple[int, ...]
Padding = Literal["same", "valid"]
ActivationName = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "softmax"]

Strength = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Norm = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=11)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

MOST_INPUTS = 8


class KindError(ValueError):
    """A layer that does not fit the maps that reach it."""


class BaseLayer(BaseModel):
    """What every layer has: a name, the names of the layers that feed it, and the rules of its kind.

    A field's description is its help. group: where a menu lists the kind. title: what it does, in the words of a caption.
    takes: the least and the largest number of inputs. has_map: a picture of its output, next to its input's, teaches something.
    The rules are given the shape of each input, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$", description="Unique name: lower-case letters, digits and underscores.")
    inputs: tuple[str, ...] = Field(min_length=1, max_length=MOST_INPUTS, description="Names of the layers that feed this one.")

    group: ClassVar[str]
    title: ClassVar[str]
    keras_layer: ClassVar[str]
    takes: ClassVar[tuple[int, int]] = (1, 1)
    has_map: ClassVar[bool] = False

    def output_shape(self, *shapes: Shape) -> Shape:
        """Shape of the output for inputs of `shapes`. Raises KindError when the layer does not fit."""
        return shapes[0]

    def parameters(self, *shapes: Shape) -> tuple[int, str]:
        """Number of parameters and the formula with this layer's numbers in it."""
        return 0, ""

    def multiply_adds(self, *shapes: Shape) -> int:
        """Multiplications (each with its addition) for one example."""
        return 0

    def window(self) -> tuple[int, int]:
        """(size, stride) of the window over the input, for the receptive field; (0, 0): sees the whole input."""
        return 1, 1

    def keras_arguments(self) -> dict[str, Any]:
        """Arguments of the Keras layer, but for its name, as plain values.

        Regularisers are {"l1": ..., "l2": ...} and constraints {"max_value": ..., "axis": ...}.
        """
        return {}


class ActivityRegularised(BaseLayer):
    """Penalties on what a layer passes on. 0 switches one off."""

    activity_l1: Strength = Field(0.0, description="Adds this times the layer's absolute outputs to the loss: few stay active.")
    activity_l2: Strength = Field(0.0, description="Adds this times the layer's squared outputs to the loss: none is very large.")

    def activity_arguments(self) -> dict[str, Any]:
        if not self.activity_l1 and not self.activity_l2:
            return {}
        return {"activity_regularizer": {"l1": self.activity_l1, "l2": self.activity_l2}}


class Weighted(ActivityRegularised):
    """Settings shared by the layers that have a kernel. 0 switches a penalty or the constraint off."""

    kernel_l1: Strength = Field(0.0, description="Adds this times the sum of absolute weights to the loss: many become zero.")
    kernel_l2: Strength = Field(0.0, description="Adds this times the sum of squared weights to the loss: they stay small.")
    max_norm: Norm = Field(0.0, description="Largest length of the weights of a filter or unit; 0: no limit.")

    # Keras' names of its kernels, and the axes over which one filter's or unit's weights lie.
    kernels: ClassVar[dict[str, int | list[int]]] = {"kernel": 0}

    def regularisation_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for kernel, axis in self.kernels.items():
            if self.kernel_l1 or self.kernel_l2:
                arguments[f"{kernel}_regularizer"] = {"l1": self.kernel_l1, "l2": self.kernel_l2}
            if self.max_norm:
                arguments[f"{kernel}_constraint"] = {"max_value": self.max_norm, "axis": axis}
        return {**arguments, **self.activity_arguments()}


AXES = {2: "an image or a map (height × width × channels)", 1: "a series or a map of one (points × channels)"}


def needs_axes(shape: Shape, axes: int, what: str) -> None:
    """Raises KindError unless `shape` is a map over so many axes, 2 of an image or 1 of a series."""
    if len(shape) == axes + 1:
        return
    if len(shape) == 1:
        raise KindError(f"{what} needs {AXES[axes]}, and one row of values reaches it. Move it before Flatten.")
    kind = "1-D" if axes == 2 else "2-D"
    raise KindError(f"{what} needs {AXES[axes]}, and {AXES[3 - axes]} reaches it. Use its {kind} kind.")


def slide(shape: Shape, size: int, strides: int, padding: Padding, what: str) -> Shape:
    """The sides of a map after a window slid over it: (height, width) or (points,), without the channels."""
    sides = shape[:-1]
    if padding == "same":
        return tuple(ceil(side / strides) for side in sides)
    if size > min(sides):
        window, reached = "x".join([str(size)] * len(sides)), "x".join(map(str, sides))
        raise KindError(
            f"{what} {window} does not fit the {reached} map that reaches it. "
            "Lower its size, use padding 'same', or remove a pooling layer or a stride before it."
        )
    return tuple((side - size) // strides + 1 for side in sides)


KERNEL_SIZE = Field(3, description="Side of the window that slides over the map.")
STRIDES = Field(1, ge=1, le=4, description="How far the window moves each time.")
PADDING = "same keeps the size with zeros around the map; valid has none, so the map shrinks."
