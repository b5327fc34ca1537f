"""Calibration and selective answers against numpy and cases worked out by hand."""

import numpy as np
import pytest

from cnn_core import confidence


def two(sure: list[float]) -> np.ndarray:
    """Probabilities of two classes, the second with these."""
    return np.stack([1 - np.array(sure), np.array(sure)], axis=1)


@pytest.fixture(scope="module")
def random_answers() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    return generator.dirichlet(np.full(10, 0.3), 800).astype(np.float32), generator.integers(0, 10, 800)


def test_calibration_of_four_answers():
    found = confidence.calibration(two([0.55, 0.95, 0.95, 0.85]), np.array([1, 1, 0, 1]))
    np.testing.assert_allclose(found.edges, [[0.5, 0.6], [0.8, 0.9], [0.9, 1.0]])
    np.testing.assert_allclose(found.accuracy, [1, 1, 0.5])
    np.testing.assert_allclose(found.confidence, [0.55, 0.85, 0.95])
    assert found.counts.tolist() == [1, 1, 2]
    assert found.error == pytest.approx((0.45 + 0.15 + 2 * 0.45) / 4)


def test_calibration_against_a_loop_over_the_bins(random_answers):
    probabilities, labels = random_answers
    found = confidence.calibration(probabilities, labels, bins=15)
    sure, right, error, counts = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, 0.0, []
    for low, high in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            counts.append(inside.sum())
            error += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert found.counts.tolist() == counts and found.counts.sum() == 800
    assert found.error == pytest.approx(error, abs=1e-6)


@pytest.mark.parametrize(("labels", "error"), [([1, 1, 1], 0.0), ([0, 0, 0], 1.0)])
def test_calibration_where_all_are_sure(labels, error):
    probabilities = np.array([[0, 1 + 1e-7]] * 3, np.float32)  # rounding can pass 1
    found = confidence.calibration(probabilities, np.array(labels))
    assert found.error == pytest.approx(error) and found.counts.tolist() == [3]


def test_accuracy_against_coverage_by_hand():
    curve = confidence.selective(two([0.6, 0.7, 0.7, 0.9]), np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(curve.thresholds, [0.6, 0.7, 0.9])  # the two of 0.7 are given together
    np.testing.assert_allclose(curve.coverage, [1, 3 / 4, 1 / 4])
    np.testing.assert_allclose(curve.accuracy, [1 / 2, 2 / 3, 1])


def test_the_curve_says_what_each_threshold_gives(random_answers):
    curve = confidence.selective(*random_answers, points=50)
    assert len(curve.thresholds) == 50 and curve.coverage[0] == 1 and curve.coverage[-1] == 1 / 800
    for threshold, coverage, accuracy in list(zip(curve.thresholds, curve.coverage, curve.accuracy, strict=True))[::7]:
        assert confidence.at(*random_answers, threshold) == pytest.approx((coverage, accuracy))


def test_a_threshold_that_nothing_reaches():
    assert confidence.at(two([0.6]), np.array([1]), 0.99) == (0.0, None)
    assert confidence.at(two([0.6]), np.array([1]), 0.0) == (1.0, 1.0)
