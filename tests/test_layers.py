"""Min pooling against numpy, and saved and loaded again."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.layers import MinPooling2D


def min_pool(images: np.ndarray, size: int, strides: int, padding: str) -> np.ndarray:
    """The smallest value of each window; at 'same' borders of the values that are inside the image."""
    count, height, width, channels = images.shape
    if padding == "same":
        rows, columns = -(-height // strides), -(-width // strides)
        top = max(0, (rows - 1) * strides + size - height) // 2
        left = max(0, (columns - 1) * strides + size - width) // 2
    else:
        rows, columns, top, left = (height - size) // strides + 1, (width - size) // strides + 1, 0, 0
    pooled = np.empty((count, rows, columns, channels), images.dtype)
    for row in range(rows):
        for column in range(columns):
            y, x = row * strides - top, column * strides - left
            window = images[:, max(0, y) : y + size, max(0, x) : x + size]
            pooled[:, row, column] = window.min(axis=(1, 2))
    return pooled


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 8), st.integers(1, 8), st.sampled_from(("same", "valid")), st.integers(8, 13), st.booleans())
def test_min_pooling_is_the_smallest_value_of_each_window(size, strides, padding, side, positive):
    images = np.random.default_rng(side).normal(size=(2, side, side + 1, 3)).astype(np.float32)
    images = np.abs(images) if positive else images
    layer = MinPooling2D(pool_size=size, strides=strides, padding=padding)
    np.testing.assert_array_equal(layer(images), min_pool(images, size, strides, padding))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_keras_file_with_min_pooling_loads_again(tmp_path, padding):
    model = keras.Sequential([keras.Input((9, 9, 2)), keras.layers.Conv2D(3, 3), MinPooling2D(3, 2, padding, name="pool_1")])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again.get_layer("pool_1"), MinPooling2D) and again.get_layer("pool_1").padding == padding
    images = np.random.default_rng(0).normal(size=(4, 9, 9, 2)).astype(np.float32)
    np.testing.assert_array_equal(model(images), again(images))
