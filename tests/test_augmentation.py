"""The geometry of augmentation, without TensorFlow."""

import numpy as np
import pytest

from cnn_core.augmentation import DRAWS, bend, preview, transforms
from cnn_core.spec import AugmentationSpec

LABELS = np.array([3, 4, 5])


def moved(x: float, y: float, uniform: list[float], **settings: float) -> tuple[float, float]:
    """Where in the input the output pixel (x, y) looks."""
    drawn = np.array([*uniform, *[0.0] * (DRAWS - len(uniform))])
    rows = transforms(drawn[:, np.newaxis], np.cos, np.sin, AugmentationSpec(**settings), 28)
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
    np.testing.assert_array_equal(preview(images, LABELS, AugmentationSpec()), images)
    spec = AugmentationSpec(rotation=20, shift=0.1, zoom=0.1)
    np.testing.assert_array_equal(preview(images, LABELS, spec, 4), preview(images, LABELS, spec, 4))
    assert (preview(images, LABELS, spec, 4) != preview(images, LABELS, spec, 5)).any()


def test_a_whole_pixel_shift_moves_every_pixel(monkeypatch):
    class Fixed:
        def uniform(self, low, high, shape):
            drawn = np.zeros(shape)
            if shape[0] == DRAWS:
                drawn[2] = 1.0
            return drawn

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Fixed())
    images = np.arange(28 * 28, dtype=np.uint32).reshape(1, 28, 28, 1).astype(np.uint8)
    monkeypatch.setattr("cnn_core.handwriting.vary", lambda images, labels, part, seed: images)
    shown = preview(images, LABELS[:1], AugmentationSpec(shift=3 / 28))
    np.testing.assert_array_equal(shown[0, :, 3:], images[0, :, :-3])
    assert not shown[0, :, :3].any()


def test_a_shear_moves_rows_and_a_stretch_keeps_the_area():
    assert moved(13.5, 23.5, [0, 0, 0, 0, 1], shear=0.2) == pytest.approx((15.5, 23.5))
    assert moved(25.5, 13.5, [0, 0, 0, 0, 0, 1], stretch=0.2) == pytest.approx((23.5, 13.5))
    x, y = moved(25.5, 23.5, [0, 0, 0, 0, 0, 1], stretch=0.2)
    assert (x - 13.5) * (y - 13.5) == pytest.approx(120)


def test_the_pen_gets_thicker_or_thinner_and_the_ink_stays_bright():
    square = np.zeros((40, 28, 28, 1), np.uint8)
    square[:, 10:15, 10:15] = 200
    shown = preview(square, np.full(40, 3), AugmentationSpec(stroke=1.0))
    ink = shown.astype(float).sum(axis=(1, 2, 3)) / square[0].sum()
    assert ink.min() < 0.6 and ink.max() > 1.5
    np.testing.assert_allclose(shown.max(axis=(1, 2, 3)), 200, atol=1)


def test_the_weights_of_a_bend_are_smooth_and_sum_to_one():
    weights = bend(28)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    assert np.abs(np.diff(weights, axis=0)).max() < 0.1
    still = preview(np.full((2, 28, 28, 1), 90, np.uint8), LABELS[:2], AugmentationSpec(elastic=0.1))
    assert (still[:, 6:-6, 6:-6] == 90).all(), "paper of one colour stays so wherever its parts go"
