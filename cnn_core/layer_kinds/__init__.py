"""The kinds of layer: for each one its settings, its shape, its cost and the Keras layer it stands for.

One class is one entry: add a kind by writing its class and naming it in `Layer`. Nothing here imports TensorFlow;
`keras_layer` and `keras_arguments` name the Keras layer as text, and `cnn_core.model` looks it up.

Shapes are (height, width, channels), (points, channels) or (values,), without the batch. `KindError` says what does not fit and
how to mend it.
"""

from typing import Annotated, get_args

from pydantic import Field

from cnn_core.layer_kinds.base import ActivationName, BaseLayer, KindError, Padding, Shape, Share, Side, Strength
from cnn_core.layer_kinds.convolutions import Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D
from cnn_core.layer_kinds.merges import Add, Concatenate, Merge, Multiply
from cnn_core.layer_kinds.poolings import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    MinPooling1D,
    MinPooling2D,
    Pooling,
    ZeroPadding1D,
    ZeroPadding2D,
)
from cnn_core.layer_kinds.values import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LayerNormalization,
    SpatialDropout1D,
    SpatialDropout2D,
)

AnyLayer = (
    Conv2D
    | SeparableConv2D
    | DepthwiseConv2D
    | Conv1D
    | MaxPooling2D
    | AveragePooling2D
    | MinPooling2D
    | GlobalMaxPooling2D
    | GlobalAveragePooling2D
    | MaxPooling1D
    | AveragePooling1D
    | MinPooling1D
    | GlobalMaxPooling1D
    | GlobalAveragePooling1D
    | ZeroPadding2D
    | ZeroPadding1D
    | Flatten
    | Dense
    | Activation
    | Dropout
    | SpatialDropout2D
    | SpatialDropout1D
    | GaussianNoise
    | BatchNormalization
    | LayerNormalization
    | Add
    | Multiply
    | Concatenate
)
Layer = Annotated[AnyLayer, Field(discriminator="kind")]
KINDS: dict[str, type[BaseLayer]] = {kind.__name__: kind for kind in get_args(AnyLayer)}

__all__ = [
    "KINDS",
    "Activation",
    "ActivationName",
    "Add",
    "AveragePooling1D",
    "AveragePooling2D",
    "BaseLayer",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "KindError",
    "Layer",
    "LayerNormalization",
    "MaxPooling1D",
    "MaxPooling2D",
    "Merge",
    "MinPooling1D",
    "MinPooling2D",
    "Multiply",
    "Padding",
    "Pooling",
    "SeparableConv2D",
    "Shape",
    "Share",
    "Side",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Strength",
    "ZeroPadding1D",
    "ZeroPadding2D",
]
