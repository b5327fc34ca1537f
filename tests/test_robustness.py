"""Changed images against Pillow and numpy, and the point where a curve falls too low."""

import numpy as np
import pytest
from PIL import Image

from cnn_core import datasets
from cnn_core.evaluation import read_answers
from cnn_core.presets import preset
from cnn_core.studies import robustness
from cnn_core.studies.robustness import LEVELS, UNITS, UNITS_OF_SERIES, changed, changed_series, falls_under
from cnn_core.study import Context
from tests.networks import finished_run

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
    monkeypatch.setattr(robustness, "EXAMPLES", 100)
    said = []
    context = Context(trained.row, trained.lab.weights(trained.run), progress=lambda part, words: said.append((part, words)))
    found = robustness.study(context)
    assert int(found["examples"]) == 100 and all(len(found[change]) == len(levels) for change, levels in LEVELS.items())
    answers = read_answers(trained.lab, trained.run)["label"][:100].argmax(axis=1)
    as_they_are = (answers == datasets.load("mnist-5k").y_test[:100]).mean()
    for change in LEVELS:
        assert found[change][0] == pytest.approx(as_they_are, abs=0.011)  # rounding may decide one of them
    assert found["noise"][-1] < found["noise"][0] and found["rotation"][-1] < found["rotation"][0]
    parts = [part for part, _ in said]
    assert parts == sorted(parts) and parts[-1] < 1


@pytest.mark.parametrize("change", UNITS_OF_SERIES)
def test_series_change_more_and_more(change):
    series = datasets.load("mnist-1d").x_test[:50, :, 0]
    levels = LEVELS[change]
    assert changed_series(series, change, 0) is series
    little, much = (changed_series(series, change, level) for level in (levels[1], levels[-1]))
    assert much.dtype == np.float32 and much.shape == series.shape
    assert 0 < np.abs(little - series).mean() < np.abs(much - series).mean()
    np.testing.assert_array_equal(much, changed_series(series, change, levels[-1]))


def test_a_line_shows_what_becomes_of_series():
    line = np.arange(41, dtype=np.float32)[np.newaxis] - 20
    inner = slice(8, 33)
    moved = changed_series(np.repeat(line, 20, axis=0), "shift", 2) - line
    assert set(np.unique(moved[:, inner]).tolist()) == {-2.0, 2.0} and np.abs(moved).max() == 2
    np.testing.assert_allclose(changed_series(line, "smaller", 0.5)[0, 10:31], 2 * line[0, 10:31])
    assert changed_series(line, "smaller", 0.5)[0, 0] == -20  # as the end is
    np.testing.assert_allclose(changed_series(line, "larger", 0.25), line / 1.25, rtol=1e-6)
    np.testing.assert_allclose(changed_series(line, "contrast", 0.75), line / 4)
    assert np.abs(changed_series(line, "shear", 0.5) - line)[0, [0, 20, 40]].tolist() == [0.5, 0, 0.5]
    np.testing.assert_allclose(changed_series(line, "blur", 1)[0, inner], line[0, inner], atol=1e-4)


def test_the_study_of_series(lab):
    run = finished_run(lab, preset("mnist1d").spec)
    found = robustness.study(Context(lab.store.get(run), lab.weights(run), progress=lambda part, words: None))
    assert set(found) == {*UNITS_OF_SERIES, "examples"} and len({found[change][0] for change in UNITS_OF_SERIES}) == 1
