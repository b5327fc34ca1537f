"""The geometry of augmentation, without TensorFlow."""

import numpy as np
import pytest

from cnn_core.augmentation import preview, transforms
from cnn_core.spec import AugmentationSpec


def moved(x: float, y: float, uniform: list[float], **settings: float) -> tuple[float, float]:
    """Where in the input the output pixel (x, y) looks."""
    rows = transforms(np.array(uniform)[:, np.newaxis], np.cos, np.sin, AugmentationSpec(**settings), 28)
    a, b, c, d, e, f = (float(row[0]) for row in rows)
    return a * x + b * y + c, d * x + e * y + f


def test_the_centre_stays_when_an_image_turns_and_grows():
    assert moved(13.5, 13.5, [1, 1, 0, 0], rotation=45, zoom=0.5) == pytest.approx((13.5, 13.5))


def test_a_shift_is_a_part_of_the_side():
    assert moved(10, 10, [0, 0, 1, -0.5], shift=0.25) == pytest.approx((3, 13.5))


def test_a_zoom_of_a_quarter_looks_at_less():
    assert moved(23.5, 13.5, [0, 1, 0, 0], zoom=0.25) == pytest.approx((21.5, 13.5))


def test_a_rotation_keeps_distances():
    x, y = moved(23.5, 13.5, [1, 0, 0, 0], rotation=30)
    assert np.hypot(x - 13.5, y - 13.5) == pytest.approx(10) and abs(y - 13.5) == pytest.approx(5)


def test_a_preview_without_strength_is_the_image_and_repeats_with_its_seed():
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    np.testing.assert_array_equal(preview(images, AugmentationSpec()), images)
    spec = AugmentationSpec(rotation=20, shift=0.1, zoom=0.1)
    np.testing.assert_array_equal(preview(images, spec, 4), preview(images, spec, 4))
    assert (preview(images, spec, 4) != preview(images, spec, 5)).any()


def test_a_whole_pixel_shift_moves_every_pixel(monkeypatch):
    class Fixed:
        def uniform(self, low, high, shape):
            return np.broadcast_to(np.array([[0.0], [0.0], [1.0], [0.0]]), shape)

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Fixed())
    images = np.arange(28 * 28, dtype=np.uint32).reshape(1, 28, 28, 1).astype(np.uint8)
    shown = preview(images, AugmentationSpec(shift=3 / 28))
    np.testing.assert_array_equal(shown[0, :, 3:], images[0, :, :-3])
    assert not shown[0, :, :3].any()
