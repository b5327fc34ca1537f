"""The kinds of layer: for each one its settings, its shape, its cost and the Keras layer it stands for.

One class is one entry: add a kind by adding a class here and its name to `Layer`. Nothing in this module imports TensorFlow;
`keras_layer` and `keras_arguments` name the Keras layer as text, and `cnn_core.model` looks it up.

Shapes are (height, width, channels) or (features,), without the batch. `KindError` says what does not fit and how to mend it.
"""

from math import ceil, prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Shape = tuple[int, ...]
Padding = Literal["same", "valid"]
ActivationName = Literal["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softmax"]

Strength = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=11)]


class KindError(ValueError):
    """A layer that does not fit the map that reaches it."""


class BaseLayer(BaseModel):
    """What every layer has: a name, the names of the layers that feed it, and the rules of its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$", description="Unique name: lower-case letters, digits and underscores.")
    inputs: tuple[str, ...] = Field(min_length=1, max_length=8, description="Names of the layers that feed this one.")

    keras_layer: ClassVar[str]
    has_map: ClassVar[bool] = False  # a picture of its output, next to its input's, teaches something

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the output for an input of `shape`. Raises KindError when the layer does not fit."""
        return shape

    def parameters(self, shape: Shape) -> tuple[int, str]:
        """Number of parameters and the formula with this layer's numbers in it."""
        return 0, ""

    def multiply_adds(self, shape: Shape) -> int:
        """Multiplications (each with its addition) for one image."""
        return 0

    def window(self) -> tuple[int, int]:
        """(size, stride) of the window over the input, for the receptive field; (0, 0): sees the whole input."""
        return 1, 1

    def keras_arguments(self) -> dict[str, Any]:
        """Arguments of the Keras layer, but for its name, as plain values."""
        return {}


class Weighted(BaseLayer):
    """Settings shared by the layers that have a kernel. 0 switches a penalty or the constraint off."""

    kernel_l1: Strength = 0.0
    kernel_l2: Strength = 0.0
    activity_l1: Strength = 0.0
    max_norm: float = Field(0.0, ge=0, le=100, allow_inf_nan=False)

    norm_axis: ClassVar[int | list[int]] = 0

    def regularisation_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.kernel_l1 or self.kernel_l2:
            arguments["kernel_regularizer"] = {"l1": self.kernel_l1, "l2": self.kernel_l2}
        if self.activity_l1:
            arguments["activity_regularizer"] = {"l1": self.activity_l1, "l2": 0.0}
        if self.max_norm:
            # One norm for each filter or unit: over every axis of the kernel but the last.
            arguments["kernel_constraint"] = {"max_value": self.max_norm, "axis": self.norm_axis}
        return arguments


def _needs_map(shape: Shape, kind: str) -> None:
    if len(shape) != 3:
        raise KindError(
            f"{kind} needs an image or a feature map (height x width x channels), and {len(shape)}-dimensional data reaches it. "
            "Move it before Flatten."
        )


def _slide(shape: Shape, size: int, strides: int, padding: Padding, what: str) -> tuple[int, int]:
    """Height and width after a window slid over the map."""
    height, width = shape[:2]
    if padding == "same":
        return ceil(height / strides), ceil(width / strides)
    if size > min(height, width):
        raise KindError(
            f"{what} {size}x{size} does not fit the {height}x{width} map that reaches it. "
            "Lower its size, use padding 'same', or remove a pooling layer or a stride before it."
        )
    return (height - size) // strides + 1, (width - size) // strides + 1


class Conv2D(Weighted):
    """A convolution: each filter slides over the map and gives one feature map."""

    kind: Literal["Conv2D"] = "Conv2D"
    filters: int = Field(6, ge=1, le=256)
    kernel_size: Side = 3
    strides: int = Field(1, ge=1, le=4)
    padding: Padding = "same"

    keras_layer = "Conv2D"
    norm_axis = [0, 1, 2]
    has_map = True

    def output_shape(self, shape: Shape) -> Shape:
        _needs_map(shape, "A convolution")
        return (*_slide(shape, self.kernel_size, self.strides, self.padding, "Kernel"), self.filters)

    def parameters(self, shape: Shape) -> tuple[int, str]:
        size, channels, filters = self.kernel_size, shape[2], self.filters
        return (size * size * channels + 1) * filters, f"({size}·{size}·{channels} + 1)·{filters}"

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * self.kernel_size**2 * shape[2]

    def window(self) -> tuple[int, int]:
        return self.kernel_size, self.strides

    def keras_arguments(self) -> dict[str, Any]:
        return {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            **self.regularisation_arguments(),
        }


