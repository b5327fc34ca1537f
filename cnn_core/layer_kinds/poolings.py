"""Layers that make a map smaller, or larger, without weights."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnn_core.layer_kinds.base import PADDING, BaseLayer, Padding, Shape, needs_axes, slide


class Pooling(BaseLayer):
    """What the poolings share: each window gives one value."""

    pool_size: int = Field(2, ge=1, le=8, description="Side of the pooling window.")
    strides: int = Field(2, ge=1, le=8, description="How far the pooling window moves.")
    padding: Padding = Field("valid", description=PADDING)

    group = "Pooling"
    has_map = True
    axes: ClassVar[int] = 2

    def output_shape(self, shape: Shape) -> Shape:
        needs_axes(shape, self.axes, "Pooling")
        return (*slide(shape, self.pool_size, self.strides, self.padding, "Pool"), shape[-1])

    def window(self) -> tuple[int, int]:
        return self.pool_size, self.strides

    def keras_arguments(self) -> dict[str, Any]:
        return {"pool_size": self.pool_size, "strides": self.strides, "padding": self.padding}


class MaxPooling2D(Pooling):
    """The largest value of each window."""

    kind: Literal["MaxPooling2D"] = "MaxPooling2D"
    title = "max pooling"
    keras_layer = "MaxPooling2D"


class AveragePooling2D(Pooling):
    """The mean of each window."""

    kind: Literal["AveragePooling2D"] = "AveragePooling2D"
    title = "average pooling"
    keras_layer = "AveragePooling2D"


class MinPooling2D(Pooling):
    """The smallest value of each window (after ReLU mostly zeros)."""

    kind: Literal["MinPooling2D"] = "MinPooling2D"
    title = "min pooling"
    keras_layer = "MinPooling2D"


class MaxPooling1D(Pooling):
    """The largest value of each stretch of a series."""

    kind: Literal["MaxPooling1D"] = "MaxPooling1D"
    title = "max pooling (1-D)"
    keras_layer = "MaxPooling1D"
    axes = 1


class AveragePooling1D(Pooling):
    """The mean of each stretch of a series."""

    kind: Literal["AveragePooling1D"] = "AveragePooling1D"
    title = "average pooling (1-D)"
    keras_layer = "AveragePooling1D"
    axes = 1


class MinPooling1D(Pooling):
    """The smallest value of each stretch of a series (after ReLU mostly zeros)."""

    kind: Literal["MinPooling1D"] = "MinPooling1D"
    title = "min pooling (1-D)"
    keras_layer = "MinPooling1D"
    axes = 1


class GlobalPooling(BaseLayer):
    """What the global poolings share: each channel gives one value."""

    group = "Pooling"
    axes: ClassVar[int] = 2

    def output_shape(self, shape: Shape) -> Shape:
        needs_axes(shape, self.axes, "Global pooling")
        return (shape[-1],)

    def window(self) -> tuple[int, int]:
        return 0, 0


class GlobalMaxPooling2D(GlobalPooling):
    """The largest value of each whole map."""

    kind: Literal["GlobalMaxPooling2D"] = "GlobalMaxPooling2D"
    title = "global max pooling"
    keras_layer = "GlobalMaxPooling2D"


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each whole map."""

    kind: Literal["GlobalAveragePooling2D"] = "GlobalAveragePooling2D"
    title = "global average pooling"
    keras_layer = "GlobalAveragePooling2D"


class GlobalMaxPooling1D(GlobalPooling):
    """The largest value of each whole curve."""

    kind: Literal["GlobalMaxPooling1D"] = "GlobalMaxPooling1D"
    title = "global max pooling (1-D)"
    keras_layer = "GlobalMaxPooling1D"
    axes = 1


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each whole curve."""

    kind: Literal["GlobalAveragePooling1D"] = "GlobalAveragePooling1D"
    title = "global average pooling (1-D)"
    keras_layer = "GlobalAveragePooling1D"
    axes = 1


class ZeroPadding(BaseLayer):
    """What the zero paddings share: a border of zeros on every side."""

    padding: int = Field(1, ge=1, le=10, description="Zeros added at each end of every side.")

    group = "Pooling"
    has_map = True
    axes: ClassVar[int] = 2

    def output_shape(self, shape: Shape) -> Shape:
        needs_axes(shape, self.axes, "Zero padding")
        return (*(side + 2 * self.padding for side in shape[:-1]), shape[-1])

    def keras_arguments(self) -> dict[str, Any]:
        return {"padding": self.padding}


class ZeroPadding2D(ZeroPadding):
    """A border of zeros around the map."""

    kind: Literal["ZeroPadding2D"] = "ZeroPadding2D"
    title = "zero padding"
    keras_layer = "ZeroPadding2D"


class ZeroPadding1D(ZeroPadding):
    """Zeros before and behind the series."""

    kind: Literal["ZeroPadding1D"] = "ZeroPadding1D"
    title = "zero padding (1-D)"
    keras_layer = "ZeroPadding1D"
    axes = 1
