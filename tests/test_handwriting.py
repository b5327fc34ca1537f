"""Digits in other hands are still digits, prepared as MNIST's."""

import numpy as np
import pytest
from scipy import ndimage

from cnn_core import datasets
from cnn_core.handwriting import HANDS, fewer, vary


@pytest.fixture(scope="module")
def digits() -> datasets.Dataset:
    return datasets.load("mnist-5k")


def test_only_its_part_of_the_four_digits_is_redrawn_and_it_repeats(digits):
    images, labels = digits.x_train, digits.y_train
    varied = vary(images, labels, 0.25, seed=1)
    changed = (varied != images).any(axis=(1, 2, 3))
    assert set(labels[changed]) == set(HANDS) == {0, 1, 7, 9}
    assert 0.2 < changed[np.isin(labels, list(HANDS))].mean() < 0.3
    np.testing.assert_array_equal(varied, vary(images, labels, 0.25, seed=1))
    assert (varied != vary(images, labels, 0.25, seed=2)).any()
    np.testing.assert_array_equal(vary(images, labels, 0.0), images)


def test_of_the_redrawn_digits_one_in_ten_stays(digits):
    images = digits.x_train
    varied = vary(images, digits.y_train, 0.5, seed=1)
    rest = fewer(varied, images)
    before, after = ((some != images).any(axis=(1, 2, 3)) for some in (varied, rest))
    assert after.sum() == -(-before.sum() // 10) and before[after].all()
    np.testing.assert_array_equal(rest[after], varied[after])


@pytest.mark.parametrize("digit", HANDS)
def test_a_redrawn_digit_is_fitted_and_centred_and_has_more_strokes(digits, digit):
    images = digits.x_train[digits.y_train == digit][:60]
    varied = vary(images, np.full(60, digit), 1.0)
    assert varied.shape == images.shape and varied.dtype == np.uint8
    for image in varied[..., 0]:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
        assert np.abs(np.array(ndimage.center_of_mass(image)) - 14).max() <= 1.0
        assert image.max() == 255


def test_a_slash_closes_the_hole_of_a_zero(digits):
    zeros = digits.x_train[digits.y_train == 0][:60]
    slashed = vary(zeros, np.zeros(60), 1.0)
    before, after = (np.median(images[:, 11:17, 11:17].mean(axis=(1, 2, 3))) for images in (zeros, slashed))
    assert after > 2 * before


def test_a_bare_one_gets_a_flag_to_the_left_or_a_foot():
    bare = np.zeros((40, 28, 28, 1), np.uint8)
    bare[:, 4:24, 13:15] = 255
    widths = [np.ptp(np.flatnonzero(image.any(axis=0))) + 1 for image in vary(bare, np.ones(40), 1.0)[..., 0]]
    assert min(widths) > 3 and max(widths) > 8


def test_a_strange_image_does_not_break_it():
    odd = np.zeros((3, 28, 28, 1), np.uint8)
    odd[0, 5, 5] = 255  # a dot
    odd[1, 20, 2:26] = 255  # a line without height
    odd[2] = 255  # all ink
    for digit in HANDS:
        assert vary(odd, np.full(3, digit), 1.0).shape == odd.shape