class Pooling(BaseLayer):
    """What the three poolings share: each window gives one value."""

    pool_size: int = Field(2, ge=1, le=8)
    strides: int = Field(2, ge=1, le=8)
    padding: Padding = "valid"

    has_map = True

    def output_shape(self, shape: Shape) -> Shape:
        _needs_map(shape, "Pooling")
        return (*_slide(shape, self.pool_size, self.strides, self.padding, "Pool"), shape[2])

    def window(self) -> tuple[int, int]:
        return self.pool_size, self.strides

    def keras_arguments(self) -> dict[str, Any]:
        return {"pool_size": self.pool_size, "strides": self.strides, "padding": self.padding}


class MaxPooling2D(Pooling):
    """The largest value of each window."""

    kind: Literal["MaxPooling2D"] = "MaxPooling2D"
    keras_layer = "MaxPooling2D"


class AveragePooling2D(Pooling):
    """The mean of each window."""

    kind: Literal["AveragePooling2D"] = "AveragePooling2D"
    keras_layer = "AveragePooling2D"


class MinPooling2D(Pooling):
    """The smallest value of each window (after ReLU mostly zeros)."""

    kind: Literal["MinPooling2D"] = "MinPooling2D"
    keras_layer = "MinPooling2D"


class BatchNormalization(BaseLayer):
    """Shifts and scales each channel to mean 0 and variance 1 over the batch, then by two learned numbers."""

    kind: Literal["BatchNormalization"] = "BatchNormalization"
    keras_layer = "BatchNormalization"
    has_map = True

    def parameters(self, shape: Shape) -> tuple[int, str]:
        return 4 * shape[-1], f"4·{shape[-1]} (half of them learned)"

    def multiply_adds(self, shape: Shape) -> int:
        return prod(shape)


class Activation(BaseLayer):
    """A function applied to every value."""

    kind: Literal["Activation"] = "Activation"
    function: ActivationName = "relu"
    activity_l1: Strength = 0.0

    keras_layer = "Activation"
    has_map = True

    def keras_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {"activation": self.function}
        if self.activity_l1:
            arguments["activity_regularizer"] = {"l1": self.activity_l1, "l2": 0.0}
        return arguments


class Dropout(BaseLayer):
    """Sets this share of the values to zero in each training step, at random."""

    kind: Literal["Dropout"] = "Dropout"
    rate: float = Field(0.25, ge=0, lt=1, allow_inf_nan=False)
    keras_layer = "Dropout"

    def keras_arguments(self) -> dict[str, Any]:
        return {"rate": self.rate}


class Flatten(BaseLayer):
    """Lays the values of all maps out in one row."""

    kind: Literal["Flatten"] = "Flatten"
    keras_layer = "Flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def window(self) -> tuple[int, int]:
        return 0, 0


class Dense(Weighted):
    """A fully connected layer: each unit sees every value."""

    kind: Literal["Dense"] = "Dense"
    units: int = Field(10, ge=1, le=1024)
    keras_layer = "Dense"

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise KindError("A dense layer needs one row of values, and feature maps reach it. Put Flatten before it.")
        return (self.units,)

    def parameters(self, shape: Shape) -> tuple[int, str]:
        return (shape[-1] + 1) * self.units, f"({shape[-1]} + 1)·{self.units}"

    def multiply_adds(self, shape: Shape) -> int:
        return shape[-1] * self.units

    def window(self) -> tuple[int, int]:
        return 0, 0

    def keras_arguments(self) -> dict[str, Any]:
        return {"units": self.units, **self.regularisation_arguments()}


Layer = Annotated[
    Conv2D | MaxPooling2D | AveragePooling2D | MinPooling2D | BatchNormalization | Activation | Dropout | Flatten | Dense,
    Field(discriminator="kind"),
]
