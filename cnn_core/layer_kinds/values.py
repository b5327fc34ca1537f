"""Layers that treat every value, or all values together."""

from math import prod
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnn_core.layer_kinds.base import (
    ActivationName,
    ActivityRegularised,
    BaseLayer,
    KindError,
    Shape,
    Share,
    Weighted,
    needs_axes,
)


class Flatten(BaseLayer):
    """Lays the values of all maps out in one row."""

    kind: Literal["Flatten"] = "Flatten"
    group = "Dense"
    title = "flatten"
    keras_layer = "Flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)


class Dense(Weighted):
    """A fully connected layer: each unit sees every value."""

    kind: Literal["Dense"] = "Dense"
    units: int = Field(10, ge=1, le=1024, description="How many values it gives; each sees all before it.")
    group = "Dense"
    title = "dense"
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


class Activation(ActivityRegularised):
    """A function applied to every value."""

    kind: Literal["Activation"] = "Activation"
    function: ActivationName = Field("relu", description="The function; softmax turns a row of values into probabilities.")
    group = "Activation"
    title = "activation"
    keras_layer = "Activation"
    has_map = True

    def keras_arguments(self) -> dict[str, Any]:
        return {"activation": self.function, **self.activity_arguments()}


class BatchNormalization(BaseLayer):
    """Shifts and scales each channel to mean 0 and variance 1 over the batch, then by two learned numbers."""

    kind: Literal["BatchNormalization"] = "BatchNormalization"
    group = "Normalisation"
    title = "batch normalisation"
    keras_layer = "BatchNormalization"
    has_map = True

    def parameters(self, shape: Shape) -> tuple[int, str]:
        return 4 * shape[-1], f"4·{shape[-1]} (half of them learned)"

    def multiply_adds(self, shape: Shape) -> int:
        return prod(shape)


class LayerNormalization(BaseLayer):
    """Shifts and scales the channels of each place to mean 0 and variance 1, then by two learned numbers a channel."""

    kind: Literal["LayerNormalization"] = "LayerNormalization"
    group = "Normalisation"
    title = "layer normalisation"
    keras_layer = "LayerNormalization"
    has_map = True

    def parameters(self, shape: Shape) -> tuple[int, str]:
        return 2 * shape[-1], f"2·{shape[-1]}"

    def multiply_adds(self, shape: Shape) -> int:
        return prod(shape)


class DropoutBase(BaseLayer):
    """What the dropouts share."""

    rate: Share = Field(0.25, description="Share set to zero at random in each training step, against overfitting.")

    group = "Regularisation"

    def keras_arguments(self) -> dict[str, Any]:
        return {"rate": self.rate}


class Dropout(DropoutBase):
    """Sets this share of the values to zero in each training step, at random."""

    kind: Literal["Dropout"] = "Dropout"
    title = "dropout"
    keras_layer = "Dropout"


class WholeMaps(DropoutBase):
    """A dropout of whole channels."""

    axes: ClassVar[int] = 2

    def output_shape(self, shape: Shape) -> Shape:
        needs_axes(shape, self.axes, "Spatial dropout")
        return shape


class SpatialDropout2D(WholeMaps):
    """Sets this share of whole feature maps to zero in each training step, at random."""

    kind: Literal["SpatialDropout2D"] = "SpatialDropout2D"
    title = "spatial dropout"
    keras_layer = "SpatialDropout2D"


class SpatialDropout1D(WholeMaps):
    """Sets this share of whole feature curves to zero in each training step, at random."""

    kind: Literal["SpatialDropout1D"] = "SpatialDropout1D"
    title = "spatial dropout (1-D)"
    keras_layer = "SpatialDropout1D"
    axes = 1


class GaussianNoise(BaseLayer):
    """Adds random numbers to every value in each training step."""

    kind: Literal["GaussianNoise"] = "GaussianNoise"
    stddev: float = Field(0.1, ge=0, le=10, allow_inf_nan=False, description="Standard deviation of the noise.")
    group = "Regularisation"
    title = "Gaussian noise"
    keras_layer = "GaussianNoise"

    def keras_arguments(self) -> dict[str, Any]:
        return {"stddev": self.stddev}
