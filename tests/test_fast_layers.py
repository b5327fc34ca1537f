"""The faster layers against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnn_core import fast_layers
from cnn_core.fast_layers import quicken, skip_pixels
from cnn_core.model import build_model
from cnn_core.spec import ModelSpec, RunSpec

RANDOM = np.random.default_rng(0)


def learned(model: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """The answer of a training step, its gradients and what it leaves in the variables that are not trained."""
    inputs = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        answer = model(inputs, training=True)
        loss = tf.reduce_sum((answer - 1) ** 2)
    gradients = tape.gradient(loss, [inputs, *(variable.value for variable in model.trainable_variables)])
    kept = [variable.numpy() for variable in model.non_trainable_variables]
    return [answer.numpy(), *(tf.convert_to_tensor(gradient).numpy() for gradient in gradients), *kept]


def compare(layer: keras.layers.Layer, shape: tuple[int, ...]) -> None:
    """Insist that a layer answers and learns the same before and after `quicken`."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    images = RANDOM.normal(1, 2, (5, *shape)).astype(np.float32)
    before = model.get_weights()
    expected = learned(model, images)
    model.set_weights(before)
    quicken(model)
    assert "call" in vars(layer)
    for one, other in zip(expected, learned(model, images), strict=True):
        np.testing.assert_allclose(other, one, rtol=2e-4, atol=2e-4 * max(1, np.abs(one).max()))
    np.testing.assert_allclose(model(images, training=False), keras.Model(inputs, layer(inputs))(images), atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 7),
    st.integers(1, 3),
    st.sampled_from(["same", "valid"]),
    st.integers(7, 12),
    st.integers(1, 5),
    st.integers(1, 9),
    st.sampled_from([8, 16]),
)
def test_convolutions(size, strides, padding, side, channels, filters, lanes):
    assume(size > 1 or strides == 1)  # Keras' own gradient of the others corrupts memory now and then
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_layers, "lanes", lambda: lanes)
        layer = keras.layers.Conv2D(filters, size, strides, padding, bias_initializer="random_normal")
        compare(layer, (side, side, channels))


@pytest.mark.parametrize(("strides", "side"), [(2, 10), (2, 9), (3, 10), (3, 11)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_1x1_convolution_with_strides_is_a_product_with_every_second_or_third_pixel(strides, side, padding):
    inputs = keras.Input((side, side, 5))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, strides, padding)(inputs))
    quicken(model)
    images = RANDOM.normal(size=(3, side, side, 5)).astype(np.float32)
    answer, _, kernel_gradient, bias_gradient = learned(model, images)
    seen, kernel = images[:, ::strides, ::strides], model.layers[1].kernel.numpy()[0, 0]
    np.testing.assert_allclose(answer, seen @ kernel, atol=1e-5)
    wanted = 2 * (answer - 1)
    np.testing.assert_allclose(kernel_gradient[0, 0], np.einsum("nyxi,nyxo->io", seen, wanted), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(bias_gradient, wanted.sum(axis=(0, 1, 2)), rtol=1e-3, atol=1e-3)


def test_the_gradient_of_a_1x1_convolution_with_strides_is_its_own_in_every_model():
    """Of these sizes TensorFlow's own ends the process within a few times."""
    layers = [{"kind": "Conv2D", "name": "six"}, {"kind": "Conv2D", "name": "some", "kernel_size": 1, "strides": 2}]
    end = [
        {"kind": "Flatten", "name": "row"},
        {"kind": "Dense", "name": "out"},
        {"kind": "Activation", "name": "softmax", "function": "softmax"},
    ]
    network = ModelSpec.model_validate({"layers": [*layers, *end], "heads": [{"layer": "softmax"}]})
    some = build_model(RunSpec(model=network)).get_layer("some")
    kernel = some.kernel.numpy()[0, 0]
    for _ in range(15):
        maps, wanted = (RANDOM.normal(size=(5, side, side, 6)).astype(np.float32) for side in (28, 14))
        with tf.GradientTape() as tape:
            shown = tf.constant(maps)
            tape.watch(shown)
            loss = tf.reduce_sum(some(shown) * wanted)
        of_kernel, of_maps = tape.gradient(loss, [some.kernel.value, shown])
        np.testing.assert_allclose(of_kernel[0, 0], np.einsum("nyxi,nyxo->io", maps[:, ::2, ::2], wanted), rtol=1e-3, atol=1e-2)
        expected = np.zeros_like(maps)
        expected[:, ::2, ::2] = wanted @ kernel.T
        np.testing.assert_allclose(of_maps, expected, atol=1e-4)


@pytest.mark.parametrize(("strides", "side"), [(2, 28), (3, 14), (4, 9)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_fewer_pixels_give_the_same_bits(strides, side, padding):
    images = RANDOM.normal(size=(4, side, side, 5)).astype(np.float32)
    inputs = keras.Input((side, side, 5))
    model = keras.Model(inputs, keras.layers.Conv2D(7, 1, strides, padding)(inputs))
    expected = model(images).numpy()
    skip_pixels(model)
    assert "call" in vars(model.layers[1])
    np.testing.assert_array_equal(model(images), expected)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("filters", "pairs"), [(8, True), (9, False)])
def test_few_filters_are_computed_in_pairs_of_columns(monkeypatch, padding, filters, pairs):
    seen, folded_kernel = [], fast_layers.folded_kernel
    monkeypatch.setattr(fast_layers, "lanes", lambda: 16)
    monkeypatch.setattr(fast_layers, "folded_kernel", lambda kernel, how: seen.append(how) or folded_kernel(kernel, how))
    compare(keras.layers.Conv2D(filters, 5, padding=padding), (12, 12, 2))
    assert set(seen) == ({padding.upper()} if pairs else set())


@pytest.mark.parametrize("shape", [(6, 5, 3), (11,)])
def test_batch_normalisation(shape):
    compare(keras.layers.BatchNormalization(momentum=0.8), shape)


@pytest.mark.parametrize("shape", [(6, 5, 3), (7, 4), (11,)])
def test_layer_normalisation(shape):
    compare(keras.layers.LayerNormalization(beta_initializer="random_normal", gamma_initializer="random_normal"), shape)


def test_a_quickened_network_is_saved_as_an_ordinary_one(tmp_path):
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.Conv2D(2, 3)(inputs)))
    quicken(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    images = RANDOM.random((3, 8, 8, 1), dtype=np.float32)
    np.testing.assert_allclose(loaded(images), model(images), atol=1e-5)
