"""Every kind of layer: its settings, its words, and what its Keras layer computes, with numpy as the second opinion."""

from typing import get_args

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cnn_core import layer_kinds
from cnn_core.layer_kinds import KINDS, Layer
from cnn_core.model import _keras_layer
from tests import strategies

READ = TypeAdapter(Layer)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 7, 7, 3)).astype(np.float32)
SERIES = RANDOM.normal(size=(2, 9, 3)).astype(np.float32)
MERGES = ("Add", "Multiply", "Concatenate")


def made(kind: str, **changes) -> layer_kinds.BaseLayer:
    return READ.validate_python({"kind": kind, "name": "made", "inputs": ["input"] * (2 if kind in MERGES else 1), **changes})


def example(kind: str) -> np.ndarray:
    """Something that a layer of this kind can be fed with."""
    if kind == "Dense":
        return IMAGES.reshape(2, -1)
    return SERIES if kind.endswith("1D") else IMAGES


def built(layer: layer_kinds.BaseLayer, values: np.ndarray) -> keras.layers.Layer:
    """The Keras layer with random weights."""
    twin = _keras_layer(layer)
    twin.build([values.shape] * 2 if layer.kind in MERGES else values.shape)
    twin.set_weights([RANDOM.normal(size=weight.shape) for weight in twin.get_weights()])
    return twin


