"""Every cell that the steps of a layer make, with the layer's own output in Keras as the second opinion."""

import json
from itertools import product

import keras
import numpy as np
import pytest

from cnn_core import computation, shapes, targets
from cnn_core.computation import Choice, NotFinite
from cnn_core.inference import TrainedModel
from cnn_core.layer_kinds import KINDS, Activation, Flatten
from cnn_core.model import _keras_layer, build_model
from cnn_core.presets import preset
from cnn_core.spec import INPUT, HeadSpec, ModelSpec, RunSpec

RANDOM = np.random.default_rng(0)
TWO = ("Add", "Multiply", "Concatenate")


def case(layer, values: np.ndarray, output: np.ndarray, weights: dict, function: str = "", heads: tuple = ()):
    """(spec, the layer's name, what each layer gives, its weights); an activation follows where `function` names one."""
    layers, known = [], {INPUT: values, "made": output}
    if values.ndim == 1:  # the input of a network is never a row of values
        layers, known = [Flatten(name="row", inputs=(INPUT,))], {INPUT: values[:, None], "row": values, "made": output}
        layer = layer.model_copy(update={"inputs": ("row",) * len(layer.inputs)})
    layers.append(layer)
    if function:
        layers.append(Activation(name="after", inputs=("made",), function=function))
        known["after"] = np.asarray(keras.activations.get(function)(output))
    return RunSpec(model=ModelSpec(layers=tuple(layers), heads=heads)), "made", known, weights


def made(kind: str, values: np.ndarray, after: str = "", **settings):
    """A layer with random weights on `values`, and Keras' output of it."""
    layer = KINDS[kind](name="made", inputs=(INPUT,) * (2 if kind in TWO else 1), **settings)
    twin = _keras_layer(layer)
    fed = [values[None]] * len(layer.inputs)
    twin.build([part.shape for part in fed] if kind in TWO else values[None].shape)
    signs = ([1] if "variance" in weight.name else [1, -1] for weight in twin.weights)
    twin.set_weights(
        [RANDOM.uniform(0.2, 1, w.shape) * RANDOM.choice(sign, w.shape) for w, sign in zip(twin.weights, signs, strict=True)]
    )
    output = np.asarray(twin(fed if kind in TWO else fed[0]))[0]
    return case(layer, values, output, {weight.name: weight.numpy() for weight in twin.weights}, after)


def every_number(spec: RunSpec, name: str, known: dict, weights: dict, most: int = 1000):
    """The steps of each map (at most so many), half and block of a layer, as JSON gives them back, with their choice."""
    layer = spec.model.layer(name)
    entering = known[layer.inputs[0]].shape
    for half in computation.halves(layer) or ("",):
        _, count = computation.numbered(layer, entering, known[name].shape, half)
        for number, block in product(range(min(count, most)), range(len(computation.blocks(layer, entering, half)))):
            choice = Choice(number, half, block)
            yield choice, json.loads(json.dumps(computation.steps(spec, name, known, weights, choice), allow_nan=False))


def agrees(spec: RunSpec, name: str, known: dict, weights: dict, most: int = 1000) -> None:
    """Every cell of every map, and of what the activation behind it gives, is Keras' own; the rectangles are as many as the cells."""
    output = known[name]
    for choice, steps in every_number(spec, name, known, weights, most):
        cells = computation.outputs(steps)
        np.testing.assert_allclose(cells, steps["output"]["values"], atol=1e-4, rtol=1e-5)
        if (after := computation.activated(steps)) is not None:
            np.testing.assert_allclose(after, steps["activation"]["values"], atol=1e-4, rtol=1e-5)
        assert len(steps["seen"]["cells"]) == (len(cells) if steps["kind"] == "softmax" else cells.size)
        if choice.half != "depthwise":  # what lies between two halves is not an output of Keras
            if steps["kind"] == "flatten":
                wanted = output[choice.number :: steps["channels"]]
            elif steps["kind"] == "softmax":
                wanted = output.reshape(-1, output.shape[-1])[: len(cells)]
            elif output.ndim == 1:
                wanted = output[steps.get("first", 0) :][: cells.size]
            else:
                wanted = output[..., choice.number]
            np.testing.assert_allclose(cells, np.reshape(wanted, cells.shape), atol=1e-4, rtol=1e-5)
        assert steps["about"].endswith(".") and steps["name"] == name


