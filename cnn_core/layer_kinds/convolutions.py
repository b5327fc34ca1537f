"""Layers whose kernels slide over a map."""

from math import prod
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnn_core.layer_kinds.base import KERNEL_SIZE, PADDING, STRIDES, Padding, Shape, Side, Weighted, needs_axes, slide


class Sliding(Weighted):
    """What all convolutions share: a window that slides over `axes` axes of the map."""

    kernel_size: Side = KERNEL_SIZE
    strides: int = STRIDES
    padding: Padding = Field("same", description=PADDING)

    group = "Convolution"
    has_map = True
    axes: ClassVar[int] = 2

    def output_shape(self, shape: Shape) -> Shape:
        needs_axes(shape, self.axes, "A convolution")
        return (*slide(shape, self.kernel_size, self.strides, self.padding, "Kernel"), self.channels(shape[-1]))

    def channels(self, entering: int) -> int:
        """Channels of the output for so many of the input."""
        raise NotImplementedError

    def window(self) -> tuple[int, int]:
        return self.kernel_size, self.strides

    def keras_arguments(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("filters", "depth_multiplier") if hasattr(self, name)}
        sliding = {"kernel_size": self.kernel_size, "strides": self.strides, "padding": self.padding}
        return {**own, **sliding, **self.regularisation_arguments()}


class Full(Sliding):
    """A convolution in which each filter sees all channels."""

    filters: int = Field(6, ge=1, le=256, description="How many feature maps it makes.")

    def channels(self, entering: int) -> int:
        return self.filters

    def parameters(self, shape: Shape) -> tuple[int, str]:
        sides, channels, filters = [self.kernel_size] * self.axes, shape[-1], self.filters
        return (prod(sides) * channels + 1) * filters, f"({'·'.join(map(str, (*sides, channels)))} + 1)·{filters}"

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * self.kernel_size**self.axes * shape[-1]


class Conv2D(Full):
    """A convolution: each filter slides over the map and gives one feature map."""

    kind: Literal["Conv2D"] = "Conv2D"
    title = "convolution"
    keras_layer = "Conv2D"
    kernels: ClassVar = {"kernel": [0, 1, 2]}


class Conv1D(Full):
    """A convolution over a series: each filter slides along it and gives one feature curve."""

    kind: Literal["Conv1D"] = "Conv1D"
    title = "convolution (1-D)"
    keras_layer = "Conv1D"
    kernels: ClassVar = {"kernel": [0, 1]}
    axes = 1


class DepthwiseConv2D(Sliding):
    """A convolution in which each channel has kernels of its own and none sees another."""

    kind: Literal["DepthwiseConv2D"] = "DepthwiseConv2D"
    depth_multiplier: int = Field(1, ge=1, le=16, description="Feature maps that it makes of each channel.")
    title = "depthwise convolution"
    keras_layer = "DepthwiseConv2D"
    kernels: ClassVar = {"depthwise": [0, 1]}

    def channels(self, entering: int) -> int:
        return entering * self.depth_multiplier

    def parameters(self, shape: Shape) -> tuple[int, str]:
        size, maps = self.kernel_size, self.channels(shape[-1])
        return (size * size + 1) * maps, f"({size}·{size} + 1)·{maps}"

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * self.kernel_size**2


class SeparableConv2D(Sliding):
    """A depthwise convolution and then a 1x1 convolution of all channels: much cheaper than a full one."""

    kind: Literal["SeparableConv2D"] = "SeparableConv2D"
    filters: int = Field(6, ge=1, le=256, description="How many feature maps it makes.")
    depth_multiplier: int = Field(1, ge=1, le=16, description="Maps that its first half makes of each channel.")
    title = "separable convolution"
    keras_layer = "SeparableConv2D"
    kernels: ClassVar = {"depthwise": [0, 1], "pointwise": [0, 1, 2]}

    def channels(self, entering: int) -> int:
        return self.filters

    def parameters(self, shape: Shape) -> tuple[int, str]:
        size, between, filters = self.kernel_size, shape[-1] * self.depth_multiplier, self.filters
        return size * size * between + (between + 1) * filters, f"{size}·{size}·{between} + ({between} + 1)·{filters}"

    def multiply_adds(self, shape: Shape) -> int:
        between = shape[-1] * self.depth_multiplier
        return prod(self.output_shape(shape)[:-1]) * between * (self.kernel_size**2 + self.filters)
