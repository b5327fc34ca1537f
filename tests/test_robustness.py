"""Changed images against Pillow and numpy, and the point where a curve falls too low."""

import numpy as np
import pytest
from PIL import Image

from cnn_core import datasets
from cnn_core.evaluation import read_answers
from cnn_core.studies import robustness
from cnn_core.studies.robustness import LEVELS, UNITS, changed, falls_under

BLOCK = np.zeros((1, 28, 28), np.uint8)
BLOCK[0, 10:18, 12:16] = 200


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return datasets.load("mnist-5k").x_test[::40, ..., 0]


@pytest.mark.parametrize("change", LEVELS)
def test_no_change_and_more_change(images, change):
    levels = LEVELS[change]
    assert levels[0] == 0 and list(levels) == sorted(levels) and change in UNITS
    assert changed(images, change, 0) is images
    little, much = (changed(images, change, level) for level in (levels[1], levels[-1]))
    assert little.dtype == much.dtype == np.uint8 and much.shape == images.shape
    away = [float(np.abs(found.astype(float) - images).mean()) for found in (little, much)]
    assert 0 < away[0] < away[1]
    np.testing.assert_array_equal(much, changed(images, change, levels[-1]))  # the same each time


def test_rotation_is_pillows(images):
    found = changed(images[:12], "rotation", 30)
    for before, after in zip(images, found, strict=False):
        turned = [np.asarray(Image.fromarray(before).rotate(angle, Image.Resampling.BILINEAR), float) for angle in (-30, 30)]
        assert min(np.abs(after - one).mean() for one in turned) < 1.5


def test_shift_moves_by_the_level():
    (found,) = changed(BLOCK, "shift", 4)
    centre = [np.average(np.arange(28), weights=found.sum(axis=1 - axis)) for axis in (0, 1)]
    assert np.hypot(centre[0] - 13.5, centre[1] - 13.5) == pytest.approx(4, abs=0.05)
    assert found.sum() == pytest.approx(BLOCK.sum(), rel=0.01)


@pytest.mark.parametrize(("change", "level", "area"), [("smaller", 0.5, 1 / 4), ("larger", 0.5, 9 / 4), ("shear", 0.4, 1.0)])
def test_scale_and_shear_change_the_area(change, level, area):
    assert changed(BLOCK, change, level).sum() / BLOCK.sum() == pytest.approx(area, rel=0.08)


def test_noise_has_the_standard_deviation_and_contrast_the_range(images):
    grey = np.full((20, 28, 28), 128, np.uint8)
    assert changed(grey, "noise", 0.1).std() == pytest.approx(25.5, rel=0.02)
    assert changed(grey, "noise", 0.1).mean() == pytest.approx(128, abs=0.5)
    assert np.ptp(changed(images, "contrast", 0.8)) == pytest.approx(0.2 * 255, abs=1)


def test_a_pen_of_one_pixel_more_or_less():
    for change, height, width in (("thicker", 10, 6), ("thinner", 6, 2)):
        (found,) = changed(BLOCK, change, 1)
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        assert (len(rows), len(columns)) == (height, width)


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [([1.0, 0.95, 0.85, 0.5], 15.0), ([0.99, 0.99, 0.99, 0.9], None), ([0.8, 0.95, 0.5, 0.1], 0.0), ([1.0, 0.9, 0.8, 1.0], 10.0)],
)
def test_where_a_curve_falls_under_nine_tenths(accuracy, expected):
    found = falls_under(np.array([0, 10, 20, 30]), np.array(accuracy))
    assert found == (None if expected is None else pytest.approx(expected))


def test_the_study_follows_the_test_accuracy(trained, monkeypatch):
    from cnn_core.study import Context

    monkeypatch.setattr(robustness, "IMAGES", 100)
    said = []
    context = Context(trained.row, trained.lab.weights(trained.run), progress=lambda part, words: said.append((part, words)))
    found = robustness.study(context)
    assert int(found["images"]) == 100 and all(len(found[change]) == len(levels) for change, levels in LEVELS.items())
    answers = read_answers(trained.lab, trained.run)["label"][:100].argmax(axis=1)
    as_they_are = (answers == datasets.load("mnist-5k").y_test[:100]).mean()
    for change in LEVELS:
        assert found[change][0] == pytest.approx(as_they_are, abs=0.011)  # rounding may decide one of them
    assert found["noise"][-1] < found["noise"][0] and found["rotation"][-1] < found["rotation"][0]
    parts = [part for part, _ in said]
    assert parts == sorted(parts) and parts[-1] < 1
