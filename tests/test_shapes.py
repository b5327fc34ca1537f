"""Shapes, parameters and receptive fields, with Keras and perturbed inputs as the second opinion."""

import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from cnn_core import layer_kinds, shapes
from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, to_graph
from cnn_core.errors import SpecError
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import ModelSpec, RunSpec
from tests import strategies


def of(model: ModelSpec) -> shapes.NetworkReport:
    return shapes.report(model, (28, 28, 1), 10)


def agrees_with_keras(model: ModelSpec) -> None:
    """Every shape and count is Keras' own; what is reported as faulty cannot be built."""
    import keras

    from cnn_core.model import _keras_layer, build_model

    network = of(model)
    if network.errors:
        with pytest.raises(SpecError) as caught:
            build_model(RunSpec(model=model))
        assert str(caught.value) == " ".join(network.errors)
        for layer in network.layers:
            if layer.error and "does not fit" in layer.error:
                # Keras refuses the window too, or makes a map without a pixel of it.
                try:
                    output = _keras_layer(model.layer(layer.name))(keras.Input(layer.input_shape))
                except ValueError:
                    continue
                assert min(output.shape[1:3]) <= 0
        return
    built = build_model(RunSpec(model=model))
    assert len(built.layers) == 1 + len(network.layers)
    for layer in network.layers:
        twin = built.get_layer(layer.name)
        assert tuple(twin.output.shape[1:]) == layer.output_shape, layer
        assert tuple(twin.input.shape[1:]) == layer.input_shape, layer
        assert twin.count_params() == layer.parameters, layer
    assert built.count_params() == network.parameters


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.ten_class_blocks.map(to_graph))
def test_block_shaped_networks_agree_with_keras(model):
    agrees_with_keras(model)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.chains())
def test_any_chain_of_layers_agrees_with_keras(model):
    agrees_with_keras(model)


@settings(deadline=None, max_examples=200)
@given(strategies.ten_class_blocks.map(to_graph))
def test_the_formula_gives_the_number_of_parameters(model):
    for layer in of(model).layers:
        if layer.formula:
            expression = re.sub(r" \(half.*", "", layer.formula).replace("·", "*")
            assert eval(expression, {}) == layer.parameters


@pytest.mark.parametrize("name", PRESETS)
def test_presets_agree_with_keras(name):
    agrees_with_keras(PRESETS[name].spec.model)


def test_lenet5_known_answers():
    network = of(preset("lenet5").spec.model)
    layers = {layer.name: layer for layer in network.layers}
    assert network.parameters == 27_598 and network.errors == ()
    assert {name: layers[name].parameters for name in ("conv_1", "conv_2", "conv_3", "dense_1", "output")} == {
        "conv_1": 156,
        "conv_2": 906,
        "conv_3": 906,
        "dense_1": 24_780,
        "output": 850,
    }
    assert layers["conv_1"].output_shape == (28, 28, 6) and layers["pool_2"].output_shape == (7, 7, 6)
    assert layers["conv_1"].formula == "(5·5·1 + 1)·6"
    # 28·28·6·25 + 14·14·6·25·6 + 7·7·6·25·6 + 294·84 + 84·10
    assert network.multiply_adds == 117_600 + 176_400 + 44_100 + 24_696 + 840
    fields = [layers[name].receptive_field for name in ("conv_1", "pool_1", "conv_2", "pool_2", "conv_3", "flatten", "softmax")]
    assert fields == [5, 6, 14, 16, 32, None, None]


def test_two_convolutions_of_three_see_five():
    model = to_graph(Blocks(conv=(ConvBlock(pooling="none"), ConvBlock(pooling="none"))))
    fields = {layer.name: layer.receptive_field for layer in of(model).layers}
    assert (fields["conv_1"], fields["conv_2"]) == (3, 5)


