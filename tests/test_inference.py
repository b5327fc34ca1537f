"""What a trained network answers, with numpy's convolution as the second opinion."""

import numpy as np
import pytest
import tensorflow as tf

from cnn_core import datasets
from cnn_core.blocks import Blocks, ConvBlock, to_graph
from cnn_core.errors import LabError
from cnn_core.inference import TrainedModel
from cnn_core.model import build_model, scaled
from cnn_core.spec import RunSpec, change


@pytest.fixture(scope="module")
def model(trained) -> TrainedModel:
    return TrainedModel(trained.spec, trained.folder / "model.weights.h5")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return datasets.load("mnist-5k").x_test[:20]


def convolve(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray, strides: int, padding: str) -> np.ndarray:
    """The definition: at each place the sum of the products of kernel and image (height, width, channels), plus the bias."""
    size = kernel.shape[0]
    height, width = image.shape[:2]
    if padding == "same":
        rows, columns = -(-height // strides), -(-width // strides)
        down = max(0, (rows - 1) * strides + size - height)
        across = max(0, (columns - 1) * strides + size - width)
        image = np.pad(image, ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0)))
    else:
        rows, columns = (height - size) // strides + 1, (width - size) // strides + 1
    maps = np.empty((rows, columns, kernel.shape[3]))
    for row in range(rows):
        for column in range(columns):
            window = image[row * strides : row * strides + size, column * strides : column * strides + size]
            maps[row, column] = np.tensordot(window, kernel, axes=3) + bias
    return maps


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("size", [3, 4])
def test_feature_maps_are_convolutions_of_their_input(tmp_path, images, padding, strides, size):
    block = ConvBlock(filters=3, kernel_size=size, strides=strides, padding=padding, pooling="none")
    spec = RunSpec(model=to_graph(Blocks(conv=(block, block))))
    fresh = build_model(spec)
    random = np.random.default_rng(0)
    fresh.set_weights([random.normal(size=values.shape) * 0.3 for values in fresh.get_weights()])
    fresh.save_weights(tmp_path / "made.weights.h5")
    model = TrainedModel(spec, tmp_path / "made.weights.h5")
    outputs = model.activations(images[0])
    for name, before in (("conv_1", images[0] / np.float32(255)), ("conv_2", outputs["activation_1"])):
        kernel, bias = model.model.get_layer(name).get_weights()
        found = model.weights(name)
        assert list(found) == ["kernel", "bias"]
        np.testing.assert_array_equal(found["kernel"], kernel)
        np.testing.assert_array_equal(found["bias"], bias)
        np.testing.assert_allclose(outputs[name], convolve(before, kernel, bias, strides, padding), atol=1e-4)
    np.testing.assert_array_equal(outputs["activation_1"], np.maximum(outputs["conv_1"], 0))


def test_the_last_activations_are_the_answer(model, images):
    expected = model.model.predict(images / np.float32(255), verbose=0)
    for image, answer in zip(images[:5], expected, strict=False):
        outputs = model.activations(image[..., 0])
        assert list(outputs) == [layer.name for layer in model.spec.model.layers]
        np.testing.assert_allclose(outputs["softmax"], answer, atol=1e-5)
        np.testing.assert_allclose(model.probabilities(image[None, ..., 0])[0], answer, atol=1e-5)
    np.testing.assert_allclose(model.probabilities(images[..., 0]), expected, atol=1e-5)
    np.testing.assert_allclose(model.probabilities(images), expected, atol=1e-5)


def test_images_are_scaled_and_series_are_not():
    every_byte = np.arange(256, dtype=np.uint8)
    found = scaled(tf.constant(every_byte)).numpy()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, every_byte.astype(np.float32) / 255)
    series = np.array([-3.5, 0, 255], np.float32)
    np.testing.assert_array_equal(scaled(tf.constant(series)), series)


def test_damaged_or_foreign_weights(trained, tmp_path):
    good = (trained.folder / "model.weights.h5").read_bytes()
    file = tmp_path / "model.weights.h5"
    for data in (b"", b"not weights", good[: len(good) // 2], good[:-100], good[:50] + bytes(2000) + good[2050:]):
        file.write_bytes(data)
        with pytest.raises(
            LabError, match=r"model\.weights\.h5 cannot be used: the file is damaged.*Train the run again"
        ) as caught:
            TrainedModel(trained.spec, file)
        assert len(str(caught.value).splitlines()) == 1
    file.write_bytes(good)
    with pytest.raises(LabError, match="cannot be used"):
        TrainedModel(change(trained.spec, {"model.layers.conv_1.filters": 9}), file)
    with pytest.raises(LabError, match="cannot be used"):
        TrainedModel(trained.spec, tmp_path / "missing.weights.h5")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_get_a_sentence(value, trained, tmp_path):
    model = build_model(trained.spec)
    model.load_weights(trained.folder / "model.weights.h5")
    layer = model.get_layer("conv_1")
    layer.set_weights([layer.get_weights()[0], np.full(8, value, np.float32)])
    model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(LabError, match=r"infinite or no numbers.* lower learning rate"):
        TrainedModel(trained.spec, tmp_path / "model.weights.h5")