def windows(values: np.ndarray, size: int, strides: int, padding: str) -> tuple[np.ndarray, np.ndarray]:
    """Every window of a batch of maps (n, sides, channels): (n, places, window, channels), and which of its cells are on the map."""
    sides = values.shape[1:-1]
    if padding == "same":
        counts = [-(-side // strides) for side in sides]
        missing = [max(0, (count - 1) * strides + size - side) for count, side in zip(counts, sides, strict=True)]
        border = [(0, 0), *((lack // 2, lack - lack // 2) for lack in missing), (0, 0)]
    else:
        counts, border = [(side - size) // strides + 1 for side in sides], [(0, 0)] * values.ndim
    axes = tuple(range(1, values.ndim - 1))
    seen = []
    for padded in (np.pad(values, border), np.pad(np.ones_like(values), border)):
        found = np.lib.stride_tricks.sliding_window_view(padded, (size,) * len(axes), axis=axes)
        found = found[(slice(None), *(slice(None, count * strides, strides) for count in counts))]
        found = np.moveaxis(found, len(axes) + 1, -1)  # the channels behind the window
        seen.append(found.reshape(len(values), *counts, -1, values.shape[-1]))
    return seen[0], seen[1] > 0


def test_there_are_28_kinds_and_each_is_found_by_its_name():
    assert len(KINDS) == 28 and {made(kind).kind for kind in KINDS} == set(KINDS)
    assert all(type(made(kind)) is KINDS[kind] and kind in layer_kinds.__all__ for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_its_words(kind):
    about = KINDS[kind].__doc__ or ""
    assert about[0].isupper() and about.endswith((".", ").")) and "\n" not in about
    for name, field in KINDS[kind].model_fields.items():
        assert (
            name == "kind"
            or (field.description[0].isalpha() and field.description.endswith("."))
            or (name == "padding" and field.description)
        ), (name, field.description)
    assert KINDS[kind].title[0].isalpha() and KINDS[kind].group
    assert KINDS[kind].keras_layer == kind, "the kinds are called as in Keras"


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(list(KINDS.values())).flatmap(lambda kind: strategies.layers(kind, "made", ("input", "b")[: kind.takes[0]]))
)
def test_a_round_trip_through_json_is_the_identity(layer):
    assert READ.validate_json(READ.dump_json(layer)) == layer


LIMITS = {
    "filters": (1, 256),
    "kernel_size": (1, 11),
    "units": (1, 1024),
    "depth_multiplier": (1, 16),
    "pool_size": (1, 8),
    "rate": (0.0, 0.99),
    "stddev": (0.0, 10.0),
    "kernel_l1": (0.0, 1.0),
    "kernel_l2": (0.0, 1.0),
    "activity_l1": (0.0, 1.0),
    "activity_l2": (0.0, 1.0),
    "max_norm": (0.0, 100.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_limits(kind):
    limits = dict(LIMITS)
    if kind.startswith("ZeroPadding"):
        limits["padding"] = (1, 10)
    if "strides" in KINDS[kind].model_fields:
        limits["strides"] = (1, 8 if "Pooling" in kind else 4)
    numbers = [name for name in KINDS[kind].model_fields if name in limits]
    assert set(KINDS[kind].model_fields) - {
        "name",
        "inputs",
        "kind",
        "function",
        *(() if "padding" in limits else ("padding",)),
    } == set(numbers)
    for name in numbers:
        least, most = limits[name]
        assert [getattr(made(kind, **{name: end}), name) for end in (least, most)] == [least, most]
        over = 1.0 if name == "rate" else most + 1
        for wrong in (least - 1, over, "many", None, *((float("nan"), float("inf")) if isinstance(most, float) else (1.5,))):
            with pytest.raises(ValidationError, match=name):
                made(kind, **{name: wrong})
    with pytest.raises(ValidationError):
        made(kind, colour="red")
    with pytest.raises(ValidationError):
        made(kind, inputs=["input"] * 9)
    with pytest.raises(ValidationError):
        made(kind, name="Made here")


SLIDING = [(size, strides, padding) for size in (1, 2, 3, 5) for strides in (1, 2, 3) for padding in ("same", "valid")]


@pytest.mark.parametrize("kind", ["Conv1D", "Conv2D"])
@pytest.mark.parametrize(("size", "strides", "padding"), SLIDING)
def test_a_convolution_is_the_sum_of_the_products_of_each_window(kind, size, strides, padding):
    values = example(kind)
    twin = built(made(kind, filters=4, kernel_size=size, strides=strides, padding=padding), values)
    kernel, bias = twin.get_weights()
    seen, _ = windows(values, size, strides, padding)
    expected = np.einsum("...wc,wcf->...f", seen, kernel.reshape(-1, 3, 4)) + bias
    np.testing.assert_allclose(twin(values), expected, atol=1e-4)


@pytest.mark.parametrize(("size", "strides", "padding"), SLIDING)
def test_depthwise_and_separable_convolutions(size, strides, padding):
    settings = {"depth_multiplier": 2, "kernel_size": size, "strides": strides, "padding": padding}
    seen, _ = windows(IMAGES, size, strides, padding)
    depthwise = built(made("DepthwiseConv2D", **settings), IMAGES)
    kernel, bias = depthwise.get_weights()
    maps = np.einsum("...wc,wcm->...cm", seen, kernel.reshape(-1, 3, 2))
    np.testing.assert_allclose(depthwise(IMAGES), maps.reshape(*maps.shape[:-2], 6) + bias, atol=1e-4)

    separable = built(made("SeparableConv2D", filters=4, **settings), IMAGES)
    first, second, bias = separable.get_weights()
    maps = np.einsum("...wc,wcm->...cm", seen, first.reshape(-1, 3, 2)).reshape(*maps.shape[:-2], 6)
    np.testing.assert_allclose(separable(IMAGES), maps @ second[0, 0] + bias, atol=1e-4)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "Pooling" in kind and "Global" not in kind])
@pytest.mark.parametrize(("size", "strides", "padding"), SLIDING)
def test_a_pooling_gives_one_value_of_each_window(kind, size, strides, padding):
    """At 'same' borders of the values that are on the map, not of the zeros around it."""
    values = example(kind)
    seen, inside = windows(values, size, strides, padding)
    if "Average" in kind:
        expected = (seen * inside).sum(axis=-2) / inside.sum(axis=-2)
    elif "Max" in kind:
        expected = np.where(inside, seen, -np.inf).max(axis=-2)
    else:
        expected = np.where(inside, seen, np.inf).min(axis=-2)
    found = built(made(kind, pool_size=size, strides=strides, padding=padding), values)(values)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("Global")])
def test_global_pooling(kind):
    values = example(kind)
    inner = tuple(range(1, values.ndim - 1))
    expected = values.max(axis=inner) if "Max" in kind else values.mean(axis=inner)
    np.testing.assert_allclose(built(made(kind), values)(values), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["ZeroPadding1D", "ZeroPadding2D"])
def test_zero_padding(kind):
    values = example(kind)
    border = [(0, 0), *[(2, 2)] * (values.ndim - 2), (0, 0)]
    np.testing.assert_array_equal(built(made(kind, padding=2), values)(values), np.pad(values, border))


def test_dense_and_flatten():
    row = built(made("Flatten"), IMAGES)(IMAGES)
    np.testing.assert_array_equal(row, IMAGES.reshape(2, -1))
    dense = built(made("Dense", units=5), IMAGES.reshape(2, -1))
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(dense(row), IMAGES.reshape(2, -1) @ kernel + bias, atol=1e-4)


def test_layer_normalisation_is_over_the_channels_of_each_place():
    twin = built(made("LayerNormalization"), IMAGES)
    scale, shift = twin.get_weights()
    centred = IMAGES - IMAGES.mean(axis=-1, keepdims=True)
    expected = centred / np.sqrt(IMAGES.var(axis=-1, keepdims=True) + twin.epsilon) * scale + shift
    np.testing.assert_allclose(twin(IMAGES), expected, atol=1e-4)


def test_batch_normalisation_is_over_the_batch_and_keeps_running_means():
    twin = _keras_layer(made("BatchNormalization"))
    found = twin(IMAGES, training=True)
    mean, variance = IMAGES.mean(axis=(0, 1, 2)), IMAGES.var(axis=(0, 1, 2))
    np.testing.assert_allclose(found, (IMAGES - mean) / np.sqrt(variance + twin.epsilon), atol=1e-4)
    np.testing.assert_allclose(twin.moving_mean, 0.01 * mean, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "join"), [("Add", np.add), ("Multiply", np.multiply), ("Concatenate", lambda *maps: np.concatenate(maps, axis=-1))]
)
def test_merges(kind, join):
    other = RANDOM.normal(size=IMAGES.shape).astype(np.float32)
    np.testing.assert_allclose(built(made(kind), IMAGES)([IMAGES, other]), join(IMAGES, other), rtol=1e-6)


FUNCTIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),  # within a thousandth
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


def test_every_activation_by_its_definition():
    assert set(FUNCTIONS) == set(get_args(layer_kinds.ActivationName))
    for name, function in FUNCTIONS.items():
        np.testing.assert_allclose(
            _keras_layer(made("Activation", function=name))(IMAGES), function(IMAGES), atol=2e-3, err_msg=name
        )


@pytest.mark.parametrize(("kind", "whole"), [("Dropout", False), ("SpatialDropout1D", True), ("SpatialDropout2D", True)])
def test_dropouts_drop_their_share_in_training_alone(kind, whole):
    values = np.ones((200, 6, 10) if kind.endswith("1D") else (200, 6, 6, 10), np.float32)
    keras.utils.set_random_seed(0)
    layer = _keras_layer(made(kind, rate=0.25))
    np.testing.assert_array_equal(layer(values, training=False), values)
    found = layer(values, training=True).numpy()
    assert 0.2 < (found == 0).mean() < 0.3 and found.mean() == pytest.approx(1, abs=0.07)
    of_a_map = (found == 0).reshape(200, -1, 10).mean(axis=1)
    assert (np.isin(of_a_map, (0, 1)).all()) == whole


def test_gaussian_noise_is_added_in_training_alone():
    values = np.full((100, 10, 10, 1), 3, np.float32)
    layer = _keras_layer(made("GaussianNoise", stddev=0.5))
    np.testing.assert_array_equal(layer(values, training=False), values)
    found = layer(values, training=True).numpy()
    assert found.mean() == pytest.approx(3, abs=0.03) and found.std() == pytest.approx(0.5, rel=0.05)


WEIGHTED = [kind for kind in KINDS if "kernel_l2" in KINDS[kind].model_fields]


def kernels(twin: keras.layers.Layer) -> dict[str, np.ndarray]:
    return {weight.name: weight.numpy() for weight in twin.weights if weight.name.endswith("kernel")}


def lengths(twin: keras.layers.Layer) -> np.ndarray:
    """The length of the weights of every filter or unit; of a depthwise kernel, of each channel's filters."""
    found = []
    for name, kernel in kernels(twin).items():
        outputs = (
            kernel.shape[-2] * kernel.shape[-1]
            if name == "depthwise_kernel" or "Depthwise" in type(twin).__name__
            else kernel.shape[-1]
        )
        found.append(np.sqrt((kernel.reshape(-1, outputs) ** 2).sum(axis=0)))
    return np.concatenate(found)


@pytest.mark.parametrize("kind", WEIGHTED)
def test_penalties_reach_every_kernel_and_the_outputs(kind):
    values = example(kind)
    plain = {"kernel_l1": 0.25, "kernel_l2": 0.5, "activity_l1": 0.125, "activity_l2": 0.0625}
    twin = built(made(kind, **plain), values)
    output = twin(values).numpy().astype(np.float64)
    expected = sum(0.25 * np.abs(kernel).sum() + 0.5 * (kernel**2).sum() for kernel in kernels(twin).values())
    expected += (0.125 * np.abs(output).sum() + 0.0625 * (output**2).sum()) / len(values)
    assert float(sum(twin.losses)) == pytest.approx(expected, rel=1e-4)
    assert len(kernels(twin)) == (2 if kind == "SeparableConv2D" else 1)
    assert not built(made(kind), values).losses


def test_the_penalty_of_an_activation_is_on_its_outputs():
    twin = _keras_layer(made("Activation", function="relu", activity_l1=0.5, activity_l2=0.25))
    output = twin(IMAGES).numpy()
    assert float(sum(twin.losses)) == pytest.approx((0.5 * output.sum() + 0.25 * (output**2).sum()) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", WEIGHTED)
def test_with_max_norm_no_step_makes_a_filter_longer_than_that(kind):
    limit, values = 0.75, example(kind)
    layer = made(kind, max_norm=limit, **({"depth_multiplier": 2} if "depth_multiplier" in KINDS[kind].model_fields else {}))
    inputs = keras.Input(values.shape[1:])
    model = keras.Model(inputs, _keras_layer(layer)(inputs))
    twin = model.layers[1]
    twin.set_weights([RANDOM.normal(size=weight.shape) for weight in twin.get_weights()])
    before = lengths(twin)
    assert before.max() > limit
    model.compile(keras.optimizers.SGD(0.0), "mean_squared_error")  # it moves no weight, so that the norm alone is seen
    model.train_on_batch(values, np.zeros(model(values).shape))
    np.testing.assert_allclose(lengths(twin), np.minimum(before, limit), rtol=1e-4)
    model.compile(keras.optimizers.SGD(0.5), "mean_squared_error")
    model.train_on_batch(values, np.full(model(values).shape, 9.0))
    assert lengths(twin).max() <= limit * 1.0001
