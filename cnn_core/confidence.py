"""How far the confidence of a network can be trusted: its calibration, and what it gains by saying "I don't know"."""

from dataclasses import dataclass

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score

BINS = 10
POINTS = 200  # of a curve, at most


@dataclass(frozen=True)
class Calibration:
    """Answers by how confident they are, in bins of equal width from 0 to 1, of which only those with answers are kept.

    edges: (bins, 2), where each begins and ends. confidence and accuracy: (bins,), their means. counts: (bins,), its answers. error: the
    expected calibration error, 0 to 1.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    error: float


@dataclass(frozen=True)
class Selective:
    """What becomes of the answers when only the confident ones are given: for each threshold, the part that is given (coverage) and
    the part of these that is right (accuracy), from all answers to the fewest."""

    thresholds: np.ndarray
    coverage: np.ndarray
    accuracy: np.ndarray


def calibration(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> Calibration:
    """Calibration of the answers to probabilities (n, classes), whose true labels are (n,).

    The expected calibration error is the mean over all answers of the difference between confidence and accuracy in its bin: the sum
    over the bins of (answers in the bin / n) * |accuracy - confidence| (Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern
    Neural Networks", 2017, equation 3).

    >>> round(calibration(np.array([[0.2, 0.8], [0.2, 0.8], [0.2, 0.8], [0.2, 0.8]]), np.array([1, 1, 1, 0])).error, 4)
    0.05
    """
    confidence, right = _confidence(probabilities, labels)
    accuracy, mean = calibration_curve(right, confidence, pos_label=True, n_bins=bins, strategy="uniform")
    edges = np.linspace(0, 1, bins + 1)
    counts = np.bincount(
        np.searchsorted(edges[1:-1], confidence), minlength=bins
    )  # scikit-learn's own bins, which it does not count
    kept = counts > 0
    error = float(np.average(np.abs(accuracy - mean), weights=counts[kept]))
    return Calibration(np.stack([edges[:-1], edges[1:]], axis=1)[kept], mean, accuracy, counts[kept], error)


def selective(probabilities: np.ndarray, labels: np.ndarray, points: int = POINTS) -> Selective:
    """Coverage and accuracy for each confidence that occurs, or for `points` of them, when answers below it are not given."""
    confidence, right = _confidence(probabilities, labels)
    order = np.argsort(-confidence, kind="stable")
    falling, count = confidence[order], np.arange(1, len(order) + 1)
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))  # answers as confident as each other are given together
    if len(ends) > points:
        ends = ends[np.linspace(0, len(ends) - 1, points).round().astype(int)]
    ends = ends[::-1]
    return Selective(falling[ends], count[ends] / len(order), (np.cumsum(right[order]) / count)[ends])


def at(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> tuple[float, float | None]:
    """Coverage, and accuracy of what is answered, when less than `threshold` means "I don't know"; no accuracy where nothing is answered."""
    given = probabilities.max(axis=1) >= threshold
    coverage = float(given.mean())
    return coverage, float(accuracy_score(labels[given], probabilities[given].argmax(axis=1))) if given.any() else None


def _confidence(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each answer, and whether it is right."""
    return np.clip(probabilities.max(axis=1).astype(np.float64), 0, 1), probabilities.argmax(axis=1) == labels
