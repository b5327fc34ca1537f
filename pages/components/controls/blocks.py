"""The network as blocks of convolution and dense layers, and the penalties on its weights."""

import streamlit as st

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights
from pages.components.controls.base import choice, keyed, slider, stops

FILTERS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
UNITS = (1, 2, 4, 8, 10, 16, 24, 32, 48, 64, 84, 96, 128, 192, 256, 384, 512, 768, 1024)
STRENGTHS = (0.0, 0.00001, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "linear")


def _activation(key: str, value: str) -> str:
    return st.selectbox(
        "Activation", ACTIVATIONS, key=keyed(key, value), help="The function applied to every value; linear is none."
    )


def _dropout(key: str, value: float) -> float:
    help = "Share of the values set to zero at random in each training step, against overfitting."
    return slider("Dropout", 0.0, 0.9, 0.05, key, value, help)


def layers(blocks: Blocks) -> Blocks:
    """Convolution blocks and dense blocks."""
    count = st.slider(
        "Convolution blocks",
        0,
        5,
        key=keyed("conv_count", len(blocks.conv)),
        help="Convolution, activation, pooling: how many times.",
    )
    conv = [*blocks.conv, *[blocks.conv[-1] if blocks.conv else ConvBlock()] * 5][:count]
    conv = tuple(_conv_block(number, block) for number, block in enumerate(conv, 1))
    count = st.slider(
        "Dense blocks", 0, 3, key=keyed("dense_count", len(blocks.dense)), help="Fully connected layers before the last one."
    )
    dense = [*blocks.dense, *[blocks.dense[-1] if blocks.dense else DenseBlock()] * 3][:count]
    dense = tuple(_dense_block(number, block) for number, block in enumerate(dense, 1))
    st.caption(f"The last layer is always a dense one of {blocks.classes} units with softmax: a probability for each class.")
    return blocks.model_copy(update={"conv": conv, "dense": dense})


def _conv_block(number: int, block: ConvBlock) -> ConvBlock:
    name = f"conv{number}"
    with st.expander(f"Convolution {number}", expanded=number == 1, key=f"open_{name}"):
        left, right = st.columns(2)
        with left:
            filters = stops("Filters", FILTERS, f"{name}_filters", block.filters, "How many feature maps this convolution makes.")
            padding = choice(
                "Padding",
                ("same", "valid"),
                f"{name}_padding",
                block.padding,
                "same keeps the size with zeros around the map; valid has none, so the map shrinks.",
            )
        with right:
            size = st.slider(
                "Kernel size",
                1,
                11,
                key=keyed(f"{name}_kernel", block.kernel_size),
                help="Side of the window that slides over the map.",
            )
            strides = st.slider(
                "Stride", 1, 4, key=keyed(f"{name}_strides", block.strides), help="How far the window moves each time."
            )
        pooling = choice(
            "Pooling",
            ("max", "average", "min", "none"),
            f"{name}_pooling",
            block.pooling,
            "What stands for each window: its largest, mean or smallest value. Min after ReLU gives mostly zeros.",
        )
        left, right = st.columns(2)
        off = pooling == "none"
        with left:
            pool_size = st.slider(
                "Pool size", 1, 8, key=keyed(f"{name}_pool", block.pool_size), help="Side of the pooling window.", disabled=off
            )
            activation = _activation(f"{name}_activation", block.activation)
        with right:
            pool_strides = st.slider(
                "Pool stride",
                1,
                8,
                key=keyed(f"{name}_pool_strides", block.pool_strides),
                help="How far the pooling window moves.",
                disabled=off,
            )
            dropout = _dropout(f"{name}_dropout", block.dropout)
        normalise = st.toggle(
            "Batch normalisation",
            key=keyed(f"{name}_batch_normalization", block.batch_normalization),
            help="Brings each channel to mean 0 and variance 1 over the batch: often trains faster.",
        )
    return ConvBlock(
        filters=filters,
        kernel_size=size,
        strides=strides,
        padding=padding,
        batch_normalization=normalise,
        activation=activation,
        pooling=pooling,
        pool_size=pool_size,
        pool_strides=pool_strides,
        dropout=dropout,
    )


def _dense_block(number: int, block: DenseBlock) -> DenseBlock:
    name = f"dense{number}"
    with st.expander(f"Dense {number}", expanded=number == 1, key=f"open_{name}"):
        units = stops("Units", UNITS, f"{name}_units", block.units, "How many values this layer gives; each sees all before it.")
        left, right = st.columns(2)
        with left:
            activation = _activation(f"{name}_activation", block.activation)
        with right:
            dropout = _dropout(f"{name}_dropout", block.dropout)
    return DenseBlock(units=units, activation=activation, dropout=dropout)


def weights(part: Weights) -> Weights:
    """Penalties and the constraint on the weights."""
    st.caption("On every convolution and dense layer but the last. They keep weights small, against overfitting.")
    return Weights(
        kernel_l2=stops(
            "L2 (weight decay)", STRENGTHS, "kernel_l2", part.kernel_l2, "Adds this times the sum of squared weights to the loss."
        ),
        kernel_l1=stops(
            "L1", STRENGTHS, "kernel_l1", part.kernel_l1, "Adds this times the sum of absolute weights: many become zero."
        ),
        activity_l1=stops(
            "L1 on outputs",
            STRENGTHS,
            "activity_l1",
            part.activity_l1,
            "Adds this times the layer's absolute outputs: few stay active.",
        ),
        max_norm=slider(
            "MaxNorm (0: off)", 0.0, 10.0, 0.5, "max_norm", part.max_norm, "Largest length of a filter's or unit's weights."
        ),
    )
