"""Layers in which branches meet."""

from math import prod
from typing import Literal

from cnn_core.layer_kinds.base import MOST_INPUTS, BaseLayer, KindError, Shape


def _named(shape: Shape) -> str:
    return "×".join(map(str, shape))


class Merge(BaseLayer):
    """What the merges share: two inputs or more."""

    group = "Merge"
    takes = (2, MOST_INPUTS)
    has_map = True


class Elementwise(Merge):
    """A merge of equal shapes, value by value."""

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) > 1:
            raise KindError(
                f"{self.kind} needs inputs of the same shape, and {' and '.join(map(_named, shapes))} reach it. "
                "Give the branches equal filters, strides and padding."
            )
        return shapes[0]

    def multiply_adds(self, *shapes: Shape) -> int:
        return (len(shapes) - 1) * prod(shapes[0])


class Add(Elementwise):
    """The sum of its inputs, value by value: what a residual network adds its shortcut with."""

    kind: Literal["Add"] = "Add"
    title = "sum"
    keras_layer = "Add"


class Multiply(Elementwise):
    """The product of its inputs, value by value."""

    kind: Literal["Multiply"] = "Multiply"
    title = "product"
    keras_layer = "Multiply"


class Concatenate(Merge):
    """The channels of all inputs, one behind the other."""

    kind: Literal["Concatenate"] = "Concatenate"
    title = "concatenation"
    keras_layer = "Concatenate"

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[:-1] for shape in shapes}) > 1:
            raise KindError(
                f"Concatenate needs maps of the same size, and {' and '.join(map(_named, shapes))} reach it. "
                "Give the branches equal strides and padding 'same', or flatten them first."
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
