"""Blocks and the graphs they stand for."""

import pytest
from hypothesis import given, settings

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights, from_graph, to_graph
from cnn_core.presets import PRESETS
from cnn_core.spec import ModelSpec
from tests import strategies


@settings(deadline=None, max_examples=300)
@given(strategies.blocks)
def test_a_graph_made_of_blocks_comes_back_as_blocks_that_make_it(blocks):
    graph = to_graph(blocks)
    again = from_graph(graph)
    assert again is not None and to_graph(again) == graph


@settings(deadline=None, max_examples=200)
@given(strategies.graphs())
def test_any_other_graph_gives_none_or_blocks_that_make_it(drawn):
    graph, _ = drawn
    blocks = from_graph(graph)
    assert blocks is None or to_graph(blocks) == graph


def test_every_setting_comes_back():
    blocks = Blocks(
        conv=(
            ConvBlock(
                filters=7,
                kernel_size=4,
                strides=2,
                padding="valid",
                batch_normalization=True,
                activation="elu",
                pooling="min",
                pool_size=3,
                pool_strides=1,
                dropout=0.2,
            ),
            ConvBlock(activation="linear", pooling="average"),
        ),
        dense=(DenseBlock(units=5, activation="tanh", dropout=0.4), DenseBlock(units=6)),
        weights=Weights(kernel_l2=0.1, kernel_l1=0.2, activity_l1=0.3, max_norm=2),
        classes=10,
    )
    assert from_graph(to_graph(blocks)) == blocks
    assert from_graph(to_graph(Blocks())) == Blocks()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_block_shaped_or_other_networks(name):
    model = PRESETS[name].spec.model
    blocks = from_graph(model)
    others = {"best", "all-convolutional", "inception", "residual", "two-heads", "mnist1d", "mnist1d-forecast"}
    assert (blocks is None) == (name in others)
    assert blocks is None or to_graph(blocks) == model


def test_the_penalty_on_the_output_is_on_the_activation():
    model = to_graph(Blocks(dense=(DenseBlock(), DenseBlock(activation="linear")), weights=Weights(activity_l1=0.5)))
    assert model.layer("dense_1").activity_l1 == 0 and model.layer("dense_activation_1").activity_l1 == 0.5
    assert model.layer("dense_2").activity_l1 == 0.5
    assert model.layer("output").activity_l1 == 0 and model.layer("softmax").activity_l1 == 0


def other(*layers: dict) -> ModelSpec:
    return ModelSpec.model_validate({"layers": layers, "heads": [{"layer": layers[-1]["name"]}]})


FLATTEN = {"kind": "Flatten", "name": "flatten"}
OUTPUT = {"kind": "Dense", "name": "output", "units": 10}
SOFTMAX = {"kind": "Activation", "name": "softmax", "function": "softmax"}
CONV = {"kind": "Conv2D", "name": "conv_1"}
RELU = {"kind": "Activation", "name": "activation_1"}


@pytest.mark.parametrize(
    "graph",
    [
        other({"kind": "Dropout", "name": "dropout_1"}, FLATTEN, OUTPUT, SOFTMAX),  # a block starts with its convolution
        other(CONV, {"kind": "Dropout", "name": "dropout_1"}, RELU, FLATTEN, OUTPUT, SOFTMAX),  # dropout before activation
        other(CONV | {"name": "my_convolution"}, FLATTEN, OUTPUT, SOFTMAX),  # another name
        other(CONV, RELU, FLATTEN, OUTPUT),  # no softmax
        other(CONV, RELU, FLATTEN, OUTPUT | {"name": "last"}, SOFTMAX),
        other(FLATTEN, OUTPUT | {"kernel_l2": 0.1}, SOFTMAX),  # a penalty on the last layer
        other(CONV | {"kernel_l2": 0.1}, CONV | {"name": "conv_2"}, FLATTEN, OUTPUT, SOFTMAX),  # penalties that differ
        other(CONV, {"kind": "MaxPooling2D", "name": "pool_1", "padding": "same"}, FLATTEN, OUTPUT, SOFTMAX),
        other(*(CONV | {"name": f"conv_{number}"} for number in range(1, 7)), FLATTEN, OUTPUT, SOFTMAX),  # six convolutions
        other(FLATTEN, OUTPUT | {"units": 1}, SOFTMAX),
    ],
)
def test_graphs_that_no_blocks_make(graph):
    assert from_graph(graph) is None