def maps(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [1, 2, 3, 4])
def test_every_cell_of_a_convolution_is_that_of_keras(padding, strides):
    for size, channels in ((1, 3), (2, 1), (3, 4), (4, 2), (5, 3), (7, 1)):
        settings = {"kernel_size": size, "strides": strides, "padding": padding}
        agrees(*made("Conv2D", maps(11, 9, channels), "relu", filters=2, **settings))
        agrees(*made("Conv1D", maps(13, channels), "tanh", filters=2, **settings))
        agrees(*made("DepthwiseConv2D", maps(11, 11, channels), depth_multiplier=2, **settings))
        agrees(*made("SeparableConv2D", maps(11, 11, channels), filters=3, depth_multiplier=2, **settings))


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("kind", ["MaxPooling", "AveragePooling", "MinPooling"])
def test_every_cell_of_a_pooling_is_that_of_keras(kind, axes):
    for size, strides, padding in product((1, 2, 3, 5, 8), (1, 2, 3, 8), ("same", "valid")):
        values = maps(*(9, 8)[:axes], 2)
        agrees(*made(f"{kind}{axes}D", values, pool_size=size, strides=strides, padding=padding))


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.startswith(("Conv", "Sep", "Depth", "Max", "Min", "Average"))]
)
def test_every_other_kind(kind):
    for values in (maps(7, 6, 3), maps(9, 3), maps(8)):
        axes = getattr(KINDS[kind], "axes", values.ndim - 1)
        if axes == values.ndim - 1 and (kind != "Dense" or values.ndim == 1):
            agrees(*made(kind, values, "sigmoid", **({"units": 5} if kind == "Dense" else {})))


@pytest.mark.parametrize("function", [*computation.FUNCTIONS, "softmax"])
def test_every_function(function):
    for values in (maps(5, 4, 3) * 3, maps(9) * 3):
        agrees(
            *case(
                Activation(name="made", inputs=(INPUT,), function=function),
                values,
                np.asarray(keras.activations.get(function)(values[None]))[0],
                {},
            )
        )


def test_a_layer_with_many_channels_sends_a_block_and_the_sum_of_the_others():
    found = made("Conv2D", maps(14, 14, 256), "relu", filters=1, kernel_size=3)
    agrees(*found)
    blocks = list(every_number(*found))
    assert len(blocks) == 3
    for _, steps in blocks:
        assert len(json.dumps(steps)) < 300_000
        assert "of 256 are shown; the others come as one sum for each cell" in steps["left_out"]
    assert sum(len(steps["inputs"]) for _, steps in blocks) == 256


def test_a_dense_layer_with_many_inputs_sends_those_that_weigh_most():
    found = made("Dense", maps(20_000), units=3)
    agrees(*found)
    for _, steps in every_number(*found):
        del steps["seen"]  # no network has an input of so many points
        assert len(json.dumps(steps)) < 300_000
        assert steps["left_out"].startswith("Of 20,000 inputs the 5,000 that weigh most are shown.")


def test_average_pooling_counts_only_real_cells():
    spec, _, known, weights = made("AveragePooling2D", np.ones((3, 3, 1), np.float32), pool_size=2, strides=2, padding="same")
    steps = computation.steps(spec, "made", known, weights, Choice())
    assert (computation.outputs(steps) == 1).all() and steps["after"] == [1, 1]


def test_softmax_names_the_classes_of_its_head():
    values = maps(10)
    layer = Activation(name="made", inputs=(INPUT,), function="softmax")
    output = np.asarray(keras.activations.softmax(values[None]))[0]
    spec, _, known, _ = case(layer, values, output, {}, heads=(HeadSpec(layer="made"),))
    steps = computation.steps(spec, "made", known, {}, Choice())
    assert steps["labels"] == [str(digit) for digit in range(10)]


def test_a_dense_layer_knows_which_map_each_of_its_inputs_was():
    spec = preset("tiny").spec
    dense = next(layer for layer in spec.model.layers if layer.kind == "Dense")
    known = {INPUT: np.zeros((28, 28, 1), np.float32)}
    for layer in shapes.report(spec.model, spec.data).layers:
        known[layer.name] = np.zeros(layer.output_shape, np.float32)
    flat = known[dense.inputs[0]]
    steps = computation.steps(
        spec, dense.name, known, {"kernel": np.zeros((len(flat), dense.units)), "bias": np.zeros(dense.units)}, Choice()
    )
    assert np.prod(steps["shape"]) == len(flat)
    assert steps["activation"] or steps["softmax"]


def test_numbers_that_are_none_are_said_in_a_sentence():
    spec, _, known, weights = made("Conv2D", maps(5, 5, 1), filters=1)
    known["made"] = np.full_like(known["made"], np.nan)
    with pytest.raises(NotFinite, match="Train it again with a lower learning rate"):
        computation.steps(spec, "made", known, weights, Choice())


@pytest.mark.parametrize("name", ["tiny", "mnist1d-forecast", "residual", "inception"])
def test_every_layer_of_a_network(name, tmp_path):
    spec = preset(name).spec
    build_model(spec).save_weights(tmp_path / "model.weights.h5")
    model = TrainedModel(spec, tmp_path / "model.weights.h5")
    shape = targets.input_shape(spec.data)
    if len(shape) == 3:
        example = RANDOM.integers(0, 256, (28, 28)).astype(np.uint8)
    else:
        example = RANDOM.normal(size=(40, 1)).astype(np.float32)
    fed = computation.fed(spec.data, example)
    assert fed.shape == shape and fed.dtype == np.float32
    known = {INPUT: fed, **model.activations(example)}
    for layer in spec.model.layers:
        agrees(spec, layer.name, known, model.weights(layer.name), most=2)
