"""The simple way in: convolution blocks and dense blocks, and the graph they stand for.

`to_graph` and `from_graph` are exact inverses; `from_graph` gives None for a graph that no blocks make.
"""

from typing import Literal

from pydantic import Field, ValidationError

from cnn_core.layer_kinds import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPooling2D,
    MinPooling2D,
    Padding,
    Side,
    Strength,
)
from cnn_core.spec import INPUT, HeadSpec, ModelSpec, Spec

PoolingName = Literal["max", "average", "min", "none"]
BlockActivation = Literal["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "linear"]
POOLINGS = {"max": MaxPooling2D, "average": AveragePooling2D, "min": MinPooling2D}


class ConvBlock(Spec):
    """Convolution, batch normalisation, activation, pooling, dropout: in this order, those that are on."""

    filters: int = Field(8, ge=1, le=256)
    kernel_size: Side = 3
    strides: int = Field(1, ge=1, le=4)
    padding: Padding = "same"
    batch_normalization: bool = False
    activation: BlockActivation = "relu"
    pooling: PoolingName = "max"
    pool_size: int = Field(2, ge=1, le=8)
    pool_strides: int = Field(2, ge=1, le=8)
    dropout: float = Field(0.0, ge=0, lt=1, allow_inf_nan=False)


class DenseBlock(Spec):
    """Dense, activation, dropout."""

    units: int = Field(64, ge=1, le=1024)
    activation: BlockActivation = "relu"
    dropout: float = Field(0.0, ge=0, lt=1, allow_inf_nan=False)


class Weights(Spec):
    """Penalties and the constraint on every layer with a kernel but the last. 0 is off."""

    kernel_l2: Strength = 0.0
    kernel_l1: Strength = 0.0
    activity_l1: Strength = 0.0
    max_norm: float = Field(0.0, ge=0, le=100, allow_inf_nan=False)


class Blocks(Spec):
    """A block-shaped network; `classes` units with softmax come last."""

    conv: tuple[ConvBlock, ...] = Field((), max_length=5)
    dense: tuple[DenseBlock, ...] = Field((), max_length=3)
    weights: Weights = Weights()
    classes: int = Field(10, ge=2, le=1024)


def to_graph(blocks: Blocks) -> ModelSpec:
    """The graph in which each layer feeds the next.

    >>> [layer.name for layer in to_graph(Blocks(conv=(ConvBlock(),))).layers]
    ['conv_1', 'activation_1', 'pool_1', 'flatten', 'output', 'softmax']
    """
    layers: list[Layer] = []

    def add(kind: type, name: str, **settings) -> None:
        layers.append(kind(name=name, inputs=(layers[-1].name if layers else INPUT,), **settings))

    def add_weighted(kind: type, name: str, activation_name: str, activation: str, normalise: str | None, **settings) -> None:
        weights = blocks.weights.model_dump()
        # The penalty is on what the layer passes on, so on its activation where it has one.
        activity_l1 = 0.0 if activation == "linear" else weights.pop("activity_l1")
        add(kind, name, **settings, **weights)
        if normalise:
            add(BatchNormalization, normalise)
        if activation != "linear":
            add(Activation, activation_name, function=activation, activity_l1=activity_l1)

    for number, block in enumerate(blocks.conv, 1):
        add_weighted(
            Conv2D,
            f"conv_{number}",
            f"activation_{number}",
            block.activation,
            f"batch_normalization_{number}" if block.batch_normalization else None,
            filters=block.filters,
            kernel_size=block.kernel_size,
            strides=block.strides,
            padding=block.padding,
        )
        if block.pooling != "none":
            add(POOLINGS[block.pooling], f"pool_{number}", pool_size=block.pool_size, strides=block.pool_strides)
        if block.dropout:
            add(Dropout, f"dropout_{number}", rate=block.dropout)
    add(Flatten, "flatten")
    for number, block in enumerate(blocks.dense, 1):
        add_weighted(Dense, f"dense_{number}", f"dense_activation_{number}", block.activation, None, units=block.units)
        if block.dropout:
            add(Dropout, f"dense_dropout_{number}", rate=block.dropout)
    add(Dense, "output", units=blocks.classes)
    add(Activation, "softmax", function="softmax")
    return ModelSpec(layers=tuple(layers), heads=(HeadSpec(layer="softmax"),))


def from_graph(model: ModelSpec) -> Blocks | None:
    """The blocks that make exactly this graph, or None."""
    conv: list[dict] = []
    dense: list[dict] = []
    weights: dict[str, float] = {}
    for layer in model.layers:
        if isinstance(layer, Conv2D):
            conv.append(
                {name: getattr(layer, name) for name in ("filters", "kernel_size", "strides", "padding")}
                | {"activation": "linear", "pooling": "none"}
            )
            weights |= layer.model_dump(include=set(Weights.model_fields))
        elif isinstance(layer, Dense) and layer.name != "output":
            dense.append({"units": layer.units, "activation": "linear"})
            weights |= layer.model_dump(include=set(Weights.model_fields))
        elif isinstance(layer, Flatten):
            pass
        elif layer.name not in ("output", "softmax"):
            block = (dense or conv or [None])[-1]
            if block is None:
                return None
            _refine(block, weights, layer)
    output = {layer.name: layer for layer in model.layers}.get("output")
    if not isinstance(output, Dense) or len(conv) > 5 or len(dense) > 3 or output.units < 2:
        return None
    # Settings that leave no trace in the graph (the pool size of no pooling) come back as their defaults.
    try:
        blocks = Blocks(
            conv=tuple(ConvBlock(**block) for block in conv),
            dense=tuple(DenseBlock(**block) for block in dense),
            weights=Weights(**weights),
            classes=output.units,
        )
    except ValidationError:  # an activation that no block has, a pooling behind a dense layer
        return None
    return blocks if to_graph(blocks) == model else None


def _refine(block: dict, weights: dict[str, float], layer: Layer) -> None:
    """Note in `block` what a layer behind its convolution or dense layer adds."""
    if isinstance(layer, BatchNormalization):
        block["batch_normalization"] = True
    elif isinstance(layer, Activation):
        block["activation"] = "linear" if layer.function == "softmax" else layer.function
        weights["activity_l1"] = layer.activity_l1
    elif isinstance(layer, Dropout):
        block["dropout"] = layer.rate
    elif isinstance(layer, tuple(POOLINGS.values())):
        names = {kind: name for name, kind in POOLINGS.items()}
        block |= {"pooling": names[type(layer)], "pool_size": layer.pool_size, "pool_strides": layer.strides}