def test_the_receptive_field_is_the_part_of_the_input_that_changes_a_cell():
    from cnn_core.model import build_model

    conv = (
        ConvBlock(filters=2, kernel_size=3, strides=2, padding="valid", activation="linear", pooling="average", pool_size=3),
        ConvBlock(filters=2, kernel_size=2, padding="valid", activation="linear", pooling="none"),
    )
    spec = RunSpec(model=to_graph(Blocks(conv=conv)))
    expected = {layer.name: layer.receptive_field for layer in of(spec.model).layers}["conv_2"]
    model = build_model(spec)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([np.ones(values.shape, np.float32) for values in layer.get_weights()])
    import keras

    cell = keras.Model(model.inputs, model.get_layer("conv_2").output)
    one_pixel_each = np.eye(28 * 28, dtype=np.float32).reshape(-1, 28, 28, 1)
    maps = cell.predict(one_pixel_each, batch_size=784, verbose=0) - cell.predict(np.zeros((1, 28, 28, 1)), verbose=0)
    seen = np.abs(maps[:, 1, 1, 0]).reshape(28, 28) > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == expected == 11


def test_a_kernel_larger_than_its_map():
    small = ConvBlock(kernel_size=3, pool_size=4, pool_strides=4)
    model = to_graph(Blocks(conv=(small, small, ConvBlock(kernel_size=5, padding="valid"))))
    network = of(model)
    sentence = (
        "Kernel 5x5 does not fit the 1x1 map that reaches it. "
        "Lower its size, use padding 'same', or remove a pooling layer or a stride before it."
    )
    faulty = next(layer for layer in network.layers if layer.error)
    assert (faulty.name, faulty.error, faulty.output_shape) == ("conv_3", sentence, None)
    assert network.errors == (f"Layer conv_3: {sentence}",)
    behind = network.layers[network.layers.index(faulty) + 1 :]
    assert behind and all(layer.output_shape is None and layer.error is None for layer in behind)
    with pytest.raises(SpecError) as caught:
        shapes.check(model, (28, 28, 1), 10)
    assert str(caught.value) == f"Layer conv_3: {sentence}"


def chain(*layers: dict) -> ModelSpec:
    named = [{**layer, "name": f"layer_{number}"} for number, layer in enumerate(layers)]
    return ModelSpec.model_validate({"layers": named, "heads": [{"layer": named[-1]["name"]}]})


SOFTMAX = {"kind": "Activation", "function": "softmax"}


def test_layers_in_the_wrong_place():
    assert of(chain({"kind": "Dense"}, SOFTMAX)).errors == (
        "Layer layer_0: A dense layer needs one row of values, and feature maps reach it. Put Flatten before it.",
    )
    for kind, what in (("Conv2D", "A convolution"), ("MaxPooling2D", "Pooling")):
        assert of(chain({"kind": "Flatten"}, {"kind": kind}, SOFTMAX)).errors == (
            f"Layer layer_1: {what} needs an image or a feature map (height x width x channels), and 1-dimensional data reaches "
            "it. Move it before Flatten.",
        )


def test_faults_of_the_whole_network():
    assert of(to_graph(Blocks(classes=7))).errors == (
        "Head label: layer softmax gives (7,), and the data has 10 classes. End with a dense layer of 10 units.",
    )
    assert of(chain({"kind": "Flatten"}, {"kind": "Dense"})).errors == (
        "Head label: categorical_crossentropy needs probabilities. Make a softmax activation the last layer.",
    )
    wide = Blocks(conv=(ConvBlock(filters=256, pooling="none"),), dense=(DenseBlock(units=1024),))
    assert "205,534,730 parameters, more than the 100,000,000" in of(to_graph(wide)).errors[0]
    huge = shapes.report(to_graph(Blocks(conv=(ConvBlock(filters=256),))), (280, 280, 1), 10)
    assert "its output has 20,070,400 values for one image, more than 4,000,000. Lower its filters." in huge.errors[0]


def test_every_kind_of_layer_is_compared_with_keras():
    drawn = set()

    @settings(max_examples=300, deadline=None, database=None)
    @given(strategies.chains())
    def draw(model):
        drawn.update(layer.kind for layer in model.layers)

    draw()
    known = get_args(get_args(layer_kinds.Layer)[0])
    assert drawn == {kind.__name__ for kind in known}
